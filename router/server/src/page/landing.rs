//! The note for people who open the endpoint of a gateway without a page.

use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use super::{head, reply, vary};
use crate::http::graphql::Answer;

/// What comes after the begin of the head.
const NOTE: &str = "</head>
<body>
<h1>A GraphQL endpoint</h1>
<p>Programs talk to this address; it has no page for browsers. A request is a POST with a JSON body:</p>
<pre>curl -H 'content-type: application/json' -d '{\"query\":\"{ __typename }\"}' ADDRESS</pre>
<p>Is this gateway yours? <code>page: { enabled: true }</code> in its configuration puts GraphiQL here.</p>
</body>
</html>
";

/// The note.
pub fn answer() -> Answer {
    let mut response = reply(
        StatusCode::OK,
        "text/html; charset=utf-8",
        "no-store",
        head("A GraphQL endpoint") + NOTE,
    );
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    vary(headers, "accept");
    response
}
