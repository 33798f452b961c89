//! Redirect URIs: exact match ([RFC 9700 section 2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1)), with the
//! one exception of the loopback port ([RFC 8252 section 7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).
//!
//! The comparison is of bytes. Nothing is decoded or normalized: two texts that mean the same are still different.

use url::{Host, Url};

const LOOPBACKS: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Why a redirect URI cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// Not an absolute URI, or with parts a redirect URI must not have.
    #[error("a redirect URI must be absolute, without fragment, user info, `..`, `*` or spaces")]
    Malformed,
    /// Plain HTTP to somewhere else.
    #[error(
        "a redirect URI must be https, http://127.0.0.1/…, http://[::1]/…, or a private scheme with a dot (RFC 8252)"
    )]
    Insecure,
}

/// Whether the requested URI is the registered one.
pub fn matches(registered: &str, requested: &str) -> bool {
    registered == requested
        || loopback_path(registered).is_some_and(|path| loopback_path(requested) == Some(path))
}

/// Splits a loopback URI into its host and what follows the port; `None` for every other URI.
fn loopback_path(uri: &str) -> Option<(&str, &str)> {
    let host = LOOPBACKS.into_iter().find(|host| uri.starts_with(host))?;
    let rest = &uri[host.len()..];
    let path = match rest.strip_prefix(':') {
        None => rest,
        Some(with_port) => without_port(with_port)?,
    };
    path.starts_with('/').then_some((host, path))
}

fn without_port(text: &str) -> Option<&str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let port: u16 = text[..digits].parse().ok()?;
    (port > 0).then_some(&text[digits..])
}

/// Whether a URI may be registered for a client.
pub fn check_registrable(uri: &str) -> Result<(), RedirectError> {
    let url = Url::parse(uri).map_err(|_| RedirectError::Malformed)?;
    let plain =
        uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains(['*', '\\']) && !uri.contains("..");
    if !plain || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectError::Malformed);
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "http" if loopback_path(uri).is_some() => Ok(()),
        "http" | "https" => Err(RedirectError::Insecure),
        private if private.contains('.') => Ok(()),
        _ => Err(RedirectError::Insecure),
    }
}

/// Whether only the client itself can receive at this URI: then a consent may be remembered (RFC 8252 section 8.6).
pub fn identifies_client(uri: &str) -> bool {
    uri.starts_with("https://")
}

/// The Content-Security-Policy source of a URI: browsers apply `form-action` to the redirect after a form, too.
pub fn source(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else {
        return String::new();
    };
    match (url.host(), url.port()) {
        (Some(Host::Ipv6(ip)), Some(port)) => format!("{}://[{ip}]:{port}", url.scheme()),
        (Some(host), Some(port)) => format!("{}://{host}:{port}", url.scheme()),
        (Some(host), None) => format!("{}://{host}", url.scheme()),
        (None, _) => format!("{}:", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_uri_may_vary() {
        let registered = "http://127.0.0.1/callback";
        for same in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:1/callback",
            "http://127.0.0.1:65535/callback",
        ] {
            assert!(matches(registered, same), "{same}");
        }
        let others = [
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:80@evil.test/callback",
            "http://127.0.0.1@evil.test/callback",
            "http://127.0.0.1.evil.test/callback",
            "http://127.0.0.1:8000/callback/",
            "http://127.0.0.1:8000/callback?x=1",
            "http://127.0.0.1:8000/Callback",
            "http://127.0.0.1:8000/x/../callback",
            "http://127.0.0.1:8000/%63allback",
            "https://127.0.0.1:8000/callback",
            "http://localhost:8000/callback",
            "http://[::1]:8000/callback",
            "HTTP://127.0.0.1/callback",
            "http://127.0.0.1:8000",
            "http://127.0.0.1:8000/callback#x",
            "http://127.1/callback",
            "http://127.0.0.1:+80/callback",
            "",
        ];
        for other in others {
            assert!(!matches(registered, other), "{other}");
        }
    }

    #[test]
    fn an_https_uri_matches_itself_only() {
        let registered = "https://app.test/cb";
        assert!(matches(registered, registered));
        for other in [
            "https://app.test:443/cb",
            "https://app.test/cb/",
            "https://APP.test/cb",
            "https://app.test/cb?a",
            "https://app.test:8443/cb",
        ] {
            assert!(!matches(registered, other), "{other}");
        }
    }

    #[test]
    fn only_safe_uris_can_be_registered() {
        for good in [
            "https://app.test/cb",
            "https://app.test/cb?tenant=1",
            "http://127.0.0.1/cb",
            "http://[::1]/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(check_registrable(good), Ok(()), "{good}");
        }
        let bad = [
            "",
            "/cb",
            "http://app.test/cb",
            "http://localhost/cb",
            "https://app.test/cb#f",
            "https://u@app.test/",
            "https://*.test/",
            "https://app.test/a/../b",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/cb",
            "https://app.test/a b",
        ];
        for uri in bad {
            assert!(check_registrable(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_form_may_lead_to_the_clients_origin() {
        assert_eq!(source("http://127.0.0.1:8000/callback"), "http://127.0.0.1:8000");
        assert_eq!(source("http://[::1]:8000/callback"), "http://[::1]:8000");
        assert_eq!(source("https://app.test/cb"), "https://app.test");
        assert_eq!(source("com.example.app:/cb"), "com.example.app:");
    }
}
