//! One replica of a part.
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use baedal::parts::RunningPart;
use baedal::settings::{Part, Ports, Settings};

use super::program::Program;
use super::{Knobs, READY, Start, inside, program};
use crate::patience::until;

/// What a replica is started with.
pub struct Context<'a> {
    /// Addresses in front of all parts, and stores.
    pub settings: &'a Settings,
    /// Settings of the services.
    pub knobs: &'a Knobs,
    /// How it runs.
    pub start: &'a Start,
}

/// A running replica.
pub struct Replica {
    /// Its own HTTP address.
    pub addr: SocketAddr,
    /// Its own gRPC address, of payment.
    pub grpc: Option<SocketAddr>,
    life: Life,
}

enum Life {
    Inside(RunningPart),
    Program(Program),
}

impl Replica {
    /// Starts a replica on the port of its part in `ports` and waits until it is ready.
    ///
    /// # Errors
    /// It does not start or is not ready in time.
    pub async fn start(part: Part, context: &Context<'_>, ports: &Ports) -> Result<Replica> {
        let own = Settings {
            ports: ports.clone(),
            ..context.settings.clone()
        };
        let life = match context.start {
            Start::Inside => Life::Inside(inside::start(part, context, &own).await?),
            Start::Programs(folder) => Life::Program(program::start(part, context, &own, folder)?),
        };
        let replica = Replica {
            addr: own.listen(part),
            grpc: (part == Part::Payment).then(|| own.payment_grpc()),
            life,
        };
        replica.until_ready(part).await?;
        Ok(replica)
    }

    async fn until_ready(&self, part: Part) -> Result<()> {
        let url = format!("http://{}/health/ready", self.addr);
        let http = reqwest::Client::builder().no_proxy().build()?;
        until(READY, || async {
            let answer = http.get(&url).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()))
        })
        .await
        .with_context(|| format!("a replica of {part} is not ready: {}", self.output()))
    }

    /// The end of what it has logged, where it is a process.
    pub fn output(&self) -> String {
        match &self.life {
            Life::Inside(_) => String::new(),
            Life::Program(program) => program.output(),
        }
    }

    /// Its process id, where it is a process.
    pub fn pid(&self) -> Option<u32> {
        match &self.life {
            Life::Inside(_) => None,
            Life::Program(program) => Some(program.pid()),
        }
    }

    /// Ends it in order: not ready any more, serving for `drain`, then what is under way finished.
    ///
    /// # Errors
    /// A process that does not end with success.
    pub async fn stop(self, drain: Duration) -> Result<()> {
        match self.life {
            Life::Inside(running) => {
                running.leave(drain).await;
                running.shutdown().await;
                Ok(())
            }
            Life::Program(program) => program.terminate().await,
        }
    }

    /// Ends it as a crash would (in this process: as near to it as a part can).
    ///
    /// # Errors
    /// The process cannot be killed.
    pub async fn kill(self) -> Result<()> {
        match self.life {
            Life::Inside(RunningPart::Service(running)) => running.kill(),
            Life::Inside(running) => running.shutdown().await,
            Life::Program(program) => program.kill()?,
        }
        Ok(())
    }
}
