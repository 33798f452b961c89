//! One operation on a connection: its messages, from `subscribe` to its end.

use std::sync::Arc;

use baedal_planner::plan::OperationKind;
use tokio_util::sync::CancellationToken;

use super::message;
use super::outbox::Outbox;
use super::session::Operations;
use crate::errors::{GraphqlError, Refusal, subgraph_codes};
use crate::forward::{self, Forwarded};
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::pipeline::{self, Event, Prepared};
use crate::request::Request;
use crate::ws::Upgraded;

/// What an operation needs of its connection.
pub struct Operation {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// The upgrade request.
    pub upgraded: Arc<Upgraded>,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// Where messages go.
    pub outbox: Outbox,
    /// Operations under way on the connection.
    pub operations: Operations,
    /// Chosen by the client.
    pub id: String,
    /// Cancelled when the client completes it or the connection ends.
    pub stopped: CancellationToken,
}

/// How an operation ends.
enum End {
    /// All was said: `complete`.
    Complete,
    /// `error`, which is the last message.
    Refused(Vec<GraphqlError>),
    /// `error` with what may be known of a subgraph's refusal: an array of errors.
    RefusedUpstream(bytes::Bytes),
    /// The client does not want it any more: silence.
    Stopped,
}

impl Operation {
    /// Runs it to its end.
    pub async fn run(self, request: Request) {
        let end = self.answer(request).await;
        // The id is free again before the client can know.
        self.operations.remove(&self.id, &self.stopped);
        match end {
            End::Complete => self.outbox.send(message::complete(&self.id)).await,
            End::Refused(errors) => self.outbox.send(message::errors(&self.id, &errors)).await,
            End::RefusedUpstream(errors) => self.outbox.send(message::error(&self.id, &errors)).await,
            End::Stopped => {}
        }
    }

    async fn answer(&self, request: Request) -> End {
        let prepared = match self
            .unless_stopped(pipeline::prepare(&self.gateway, &self.caller, request))
            .await
        {
            Some(Ok(prepared)) => prepared,
            Some(Err(refusal)) => return self.refused(refusal).await,
            None => return End::Stopped,
        };
        match prepared.kind() {
            OperationKind::Subscription if prepared.has_upstream() => self.stream(prepared).await,
            _ => self.once(prepared).await,
        }
    }

    async fn once(&self, prepared: Prepared) -> End {
        let running = prepared.execute(&self.gateway, self.forwarded());
        match self.unless_stopped(running).await {
            Some(Ok(answer)) => {
                self.outbox.send(message::next(&self.id, &answer.body)).await;
                End::Complete
            }
            Some(Err(refusal)) => self.refused(refusal).await,
            None => End::Stopped,
        }
    }

    /// A refusal that is an answer is the only `next`.
    async fn refused(&self, refusal: Refusal) -> End {
        if !refusal.code.is_answer() {
            return End::Refused(refusal.errors);
        }
        self.outbox.send(message::next(&self.id, &refusal.body())).await;
        End::Complete
    }

    async fn stream(&self, prepared: Prepared) -> End {
        let opening = prepared.subscribe(Arc::clone(&self.gateway), self.forwarded());
        let mut events = match self.unless_stopped(opening).await {
            Some(Ok(events)) => events,
            Some(Err(errors)) => return End::Refused(errors),
            None => return End::Stopped,
        };
        loop {
            match self.unless_stopped(events.next()).await {
                Some(Event::Answer(body)) => self.outbox.offer(message::next(&self.id, &body)),
                Some(Event::Refused(errors)) => return End::RefusedUpstream(errors),
                Some(Event::Complete) => return End::Complete,
                Some(Event::Lost(why)) => return self.lost(&why),
                None => {
                    events.stop().await;
                    return End::Stopped;
                }
            }
        }
    }

    /// `None` when the operation is stopped first.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stopped.cancelled() => None,
            done = work => Some(done),
        }
    }

    fn lost(&self, why: &str) -> End {
        tracing::warn!(
            request_id = forward::text(Some(&self.upgraded.id)),
            why,
            "the upstream of a subscription was lost"
        );
        let text = "the stream was interrupted; subscribe again (with your last cursor, where there is one)";
        End::Refused(vec![GraphqlError::new(
            subgraph_codes::STREAM_LOST,
            text,
            Vec::new(),
        )])
    }

    fn forwarded(&self) -> Forwarded {
        let Upgraded { headers, id, .. } = &*self.upgraded;
        Forwarded::new(
            headers,
            &self.gateway.propagated,
            id,
            self.caller.authorization.as_ref(),
        )
    }
}
