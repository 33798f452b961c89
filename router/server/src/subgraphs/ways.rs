//! How a subgraph is called, besides where it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use baedal_token::message::SharedKey;
use http::{HeaderName, HeaderValue, Uri};

use super::signature;
use crate::config::{Config, Http2, SignConfig, SubgraphConfig};
use crate::jwt;
use crate::tls::{Outgoing, Secrets};

/// What compressed answers are asked for by.
const CODINGS: (HeaderName, HeaderValue) = (
    http::header::ACCEPT_ENCODING,
    HeaderValue::from_static("gzip, br, zstd"),
);

/// What the configuration says of calls to a subgraph.
#[derive(Clone, Default)]
pub struct Ways {
    /// The name of the subgraph; empty for what is none.
    pub name: Arc<str>,
    /// Whether compressed answers are asked for.
    pub packed: bool,
    /// Fixed header fields of each call.
    pub inserted: Arc<[(HeaderName, HeaderValue)]>,
    /// Whom it is believed to be, and what it is shown. `None`: as everyone else.
    pub tls: Option<Arc<Outgoing>>,
    /// Whether HTTP/2 is spoken.
    pub http2: Http2,
    /// What calls are signed with. `None`: they are not.
    pub sign: Option<Arc<SharedKey>>,
}

impl Ways {
    /// The ways of a subgraph, as the configuration sets them.
    pub fn of(name: &str, config: &Config, secrets: &Secrets) -> Result<Ways, String> {
        let unset = SubgraphConfig::default();
        let subgraph = config.subgraphs.get(name).unwrap_or(&unset);
        let needs_own = subgraph.tls.is_some() || subgraph.http2 != Http2::Never;
        let tls = needs_own.then(|| secrets.of_subgraph(name, &subgraph.tls.clone().unwrap_or_default()));
        let inserted = inserted(&config.headers.insert, &subgraph.headers.insert);
        Ok(Ways {
            name: name.into(),
            packed: subgraph.compression,
            inserted: inserted.into_iter().collect(),
            tls: tls.transpose().map_err(|error| error.to_string())?,
            http2: subgraph.http2,
            sign: subgraph.sign.as_ref().and_then(SignConfig::key).map(Arc::new),
        })
    }

    /// All fixed fields of a call for an answer.
    pub fn fields(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let codings = self.packed.then_some(CODINGS);
        self.inserted.iter().cloned().chain(codings)
    }

    /// The fields of the signature of a call, if calls are signed. `body`: nothing for one that is streamed.
    pub fn signature(
        &self,
        method: &str,
        url: &Uri,
        body: Option<&[u8]>,
    ) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
        let signed = |key: &Arc<SharedKey>| signature::fields(key, method, url, body, jwt::now());
        self.sign.as_ref().map(signed).into_iter().flatten()
    }

    /// The same as lines of a head; nothing where calls are not signed.
    pub fn signature_lines(&self, url: &Uri, body: &[u8]) -> Vec<u8> {
        lines(self.signature("POST", url, Some(body)))
    }

    /// All fixed fields as lines of a head.
    pub fn lines(&self) -> Vec<u8> {
        lines(self.fields())
    }
}

fn lines(fields: impl Iterator<Item = (HeaderName, HeaderValue)>) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in fields {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            lines.extend_from_slice(part);
        }
    }
    lines
}

/// What is inserted everywhere, replaced by what is inserted here. `Config::check` has refused what is no header.
fn inserted(
    everywhere: &BTreeMap<String, String>,
    here: &BTreeMap<String, String>,
) -> Vec<(HeaderName, HeaderValue)> {
    let read = |(name, value): (&String, &String)| {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        Some((name.parse::<HeaderName>().ok()?, value))
    };
    let here: Vec<_> = here.iter().filter_map(read).collect();
    let everywhere = everywhere.iter().filter_map(read);
    let not_replaced = everywhere.filter(|(name, _)| here.iter().all(|(other, _)| other != name));
    let mut all: Vec<_> = not_replaced.collect();
    all.extend(here);
    all
}
