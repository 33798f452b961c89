//! The response cache: answers of subgraphs that are kept for as long as they say (`cache.responses`).
//!
//! The story, file by file:
//!
//! 1. `fields` reads what an answer's header says about keeping it, `graph` what the supergraph says, `policy` decides;
//! 2. `question` reads what a request to a subgraph asks, `key` hashes all that its answer may depend on;
//! 3. `reading` takes a call apart into what is kept one by one, `taking` keeps what comes, `splice` puts texts together;
//! 4. `lens` answers the calls of one request, `flights` lets one of several ask, `told` sums up for the client;
//! 5. `store` keeps answers and drops them by `tags` (`format` fills them in); `purge` lets operators drop them.
//!
//! It must not know: HTTP connections, plans, tokens beyond what tells callers apart.

mod fields;
mod flights;
mod format;
mod graph;
mod key;
mod lens;
mod meters;
mod policy;
mod purge;
mod question;
mod reading;
mod splice;
mod store;
mod tags;
mod taking;
mod told;

#[cfg(test)]
mod tests;

pub use fields::Fields;
pub use graph::Graph;
pub use key::Caller;
pub use lens::{Lens, Mode, Origin, Reply};
pub use purge::serve;
pub use tags::Tag;
pub use told::Parts;

use std::time::Instant;

use baedal_telemetry::Registry;
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderName, HeaderValue};

use self::flights::Flights;
use self::meters::Meters;
use self::store::Store;
use crate::config::{Config, ResponsesConfig};
use crate::forward::{Forwarded, Rules};

/// Answers of subgraphs that are kept.
pub struct Responses {
    config: ResponsesConfig,
    store: Store,
    flights: Flights,
    meters: Meters,
    ignored: Vec<HeaderName>,
    /// Whether tokens or cookies ever go to subgraphs.
    callers_differ: bool,
    /// The headers of requests that answers depend on.
    vary: HeaderValue,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl Responses {
    /// An empty cache, if the configuration asks for one.
    pub fn new(
        config: &Config,
        registry: &Registry,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Option<Responses> {
        let responses = config.cache.responses.clone();
        let tells = |name: &HeaderName| *name == AUTHORIZATION || *name == COOKIE;
        let rules = Rules::of(config);
        let sources: Vec<HeaderName> = rules.sources().cloned().collect();
        responses.enabled.then(|| Responses {
            store: Store::new(responses.bytes, responses.max_ttl + responses.stale_if_error),
            flights: Flights::default(),
            meters: Meters::new(registry),
            ignored: responses.ignored(),
            callers_differ: config.auth.is_some() || rules.targets().any(tells),
            vary: vary(&sources),
            clock: Box::new(clock),
            config: responses,
        })
    }

    /// What a request is told of its parts.
    pub fn parts(&self) -> Parts {
        Parts::new(self.vary.clone())
    }

    /// Who asks, by the headers that go to subgraphs.
    pub fn caller(&self, forwarded: &Forwarded) -> Caller {
        Caller::of(forwarded, &self.ignored, &self.config.private_by)
    }

    /// Drops what has one of these tags. Gives how many answers there were.
    pub fn drop_tags(&self, by: &'static str, tags: &[Tag]) -> usize {
        let dropped = self.store.drop_tags(tags, self.now());
        self.meters.dropped(by, dropped);
        dropped
    }

    /// Drops everything. Gives how many answers there were.
    pub fn drop_all(&self, by: &'static str) -> usize {
        let dropped = self.store.drop_all(self.now());
        self.meters.dropped(by, dropped);
        dropped
    }

    /// Entries, their bytes, and how many had to go for want of room.
    pub fn size(&self) -> (u64, u64, u64) {
        self.store.size()
    }

    fn now(&self) -> Instant {
        (self.clock)()
    }
}

/// `Vary` of answers: the form that is asked for, who asks, and what travels on.
fn vary(propagated: &[HeaderName]) -> HeaderValue {
    let mut names = vec![ACCEPT.as_str(), AUTHORIZATION.as_str()];
    names.extend(propagated.iter().map(HeaderName::as_str));
    names.sort_unstable();
    names.dedup();
    HeaderValue::from_str(&names.join(", ")).expect("names of headers are a header value")
}
