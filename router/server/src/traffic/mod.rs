//! How much may come in and go out: the door of the gateway, the layers before each subgraph, rate limits. All of it can
//! be set anew while requests are served.

mod limit;
mod rates;
mod view;

pub use rates::{ClientKey, Peer, Who};
pub use view::SubgraphView;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use baedal_traffic::{Bulkhead, Clock, Full, Layers, Place, Rotation, TokioClock};

use self::rates::RateLimits;
use crate::config::{Config, SubgraphConfig, TrafficConfig};
use crate::errors::{Code, Refusal};
use crate::valkey::Valkey;

/// When a client that was turned away at the door may come again.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The traffic of one gateway.
pub struct Traffic {
    clock: Arc<dyn Clock>,
    door: Bulkhead,
    guards: Mutex<BTreeMap<String, Guard>>,
    live: ArcSwap<Live>,
    /// Where gateways count together.
    valkey: Option<Arc<Valkey>>,
}

/// What stands before one subgraph. A clone is the same.
#[derive(Clone)]
pub struct Guard {
    /// Before all of its addresses.
    pub layers: Arc<Layers>,
    /// Whose turn it is, of several addresses.
    pub rotation: Arc<Rotation>,
    addresses: Arc<[String]>,
}

/// What a reload replaces.
struct Live {
    traffic: TrafficConfig,
    subgraphs: BTreeMap<String, SubgraphConfig>,
    rates: Arc<RateLimits>,
}

/// A request that the gateway works on.
pub struct Inside<'a> {
    traffic: &'a Traffic,
    place: Option<Place<'a>>,
    began: Duration,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            place.leave(self.began, self.traffic.clock.now(), false);
        }
    }
}

impl Traffic {
    /// Nothing has come yet.
    pub fn new(config: &Config) -> Traffic {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        Traffic {
            door: Bulkhead::new(config.traffic.door()),
            guards: Mutex::default(),
            live: ArcSwap::from_pointee(Live {
                rates: Arc::new(RateLimits::new(&config.traffic.rate_limits, &clock, None)),
                traffic: config.traffic.clone(),
                subgraphs: config.subgraphs.clone(),
            }),
            valkey: None,
            clock,
        }
    }

    /// The same, counted where other gateways count, too, if the configuration says so.
    pub fn counted_by(mut self, valkey: Option<&Arc<Valkey>>) -> Traffic {
        let before = self.live.load_full();
        let rates = &before.traffic.rate_limits;
        let live = Live {
            rates: Arc::new(RateLimits::new(rates, &self.clock, valkey)),
            traffic: before.traffic.clone(),
            subgraphs: before.subgraphs.clone(),
        };
        self.live.store(Arc::new(live));
        self.valkey = valkey.cloned();
        self
    }

    /// Lets a request in, or turns it away soon.
    pub async fn enter(&self) -> Result<Inside<'_>, Refusal> {
        let place = self.door.enter().await;
        let place = place.map_err(|Full| {
            let message = "the gateway has too much to do; try again later";
            Refusal::later(Code::Overloaded, message, COME_AGAIN)
        })?;
        Ok(Inside {
            traffic: self,
            place: Some(place),
            began: self.clock.now(),
        })
    }

    /// Who asks, as far as rate limits tell clients apart.
    pub fn client(&self, peer: Option<Peer>, headers: &http::HeaderMap) -> Option<ClientKey> {
        self.live.load().rates.client(peer, headers)
    }

    /// Whether this client and this user may ask now.
    pub async fn admit(&self, who: &Who<'_>) -> Result<(), Refusal> {
        match self.limits() {
            Some(rates) => rates.check_caller(who).await,
            None => Ok(()),
        }
    }

    /// Whether this operation may be asked for now.
    pub async fn admit_operation(
        &self,
        who: &Who<'_>,
        name: Option<&str>,
        query: &str,
    ) -> Result<(), Refusal> {
        match self.limits() {
            Some(rates) => rates.check_operation(who, name, query).await,
            None => Ok(()),
        }
    }

    /// The rate limits, if there are any.
    fn limits(&self) -> Option<Arc<RateLimits>> {
        let live = self.live.load();
        live.rates.any().then(|| Arc::clone(&live.rates))
    }

    /// Longest time for all calls of one request.
    pub fn request_timeout(&self) -> Duration {
        self.live.load().traffic.request_timeout
    }

    /// What stands before a subgraph at these addresses: the same for each supergraph that has it.
    pub fn guard(&self, subgraph: &str, addresses: Vec<String>) -> Guard {
        let live = self.live.load();
        let settings = live.settings(subgraph);
        let mut guards = self.lock();
        let before = guards.get(subgraph);
        if let Some(guard) = before.filter(|guard| *guard.addresses == *addresses) {
            return guard.clone();
        }
        let rotation = Rotation::new(&addresses, &settings.breaker, &self.clock);
        let guard = Guard {
            layers: before.map_or_else(
                || Arc::new(Layers::new(subgraph, settings, Arc::clone(&self.clock))),
                |guard| Arc::clone(&guard.layers),
            ),
            rotation: Arc::new(rotation),
            addresses: addresses.into(),
        };
        guards.insert(subgraph.to_owned(), guard.clone());
        guard
    }

    /// Other settings from now on. What is under way, what is known of subgraphs, and what is used up of rate limits
    /// that are as before, stays.
    pub fn change(&self, config: &Config) {
        let before = self.live.load();
        let same_rates = before.traffic.rate_limits == config.traffic.rate_limits;
        let rates = &config.traffic.rate_limits;
        let new_rates = || Arc::new(RateLimits::new(rates, &self.clock, self.valkey.as_ref()));
        let live = Live {
            rates: if same_rates {
                Arc::clone(&before.rates)
            } else {
                new_rates()
            },
            traffic: config.traffic.clone(),
            subgraphs: config.subgraphs.clone(),
        };
        self.door.change(config.traffic.door());
        for (subgraph, guard) in &*self.lock() {
            let settings = live.settings(subgraph);
            guard.rotation.change(&settings.breaker);
            guard.layers.change(settings);
        }
        self.live.store(Arc::new(live));
    }

    /// What each subgraph's layers show.
    pub fn views(&self) -> Vec<SubgraphView> {
        let guards = self.lock();
        guards
            .iter()
            .map(|(name, guard)| SubgraphView::new(name, guard))
            .collect()
    }

    /// What an operator should look at, as sentences.
    pub fn reasons(&self) -> Vec<String> {
        self.views().iter().flat_map(SubgraphView::reasons).collect()
    }

    /// A poisoned lock holds a whole map: no change under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Guard>> {
        self.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn settings(&self, subgraph: &str) -> baedal_traffic::Settings {
        let usual = SubgraphConfig::default();
        let apart = self.subgraphs.get(subgraph).unwrap_or(&usual);
        self.traffic.settings(apart.timeout, &apart.traffic)
    }
}
