//! Rate limits: by client, by user, by operation.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use baedal_traffic::Clock;
use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use super::limit::{KeyText, Limit, Together};
use crate::config::{ForEach, OperationRateConfig, RateLimitsConfig, StoreKind};
use crate::errors::{Code, Refusal};
use crate::jwt::Caller;
use crate::valkey::Valkey;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// What tells clients apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// An address.
    Address(IpAddr),
    /// What a header says.
    Named(Box<str>),
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct Who<'a> {
    /// By the token.
    pub caller: &'a Caller,
    /// By the connection, where a limit asks for it.
    pub client: Option<&'a ClientKey>,
}

/// All limits.
pub struct RateLimits {
    client: Option<Limit<ClientKey>>,
    header: Option<HeaderName>,
    user: Option<Limit<Box<str>>>,
    operations: Vec<OperationLimit>,
}

struct OperationLimit {
    which: Which,
    for_each: ForEach,
    limit: Limit<OperationKey>,
}

enum Which {
    Name(String),
    Hash(String),
}

impl KeyText for ClientKey {
    fn text(&self) -> String {
        match self {
            ClientKey::Address(address) => format!("address {address}"),
            ClientKey::Named(name) => format!("named {name}"),
        }
    }
}

impl KeyText for OperationKey {
    fn text(&self) -> String {
        match self {
            OperationKey::Everyone => "everyone".to_owned(),
            OperationKey::Client(client) => format!("client {}", client.text()),
            OperationKey::User(user) => format!("user {user}"),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum OperationKey {
    Everyone,
    Client(ClientKey),
    User(Box<str>),
}

impl RateLimits {
    /// Nothing is used up yet, as far as this process knows.
    pub fn new(
        config: &RateLimitsConfig,
        clock: &Arc<dyn Clock>,
        valkey: Option<&Arc<Valkey>>,
    ) -> RateLimits {
        let valkey = valkey.filter(|_| config.store == StoreKind::Redis);
        let together = |name: String| {
            valkey.map(|valkey| Together {
                valkey: Arc::clone(valkey),
                name,
            })
        };
        let operation = |config: &OperationRateConfig| OperationLimit {
            which: match (&config.name, &config.hash) {
                (_, Some(hash)) => Which::Hash(hash.clone()),
                (name, None) => Which::Name(name.clone().unwrap_or_default()),
            },
            for_each: config.for_each,
            limit: Limit::new(config.settings(), clock, together(config.identity())),
        };
        let client = config.per_client.as_ref();
        let user = config.per_user.as_ref();
        RateLimits {
            client: client.map(|client| Limit::new(client.settings(), clock, together("client".to_owned()))),
            header: client.and_then(|client| client.header.as_ref()?.parse().ok()),
            user: user.map(|user| Limit::new(user.settings(), clock, together("user".to_owned()))),
            operations: config.per_operation.iter().map(operation).collect(),
        }
    }

    /// Whether there is any limit.
    pub fn any(&self) -> bool {
        self.client.is_some() || self.user.is_some() || !self.operations.is_empty()
    }

    /// What tells this client apart, where a limit asks for it.
    pub fn client(&self, peer: Option<Peer>, headers: &HeaderMap) -> Option<ClientKey> {
        let everyone = |limit: &OperationLimit| limit.for_each == ForEach::Gateway;
        if self.client.is_none() && self.operations.iter().all(everyone) {
            return None;
        }
        let said = self.header.as_ref().and_then(|name| last_entry(headers, name));
        match said {
            Some(said) => Some(ClientKey::Named(said.into())),
            None => peer.map(|Peer(address)| ClientKey::Address(network(address))),
        }
    }

    /// Counts a request of this client and this user.
    pub async fn check_caller(&self, who: &Who<'_>) -> Result<(), Refusal> {
        if let (Some(limit), Some(client)) = (&self.client, who.client) {
            let checked = limit.check(client.clone()).await;
            checked.map_err(|after| limited("this client sends too many requests", after))?;
        }
        if let (Some(limit), Some(user)) = (&self.user, user(who)) {
            let checked = limit.check(user.into()).await;
            checked.map_err(|after| limited("this user sends too many requests", after))?;
        }
        Ok(())
    }

    /// Counts a request for this operation.
    pub async fn check_operation(
        &self,
        who: &Who<'_>,
        name: Option<&str>,
        query: &str,
    ) -> Result<(), Refusal> {
        let mut hash = None;
        for limit in &self.operations {
            let fits = match &limit.which {
                Which::Name(wanted) => name == Some(wanted),
                Which::Hash(wanted) => hash.get_or_insert_with(|| sha256(query)) == wanted,
            };
            if fits {
                let checked = limit.limit.check(limit.key(who)).await;
                checked.map_err(|after| limited("this operation is asked for too often", after))?;
            }
        }
        Ok(())
    }
}

impl OperationLimit {
    fn key(&self, who: &Who<'_>) -> OperationKey {
        let client = || {
            who.client
                .cloned()
                .map_or(OperationKey::Everyone, OperationKey::Client)
        };
        match (self.for_each, user(who)) {
            (ForEach::Gateway, _) => OperationKey::Everyone,
            (ForEach::User, Some(user)) => OperationKey::User(user.into()),
            (ForEach::Client, _) | (ForEach::User, None) => client(),
        }
    }
}

fn user<'a>(who: &Who<'a>) -> Option<&'a str> {
    who.caller.claims.as_ref().map(|claims| claims.sub.as_str())
}

fn limited(message: &str, after: Duration) -> Refusal {
    Refusal::later(Code::RateLimited, message, after)
}

/// The last entry of a list over all headers of this name: the one that the nearest proxy wrote.
fn last_entry<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let last = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let entry = last.rsplit(',').next()?.trim();
    (!entry.is_empty()).then_some(entry)
}

/// One IPv6 client has a whole network of 64 bits to choose addresses from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_apart_by_the_last_entry_or_their_network() {
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static("x-forwarded-for");
        assert_eq!(last_entry(&headers, &name), None);
        for value in ["6.6.6.6", "spoofed, 10.0.0.7 , 10.0.0.8"] {
            headers.append(&name, value.parse().expect("a value"));
        }
        assert_eq!(last_entry(&headers, &name), Some("10.0.0.8"));
        let of = |text: &str| network(text.parse().expect("an address")).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn a_hash_is_that_of_the_query_text() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(""), empty);
    }
}
