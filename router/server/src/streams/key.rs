//! What makes two subscriptions the same stream.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use baedal_executor::Program;
use bytes::Bytes;

use crate::pipeline::Prepared;

/// Equal keys share an upstream: the same plan (which has the caller's rights in it), the same values of variables, and
/// the same of everything that travels on and tells callers apart, the token among it. So nothing is ever shared by two
/// identities.
#[derive(Clone)]
pub struct Key {
    /// What the upstream is asked.
    upstream: Bytes,
    /// How each event is answered.
    program: Arc<Program>,
    /// The values of variables, for the fetches behind each event.
    variables: Arc<[(Box<str>, Bytes)]>,
    /// Forwarded header fields without the ids of a request.
    caller: Bytes,
}

impl Key {
    /// The key of a subscription. `caller`: what travels on and tells callers apart.
    pub fn new(prepared: &Prepared, caller: &[u8]) -> Key {
        let upstream = prepared.upstream().map(|call| call.body);
        Key {
            upstream: upstream.unwrap_or_default(),
            program: Arc::clone(prepared.program()),
            variables: prepared.variables().into(),
            caller: Bytes::copy_from_slice(caller),
        }
    }
}

impl Key {
    /// The key of the same subscription by another plan.
    pub fn planned_anew(&self, prepared: &Prepared) -> Key {
        Key::new(prepared, &self.caller)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        let same_plan =
            Arc::ptr_eq(&self.program, &other.program) || self.program.plan() == other.program.plan();
        self.upstream == other.upstream
            && self.caller == other.caller
            && self.variables == other.variables
            && same_plan
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.upstream.hash(state);
        self.caller.hash(state);
        self.variables.hash(state);
    }
}
