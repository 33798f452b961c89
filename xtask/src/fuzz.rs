//! `cargo xtask fuzz`: libFuzzer, built with stable Rust, looks for inputs that make a target panic, hang or grow.
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::run::{cargo, root, shown};

#[derive(Args)]
pub struct Fuzz {
    /// Which target (a folder of tests/fuzz/corpus); all of them, one after another, if none is given.
    target: Option<String>,
    /// How long, each.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

/// Targets that need all of the gateway.
const OF_THE_GATEWAY: [&str; 6] = ["config", "form", "head", "message", "request", "stream"];

/// What libFuzzer needs of compiled code: counters of edges, and operands of comparisons.
const INSTRUMENTED: &str = "--cfg fuzzing --cfg fuzzing_libfuzzer -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cdebug-assertions -Coverflow-checks";

impl Fuzz {
    pub fn run(self) -> Result<()> {
        let corpus = root().join("tests/fuzz/corpus");
        let mut targets: Vec<String> = fs::read_dir(&corpus)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        targets.sort();
        if let Some(target) = self.target {
            if !targets.contains(&target) {
                bail!("no target `{target}`; there are {}", targets.join(", "));
            }
            targets = vec![target];
        }
        let failed: Vec<String> = targets
            .into_iter()
            .filter(|target| {
                let outcome = fuzz(target, &corpus.join(target), self.minutes * 60);
                outcome.inspect_err(|error| eprintln!("{error:#}")).is_err()
            })
            .collect();
        if !failed.is_empty() {
            bail!("found something in {}", failed.join(", "));
        }
        Ok(())
    }
}

/// New inputs that reach new code are kept beside the findings in `target/fuzz`, for the next run.
fn fuzz(target: &str, corpus: &Path, seconds: u64) -> Result<()> {
    let kept = root().join("target/fuzz").join(target);
    let (reached, findings) = (kept.join("reached"), kept.join("findings"));
    fs::create_dir_all(&reached).and_then(|()| fs::create_dir_all(&findings))?;
    let path = |path: &Path| path.to_str().map(str::to_owned).context("a path is text");
    let options = [
        path(&reached)?,
        path(corpus)?,
        format!("-max_total_time={seconds}"),
        format!("-artifact_prefix={}/", path(&findings)?),
        "-timeout=10".into(),
        "-rss_limit_mb=2048".into(),
        "-max_len=8192".into(),
        "-print_final_stats=1".into(),
    ];
    // A target of its own architecture keeps build scripts and macros from being instrumented.
    let mut command = cargo();
    command.args([
        "test",
        "--profile",
        "bench-fast",
        "-p",
        "baedal-fuzz",
        "--test",
        "main",
        "--target",
    ]);
    command.arg(env_or("FUZZ_TARGET_TRIPLE", "x86_64-unknown-linux-gnu"));
    if !OF_THE_GATEWAY.contains(&target) {
        command.arg("--no-default-features");
    }
    command.args(["--", "--exact", target, "--nocapture", "--test-threads=1"]);
    command.env("RUSTFLAGS", INSTRUMENTED);
    command.env("BOLERO_LIBFUZZER_ARGS", options.join(" "));
    shown(&mut command).with_context(|| format!("{target}: see {}", findings.display()))
}

fn env_or(name: &str, otherwise: impl AsRef<OsStr>) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_else(|| otherwise.as_ref().to_owned())
}
