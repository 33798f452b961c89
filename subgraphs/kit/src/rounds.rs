//! The rounds of a background loop (a sweep, a poller), each of which is a sign of life for `/health/live`.

use baedal_telemetry::vitals::Pulse;

use crate::hang;

/// What a loop holds while it goes round; see [`crate::telemetry::Telemetry::rounds`].
#[derive(Debug)]
pub struct Rounds {
    name: &'static str,
    pulse: Pulse,
}

impl Rounds {
    pub(crate) fn new(name: &'static str, pulse: Pulse) -> Rounds {
        Rounds { name, pulse }
    }

    /// A round begins. Without another one in time the loop counts as hung.
    pub async fn begin(&self) {
        hang::if_asked(self.name).await;
        self.pulse.beat();
    }
}
