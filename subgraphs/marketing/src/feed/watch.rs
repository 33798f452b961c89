//! One watcher: everything after its cursor, in order, then whatever comes, until its token ends.

use crate::app::App;
use crate::domain::FeedItem;
use crate::ports::BooksError;
use futures_util::Stream;
use futures_util::stream::unfold;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until, timeout};

/// Items read at once.
const PAGE: usize = 100;
/// How often a failed read is tried again before the stream ends.
const MAX_FAILURES: u32 = 5;
/// Even an unannounced item is found after this long.
const AT_LATEST: Duration = Duration::from_secs(15);

/// From where, and until when, to watch.
#[derive(Clone, Copy, Debug)]
pub struct Resumed {
    /// Number of the last item the client has; none to begin with what is new.
    pub after: Option<u64>,
    /// When the client's token ends.
    pub until: Instant,
}

/// Why a watcher was stopped; it comes back with its cursor.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The cursor is beyond the end of the feed: it is not of this feed.
    #[error("the cursor is not of this feed")]
    UnknownCursor,
    /// The access token expired.
    #[error("the access token has expired, subscribe again with a new one and the last cursor")]
    TokenExpired,
    /// The database failed again and again.
    #[error(transparent)]
    Books(#[from] BooksError),
}

struct Watcher {
    app: Arc<App>,
    customer_id: String,
    last: u64,
    until: Instant,
    grown: Receiver<u64>,
    page: VecDeque<FeedItem>,
}

/// A customer's deliveries from there on. Ends after an error.
pub async fn deliveries(
    app: Arc<App>,
    customer_id: String,
    resumed: Resumed,
) -> Result<impl Stream<Item = Result<FeedItem, Stopped>> + Send, Stopped> {
    // Watch first, then look where the feed ends: what is appended in between is announced.
    let grown = app.hub.watch(&customer_id);
    let head = app
        .feeds
        .heads(std::slice::from_ref(&customer_id))
        .await?
        .pop()
        .map_or(0, |head| head.sequence);
    let last = resumed.after.unwrap_or(head);
    if last > head {
        return Err(Stopped::UnknownCursor);
    }
    let watcher = Watcher {
        app,
        customer_id,
        last,
        until: resumed.until,
        grown,
        page: VecDeque::new(),
    };
    Ok(unfold(Some(watcher), |watcher| async move {
        let mut watcher = watcher?;
        match watcher.next().await {
            Ok(item) => Some((Ok(item), Some(watcher))),
            Err(stopped) => Some((Err(stopped), None)),
        }
    }))
}

impl Watcher {
    async fn next(&mut self) -> Result<FeedItem, Stopped> {
        loop {
            if Instant::now() >= self.until {
                return Err(Stopped::TokenExpired);
            }
            if let Some(item) = self.page.pop_front() {
                self.last = item.sequence;
                return Ok(item);
            }
            self.grown.mark_unchanged();
            self.page = self.read().await?.into();
            if self.page.is_empty() {
                self.wait().await;
            }
        }
    }

    async fn read(&self) -> Result<Vec<FeedItem>, BooksError> {
        let mut failures = 0;
        loop {
            match self
                .app
                .feeds
                .items_after(&self.customer_id, self.last, PAGE)
                .await
            {
                Ok(items) => return Ok(items),
                Err(error) if failures == MAX_FAILURES => return Err(error),
                Err(_) => failures += 1,
            }
            tokio::time::sleep(Duration::from_millis(100 << failures)).await;
        }
    }

    /// Until the feed has grown, the token has ended, or it is time to look anyway.
    async fn wait(&mut self) {
        let until = self.until;
        tokio::select! {
            () = sleep_until(until) => {}
            changed = timeout(AT_LATEST, self.grown.changed()) => {
                if matches!(changed, Ok(Err(_))) {
                    // The hub has forgotten this feed, which it does only without watchers; watch anew.
                    self.grown = self.app.hub.watch(&self.customer_id);
                }
            }
        }
    }
}
