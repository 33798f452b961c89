//! The live feed.

use super::access::{ORDER, app};
use super::shown;
use super::types::{FeedNode, number};
use crate::feed::{Resumed, Stopped, deliveries};
use async_graphql::{Context, Error, Result};
use baedal_kit::auth::Caller;
use baedal_kit::error::coded;
use baedal_kit::page::decode;
use futures_util::{Stream, StreamExt};
use std::time::Duration;
use tokio::time::Instant;

/// Timers are not set further ahead than this; a token that lives longer only means to subscribe again.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Root of the subscriptions.
pub struct Subscription;

#[async_graphql::Subscription]
impl Subscription {
    /// The caller's deliveries as they happen. With the cursor of the last item seen it goes on right after it: nothing
    /// is missed, nothing comes twice. Without a cursor it begins now. Ends when the access token does.
    async fn delivery_feed(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<FeedNode>> + use<>> {
        let claims = Caller::of(ctx).require(ORDER)?;
        let after = after.as_deref().map(cursor).transpose()?;
        let app = app(ctx).clone();
        let now = u64::try_from(app.clock.now_ms()).unwrap_or(0);
        let left = Duration::from_millis(claims.exp.saturating_mul(1000).saturating_sub(now)).min(LONGEST);
        let resumed = Resumed {
            after,
            until: Instant::now() + left,
        };
        let items = deliveries(app, claims.sub.clone(), resumed)
            .await
            .map_err(ended)?;
        Ok(items.map(|item| item.map(FeedNode).map_err(ended)))
    }
}

fn cursor(after: &str) -> Result<u64> {
    let text = decode(after).ok_or_else(|| ended(Stopped::UnknownCursor))?;
    number(&text).map_err(|_| ended(Stopped::UnknownCursor))
}

fn ended(stopped: Stopped) -> Error {
    match &stopped {
        Stopped::UnknownCursor => coded("INVALID_CURSOR", stopped.to_string()),
        Stopped::TokenExpired => coded("UNAUTHENTICATED", stopped.to_string()),
        Stopped::Books(error) => shown(error),
    }
}
