//! A service's dead letters in its graph: looked at, tried again, given up.

use super::ops;
use crate::{
    consumer::{
        Kept,
        redrive::{Chosen, MOST, RedriveError},
    },
    envelope::rfc3339,
    error::{INVALID_INPUT, coded},
    page::{Cursor, Page},
};
use async_graphql::{Context, Error, ID, SimpleObject, connection::Connection};

/// Largest part of a payload that is shown.
const SHOWN: usize = 4 * 1024;

/// A record the service's consumer could not read or apply, kept until it is applied after all or given up.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
#[graphql(name = "DeadLetter", shareable)]
pub struct LetterNode {
    /// Where the record was: TOPIC/PARTITION/OFFSET.
    pub id: ID,
    /// Why it was given up, or was refused when it was last tried.
    pub reason: String,
    /// The topic it was published to.
    pub topic: String,
    /// Its key: what it belongs to (an order id).
    pub key: String,
    /// The record as text, the first 4096 bytes.
    pub payload: String,
    /// When it was given up, RFC 3339 in UTC.
    pub buried_at: String,
    /// How often it was tried again in vain.
    pub attempts: i64,
    #[graphql(skip)]
    position: String,
}

/// A dead letter that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
#[graphql(name = "RefusedDeadLetter", shareable)]
pub struct RefusedNode {
    /// Which.
    pub id: ID,
    /// Why not.
    pub reason: String,
}

/// What became of dead letters that were tried again.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
#[graphql(name = "Redrive", shareable)]
pub struct RedriveNode {
    /// Those that took effect, or had done so before: they are no dead letters any more.
    pub applied: Vec<ID>,
    /// Those that did not.
    pub refused: Vec<RefusedNode>,
    /// Dead letters the service has left.
    pub remaining: u64,
}

/// A page of the dead letters, oldest first.
///
/// # Errors
/// `INVALID_INPUT`: the page; `UNAVAILABLE`: the store does not answer.
pub async fn dead_letters(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Connection<Cursor, LetterNode>, Error> {
    let page = Page::read(first, after)?;
    let after = page.after.as_deref().map(position).transpose()?;
    let letters = ops(ctx)?.letters.page(after, page.limit + 1).await;
    let letters = letters.map_err(super::unavailable)?;
    let nodes = letters.into_iter().map(node).collect();
    Ok(page.connection(nodes, |node: &LetterNode| node.position.clone()))
}

/// Tries these dead letters again, or without ids those least often tried so far.
///
/// # Errors
/// `INVALID_INPUT`: too many ids; `UNAVAILABLE`: the store does not answer, or there is no consumer.
pub async fn redrive(ctx: &Context<'_>, ids: Option<Vec<ID>>) -> Result<RedriveNode, Error> {
    let ops = ops(ctx)?;
    let chosen = match ids {
        None => Chosen::All,
        Some(ids) => Chosen::Ids(few(ids)?),
    };
    let redrive = ops
        .consumer
        .get()
        .map(|(_, redrive)| redrive)
        .ok_or_else(|| coded("UNAVAILABLE", "the service's consumer has not started, try again"))?;
    let outcome = redrive.run(chosen).await.map_err(|error| match error {
        RedriveError::Letters(error) => super::unavailable(error),
        RedriveError::Transient(error) => super::unavailable(format!("{error:#}")),
    })?;
    tracing::info!(
        applied = outcome.applied.len(),
        refused = outcome.refused.len(),
        "dead letters tried again"
    );
    let refused = outcome.refused.into_iter().map(|(id, reason)| RefusedNode {
        id: id.into(),
        reason,
    });
    Ok(RedriveNode {
        applied: outcome.applied.into_iter().map(ID::from).collect(),
        refused: refused.collect(),
        remaining: ops.letters.count().await.map_err(super::unavailable)?,
    })
}

/// Forgets these dead letters for good (their topic still has them); says how many there were.
///
/// # Errors
/// `INVALID_INPUT`: too many ids; `UNAVAILABLE`: the store does not answer.
pub async fn discard(ctx: &Context<'_>, ids: Vec<ID>) -> Result<u64, Error> {
    let ids = few(ids)?;
    let removed = ops(ctx)?.letters.remove(&ids).await;
    let removed = removed.map_err(super::unavailable)?;
    tracing::warn!(?ids, removed, "dead letters discarded");
    Ok(removed)
}

fn few(ids: Vec<ID>) -> Result<Vec<String>, Error> {
    if ids.len() > MOST {
        return Err(coded(INVALID_INPUT, format!("at most {MOST} ids at a time")));
    }
    Ok(ids.into_iter().map(|id| id.0).collect())
}

fn node(kept: Kept) -> LetterNode {
    let position = format!("{}:{}", kept.buried_at, kept.id);
    let mut payload = kept.letter.payload;
    payload.truncate(payload.floor_char_boundary(SHOWN));
    LetterNode {
        id: kept.id.into(),
        reason: kept.letter.reason,
        topic: kept.letter.topic,
        key: kept.letter.key,
        payload,
        buried_at: rfc3339(kept.buried_at),
        attempts: kept.attempts,
        position,
    }
}

fn position(cursor: &str) -> Result<(i64, &str), Error> {
    cursor
        .split_once(':')
        .and_then(|(at, id)| Some((at.parse().ok()?, id)))
        .ok_or_else(|| coded(INVALID_INPUT, "after is not a cursor of this list"))
}
