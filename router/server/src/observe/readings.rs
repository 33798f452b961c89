//! What is looked up when the page of metrics is read.

use std::sync::{Arc, Weak};

use baedal_telemetry::metrics::Metric;

use super::{metrics, response_cache};
use crate::engine::Engine;
use crate::front::Front;
use crate::gateway::Gateway;
use crate::http::Readiness;
use crate::revocation;
use crate::traffic::SubgraphView;

/// What is shown of the entries, bytes and evictions of a cache.
type SizeShown = fn((u64, u64, u64)) -> u64;

/// A metric, and what of a subgraph it shows.
type Shown = (&'static Metric, fn(&SubgraphView) -> f64);

/// Registers them. The page does not keep the gateway alive.
pub fn register(front: &Arc<Front>) {
    let gateway = &front.main();
    let registry = &gateway.observer.registry;
    let of = |gateway: &Arc<Gateway>| Arc::downgrade(gateway);
    let known = of(gateway);
    registry.read(&metrics::IN_FLIGHT, move |out| {
        if let Some(gateway) = known.upgrade() {
            out.value(&[], gateway.observer.in_flight());
        }
    });
    let known = of(gateway);
    registry.read(&metrics::HUNG, move |out| {
        if let Some(gateway) = known.upgrade() {
            out.value(&[], gateway.observer.hung().len() as f64);
        }
    });
    let known = Arc::downgrade(front);
    registry.read(&metrics::READY, move |out| {
        if let Some(front) = known.upgrade() {
            let state = Readiness::of(&front.main()).status.replace(' ', "_");
            for each in ["ready", "degraded", "not_ready"] {
                out.value(&[each], f64::from(u8::from(each == state)));
            }
        }
    });
    let known = of(gateway);
    registry.read(&metrics::SUBGRAPH_ABSENT, move |out| {
        if let Some(gateway) = known.upgrade() {
            out.value(&[], gateway.status().absent.len() as f64);
        }
    });
    let known = of(gateway);
    registry.read(&metrics::TOPIC_READABLE, move |out| {
        let gateway = known.upgrade();
        let bound = gateway.as_ref().and_then(|gateway| gateway.bound.as_ref());
        for (broker, topic, readable) in bound.into_iter().flat_map(|bound| bound.topics()) {
            out.value(&[topic, broker], f64::from(u8::from(readable)));
        }
    });
    let known = Arc::downgrade(front);
    registry.read(&metrics::REVOCATIONS_READABLE, move |out| {
        for list in lists(&known) {
            out.value(&[&list.issuer], f64::from(u8::from(list.readable)));
        }
    });
    let known = Arc::downgrade(front);
    registry.read(&metrics::REVOCATIONS, move |out| {
        for list in lists(&known) {
            out.value(&[&list.issuer], list.entries as f64);
        }
    });
    register_schema(registry, &Arc::downgrade(front));
    register_circuits(registry, &of(gateway));
    register_responses(registry, &Arc::downgrade(front));
}

fn lists(front: &Weak<Front>) -> Vec<revocation::View> {
    let gateway = front.upgrade().map(|front| front.main());
    let lists = gateway.iter().flat_map(|gateway| gateway.identity.lists());
    lists.map(|list| list.view()).collect()
}

fn register_responses(registry: &baedal_telemetry::Registry, front: &Weak<Front>) {
    let shown: [(&'static Metric, SizeShown); 3] = [
        (&response_cache::ENTRIES, |size| size.0),
        (&response_cache::BYTES, |size| size.1),
        (&response_cache::EVICTED, |size| size.2),
    ];
    for (metric, value) in shown {
        let known = Weak::clone(front);
        registry.read(metric, move |out| {
            let responses = known.upgrade().and_then(|front| front.main().responses.clone());
            if let Some(size) = responses.and_then(|responses| responses.size()) {
                out.value(&[], value(size) as f64);
            }
        });
    }
}

fn register_circuits(registry: &baedal_telemetry::Registry, gateway: &Weak<Gateway>) {
    let shown: [Shown; 7] = [
        (&metrics::BREAKER_STATE, |view| match view.circuit {
            "closed" => 0.0,
            "half_open" => 1.0,
            _ => 2.0,
        }),
        (&metrics::BREAKER_OPENED, |view| view.opened as f64),
        (&metrics::BREAKER_REJECTED, |view| view.rejected as f64),
        (&metrics::CALLS_UNDER_WAY, |view| view.under_way as f64),
        (&metrics::CALLS_WITHOUT_TURN, |view| view.refused as f64),
        (&metrics::CALLS_TIMED_OUT, |view| view.timed_out as f64),
        (&metrics::CALLS_RETRIED, |view| view.retried as f64),
    ];
    for (metric, value) in shown {
        let known = Weak::clone(gateway);
        registry.read(metric, move |out| {
            for view in known
                .upgrade()
                .map(|gateway| gateway.traffic.views())
                .unwrap_or_default()
            {
                out.value(&[&view.subgraph], value(&view));
            }
        });
    }
}

fn register_schema(registry: &baedal_telemetry::Registry, front: &Weak<Front>) {
    let known = Weak::clone(front);
    registry.read(&metrics::SCHEMA, move |out| {
        for (gateway, engine) in engines(&known) {
            if let Some(origin) = gateway.status().origin {
                let version = format!("{:016x}", engine.version());
                out.value(&[&version, origin.name(), gateway.contract()], 1.0);
            }
        }
    });
    let known = Weak::clone(front);
    registry.read(&metrics::CACHE_ENTRIES, move |out| {
        for (gateway, engine) in engines(&known) {
            let (documents, programs, _) = engine.cached();
            out.value(&["documents", gateway.contract()], documents as f64);
            out.value(&["programs", gateway.contract()], programs as f64);
        }
    });
    let known = Weak::clone(front);
    registry.read(&metrics::CACHE_BYTES, move |out| {
        for (gateway, engine) in engines(&known) {
            out.value(&["documents", gateway.contract()], engine.cached().2 as f64);
        }
    });
}

/// What is served: the graph at the usual path, and each contract.
fn engines(front: &Weak<Front>) -> Vec<(Arc<Gateway>, Arc<Engine>)> {
    let Some(front) = front.upgrade() else {
        return Vec::new();
    };
    let served = |gateway: &Arc<Gateway>| Some((Arc::clone(gateway), gateway.engine()?));
    front.shown().gateways().filter_map(served).collect()
}
