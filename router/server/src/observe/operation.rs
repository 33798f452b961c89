//! An operation's meters, looked up when its document is read.

use std::sync::Arc;

use baedal_executor::Program;
use baedal_telemetry::metrics::{Family, Histogram};

use crate::responses::Parts;

/// What is told of operations without a name.
const ANONYMOUS: &str = "anonymous";

/// An operation, as it is told of.
pub struct Operation {
    /// Its name.
    pub name: Box<str>,
    /// A hash of its text, the same in every process.
    pub hash: u64,
    pub(super) ok: Histogram,
    pub(super) error: Histogram,
}

impl Operation {
    pub(super) fn new(
        requests: &Family<Histogram>,
        contract: &str,
        name: Option<&str>,
        query: &str,
    ) -> Operation {
        let name = name.unwrap_or(ANONYMOUS);
        Operation {
            name: name.into(),
            hash: hash(query),
            ok: requests.with(&[name, "ok", contract]),
            error: requests.with(&[name, "error", contract]),
        }
    }
}

/// What is told of a request once it is prepared.
#[derive(Clone)]
pub struct Told {
    /// The operation.
    pub operation: Arc<Operation>,
    /// How it is answered.
    pub program: Arc<Program>,
    /// What its parts are told of, with a response cache.
    pub parts: Option<Arc<Parts>>,
}

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>), 64 bits.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
