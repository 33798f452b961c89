//! The page's document: a frame for its script, and what that needs to know of this gateway.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, ETAG, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{assets, head, reply, vary};
use crate::config::PageConfig;
use crate::http::graphql::Answer;

/// Nothing from elsewhere, nothing inline, nothing evaluated; nobody frames it, and it talks to nobody but this gateway.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A bowl, in the colours of GraphiQL.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
     %3Crect width='32' height='32' rx='7' fill='%23d60690'/%3E%3Cpath d='M6 15h20a10 10 0 0 1-20 0zM11 27h10M12 11c0-2 \
     2-2 2-4m4 4c0-2 2-2 2-4' fill='none' stroke='white' stroke-width='2.2' stroke-linecap='round' \
     stroke-linejoin='round'/%3E%3C/svg%3E";

/// The document, ready to be sent.
pub struct Document {
    html: Bytes,
    tag: String,
    weak: HeaderValue,
}

/// What the script reads.
#[derive(Serialize)]
struct Settings<'a> {
    plan: bool,
    login: Option<Login<'a>>,
}

#[derive(Serialize)]
struct Login<'a> {
    issuer: &'a str,
    client_id: &'a str,
}

impl Document {
    /// The document for this configuration.
    pub fn new(config: &PageConfig) -> Document {
        let login = config.login.as_ref().map(|login| Login {
            issuer: &login.issuer,
            client_id: &login.client_id,
        });
        let settings = Settings {
            plan: config.plan,
            login,
        };
        let html = html(&settings);
        let hash = Sha256::digest(html.as_bytes());
        let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Document {
            html: html.into(),
            // Weak: it may be sent compressed.
            weak: HeaderValue::try_from(format!("W/\"{hex}\"")).expect("hex digits"),
            tag: format!("\"{hex}\""),
        }
    }

    /// For a client with these headers.
    pub fn answer(&self, headers: &HeaderMap) -> Answer {
        let known = assets::is_known(headers, &self.tag);
        let (status, body) = match known {
            true => (StatusCode::NOT_MODIFIED, Bytes::new()),
            false => (StatusCode::OK, self.html.clone()),
        };
        let mut response = reply(status, "text/html; charset=utf-8", "no-cache", body);
        let headers = response.headers_mut();
        headers.insert(ETAG, self.weak.clone());
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        // For browsers that do not know `frame-ancestors`.
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(
            "cross-origin-opener-policy",
            HeaderValue::from_static("same-origin"),
        );
        vary(headers, "accept");
        response
    }
}

fn html(settings: &Settings<'_>) -> String {
    // A script element ends at `</script`, whatever is in it.
    let settings = serde_json::to_string(settings)
        .expect("strings are JSON")
        .replace('<', "\\u003c");
    let version = assets::version();
    format!(
        "{}<link rel=\"icon\" href=\"{ICON}\">
<link rel=\"stylesheet\" href=\"?page=page.css&amp;v={version}\">
<script type=\"application/json\" id=\"settings\">{settings}</script>
<script type=\"module\" src=\"?page=page.js&amp;v={version}\"></script>
</head>
<body>
<div id=\"page\"><p class=\"waiting\">Loading …</p></div>
<noscript>This page needs JavaScript. The GraphQL endpoint at this address does not: it takes POST requests.</noscript>
</body>
</html>
",
        head("GraphiQL · baedal")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LoginConfig;

    #[test]
    fn settings_cannot_end_their_script() {
        let config = PageConfig {
            login: Some(LoginConfig {
                issuer: "https://login.example/</script><script>alert(1)</script>".to_owned(),
                client_id: "page".to_owned(),
                scopes: Vec::new(),
            }),
            ..PageConfig::default()
        };
        let document = Document::new(&config);
        let html = std::str::from_utf8(&document.html).expect("text");
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains(r"\u003c/script>\u003cscript>alert(1)"), "{html}");
    }

    #[test]
    fn another_configuration_is_another_document() {
        let plans = PageConfig {
            plan: true,
            ..PageConfig::default()
        };
        let tags = [PageConfig::default(), plans].map(|config| Document::new(&config).tag);
        assert_ne!(tags[0], tags[1]);
    }
}
