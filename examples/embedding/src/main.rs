//! `baedal-example-embedding NAME=URL …`: serves these subgraphs until Ctrl-C, then says how often each was asked.

use std::sync::Arc;

use anyhow::Context;
use baedal_example_embedding::counted::Counts;
use baedal_router::Config;
use baedal_router::config::SubgraphConfig;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut config = Config::default();
    for argument in std::env::args().skip(1) {
        let (name, url) = argument.split_once('=').context("write NAME=URL")?;
        config
            .subgraphs
            .insert(name.to_owned(), SubgraphConfig::at(url.parse()?));
    }
    let counts = Arc::new(Counts::default());
    let running = baedal_example_embedding::gateway(config, &counts).start().await?;
    println!("GraphQL at {}; Ctrl-C stops.", running.url());
    tokio::signal::ctrl_c().await?;
    running.shutdown().await;
    println!("Calls: {:?}", counts.read());
    Ok(())
}
