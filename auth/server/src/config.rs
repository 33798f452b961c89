//! What the server is told at start, and what it makes of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use url::{Host, Url};

use crate::server::StartError;

/// Settings of one server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The issuer, exactly as it stands in tokens: `https://…`, or `http://` on a loopback address; no trailing slash.
    /// Empty means `http://` and the address that was bound.
    pub issuer: String,
    /// `sqlite://FILE` or `postgres://user:password@host:port/database`.
    pub database_url: String,
    /// Whether accounts with documented passwords exist. Only with SQLite.
    pub demo_accounts: bool,
    /// `aud` of access tokens, unless the client narrows it.
    pub audience: String,
    /// Further values `resource` may have (RFC 8707).
    pub resources: Vec<String>,
    /// How long an access token lives, in seconds.
    pub access_token_lifetime: u32,
    /// How many trusted proxies append to `X-Forwarded-For`; 0 takes the peer's address.
    pub forwarded_hops: usize,
    /// How many passwords are hashed at once, 19 MiB each.
    pub hashes_at_once: usize,
    /// Where `/metrics` is served, with health checks beside it; nowhere without it.
    pub metrics_listen: Option<SocketAddr>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4001),
            issuer: String::new(),
            database_url: "sqlite://data/auth.db".to_owned(),
            demo_accounts: false,
            audience: "baedal".to_owned(),
            resources: Vec::new(),
            access_token_lifetime: 600,
            forwarded_hops: 0,
            hashes_at_once: std::thread::available_parallelism().map_or(2, usize::from),
            metrics_listen: None,
        }
    }
}

/// The settings that flows read; checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// See [`Config::issuer`].
    pub issuer: String,
    /// Scheme, host and port of the issuer, as browsers write it in `Origin`.
    pub origin: String,
    /// See [`Config::audience`].
    pub audience: String,
    /// See [`Config::resources`].
    pub resources: Vec<String>,
    /// Seconds.
    pub access_token_lifetime: i64,
    /// See [`Config::forwarded_hops`].
    pub forwarded_hops: usize,
}

impl Settings {
    /// Checks a configuration, given the address that was bound.
    pub fn read(config: &Config, bound: SocketAddr) -> Result<Settings, StartError> {
        let issuer = match config.issuer.as_str() {
            "" => format!("http://{bound}"),
            given => given.to_owned(),
        };
        if config.audience.is_empty() {
            return Err(StartError::Audience);
        }
        if !(60..=86_400).contains(&config.access_token_lifetime) {
            return Err(StartError::Lifetime);
        }
        Ok(Settings {
            origin: check_issuer(&issuer)?,
            issuer,
            audience: config.audience.clone(),
            resources: config.resources.clone(),
            access_token_lifetime: i64::from(config.access_token_lifetime),
            forwarded_hops: config.forwarded_hops,
        })
    }

    /// Whether browsers reach the server over TLS: then cookies are `Secure` and `__Host-`.
    pub fn is_secure(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// An absolute URL of this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Whether tokens may be issued for this `resource` (RFC 8707).
    pub fn has_resource(&self, resource: &str) -> bool {
        self.audience == resource || self.resources.iter().any(|known| known == resource)
    }
}

/// RFC 8414 section 2: https, no query, no fragment; plain HTTP only where it does not leave the machine.
fn check_issuer(issuer: &str) -> Result<String, StartError> {
    let refused = || StartError::Issuer(issuer.to_owned());
    let url = Url::parse(issuer).map_err(|_| refused())?;
    let on_this_machine = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let safe = url.scheme() == "https" && url.host().is_some() || url.scheme() == "http" && on_this_machine;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    // The canonical form has a slash after the host, which an issuer of ours has not.
    let canonical = url.as_str().strip_suffix('/').unwrap_or(url.as_str()) == issuer;
    if safe && plain && canonical {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(refused())
    }
}
