//! Equal queries to a subgraph that are under way at once are one call (`traffic.share_equal_calls`), whichever requests
//! they are for.
//!
//! Equal are calls by the same snapshot of the same subgraph, with the same bytes and the same header fields: all that is
//! sent but for the id and the trace of the request and the time that is left, which are those of who came first. The
//! answer is held once. The work is a task of its own, see [`crate::sharing`].

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use baedal_executor::CallError;
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::client::Reply;
use super::{Calls, Client, SubgraphError};
use crate::embed::SubgraphService;
use crate::engine::Engine;
use crate::forward::Forwarded;
use crate::observe::Observer;
use crate::sharing::{Flights, Seat};

/// The calls under way that may be joined.
#[derive(Default)]
pub struct SharedCalls(Arc<Flights<Key, (), Outcome>>);

type Outcome = Result<Reply, CallError>;

/// What makes two calls equal.
#[derive(Clone)]
struct Key {
    engine: Arc<Engine>,
    subgraph: Arc<str>,
    body: Bytes,
    /// What is sent of the caller: to all subgraphs, and to this one.
    caller: [Arc<[u8]>; 2],
    patient: bool,
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        Arc::ptr_eq(&self.engine, &other.engine)
            && self.patient == other.patient
            && self.subgraph == other.subgraph
            && self.caller == other.caller
            && self.body == other.body
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.subgraph.hash(state);
        self.caller.hash(state);
        self.body.hash(state);
    }
}

/// A call that belongs to nobody.
struct Alone {
    client: Client,
    layers: Option<SubgraphService>,
    engine: Arc<Engine>,
    forwarded: Forwarded,
    until: Instant,
    patient: bool,
    masks: bool,
    observer: Arc<Observer>,
}

impl SharedCalls {
    /// Joins an equal call, or makes it. An error of another's call is not taken over, since what made it may be past (the
    /// time of who began, above all): the call is made again, once for all in its place.
    pub(super) async fn call(&self, calls: &Calls<'_>, subgraph: &str, body: &Bytes) -> Outcome {
        let key = Key::new(calls, subgraph, body);
        if let Some(seat) = self.0.join(&key) {
            let outcome = wait(calls, subgraph, seat).await;
            calls.observer.shared_call(subgraph);
            if outcome.is_ok() || Instant::now() >= calls.until {
                return outcome;
            }
        }
        let alone = Alone::new(calls);
        let (subgraph_name, asked) = (Arc::clone(&key.subgraph), body.clone());
        let work = async move { alone.make(&subgraph_name, &asked).await };
        let seat = self.0.join_or_begin(&key, (), work);
        wait(calls, subgraph, seat).await
    }
}

/// Waits as long as this request may.
async fn wait(calls: &Calls<'_>, subgraph: &str, seat: Seat<'_, Key, (), Outcome>) -> Outcome {
    let before = Instant::now();
    match timeout_at(calls.until, seat.wait()).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => {
            let stopped = SubgraphError::Unreachable("the call that it shares broke down".to_owned());
            Err(calls.report(subgraph, &stopped))
        }
        Err(_) => Err(calls.report(subgraph, &SubgraphError::Timeout(before.elapsed()))),
    }
}

impl Key {
    fn new(calls: &Calls<'_>, subgraph: &str, body: &Bytes) -> Key {
        Key {
            engine: Arc::clone(calls.engine),
            subgraph: subgraph.into(),
            body: body.clone(),
            caller: calls.forwarded.caller_lines(subgraph).map(Arc::from),
            patient: calls.patient,
        }
    }
}

impl Alone {
    fn new(calls: &Calls<'_>) -> Alone {
        Alone {
            client: calls.client.clone(),
            layers: calls.layers.cloned(),
            engine: Arc::clone(calls.engine),
            forwarded: calls.forwarded.clone(),
            until: calls.until,
            patient: calls.patient,
            masks: calls.masks,
            observer: Arc::clone(calls.observer),
        }
    }

    async fn make(&self, subgraph: &str, body: &Bytes) -> Outcome {
        let calls = Calls {
            client: &self.client,
            layers: self.layers.as_ref(),
            engine: &self.engine,
            shared: None,
            forwarded: &self.forwarded,
            until: self.until,
            patient: self.patient,
            observer: &self.observer,
            masks: self.masks,
            lens: None,
        };
        calls.make_alone(subgraph, OperationKind::Query, body).await
    }
}
