//! Dead letters once more: each goes through the handler, with its inbox, as if it had just been read.

use super::{
    HandleError, Handler, attempt,
    dead::{DeadLetters, Kept, LettersError},
};
use std::{collections::HashSet, sync::Arc};

/// Most letters of one call.
pub const MOST: usize = 100;

/// Which letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// These, at most [`MOST`].
    Ids(Vec<String>),
    /// Those least often tried so far, up to [`MOST`].
    All,
}

/// What became of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Ids of those that took effect (or had taken effect before, or are nobody's business any more); they are gone.
    pub applied: Vec<String>,
    /// Ids of those that are still refused, each with the reason.
    pub refused: Vec<(String, String)>,
}

/// Why it stopped on the way; letters that took effect until then are gone.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// The letters cannot be read or changed.
    #[error(transparent)]
    Letters(#[from] LettersError),
    /// The handler's store is away, or similar: it may work later.
    #[error("{0:#}")]
    Transient(anyhow::Error),
}

/// What can try a consumer's dead letters again.
pub struct Redrive {
    handler: Arc<dyn Handler>,
    letters: Arc<dyn DeadLetters>,
}

impl Redrive {
    pub(super) fn new(handler: Arc<dyn Handler>, letters: Arc<dyn DeadLetters>) -> Redrive {
        Redrive { handler, letters }
    }

    /// Tries them one by one, in the order in which they were buried. Trying one twice, even at the same time, is
    /// harmless: the inbox knows the event.
    ///
    /// # Errors
    /// See [`RedriveError`].
    pub async fn run(&self, chosen: Chosen) -> Result<Outcome, RedriveError> {
        let mut outcome = Outcome::default();
        let letters = match chosen {
            Chosen::All => self.letters.due(MOST).await?,
            Chosen::Ids(ids) => {
                let found = self.letters.find(&ids).await?;
                outcome.refused = absent(&ids, &found);
                found
            }
        };
        for kept in letters {
            match self.again(&kept).await? {
                Ok(()) => {
                    self.letters.remove(std::slice::from_ref(&kept.id)).await?;
                    outcome.applied.push(kept.id);
                }
                Err(reason) => {
                    self.letters.refused(&kept.id, &reason).await?;
                    outcome.refused.push((kept.id, reason));
                }
            }
        }
        Ok(outcome)
    }

    /// One letter; the inner error is the reason why it is still refused.
    async fn again(&self, kept: &Kept) -> Result<Result<(), String>, RedriveError> {
        if !kept.whole {
            return Ok(Err(
                "the record is not text, or too long: its bytes were not kept".to_owned(),
            ));
        }
        let envelope = match attempt::read(self.handler.as_ref(), kept.letter.payload.as_bytes()) {
            Ok(Some(envelope)) => envelope,
            Ok(None) => return Ok(Ok(())),
            Err(reason) => return Ok(Err(reason)),
        };
        match attempt::apply(self.handler.as_ref(), &[envelope]).await {
            Ok(()) => Ok(Ok(())),
            Err(HandleError::Poison(reason)) => Ok(Err(reason)),
            Err(HandleError::Transient(error)) => Err(RedriveError::Transient(error)),
        }
    }
}

fn absent(ids: &[String], found: &[Kept]) -> Vec<(String, String)> {
    let found: HashSet<&str> = found.iter().map(|kept| kept.id.as_str()).collect();
    ids.iter()
        .filter(|id| !found.contains(id.as_str()))
        .map(|id| (id.clone(), "there is no such dead letter".to_owned()))
        .collect()
}
