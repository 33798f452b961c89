//! What all requests share: configuration, the current [`Engine`], connections, identity.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bound::Bound;
use crate::callbacks::Callbacks;
use crate::config::{Config, TrafficConfig};
use crate::embed::Layers;
use crate::engine::Engine;
use crate::errors::Refusal;
use crate::forward::{Rules, Wanted};
use crate::http::Reservations;
use crate::jwt::Identity;
use crate::observe::Observer;
use crate::page::Page;
use crate::persisted::Persisted;
use crate::responses::{Events, Responses};
use crate::sharing::Sharing;
use crate::streams::{Admission, Hub};
use crate::subgraphs::{Client, SharedCalls};
use crate::supergraph::Status;
use crate::tls::Secrets;
use crate::traffic::Traffic;
use crate::valkey::Valkey;

/// Twice the shortest pause between two sweeps of the pools.
const SHORTEST_SWEEP: Duration = Duration::from_secs(1);

/// The shared state of one gateway.
pub struct Gateway {
    /// As it was asked for when these settings were taken over.
    pub config: Config,
    /// What is counted, and where it is told.
    pub observer: Arc<Observer>,
    /// Certificates and keys.
    pub secrets: Arc<Secrets>,
    /// The pool of connections to subgraphs.
    pub client: Client,
    /// How much comes in and goes out.
    pub traffic: Arc<Traffic>,
    /// Who may come in.
    pub identity: Arc<Identity>,
    /// The Redis or Valkey server that gateways share, if there is one.
    pub valkey: Option<Arc<Valkey>>,
    /// Documents that clients name instead of sending them.
    pub persisted: Arc<Persisted>,
    /// Executions that equal requests share, if they may.
    pub sharing: Option<Arc<Sharing>>,
    /// Calls of subgraphs that equal ones share, if they may.
    pub calls: Option<Arc<SharedCalls>>,
    /// Answers of subgraphs that are kept, if any are.
    pub responses: Option<Arc<Responses>>,
    /// Topics whose records drop answers.
    pub events: Arc<Events>,
    /// Subscriptions under way.
    pub streams: Arc<Hub>,
    /// Subscriptions that are bound to topics of a broker, if any are.
    pub bound: Option<Arc<Bound>>,
    /// Subscriptions whose events subgraphs bring, if they may.
    pub callbacks: Option<Arc<Callbacks>>,
    /// How many connections there may be for streams.
    pub admission: Arc<Admission>,
    /// Event streams that clients have reserved.
    pub reservations: Arc<Reservations>,
    /// What another program has put around it.
    pub layers: Layers,
    /// What browsers get, if they get a page.
    pub page: Option<Page>,
    /// Headers that travel on.
    pub rules: Rules,
    /// Headers that travel back, if any do.
    pub wanted: Option<Arc<Wanted>>,
    /// Cancelled when the gateway is told to stop: it is not ready any more.
    pub stopping: CancellationToken,
    /// Cancelled when it takes no new connections.
    pub closing: CancellationToken,
    /// Everything that must end before the process may.
    pub tasks: TaskTracker,
    engine: Arc<ArcSwapOption<Engine>>,
    /// How many engines there were.
    swaps: watch::Sender<u64>,
    status: Arc<Mutex<Status>>,
}

