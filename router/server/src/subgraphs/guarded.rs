//! A call through its layers: bulkhead → circuit breaker (of the subgraph, then of the address whose turn it is) → timeout
//! → client; repeats, of queries only, outside of them.

use std::pin::pin;
use std::time::Duration;

use baedal_planner::plan::OperationKind;
use baedal_traffic::{Ask, Outcome, Rejected, Stopped};
use tokio::time::Instant;

use super::client::Reply;
use super::{Client, Endpoint, Repeat, SubgraphError};
use crate::draw;
use crate::forward::Forwarded;

/// One call.
#[derive(Clone, Copy)]
pub struct GuardedCall<'a> {
    /// How it is sent.
    pub client: &'a Client,
    /// To whom.
    pub endpoint: &'a Endpoint,
    /// What travels on.
    pub forwarded: &'a Forwarded,
    /// What is asked.
    pub body: &'a [u8],
    /// When whoever waits for it stops waiting.
    pub until: Instant,
    /// Whether nobody minds that it waits for its turn.
    pub patient: bool,
}

impl GuardedCall<'_> {
    /// Makes it, and makes it again where that may help and harms nobody.
    pub async fn make(self, kind: OperationKind) -> Result<Reply, SubgraphError> {
        let layers = &self.endpoint.guard.layers;
        let until = self.until.min(Instant::now() + layers.timeout());
        if kind != OperationKind::Query {
            return self.once(until, Repeat::Never).await;
        }
        layers.begin();
        let mut attempt = 0;
        loop {
            let error = match self.once(until, Repeat::Once).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let left = until.saturating_duration_since(Instant::now());
            let chance = || draw::percent() / 100.0;
            let pause = error
                .may_pass()
                .and_then(|asked| layers.retry(attempt, chance(), asked, left));
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    async fn once(&self, until: Instant, repeat: Repeat) -> Result<Reply, SubgraphError> {
        let ask = Ask {
            within: until.saturating_duration_since(Instant::now()),
            patient: self.patient,
        };
        // Pinned here, it is not moved through the layers, each of which would hold it twice.
        let sent = pin!(self.send(ask.within, repeat));
        let reply = self.endpoint.guard.layers.call(ask, sent, judge).await;
        match reply {
            Ok(reply) => reply,
            Err(stopped) => Err(stopped.into()),
        }
    }

    /// Sends it to the address whose turn it is.
    async fn send(&self, within: Duration, repeat: Repeat) -> Result<Reply, SubgraphError> {
        let Endpoint { places, guard, .. } = self.endpoint;
        let pick = guard.rotation.pick();
        let pick = pick.map_err(|Rejected { retry_after }| SubgraphError::CircuitOpen(retry_after))?;
        let place = &places[pick.index];
        let posted = self.client.post(place, self.forwarded, self.body, within, repeat);
        let reply = posted.await;
        pick.finish(judge(&reply));
        reply
    }
}

impl Endpoint {
    /// An answer that looked like one was of no use.
    pub fn regret(&self) {
        self.guard.layers.regret();
    }

    /// Opens a stream behind the subgraph's circuit breaker. Opening has a time limit of its own, and a stream takes no
    /// place of a call.
    pub async fn open<T>(
        &self,
        opening: impl Future<Output = Result<T, SubgraphError>>,
    ) -> Result<T, SubgraphError> {
        let pass = self.guard.layers.breaker().enter();
        let pass = pass.map_err(|Rejected { retry_after }| SubgraphError::CircuitOpen(retry_after))?;
        let opened = opening.await;
        pass.finish(match &opened {
            Err(error) if error.is_failure() && !matches!(error, SubgraphError::StreamRefused(_)) => {
                Outcome::Failure
            }
            _ => Outcome::Success,
        });
        opened
    }
}

/// Whether the subgraph did its part. What its answer says is not looked at.
fn judge(reply: &Result<Reply, SubgraphError>) -> Outcome {
    let failed = match reply {
        Ok(reply) => reply.status.is_server_error(),
        Err(error) => error.is_failure(),
    };
    match failed {
        true => Outcome::Failure,
        false => Outcome::Success,
    }
}

impl From<Stopped> for SubgraphError {
    fn from(stopped: Stopped) -> SubgraphError {
        match stopped {
            Stopped::Full => SubgraphError::Busy,
            Stopped::Open(left) => SubgraphError::CircuitOpen(left),
            Stopped::TimedOut(within) => SubgraphError::Timeout(within),
        }
    }
}
