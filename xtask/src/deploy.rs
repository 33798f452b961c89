//! `cargo xtask deploy`: the manifests of deploy/ are what Kubernetes accepts, and the alerts fire when they should.
//!
//! The tools are found on the machine or got from their registries, once, under target/tools.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{quiet, root, shown, succeeds};

/// The schemas that manifests are checked with come along with the checker, for Kubernetes versions up to its own.
const VALIDATE: &str = "kubernetes-validate==1.37.0";
/// The oldest and the newest version that the manifests are meant for.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];
/// For machines without kubectl.
const KUSTOMIZE: &str = "sigs.k8s.io/kustomize/kustomize/v5@v5.6.0";

/// Checks everything that can be checked without a cluster.
///
/// # Errors
/// A tool that cannot be had, a manifest or rule that is wrong.
pub fn check() -> Result<()> {
    let deploy = root().join("deploy");
    let rendered = render(&deploy.join("kubernetes/overlays/production"))?;
    let validate = kubernetes_validate()?;
    for version in VERSIONS {
        shown(
            Command::new(&validate)
                // Kinds of operators (PodMonitor, PrometheusRule) have no schema in Kubernetes.
                .args([
                    "--strict",
                    "--quiet",
                    "--no-warn",
                    "--kubernetes-version",
                    version,
                ])
                .arg(&rendered)
                .arg(deploy.join("kubernetes/overlays/production/secrets.example.yaml")),
        )?;
    }
    let promtool = promtool()?;
    let prometheus = deploy.join("prometheus");
    shown(
        Command::new(&promtool)
            .args(["check", "rules"])
            .arg(prometheus.join("alerts.yaml")),
    )?;
    shown(
        Command::new(&promtool)
            .args(["test", "rules"])
            .arg(prometheus.join("alerts.test.yaml")),
    )
}

/// The overlay as one file.
fn render(overlay: &Path) -> Result<PathBuf> {
    let mut command = kustomize()?;
    let output = quiet(command.arg(overlay))?;
    let file = tools("rendered")?.join("production.yaml");
    fs::write(&file, output.stdout)?;
    Ok(file)
}

/// A command that renders the folder it is given.
fn kustomize() -> Result<Command> {
    if succeeds("kubectl", &["kustomize", "--help"]) {
        let mut command = Command::new("kubectl");
        command.arg("kustomize");
        return Ok(command);
    }
    let folder = tools("kustomize")?;
    let program = folder.join("kustomize");
    if !program.exists() {
        quiet(
            Command::new("go")
                .args(["install", KUSTOMIZE])
                .env("GOBIN", &folder),
        )
        .context("neither kubectl nor kustomize: install kubectl, or Go to build kustomize with")?;
    }
    let mut command = Command::new(program);
    command.arg("build");
    Ok(command)
}

fn kubernetes_validate() -> Result<PathBuf> {
    let venv = tools("kubernetes-validate")?.join("venv");
    let program = venv.join("bin/kubernetes-validate");
    if !program.exists() {
        let advice = "kubernetes-validate is installed by Python 3 with venv and pip: install these";
        quiet(Command::new("python3").args(["-m", "venv"]).arg(&venv)).context(advice)?;
        quiet(Command::new(venv.join("bin/pip")).args(["install", "--quiet", VALIDATE])).context(advice)?;
    }
    Ok(program)
}

/// On the path, else out of the Debian package, which is unpacked and not installed: its services are not wanted.
fn promtool() -> Result<PathBuf> {
    if succeeds("promtool", &["--version"]) {
        return Ok(PathBuf::from("promtool"));
    }
    let folder = tools("prometheus")?;
    let program = folder.join("usr/bin/promtool");
    if program.exists() {
        return Ok(program);
    }
    let advice = "promtool comes with Prometheus: install it, or run where apt-get can download the package";
    let download = || {
        quiet(
            Command::new("apt-get")
                .args(["download", "prometheus"])
                .current_dir(&folder),
        )
    };
    if download().is_err() {
        quiet(Command::new("apt-get").arg("update")).context(advice)?;
        download().context(advice)?;
    }
    let package = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get downloaded no package")?;
    quiet(Command::new("dpkg").arg("-x").arg(package).arg(&folder)).context(advice)?;
    Ok(program)
}

fn tools(name: &str) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = target.join("tools").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
