//! `page`: what browsers find at the endpoint.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::ConfigError;

/// The page for browsers: GraphiQL, from this binary alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PageConfig {
    /// Whether a browser that opens the endpoint gets it. Off, it gets a short note.
    pub enabled: bool,
    /// Whether it shows plans. Whoever can reach the gateway can then ask for them, too: they name subgraphs, and what
    /// these are asked.
    pub plan: bool,
    /// Whom people can log in with there. Absent: tokens are typed into the headers editor.
    pub login: Option<LoginConfig>,
}

/// A login by authorization code with PKCE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// The issuer, as its metadata name it; these are at `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// The public client that is registered there, with the endpoint's address as a redirect URI.
    pub client_id: String,
    /// What is asked for; `openid` must be among it.
    #[serde(default = "openid")]
    pub scopes: Vec<String>,
}

fn openid() -> Vec<String> {
    vec!["openid".to_owned()]
}

impl PageConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.login.as_ref().map_or(Ok(()), LoginConfig::check)
    }
}

impl LoginConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let url = Url::parse(&self.issuer).ok();
        if !url.as_ref().is_some_and(is_safe) {
            let why =
                "must be an https:// URL, or http:// on a loopback address: codes and tokens come from there";
            return Err(ConfigError::value("page.login.issuer", why));
        }
        if self.client_id.is_empty() {
            return Err(ConfigError::value(
                "page.login.client_id",
                "must name the client that is registered with the issuer",
            ));
        }
        // RFC 6749, section 3.3.
        let is_token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let well_formed = |scope: &String| !scope.is_empty() && scope.bytes().all(is_token);
        if !self.scopes.iter().all(well_formed) {
            return Err(ConfigError::value(
                "page.login.scopes",
                "must be a list of names without spaces, e.g. [openid, offline_access]",
            ));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(ConfigError::value(
                "page.login.scopes",
                "must hold openid: the ID token tells that an answer belongs to its login",
            ));
        }
        Ok(())
    }
}

/// Whether a browser may be sent there with a code under way, and tokens may come from there.
pub fn is_safe(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" && url.has_host() || url.scheme() == "http" && loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(issuer: &str, scopes: &[&str]) -> LoginConfig {
        LoginConfig {
            issuer: issuer.to_owned(),
            client_id: "page".to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    #[test]
    fn a_login_that_would_leak_codes_is_refused() {
        for good in [
            "https://login.example",
            "http://127.0.0.1:4001",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            assert!(login(good, &["openid"]).check().is_ok(), "{good}");
        }
        for bad in [
            "http://login.example",
            "login.example",
            "javascript:alert(1)",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(login(bad, &["openid"]).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn scopes_are_names_and_one_of_them_is_openid() {
        let check = |scopes: &[&str]| login("https://login.example", scopes).check().is_ok();
        assert!(check(&["openid", "order"]));
        for bad in [
            &["order"][..],
            &["openid order"],
            &["openid", ""],
            &["openid", "a\"b"],
            &[],
        ] {
            assert!(!check(bad), "{bad:?}");
        }
        let unnamed = LoginConfig {
            client_id: String::new(),
            ..login("https://login.example", &["openid"])
        };
        assert!(unnamed.check().is_err());
    }
}
