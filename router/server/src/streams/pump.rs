//! Drives one stream: opens its upstream, resolves each event once for all its clients, and goes on where it was when
//! the upstream is cut.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::channel::Channel;
use super::cursor::{self, CursorArgument};
use super::key::Key;
use super::outbox::Event;
use crate::bound::Whereabouts;
use crate::config::Reconnect;
use crate::draw;
use crate::errors::{GraphqlError, subgraph_codes};
use crate::forward::Forwarded;
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::pipeline::{self, Prepared};
use crate::request::Request;
use crate::subgraphs::{Upstream, UpstreamItem};

/// The first pause before an upstream is opened again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a stream is of: enough to ask for it again.
pub struct Source {
    /// What the client that came first sent.
    pub request: Request,
    /// Who that was; all others are the same.
    pub caller: Arc<Caller>,
    /// What travels on of it.
    pub forwarded: Forwarded,
    /// The argument that takes a cursor, where there is one.
    pub argument: Option<CursorArgument>,
}

/// A stream under way.
pub struct Pump {
    gateway: Arc<Gateway>,
    channel: Arc<Channel>,
    key: Key,
    source: Source,
    /// What the upstream was asked.
    prepared: Prepared,
    /// The request that was, if it is not that of the source.
    resumed: Option<Request>,
    /// Where the stream is.
    cursor: Option<Arc<str>>,
    /// Since when no event has come by the upstreams that were opened, if one was lost.
    lost: Option<Lost>,
}

#[derive(Clone, Copy)]
struct Lost {
    since: Instant,
    attempts: u32,
}

/// What happens to a stream.
enum Step {
    Deserted,
    Swapped,
    Item(UpstreamItem),
}

/// How a stream ends.
enum End {
    /// As the subgraph says.
    Complete,
    /// With what clients may know of why: a JSON array of errors.
    Refused(Bytes),
    /// Nobody listens any more.
    Deserted,
}

impl Pump {
    /// A stream that is not open yet.
    pub fn new(
        gateway: Arc<Gateway>,
        channel: Arc<Channel>,
        key: Key,
        source: Source,
        prepared: Prepared,
    ) -> Pump {
        let given = |argument: &CursorArgument| argument.given(&source.request).map(Arc::from);
        Pump {
            cursor: source.argument.as_ref().and_then(given),
            gateway,
            channel,
            key,
            source,
            prepared,
            resumed: None,
            lost: None,
        }
    }

    /// Runs it to its end.
    pub async fn run(mut self) {
        let end = self.drive().await;
        self.gateway.streams.forget(&self.key, &self.channel);
        match end {
            End::Complete => self.channel.end(None),
            End::Refused(errors) => self.channel.end(Some(&errors)),
            End::Deserted => {}
        }
    }

    async fn drive(&mut self) -> End {
        let mut upstream = match self.open(None).await {
            Ok(upstream) => upstream,
            Err(end) => return end,
        };
        let channel = Arc::clone(&self.channel);
        let mut swaps = self.gateway.swaps();
        if !self.prepared.is_current(&self.gateway) {
            // The swap was while this stream was opened.
            swaps.mark_changed();
        }
        loop {
            let step = tokio::select! {
                biased;
                () = channel.deserted.cancelled() => Step::Deserted,
                _ = swaps.changed() => Step::Swapped,
                item = upstream.next() => Step::Item(item),
            };
            let other = match step {
                Step::Deserted => Err(End::Deserted),
                Step::Swapped => self.follow(upstream.whereabouts()).await,
                Step::Item(item) => self.take(item).await,
            };
            match other {
                Ok(None) => {}
                Ok(Some(opened)) => {
                    let before = std::mem::replace(&mut upstream, opened);
                    self.gateway.tasks.spawn(before.stop());
                }
                Err(End::Complete) => return End::Complete,
                Err(end) => {
                    upstream.stop().await;
                    return end;
                }
            }
        }
    }

    /// What comes of an item: usually nothing more, sometimes another upstream.
    async fn take(&mut self, item: UpstreamItem) -> Result<Option<Upstream>, End> {
        match item {
            UpstreamItem::Event(event) => {
                self.tell(event).await;
                Ok(None)
            }
            UpstreamItem::Refused(errors) => {
                let forwarded = &self.source.forwarded;
                let told = self.prepared.refusal(&self.gateway, forwarded, &errors);
                Err(End::Refused(told.await))
            }
            UpstreamItem::Complete => Err(End::Complete),
            UpstreamItem::Lost(why) => self.reopen(&why).await.map(Some),
        }
    }

    /// Goes over to the supergraph that is served now. An upstream that would be asked the same is kept.
    async fn follow(&mut self, at: Option<Whereabouts>) -> Result<Option<Upstream>, End> {
        let asked = self.resumed.as_ref().unwrap_or(&self.source.request);
        let prepared = self.prepare(asked.clone()).await?;
        if self.resumed.is_none() {
            let key = self.key.planned_anew(&prepared);
            self.gateway.streams.rename(&self.key, &key, &self.channel);
            self.key = key;
        }
        let same = prepared.has_same_upstream(&self.prepared);
        self.prepared = prepared;
        if same {
            return Ok(None);
        }
        // Where the upstream itself knows where it was, nobody needs a cursor.
        if let (None, Some(request)) = (&at, self.continuation()) {
            self.prepared = self.prepare(request.clone()).await?;
            self.resumed = Some(request);
        }
        self.open(at).await.map(Some)
    }

