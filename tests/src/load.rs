//! Load, made by ourselves: so many users one after another's answer ([`closed`]), or so many requests a second
//! whatever the answers do ([`open`]); what came back is counted per outcome with its latencies ([`Report`]).
//!
//! Latencies do not suffer from coordinated omission: in the open model they are reckoned from the moment a request was
//! due, not from the moment it could be sent; in the closed model each user sends as soon as it has the answer (or has
//! thought), so what is due is what is sent. Who draws what is decided by a seed.
mod closed;
mod open;
mod report;

use std::borrow::Cow;
use std::time::Duration;

use rand::rngs::StdRng;

pub use closed::{Closed, closed};
pub use open::{Open, open};
pub use report::{Count, Report};

/// The code of a request that went well.
pub const OK: &str = "ok";

/// One request to send: who sends it and its number among theirs.
pub struct Turn {
    /// The user, from 0 (in the open model the number of the arrival).
    pub user: usize,
    /// How many requests the user has sent before.
    pub number: usize,
    /// The user's own dice.
    pub dice: StdRng,
}

impl Turn {
    /// The first request of a user, whose dice come from the number.
    pub fn of(user: usize) -> Turn {
        Turn {
            user,
            number: 0,
            dice: rand::SeedableRng::seed_from_u64(user as u64),
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// [`OK`] or the code of what went wrong.
    pub code: Cow<'static, str>,
    /// When the server asked to come again; a user of the closed model honours it.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// It went well.
    pub fn ok() -> Outcome {
        Outcome {
            code: Cow::Borrowed(OK),
            retry_after: None,
        }
    }

    /// It went wrong.
    pub fn refused(code: impl Into<Cow<'static, str>>, retry_after: Option<Duration>) -> Outcome {
        Outcome {
            code: code.into(),
            retry_after,
        }
    }
}
