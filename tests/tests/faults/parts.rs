//! Parts of the platform in processes of their own on one data folder.
use std::time::Duration;

use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::login;
use baedal::settings::Part;
use baedal_tests::audit::{SETTLED, audit};
use baedal_tests::client::Client;
use baedal_tests::patience::until;
use baedal_tests::process::{Process, settings};
use baedal_tests::shop::Shop;
use baedal_tests::world::free_ports;

const PROGRAM: &str = env!("CARGO_BIN_EXE_baedal-process");

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_one_folder_work_together_and_a_replica_breaks_nothing() {
    let _alone = crate::alone().await;
    if let Err(error) = work_together().await {
        panic!("{error:?}");
    }
}

async fn work_together() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let all = settings(folder.path(), &free_ports()?);
    let mut without_store = all.clone();
    without_store.only = Part::ALL
        .into_iter()
        .filter(|part| *part != Part::Store)
        .collect();
    let mut store = all.clone();
    store.only = vec![Part::Store];
    let mut replica = settings(folder.path(), &free_ports()?);
    replica.only = vec![Part::Store, Part::Marketing];
    replica.ports.auth = all.ports.auth;

    let _most = Process::start(PROGRAM, &without_store)?;
    let first_store = Process::start(PROGRAM, &store)?;
    let _replica = Process::start(PROGRAM, &replica)?;
    let account = Account::Customer;
    let tokens = login::account::login(
        &all.issuer(),
        None,
        account.login(),
        account.password(),
        account.scopes(),
    )
    .await?;
    let client = Client::new(all.graphql(Part::Gateway)).with_token(tokens.access);
    let shop = Shop {
        client,
        store_id: "store-seoul".to_owned(),
    };
    until(Duration::from_secs(20), || shop.knows_the_menu()).await?;

    let mut orders = vec![shop.place("tongdak", 1, "one").await?];
    ensure!(first_store.terminate()?, "one of the two stores ends in order");
    orders.push(shop.place("pizza", 2, "two").await?);
    until(Duration::from_secs(20), || async {
        Ok(shop
            .statuses()
            .await?
            .iter()
            .all(|(_, status)| status == "DELIVERED"))
    })
    .await?;
    audit(&all, &orders, SETTLED).await?;
    Ok(())
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings(folder.path(), &free_ports().expect("ports"));
    settings.ports.auth = taken.local_addr().expect("an address").port();
    let error = Process::start(PROGRAM, &settings)
        .err()
        .expect("the port is taken")
        .to_string();
    assert!(error.contains("--auth-port"), "{error}");
    assert!(error.contains(&settings.ports.auth.to_string()), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, b"").expect("a file");
    let output = std::process::Command::new(PROGRAM)
        .args(["up", "--data"])
        .arg(file.join("data"))
        .output()
        .expect("baedal starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("--data"), "{error}");
}