    /// Prepares it for the supergraph that is served now.
    async fn prepare(&self, request: Request) -> Result<Prepared, End> {
        let preparing = pipeline::prepare(&self.gateway, &self.source.caller, request);
        match preparing.await {
            Ok(prepared) if prepared.has_upstream() => Ok(prepared),
            Ok(_) => Err(self.schema_changed("it is not for this caller any more")),
            Err(refusal) => {
                let first = refusal.errors.first().map(|error| error.message.as_str());
                Err(self.schema_changed(first.unwrap_or_default()))
            }
        }
    }

    fn schema_changed(&self, why: &str) -> End {
        let text = format!("a change of the schema ended this subscription: {why}");
        let error = GraphqlError::new(subgraph_codes::SCHEMA_CHANGED, text, Vec::new());
        refused(&[error.at_cursor(self.cursor.as_deref())])
    }

    /// Resolves an event, and hands it to all. Nobody waits for it when all have left meanwhile.
    async fn tell(&mut self, event: Bytes) {
        let answering = self.prepared.event(&self.gateway, &self.source.forwarded, event);
        let body = tokio::select! {
            biased;
            () = self.channel.deserted.cancelled() => return,
            body = answering => body,
        };
        self.lost = None;
        let cursor = cursor::of_event(&body, &self.gateway.config.subscriptions.cursor_field);
        if cursor.is_some() {
            self.cursor.clone_from(&cursor);
        }
        let body = Utf8Bytes::try_from(body).expect("an answer is JSON, and so UTF-8");
        self.channel.broadcast(&Arc::new(Event::new(body, cursor)));
    }

    async fn open(&mut self, at: Option<Whereabouts>) -> Result<Upstream, End> {
        let Source {
            caller, forwarded, ..
        } = &self.source;
        // Boxed: a stream that is open has no use for its room.
        let opening = Box::pin(self.prepared.open(&self.gateway, caller, forwarded, at));
        let opened = tokio::select! {
            biased;
            () = self.channel.deserted.cancelled() => return Err(End::Deserted),
            opened = opening => opened,
        };
        opened.map_err(|error| refused(&[GraphqlError::new(error.code, error.message, Vec::new())]))
    }

    /// Opens the upstream anew, where the stream can go on without a gap (or may have one).
    async fn reopen(&mut self, why: &str) -> Result<Upstream, End> {
        let now = Instant::now();
        let mut lost = self.lost.unwrap_or(Lost {
            since: now,
            attempts: 0,
        });
        tracing::warn!(
            request_id = self.source.forwarded.request_id(),
            why,
            attempts = lost.attempts,
            "the upstream of a subscription was lost"
        );
        let Some(request) = self.continuation() else {
            return Err(self.given_up());
        };
        loop {
            if lost.since.elapsed() >= self.gateway.config.subscriptions.reconnect_timeout {
                return Err(self.given_up());
            }
            tokio::select! {
                biased;
                () = self.channel.deserted.cancelled() => return Err(End::Deserted),
                () = tokio::time::sleep(pause(lost.attempts, draw::percent())) => {}
            }
            lost.attempts += 1;
            self.lost = Some(lost);
            self.prepared = self.prepare(request.clone()).await?;
            self.resumed = Some(request.clone());
            match self.open(None).await {
                Err(End::Refused(_)) => {}
                opened => return opened,
            }
        }
    }

    /// What to ask for the rest of the stream; `None` if it cannot go on.
    fn continuation(&self) -> Option<Request> {
        let always = self.gateway.config.subscriptions.reconnect == Reconnect::Always;
        if self.gateway.config.subscriptions.reconnect == Reconnect::Never {
            return None;
        }
        let resumed = || {
            let argument = self.source.argument.as_ref()?;
            argument.resumed(&self.source.request, self.cursor.as_deref()?)
        };
        resumed().or_else(|| always.then(|| self.source.request.clone()))
    }

    fn given_up(&self) -> End {
        let text = "the stream was interrupted; subscribe again (with your last cursor, where there is one)";
        let error = GraphqlError::new(subgraph_codes::STREAM_LOST, text, Vec::new());
        refused(&[error.at_cursor(self.cursor.as_deref())])
    }
}

fn refused(errors: &[GraphqlError]) -> End {
    End::Refused(
        serde_json::to_vec(errors)
            .expect("strings and numbers are JSON")
            .into(),
    )
}

/// Doubles from attempt to attempt, and is a lot in its upper half, so that streams cut together do not come together.
fn pause(attempts: u32, lot: f64) -> Duration {
    let whole = FIRST_PAUSE
        .saturating_mul(1 << attempts.min(16))
        .min(LONGEST_PAUSE);
    whole.mul_f64(0.5 + lot / 200.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_differ() {
        assert_eq!(pause(0, 100.0), FIRST_PAUSE);
        assert_eq!(pause(0, 0.0), FIRST_PAUSE / 2);
        assert_eq!(pause(3, 100.0), FIRST_PAUSE * 8);
        assert_eq!(pause(60, 100.0), LONGEST_PAUSE);
    }
}
