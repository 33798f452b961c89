//! Section `cors`: origins as browsers write them (<https://www.rfc-editor.org/rfc/rfc6454#section-6.2>).

use http::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;

/// Which web pages of other origins may use the gateway.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// Origins as browsers write them, e.g. `https://app.example.com`; a path, a final slash, the usual port or a `*` is
    /// refused. None: only pages of the gateway's own origin.
    pub origins: Vec<String>,
}

impl CorsConfig {
    /// The origins as header values, of a checked configuration.
    pub fn values(&self) -> Vec<HeaderValue> {
        let value = |origin: &String| {
            origin
                .parse()
                .expect("Config::check has let only origins through, which are header values")
        };
        self.origins.iter().map(value).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refused = self.origins.iter().find_map(|origin| refusal(origin));
        refused.map_or(Ok(()), |why| Err(ConfigError::value("cors.origins", &why)))
    }
}

/// Why no browser ever sends this as its `Origin`, or any may.
fn refusal(origin: &str) -> Option<String> {
    let told = origin.escape_debug();
    if origin.contains('*') {
        return Some(format!(
            "holds `{told}`: there are no wildcards; name each origin, e.g. https://app.example.com"
        ));
    }
    match serialized(origin) {
        Some(exact) if exact == origin && exact.is_ascii() => None,
        Some(exact) if exact.is_ascii() => {
            Some(format!("holds `{told}`, which no browser sends; write {exact}"))
        }
        _ => Some(format!(
            "holds `{told}`, which is no origin: write scheme, host and (if unusual) port, e.g. https://app.example.com"
        )),
    }
}

/// Scheme, host, and the port if it is not the scheme's usual one.
fn serialized(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_accepted_only_as_browsers_write_it() {
        for good in [
            "https://app.example.com",
            "http://localhost:3000",
            "http://[::1]:8080",
            "capacitor://localhost",
        ] {
            assert_eq!(refusal(good), None);
        }
        for (bad, wanted) in [
            ("*", "name each origin"),
            ("https://*.example.com", "name each origin"),
            ("https://app.example.com/", "write https://app.example.com"),
            ("https://app.example.com/shop?x", "write https://app.example.com"),
            ("https://App.example.com:443", "write https://app.example.com"),
            ("https://ap\np.example.com", "write https://app.example.com"),
            ("https://배달.example", "write https://xn--"),
            (
                "https://me:secret@app.example.com",
                "write https://app.example.com",
            ),
            ("app.example.com", "is no origin"),
            ("localhost:3000", "is no origin"),
            ("null", "is no origin"),
            ("file:///tmp", "is no origin"),
            ("", "is no origin"),
        ] {
            let why = refusal(bad).unwrap_or_else(|| panic!("accepted: {bad:?}"));
            assert!(why.contains(wanted), "{wanted:?} is not in: {why}");
        }
    }
}
