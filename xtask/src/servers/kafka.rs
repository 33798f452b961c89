//! Kafka in KRaft mode, from Maven.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::packages;
use super::process::{Process, data_folder, free_port};
use crate::run::quiet;

/// The Maven artifact, with all its runtime dependencies.
const VERSION: &str = "4.4.0";
/// Any valid cluster id: the cluster lives as long as this run.
const CLUSTER: &str = "baedalTestClusterAAAAA";

/// Starts a broker that is its own controller.
///
/// # Errors
/// No JDK 17 or Maven, or the broker does not start.
pub fn start() -> Result<(Process, String)> {
    let jars = jars()?;
    let folder = data_folder("kafka")?;
    let (port, controller) = (free_port()?, free_port()?);
    let properties = folder.join("server.properties");
    fs::write(&properties, settings(&folder, port, controller))?;
    let class_path = format!("{}/*", jars.display());
    quiet(
        java(&class_path, "kafka.tools.StorageTool")
            .args(["format", "--cluster-id", CLUSTER, "--config"])
            .arg(&properties),
    )?;
    let mut server = java(&class_path, "kafka.Kafka");
    server.arg(&properties);
    let process = Process::start("Kafka", server, folder, port)?;
    Ok((process, format!("127.0.0.1:{port}")))
}

fn java(class_path: &str, class: &str) -> Command {
    let mut command = Command::new("java");
    command.args(["-Xmx512m", "-cp", class_path, class]);
    command
}

fn settings(folder: &Path, port: u16, controller: u16) -> String {
    let lines = [
        "process.roles=broker,controller".to_owned(),
        "node.id=1".to_owned(),
        format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
        format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
        format!("advertised.listeners=PLAINTEXT://127.0.0.1:{port}"),
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("log.dirs={}", folder.join("data").display()),
        "num.partitions=6".to_owned(),
        "offsets.topic.num.partitions=6".to_owned(),
        "offsets.topic.replication.factor=1".to_owned(),
        "transaction.state.log.replication.factor=1".to_owned(),
        "transaction.state.log.min.isr=1".to_owned(),
        "share.coordinator.state.topic.replication.factor=1".to_owned(),
        "share.coordinator.state.topic.min.isr=1".to_owned(),
        "group.initial.rebalance.delay.ms=0".to_owned(),
        "group.min.session.timeout.ms=1000".to_owned(),
    ];
    lines.join("\n") + "\n"
}

/// The folder of Kafka's jars, downloaded once.
fn jars() -> Result<PathBuf> {
    let folder = packages("kafka")?;
    let jars = folder.join(VERSION);
    if jars.join(format!("kafka_2.13-{VERSION}.jar")).exists() {
        return Ok(jars);
    }
    let project = folder.join("pom.xml");
    fs::write(&project, pom())?;
    let copy = [
        "--batch-mode",
        "--quiet",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
    ];
    quiet(
        Command::new("mvn")
            .current_dir(&folder)
            .args(copy)
            .arg(format!("-DoutputDirectory={}", jars.display())),
    )
    .context("Kafka's jars could not be downloaded; this needs Maven and a JDK 17")?;
    Ok(jars)
}

fn pom() -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion>\
         <groupId>baedal</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>\
         <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>\
         <version>{VERSION}</version></dependency></dependencies></project>\n"
    )
}
