//! What a breaker shows of itself.

/// The name of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// All calls go through.
    Closed,
    /// None does.
    Open,
    /// A few do, to find out.
    HalfOpen,
}

impl State {
    /// For logs and metrics: `closed`, `open`, `half_open`.
    pub const fn name(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half_open",
        }
    }
}

/// What a breaker shows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it stands.
    pub state: State,
    /// How often it has opened.
    pub opened: u64,
    /// How often it has become half-open.
    pub half_opened: u64,
    /// How often it has closed again.
    pub closed: u64,
    /// Calls rejected.
    pub rejected: u64,
}
