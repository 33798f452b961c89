//! The loop of the keeper: when it looks, and what it is told to do.

use std::time::Duration;

use baedal_telemetry::vitals::Pulse;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Keeper, SupergraphProblem};
use crate::config::Config;

/// First pause after a look that did not find everything; it doubles from look to look.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A look that takes longer hangs.
const LONGEST_LOOK: Duration = Duration::from_secs(120);
/// How often the configuration files are looked at.
const FILES: Duration = Duration::from_secs(2);
/// By which share of it a pause is longer or shorter by chance: gateways that began together do not ask together.
const JITTER: f64 = 0.1;

/// Something to do between two looks.
pub enum Command {
    /// Look now, at the configuration files too.
    Look,
    /// Serve with this configuration, which is good in itself.
    Change(Box<Config>, oneshot::Sender<Result<(), SupergraphProblem>>),
}

impl Keeper {
    /// Looks again and again until the gateway stops. `draw` gives numbers from 0 to 1 by chance.
    pub async fn watch(mut self, mut commands: mpsc::Receiver<Command>, draw: impl Fn() -> f64 + Send) {
        let closing = self.gateway.closing.clone();
        let vitals = &self.gateway.observer.vitals;
        let pulse = vitals.pulse("the supergraph keeper", LONGEST_LOOK);
        let (mut pause, mut last) = (FIRST_PAUSE, Instant::now());
        loop {
            let usual = self.config.supergraph.poll_interval;
            let wait = match self.is_whole() {
                true => usual,
                false => pause.min(usual),
            };
            let next = last + wait.mul_f64(1.0 + JITTER * (draw() * 2.0 - 1.0));
            let command = tokio::select! {
                () = closing.cancelled() => return,
                command = commands.recv() => command,
                () = self.until(next, &pulse) => None,
            };
            match command {
                Some(Command::Change(config, done)) => {
                    // Whoever asked may be gone.
                    let _ = done.send(self.change(*config).await);
                }
                // What went wrong is logged and in the status.
                Some(Command::Look) | None => drop(self.look().await),
            }
            pause = match self.is_whole() {
                true => FIRST_PAUSE,
                false => (pause * 2).min(usual),
            };
            last = Instant::now();
        }
    }

    /// Until then, or until the configuration files say something new.
    async fn until(&self, next: Instant, pulse: &Pulse) {
        loop {
            pulse.beat();
            let now = Instant::now();
            if now >= next {
                return;
            }
            tokio::time::sleep(FILES.min(next - now)).await;
            if self.has_news() {
                return;
            }
        }
    }
}
