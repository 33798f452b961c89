//! The note for people who open the endpoint of a gateway without a page.

use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use super::{reply, vary};
use crate::http::graphql::Answer;

const NOTE: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"robots\" content=\"noindex\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>A GraphQL endpoint</title>
</head>
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
    let mut response = reply(StatusCode::OK, "text/html; charset=utf-8", "no-store", NOTE);
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    vary(headers, "accept");
    response
}
