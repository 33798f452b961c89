//! The response cache: answers of subgraphs that are kept for as long as they say (`cache.responses`).
//!
//! The story, file by file:
//!
//! 1. `fields` reads what an answer's header says about keeping it, `graph` what the supergraph says, `policy` decides;
//! 2. `question` reads what a request to a subgraph asks, `key` hashes all that its answer may depend on;
//! 3. `reading` takes a call apart into what is kept one by one, `taking` keeps what comes, `splice` puts texts together;
//! 4. `lens` answers the calls of one request, `flights` lets one of several ask, `told` sums up for the client;
//! 5. `backing` keeps answers and drops them by `tags` (`format` fills them in), in this process (`store`) or in Redis
//!    (`shared`); `purge` lets operators drop them, `events` records of a broker.
//!
//! It must not know: HTTP connections, plans, tokens beyond what tells callers apart.

mod backing;
mod events;
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
mod shared;
mod splice;
mod store;
mod tags;
mod taking;
mod told;

#[cfg(test)]
mod tests;

pub use events::Events;
pub use fields::Fields;
pub use graph::Graph;
pub use key::Caller;
pub use lens::{Lens, Mode, Origin, Reply};
pub use purge::{Current, serve};
pub use tags::Tag;
pub use told::Parts;

use std::sync::Arc;
use std::time::Instant;

use baedal_telemetry::Registry;
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderName, HeaderValue};

use self::backing::Backing;
use self::flights::Flights;
use self::meters::Meters;
use self::shared::Shared;
use self::store::Store;
use crate::config::{Config, HeadersConfig, ResponsesConfig, StoreKind};
use crate::forward::{Forwarded, Rules};
use crate::valkey::{Away, Valkey};

/// Answers of subgraphs that are kept.
pub struct Responses {
    config: ResponsesConfig,
    scheme: Scheme,
    store: Backing,
    flights: Flights,
    meters: Meters,
    ignored: Vec<HeaderName>,
    /// Whether tokens or cookies ever go to subgraphs.
    callers_differ: bool,
    /// The headers of requests that answers depend on.
    vary: HeaderValue,
    clock: Arc<Clock>,
}

type Clock = dyn Fn() -> Instant + Send + Sync;

/// What decides how callers are told apart.
#[derive(PartialEq)]
struct Scheme {
    has_auth: bool,
    headers: HeadersConfig,
}

impl Scheme {
    fn of(config: &Config) -> Scheme {
        Scheme {
            has_auth: config.auth.is_some(),
            headers: config.headers.clone(),
        }
    }

    /// With all else that keys and verdicts depend on, to be the same in each gateway that has the same of it.
    fn bytes(&self, responses: &ResponsesConfig) -> Vec<u8> {
        let ResponsesConfig {
            private_by,
            ignored_headers,
            ..
        } = responses;
        let all = (self.has_auth, &self.headers, private_by, ignored_headers);
        serde_json::to_vec(&all).expect("a configuration was read from what JSON can say")
    }
}

impl Responses {
    /// An empty cache, if the configuration asks for one.
    pub fn new(
        config: &Config,
        valkey: Option<&Arc<Valkey>>,
        registry: &Registry,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Option<Responses> {
        let responses = config.cache.responses.clone();
        responses.enabled.then(|| {
            let longest = responses.max_ttl + responses.stale_if_error;
            let store = match valkey.filter(|_| responses.store == StoreKind::Redis) {
                Some(valkey) => {
                    let scheme = Scheme::of(config).bytes(&responses);
                    Backing::There(Shared::new(valkey, &scheme, longest, clock()))
                }
                None => Backing::Here(Store::new(responses.bytes, longest)),
            };
            Responses::with(config, responses, store, Meters::new(registry), Arc::new(clock))
        })
    }

    fn with(
        config: &Config,
        responses: ResponsesConfig,
        store: Backing,
        meters: Meters,
        clock: Arc<Clock>,
    ) -> Responses {
        let tells = |name: &HeaderName| *name == AUTHORIZATION || *name == COOKIE;
        let rules = Rules::of(config);
        let sources: Vec<HeaderName> = rules.sources().cloned().collect();
        Responses {
            store,
            flights: Flights::default(),
            meters,
            ignored: responses.ignored(),
            callers_differ: config.auth.is_some() || rules.targets().any(tells),
            vary: vary(&sources),
            clock,
            scheme: Scheme::of(config),
            config: responses,
        }
    }

    /// Whether callers are told apart by this configuration as they are here.
    pub fn serves(&self, config: &Config) -> bool {
        self.scheme == Scheme::of(config)
    }

    /// An empty one that tells callers apart as this configuration says, and counts on.
    pub fn anew(&self, config: &Config) -> Responses {
        let settings = self.config.clone();
        let store = match &self.store {
            Backing::Here(store) => Backing::Here(store.anew()),
            Backing::There(shared) => {
                let scheme = Scheme::of(config).bytes(&settings);
                Backing::There(shared.anew(&scheme, self.now()))
            }
        };
        Responses::with(
            config,
            settings,
            store,
            self.meters.clone(),
            Arc::clone(&self.clock),
        )
    }

    /// Gives out and keeps nothing any more: another has taken its place. Who still has it asks subgraphs.
    pub fn retire(&self) {
        self.store.retire();
    }

    /// What a request is told of its parts.
    pub fn parts(&self) -> Parts {
        Parts::new(self.vary.clone())
    }

    /// Who asks, by the headers that go to subgraphs.
    pub fn caller(&self, forwarded: &Forwarded) -> Caller {
        Caller::of(forwarded, &self.ignored, &self.config.private_by)
    }

    /// Drops what has one of these tags. Gives how many answers there were, where that is known. While Redis is away, it is
    /// done later, and until then nothing is given out.
    pub async fn drop_tags(&self, by: &'static str, tags: &[Tag]) -> Result<Option<usize>, Away> {
        let dropped = self.store.drop_tags(tags, self.now()).await?;
        self.meters.dropped(by, dropped.unwrap_or_default());
        Ok(dropped)
    }

    /// Drops everything, like [`Responses::drop_tags`].
    pub async fn drop_all(&self, by: &'static str) -> Result<Option<usize>, Away> {
        let dropped = self.store.drop_all(self.now()).await?;
        self.meters.dropped(by, dropped.unwrap_or_default());
        Ok(dropped)
    }

    /// Entries, their bytes, and how many had to go for want of room; `None` where they are in Redis.
    pub fn size(&self) -> Option<(u64, u64, u64)> {
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
