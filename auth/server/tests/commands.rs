//! The program itself: first user, first client, and what it says about mistakes.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::world::{World, file, folder};

fn run(database_url: &str, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-auth"))
        .args(args)
        .env("DATABASE_URL", database_url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_first_user_and_client_are_made_on_the_command_line() {
    let folder = folder();
    let url = file(&folder);
    let user = [
        "user", "add", "--login", "Mina", "--role", "owner", "--name", "미나",
    ];
    let added = run(&url, &user, "a long password\n");
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );
    let client = [
        "client",
        "add",
        "--id",
        "shop",
        "--confidential",
        "--grant",
        "client_credentials",
        "--scope",
        "store",
    ];
    let secret = String::from_utf8(run(&url, &client, "").stdout)
        .unwrap()
        .trim()
        .to_owned();
    let world = World::on(&url).await;
    let page = world
        .browser()
        .try_login(&world.authorize(&[]), "mina", "a long password")
        .await;
    assert_eq!(page.status, 303, "{}", page.body);
    let answer = world
        .post(
            "/token",
            &[("grant_type", "client_credentials")],
            Some(("shop", &secret)),
        )
        .await;
    assert_eq!(answer.text("scope"), "store");
    assert!(complaint(&run(&url, &user, "a long password\n")).contains("\"mina\" is taken"));
    assert!(run(&url, &["key", "rotate"], "").status.success());
}

#[test]
fn mistakes_are_explained() {
    let folder = folder();
    let url = file(&folder);
    let user = ["user", "add", "--login", "mina", "--role"];
    let with = |role| [&user[..], &[role]].concat();
    assert!(complaint(&run(&url, &with("king"), "a long password")).contains("customer, owner or operator"));
    assert!(complaint(&run(&url, &with("owner"), "short")).contains("at least 8 characters"));
    assert!(complaint(&run(&url, &with("owner"), "")).contains("standard input"));
    let client = [
        "client",
        "add",
        "--id",
        "app",
        "--grant",
        "authorization_code",
        "--redirect-uri",
    ];
    let with = |uri| [&client[..], &[uri]].concat();
    assert!(complaint(&run(&url, &with("http://app.test/cb"), "")).contains("must be https"));
    assert!(complaint(&run(&url, &with("https://app.test/*"), "")).contains("without fragment"));
    let public = ["client", "add", "--id", "m", "--grant", "client_credentials"];
    assert!(complaint(&run(&url, &public, "")).contains("--confidential"));
    let demo = [
        "client",
        "add",
        "--id",
        "demo-customer",
        "--confidential",
        "--grant",
        "client_credentials",
    ];
    assert!(
        complaint(&run(&url, &demo, "")).contains("demo-"),
        "a client must not be taken for a user"
    );
    assert!(complaint(&run("mysql://x", &["key", "rotate"], "")).contains("sqlite://"));
    assert!(
        complaint(&run(
            &url,
            &["--issuer", "http://auth.test", "--listen", "127.0.0.1:0"],
            ""
        ))
        .contains("ISSUER_URL")
    );
}
