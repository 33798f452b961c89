//! Calls of one request, looked at through the cache: what is kept is not asked for.
//!
//! 1. a request to a subgraph is taken apart into parts: its whole, or its entities ([`Reading`]);
//! 2. each part is looked up: what is for everyone first, then what is for this caller;
//! 3. of what is missing, this call asks for what nobody else is asking for, all at once;
//! 4. it waits for the others, looks again, and asks for what is still missing;
//! 5. the answer is put together of all parts.

use baedal_executor::{CallError, SubgraphCall};
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fields::Fields;
use super::flights::{Flight, Turn};
use super::graph::Graph;
use super::key::{Caller, Hasher, Key};
use super::reading::{Reading, State};
use super::tags::Tag;
use super::told::Parts;
use super::{Responses, splice};
use crate::config::AfterMutation;

/// Whoever answers what is not kept.
pub trait Origin: Sync {
    /// Asks a subgraph.
    fn ask(
        &self,
        subgraph: &str,
        kind: OperationKind,
        body: &Bytes,
    ) -> impl Future<Output = Result<Reply, CallError>> + Send;
}

/// What a subgraph answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The body.
    pub body: Bytes,
    /// What its header says about keeping it.
    pub fields: Option<Box<Fields>>,
    /// Whether it came with a status of success.
    pub is_success: bool,
}

/// What a request's operation means for what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A query: what is kept is given out, and what comes is kept.
    Reads,
    /// A mutation: all of it is asked for.
    Writes,
}

/// The cache, as one request sees it.
#[derive(Clone, Copy)]
pub struct Lens<'a> {
    /// The cache.
    pub responses: &'a Responses,
    /// What the supergraph says about keeping answers.
    pub graph: &'a Graph,
    /// Who asks.
    pub caller: Caller,
    /// What the request is told of its parts.
    pub parts: &'a Parts,
    /// What its operation means.
    pub mode: Mode,
    /// When nobody waits for the answer any more.
    pub until: Instant,
}

impl Lens<'_> {
    /// Answers a call, of what is kept as far as it goes.
    pub async fn call<O: Origin>(&self, call: SubgraphCall<'_>, origin: &O) -> Result<Bytes, CallError> {
        if self.mode == Mode::Writes || call.kind != OperationKind::Query {
            return self.pass(&call, origin).await;
        }
        let reading = match self.responses.config.keeps(call.subgraph) {
            true => Reading::begin(self, call.subgraph, &call.body),
            false => None,
        };
        match reading {
            Some(reading) => self.read(reading, &call, origin).await,
            None => self.pass(&call, origin).await,
        }
    }

    /// A call that was made without it, whatever became of it.
    pub async fn passed_by(&self, subgraph: &str, kind: OperationKind) {
        self.parts.passing(false);
        if kind == OperationKind::Mutation {
            self.changed(subgraph).await;
        }
    }

    /// A call that has nothing to do with what is kept, but for what a mutation means for it.
    async fn pass<O: Origin>(&self, call: &SubgraphCall<'_>, origin: &O) -> Result<Bytes, CallError> {
        self.parts.passing(false);
        let reply = origin.ask(call.subgraph, call.kind, &call.body).await;
        if call.kind == OperationKind::Mutation {
            // Also where it failed: what failed may have been done.
            self.changed(call.subgraph).await;
        }
        reply.map(|reply| reply.body)
    }

    async fn changed(&self, subgraph: &str) {
        let Responses { store, config, .. } = self.responses;
        let now = self.responses.now();
        match config.after_mutation {
            AfterMutation::Caller => store.changed(self.who(), subgraph, now).await,
            AfterMutation::Subgraph => {
                let tag = Tag::Subgraph(subgraph.into());
                // While Redis is away it is owed, and nothing is given out.
                let _ = self.responses.drop_tags("mutation", &[tag]).await;
            }
            AfterMutation::Keep => {}
        }
    }

    /// Who asks, as far as anyone can tell.
    pub fn who(&self) -> Key {
        match self.caller.is_named {
            true => self.caller.identity,
            false => Hasher::of("nobody").with(&self.caller.headers).key(),
        }
    }

    async fn read<O: Origin>(
        &self,
        mut reading: Reading<'_>,
        call: &SubgraphCall<'_>,
        origin: &O,
    ) -> Result<Bytes, CallError> {
        let (hits, misses) = reading.look().await;
        self.responses.meters.looked(call.subgraph, hits, misses);
        let (mine, others, flights) = self.board(&reading);
        if !mine.is_empty()
            && let Some(body) = self.fetch(&mut reading, &mine, call, origin).await?
        {
            return Ok(body);
        }
        drop(flights);
        if !others.is_empty() {
            for over in others {
                // In vain, it is asked for here, which then ends at once.
                let _ = tokio::time::timeout_at(self.until, over.cancelled()).await;
            }
            reading.look().await;
        }
        let missing = reading.missing();
        if !missing.is_empty()
            && let Some(body) = self.fetch(&mut reading, &missing, call, origin).await?
        {
            return Ok(body);
        }
        Ok(reading.answer())
    }

    /// Of what is missing: what is asked for here, what others are asking for, and the right to ask.
    fn board(&self, reading: &Reading<'_>) -> (Vec<usize>, Vec<CancellationToken>, Vec<Flight<'_>>) {
        let (mut mine, mut others, mut flights) = (Vec::new(), Vec::new(), Vec::new());
        for (number, part) in reading.parts.iter().enumerate() {
            let State::Missing { board, .. } = &part.state else {
                continue;
            };
            match board.map(|key| self.responses.flights.board(key)) {
                Some(Turn::Anothers(over)) => others.push(over),
                Some(Turn::Mine(flight)) => {
                    flights.push(flight);
                    mine.push(number);
                }
                None => mine.push(number),
            }
        }
        (mine, others, flights)
    }

    /// Asks for these parts, and keeps what may be kept. Gives the body where it is the answer to the whole call.
    async fn fetch<O: Origin>(
        &self,
        reading: &mut Reading<'_>,
        wanted: &[usize],
        call: &SubgraphCall<'_>,
        origin: &O,
    ) -> Result<Option<Bytes>, CallError> {
        let asked = reading.moment();
        let whole = wanted.len() == reading.parts.len();
        let body = if whole {
            call.body.clone()
        } else {
            reading.request(wanted)
        };
        let reply = match origin.ask(call.subgraph, call.kind, &body).await {
            Ok(reply) => reply,
            Err(error) if reading.use_stale(wanted) => {
                tracing::debug!(subgraph = call.subgraph, %error, "stale answers are used");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let answered: Option<splice::Answered<'_>> = serde_json::from_slice(&reply.body).ok();
        let taken = answered.is_some_and(|answered| reading.take(wanted, asked, &reply, &answered));
        reading.keep_taken().await;
        if whole {
            if !taken {
                self.parts.passing(false);
            }
            return Ok(Some(reply.body));
        }
        if taken {
            return Ok(None);
        }
        // It cannot be put together with the rest: whatever the subgraph says to all of it is the answer.
        self.parts.passing(false);
        let reply = origin.ask(call.subgraph, call.kind, &call.body).await?;
        Ok(Some(reply.body))
    }
}
