//! A replica as a process of its own.
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use baedal::parts::AUDIENCE;
use baedal::settings::{Part, Settings};

use super::replica::Context;
use crate::patience::until;

/// How long an orderly end may take, the time it goes on serving included.
const END: Duration = Duration::from_secs(30);
/// By it order's replicas prove to payment's that they may call.
pub const PAYMENT_KEY: &str = "of-a-cluster-that-is-gone-after-the-test";
/// How much of a log is shown.
const SHOWN: usize = 4_000;

/// A running program; it is killed when dropped.
pub struct Program {
    part: Part,
    child: Child,
    log: PathBuf,
}

/// Starts the program of `part` in `folder` on its `own` ports.
///
/// # Errors
/// There is no such program.
pub fn start(part: Part, context: &Context<'_>, own: &Settings, folder: &Path) -> Result<Program> {
    let log = own
        .data
        .join(format!("{part}-{}.log", uuid::Uuid::now_v7().simple()));
    let output = File::create(&log)?;
    let program = folder.join(match part {
        Part::Gateway => "baedal-router".to_owned(),
        _ => format!("baedal-{part}"),
    });
    let mut command = ending_with_us(&program);
    command
        .env("RUST_LOG", "warn")
        .env("SHUTDOWN_DELAY_MS", context.knobs.drain.as_millis().to_string());
    match part {
        Part::Gateway => gateway(&mut command, context, own)?,
        _ => service(&mut command, part, context, own),
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    Ok(Program { part, child, log })
}

/// Has the kernel end the program when this process ends in a way that runs no destructor.
fn ending_with_us(program: &Path) -> Command {
    let there = Command::new("setpriv")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

fn service(command: &mut Command, part: Part, context: &Context<'_>, own: &Settings) {
    let (front, knobs) = (context.settings, context.knobs);
    command
        .env("BAEDAL_LISTEN", own.listen(part).to_string())
        .env("DATABASE_URL", own.database(part))
        .env("ISSUER_URL", front.issuer())
        .env("AUDIENCE", AUDIENCE)
        .env("DEMO", own.demo().to_string());
    if part != Part::Auth {
        command.env("EVENTS_URL", own.events());
    }
    match part {
        Part::Order => command
            .env("PAYMENT_GRPC_URL", format!("http://{}", front.payment_grpc()))
            .env("PAYMENT_DEADLINE_MS", knobs.deadline.as_millis().to_string())
            .env("PAYMENT_AT_ONCE", knobs.at_once.to_string())
            .env("PAYMENT_GRPC_KEY", PAYMENT_KEY),
        Part::Payment => command
            .env("PAYMENT_GRPC_LISTEN", own.payment_grpc().to_string())
            .env("PAYMENT_GRPC_KEY", PAYMENT_KEY)
            .env("PAYMENT_ANSWER_DELAY_MS", knobs.answer.0.as_millis().to_string())
            .env("PAYMENT_ANSWER_JITTER_MS", knobs.answer.1.as_millis().to_string())
            .env("PAYMENT_PROVIDER_DELAY_MS", knobs.delay.as_millis().to_string())
            .env("PAYMENT_PROVIDER_JITTER_MS", knobs.jitter.as_millis().to_string())
            .env("PAYMENT_PROVIDER_CAPACITY", knobs.capacity.to_string()),
        Part::Store => command
            .env("STORE_AUTO", "true")
            .env("STORE_STEP_DELAY_MS", knobs.step.as_millis().to_string()),
        _ => command,
    };
}

/// The file that gateways are configured by; the first one writes it.
///
/// # Errors
/// It cannot be written.
pub fn gateway_file(context: &Context<'_>) -> Result<PathBuf> {
    let file = context.settings.data.join("router.yaml");
    if !file.exists() {
        fs::write(&file, gateway_config(context))?;
    }
    Ok(file)
}

fn gateway(command: &mut Command, context: &Context<'_>, own: &Settings) -> Result<()> {
    let file = gateway_file(context)?;
    let listen = own.listen(Part::Gateway).to_string();
    command
        .arg("serve")
        .arg("--config")
        .arg(file)
        .args(["--listen", &listen]);
    Ok(())
}

fn gateway_config(context: &Context<'_>) -> String {
    let front = context.settings;
    let mut text = "subgraphs:\n".to_owned();
    for part in Part::SUBGRAPHS {
        text += &format!("  {part}: {{ url: \"{}\" }}\n", front.graphql(part));
    }
    let (issuer, delay) = (front.issuer(), context.knobs.drain.as_millis());
    let door = context.knobs.door;
    let door = door.map_or(String::new(), |at_once| {
        format!(", shed: {{ at_once: {at_once} }}")
    });
    text + &format!(
        "supergraph: {{ poll_interval: 500ms }}\ntraffic: {{ shutdown_delay: {delay}ms{door} }}\nauth:\n  issuers:\n    - issuer: \"{issuer}\"\n      \
         jwks_url: \"{issuer}/jwks.json\"\n      audience: {AUDIENCE}\n"
    )
}

impl Program {
    /// The end of its log.
    pub fn output(&self) -> String {
        let text = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let from = text.floor_char_boundary(text.len().saturating_sub(SHOWN));
        text[from..].to_owned()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// It does not end with success in time.
    pub async fn terminate(mut self) -> Result<()> {
        Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()?;
        let mut status = None;
        until(END, || {
            let ended = self.child.try_wait();
            status = status.or(ended.as_ref().ok().copied().flatten());
            async move { Ok(ended?.is_some()) }
        })
        .await
        .with_context(|| format!("{} does not end: {}", self.part, self.output()))?;
        let success = status.is_some_and(|status| status.success());
        ensure!(success, "{} ended with {status:?}: {}", self.part, self.output());
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