impl Gateway {
    /// A gateway that serves nothing yet.
    pub fn new(config: Config, secrets: Arc<Secrets>) -> Gateway {
        let client = Client::new(&config.traffic);
        let observer = Arc::new(Observer::new(&config));
        let valkey = config.redis.as_ref();
        let valkey = valkey.map(|redis| Arc::new(Valkey::new(redis, &observer.registry)));
        Gateway {
            identity: Arc::new(Identity::new(config.auth.as_ref(), &client)),
            sharing: config.traffic.share_equal_requests.then(Arc::default),
            calls: config.traffic.share_equal_calls.then(Arc::default),
            streams: Arc::default(),
            callbacks: config
                .subscriptions
                .callback
                .clone()
                .map(Callbacks::new)
                .map(Arc::new),
            admission: Admission::new(
                config.websocket.max_connections,
                config.websocket.max_connections_per_user,
            ),
            reservations: Arc::default(),
            layers: Layers::default(),
            page: Page::new(&config.page, &client),
            rules: Rules::of(&config),
            wanted: Wanted::of(&config.headers),
            traffic: Arc::new(Traffic::new(&config).counted_by(valkey.as_ref())),
            persisted: Arc::new(Persisted::new(&config, valkey.as_ref(), &observer.registry)),
            responses: Responses::new(&config, valkey.as_ref(), &observer.registry, Instant::now)
                .map(Arc::new),
            valkey,
            events: Arc::new(Events::new(&config)),
            bound: Bound::new(&config, observer.skipped.clone()).map(Arc::new),
            observer,
            client,
            secrets,
            config,
            stopping: CancellationToken::new(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            engine: Arc::new(ArcSwapOption::empty()),
            swaps: watch::Sender::new(0),
            status: Arc::default(),
        }
    }

    /// The same gateway with other settings: connections, streams, counts, what is known and what is served stay. What is
    /// made of settings once and stays is named in `config/reload.rs`.
    pub fn changed(&self, config: Config) -> Gateway {
        let identity = match self.config.auth == config.auth {
            true => Arc::clone(&self.identity),
            false => Arc::new(self.identity.changed(config.auth.as_ref(), &self.client)),
        };
        identity.keep_lists(&self.tasks, &self.closing);
        let TrafficConfig {
            share_equal_requests: shares,
            share_equal_calls: shares_calls,
            ..
        } = config.traffic;
        Gateway {
            identity,
            sharing: shares.then(|| self.sharing.clone().unwrap_or_default()),
            calls: shares_calls.then(|| self.calls.clone().unwrap_or_default()),
            valkey: self.valkey.clone(),
            persisted: Arc::clone(&self.persisted),
            responses: self.responses_for(&config),
            events: Arc::clone(&self.events),
            layers: self.layers.clone(),
            page: Page::new(&config.page, &self.client),
            bound: self.bound.clone(),
            streams: Arc::clone(&self.streams),
            callbacks: self.callbacks.clone(),
            admission: Arc::clone(&self.admission),
            reservations: Arc::clone(&self.reservations),
            rules: Rules::of(&config),
            wanted: Wanted::of(&config.headers),
            secrets: Arc::clone(&self.secrets),
            traffic: Arc::clone(&self.traffic),
            observer: Arc::clone(&self.observer),
            client: self.client.clone(),
            config,
            stopping: self.stopping.clone(),
            closing: self.closing.clone(),
            tasks: self.tasks.clone(),
            engine: Arc::clone(&self.engine),
            swaps: self.swaps.clone(),
            status: Arc::clone(&self.status),
        }
    }

    /// The response cache; an empty one if callers are told apart in another way: what is kept for one must not be found
    /// by another.
    fn responses_for(&self, config: &Config) -> Option<Arc<Responses>> {
        let responses = self.responses.as_ref()?;
        Some(match responses.serves(config) {
            true => Arc::clone(responses),
            false => Arc::new(responses.anew(config)),
        })
    }

    /// The same with what all gateways of one process have in common taken from `main`.
    pub fn in_common_with(self, main: &Gateway) -> Gateway {
        Gateway {
            identity: Arc::clone(&main.identity),
            responses: main.responses.clone(),
            ..self
        }
    }

    /// The contract that it serves; empty for the graph at the usual path.
    pub fn contract(&self) -> &str {
        self.config.serving.as_deref().unwrap_or_default()
    }

    /// Counts a refusal.
    pub fn refused(&self, refusal: &Refusal) {
        self.observer.refused(self.contract(), refusal);
    }

    /// A gateway beside this one, of another contract of the same graph: with an engine and streams of its own, and all
    /// else in common.
    pub fn beside(&self, config: Config) -> Gateway {
        Gateway {
            sharing: config.traffic.share_equal_requests.then(Arc::default),
            calls: config.traffic.share_equal_calls.then(Arc::default),
            streams: Arc::default(),
            reservations: Arc::default(),
            engine: Arc::new(ArcSwapOption::empty()),
            swaps: watch::Sender::new(0),
            ..self.changed(config)
        }
    }

    /// The same inside of layers.
    pub fn within(self, layers: Layers) -> Gateway {
        Gateway { layers, ..self }
    }

    /// The snapshot to serve a request with. Taken once per request; a swap never changes it midway.
    pub fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.load_full()
    }

    /// Serves new requests with `engine`; streams under way go over to it where they can.
    pub fn swap(&self, engine: Engine) {
        self.engine.store(Some(Arc::new(engine)));
        self.swaps.send_modify(|swaps| *swaps += 1);
    }

    /// Serves nothing any more; streams under way end.
    pub fn withdraw(&self) {
        self.engine.store(None);
        self.swaps.send_modify(|swaps| *swaps += 1);
    }

    /// Changes with every swap.
    pub fn swaps(&self) -> watch::Receiver<u64> {
        self.swaps.subscribe()
    }

    /// What is known about the supergraph.
    pub fn status(&self) -> Status {
        self.lock().clone()
    }

    /// Changes what is known about the supergraph.
    pub fn update_status(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock());
    }

    /// Says loudly where authorization directives do other than they seem to: nothing, or more than anyone wants.
    pub fn warn_of_rights(&self, engine: &Engine) {
        let open = self.identity.is_open();
        if open && engine.asks_for_rights() {
            tracing::warn!(
                "the schema asks for authentication (@authenticated, @requiresScopes or @policy), but there is no `auth` \
                 in the configuration: everyone may read these fields"
            );
        }
        let never = |policy: &&String| !self.identity.may_grant(policy);
        let never: Vec<&String> = engine.policies().iter().filter(never).collect();
        if !open && !never.is_empty() {
            tracing::warn!(
                policies = ?never,
                "the schema asks for policies (@policy) that nothing grants (auth.policies_claim, auth.policies): these \
                 fields are withheld from everyone"
            );
        }
    }

    /// A poisoned lock holds a whole status: every change under it is a plain assignment.
    fn lock(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections that were not used for too long, until the gateway stops.
pub async fn sweep(gateway: Arc<Gateway>) {
    let pause = gateway.config.traffic.pool_idle_timeout.max(SHORTEST_SWEEP) / 2;
    loop {
        tokio::select! {
            () = gateway.closing.cancelled() => return,
            () = tokio::time::sleep(pause) => gateway.client.sweep(),
        }
    }
}

/// Reads certificates and keys again when their files change, until the gateway stops.
pub async fn watch_secrets(gateway: Arc<Gateway>) {
    loop {
        tokio::select! {
            () = gateway.closing.cancelled() => return,
            () = tokio::time::sleep(gateway.config.supergraph.poll_interval) => {}
        }
        let secrets = Arc::clone(&gateway.secrets);
        if !secrets.is_empty() && tokio::task::spawn_blocking(move || secrets.look()).await.is_err() {
            tracing::error!("certificates could not be looked at");
        }
    }
}
