//! The gateway as requests find it: with its settings of now, and with the contracts of its graph at paths of their own.
//! Each request takes it once; a change of the configuration puts another in its place.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use axum::Router;

use crate::config::Config;
use crate::gateway::Gateway;
use crate::http;

/// Where requests come in.
pub struct Front {
    shown: ArcSwap<Shown>,
}

/// One state of it.
pub struct Shown {
    /// At the usual path, with the graph that `contract` says.
    pub main: Arc<Gateway>,
    /// The `contracts`, in their order. Each has an engine and streams of its own; all else is shared.
    pub contracts: Vec<Arc<Gateway>>,
    routes: Router,
    /// Whether requests to an endpoint need nothing of what the routes are wrapped in.
    direct: bool,
}

impl Front {
    /// Shows this gateway, which serves nothing yet.
    pub fn new(gateway: Gateway) -> Arc<Front> {
        let shown = Shown::of(gateway, &[]);
        Arc::new(Front {
            shown: ArcSwap::from_pointee(shown),
        })
    }

    /// As it is now.
    pub fn shown(&self) -> Guard<Arc<Shown>> {
        self.shown.load()
    }

    /// The gateway at the usual path, as it is now.
    pub fn main(&self) -> Arc<Gateway> {
        Arc::clone(&self.shown().main)
    }

    /// Takes over other settings. Who asks from now on finds them; requests under way, and connections that are streamed
    /// to, go on with those they came with.
    pub fn show(&self, next: Arc<Shown>) {
        let config = &next.main.config;
        next.main.traffic.change(config);
        next.main.admission.change(&config.websocket);
        let responses = next.main.responses.clone();
        let before = self.shown.swap(next);
        if let Some(before) = &before.main.responses
            && !responses.is_some_and(|now| Arc::ptr_eq(&now, before))
        {
            before.retire();
        }
    }
}

impl Shown {
    fn of(main: Gateway, before: &[Arc<Gateway>]) -> Shown {
        let main = Arc::new(main);
        let contract = |config: Config| {
            let known = before.iter().find(|known| known.config.serves_as(&config));
            Arc::new(match known {
                Some(known) => known.changed(config).in_common_with(&main),
                None => main.beside(config),
            })
        };
        let contracts: Vec<_> = main.config.of_contracts().into_iter().map(contract).collect();
        Shown {
            direct: main.config.cors.origins.is_empty() && !main.layers.wrap_endpoint(),
            routes: http::router(&main, &contracts),
            contracts,
            main,
        }
    }

    /// The same with other settings.
    pub fn changed(&self, config: &Config) -> Shown {
        Shown::of(self.main.changed(config.clone()), &self.contracts)
    }

    /// All gateways in it.
    pub fn gateways(&self) -> impl Iterator<Item = &Arc<Gateway>> {
        [&self.main].into_iter().chain(&self.contracts)
    }

    /// The gateway whose endpoint this path is, or the routes where it is none, or needs more than its endpoint.
    pub fn at(&self, path: &str) -> Result<Arc<Gateway>, Router> {
        let here = |gateway: &&Arc<Gateway>| self.direct && gateway.config.path == path;
        match self.gateways().find(here) {
            Some(gateway) => Ok(Arc::clone(gateway)),
            None => Err(self.routes.clone()),
        }
    }
}
