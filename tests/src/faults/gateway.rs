//! A gateway in this process, before services that are processes of their own: it can be set as an experiment needs it.
use std::net::SocketAddr;

use anyhow::Result;
use baedal::parts::AUDIENCE;
use baedal::settings::{Part, Settings};
use baedal_router::config::{AuthConfig, Config, IssuerConfig, SubgraphConfig};

/// A configuration for the gateway of these settings; each subgraph is reached at the address given.
///
/// # Errors
/// An address that makes no URL.
pub fn config(settings: &Settings, at: impl Fn(Part) -> SocketAddr) -> Result<Config> {
    let mut config = Config {
        listen: settings.listen(Part::Gateway),
        ..Config::default()
    };
    for part in Part::SUBGRAPHS {
        let url = format!("http://{}/graphql", at(part)).parse()?;
        config
            .subgraphs
            .insert(part.name().to_owned(), SubgraphConfig::at(url));
    }
    let issuer = IssuerConfig {
        jwks_url: Some(format!("{}/jwks.json", settings.issuer()).parse()?),
        ..IssuerConfig::new(settings.issuer(), AUDIENCE)
    };
    config.auth = Some(AuthConfig {
        issuers: vec![issuer],
        ..AuthConfig::default()
    });
    Ok(config)
}
