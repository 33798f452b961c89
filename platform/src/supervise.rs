//! Each part in a process of its own, watched: one that ends is started again, and so is one that no longer gives signs of
//! life (`/health/live`), which a process that hangs does not.
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use baedal_kit::serve::until_signal;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::banner;
use crate::platform;
use crate::settings::{Part, Settings};

/// How often a part is asked for a sign of life, and how long it may take.
const PROBE: Duration = Duration::from_secs(1);
/// How often in a row it may fail to give one.
const FAILURES: u32 = 3;
/// How long a part may take until it gives the first.
const START: Duration = Duration::from_secs(60);
/// How long a part may take to end when it is asked to.
const STOP: Duration = Duration::from_secs(20);
/// The pause before a part is started again; it doubles while the part does not live long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A part that lived this long is started again at once.
const LONG_LIFE: Duration = Duration::from_secs(30);

/// Runs the chosen parts until the process is asked to end.
///
/// # Errors
/// A part that cannot be started at all, a gateway that does not become ready.
pub async fn run(settings: &Settings) -> Result<()> {
    let (stop, stopped) = watch::channel(false);
    let mut guards = JoinSet::new();
    for part in settings.parts() {
        let guard = Guard {
            part,
            settings: settings.clone(),
            client: reqwest::Client::builder().no_proxy().timeout(2 * PROBE).build()?,
            stopped: stopped.clone(),
        };
        guards.spawn(guard.watch());
    }
    if settings.parts() == Part::ALL {
        platform::until_ready(settings).await?;
    }
    println!("{}", banner::text(settings));
    until_signal().await;
    eprintln!("Finishing what is under way …");
    // Whoever does not listen any more has ended.
    let _ = stop.send(true);
    while let Some(ended) = guards.join_next().await {
        ended?;
    }
    Ok(())
}

/// Watches one part.
struct Guard {
    part: Part,
    settings: Settings,
    client: reqwest::Client,
    stopped: watch::Receiver<bool>,
}

/// Why a life has ended.
enum End {
    /// The process ended by itself.
    Exited(std::io::Result<ExitStatus>),
    /// It gave no sign of life; why.
    Hung(String),
    /// All is to end.
    Stopped,
}

impl Guard {
    async fn watch(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let born = Instant::now();
            match self.live().await {
                Ok(End::Stopped) => return,
                Ok(End::Exited(status)) => tracing::error!(part = %self.part, ?status, "a part has ended"),
                Ok(End::Hung(why)) => tracing::error!(part = %self.part, why, "a part hangs and was killed"),
                Err(error) => tracing::error!(part = %self.part, "{error:#}"),
            }
            if born.elapsed() > LONG_LIFE {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = asked_to_stop(&mut self.stopped) => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
            tracing::info!(part = %self.part, "a part is started again");
        }
    }

    /// One life of the part.
    async fn live(&mut self) -> Result<End> {
        let mut child = self.start()?;
        let mut stopped = self.stopped.clone();
        let end = tokio::select! {
            status = child.wait() => End::Exited(status),
            why = self.until_it_hangs() => End::Hung(why),
            () = asked_to_stop(&mut stopped) => End::Stopped,
        };
        match end {
            End::Stopped => end_in_order(&mut child).await,
            // One that hangs would not listen.
            End::Hung(_) => child.kill().await?,
            End::Exited(_) => {}
        }
        Ok(end)
    }

    fn start(&self) -> Result<Child> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command
            .args(arguments(self.part, &self.settings))
            .env_remove("BAEDAL_SUPERVISE")
            .stdin(Stdio::null())
            // A part announces itself, which is said once for all of them.
            .stdout(Stdio::null())
            .kill_on_drop(true);
        command
            .spawn()
            .with_context(|| format!("cannot start {} as a process", self.part))
    }

    /// Returns why the part counts as hung.
    async fn until_it_hangs(&self) -> String {
        let url = format!("http://{}/health/live", self.settings.listen(self.part));
        let born = Instant::now();
        let (mut seen, mut failures) = (false, 0);
        loop {
            tokio::time::sleep(PROBE).await;
            let Err(why) = self.probe(&url).await else {
                (seen, failures) = (true, 0);
                continue;
            };
            failures += 1;
            if failures >= FAILURES && (seen || born.elapsed() > START) {
                return why;
            }
        }
    }

    async fn probe(&self, url: &str) -> Result<(), String> {
        match self.client.get(url).send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(answer.text().await.unwrap_or_default()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Returns when all is to end, also when whoever would say so is gone.
async fn asked_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// SIGTERM, which the standard library cannot send; after a while what it can.
async fn end_in_order(child: &mut Child) {
    if let Some(pid) = child.id() {
        let _ = Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()
            .await;
    }
    if tokio::time::timeout(STOP, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// The command line of one part with these settings.
fn arguments(part: Part, settings: &Settings) -> Vec<String> {
    let mut arguments = vec![
        "up".to_owned(),
        format!("--only={part}"),
        format!("--data={}", settings.data.display()),
        format!("--step-ms={}", settings.step_ms),
        format!("--payment-grpc-port={}", settings.ports.payment_grpc),
    ];
    arguments.extend(Part::ALL.map(|part| format!("--{part}-port={}", settings.port(part))));
    let told = &settings.told;
    for (name, port) in [
        ("gateway", told.gateway_metrics_port),
        ("auth", told.auth_metrics_port),
    ] {
        arguments.extend(port.map(|port| format!("--{name}-metrics-port={port}")));
    }
    if told.access_log {
        arguments.push("--access-log".to_owned());
    }
    arguments
}
