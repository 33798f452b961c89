//! Starts each part of the platform with the settings of one machine: embedded stores, loopback addresses.
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use baedal_kit::{proof::Key, prune::Retention, serve::ROUTER_KEYS};
use baedal_router::config::{
    AuthConfig, Config as GatewayConfig, IssuerConfig, LoginConfig, PageConfig, RevocationConfig, SignConfig,
    SubgraphConfig,
};
use uuid::Uuid;

use crate::settings::{Part, Settings};

/// Audience of every token of the platform.
pub const AUDIENCE: &str = "baedal";
/// How often the gateway looks whether a subgraph came, went or changed.
const POLL: Duration = Duration::from_secs(2);

/// A part that runs.
pub enum RunningPart {
    /// One of the four services.
    Service(baedal_kit::serve::Running),
    /// The auth server.
    Auth(baedal_auth::Running),
    /// The gateway.
    Gateway(baedal_router::Running),
}

impl RunningPart {
    /// Says that it is not ready any more and serves on for `delay`; [`RunningPart::shutdown`] comes after it, and for
    /// the gateway does this itself, as its configuration says.
    pub async fn leave(&self, delay: Duration) {
        match self {
            RunningPart::Service(running) => running.leave(delay).await,
            RunningPart::Auth(running) => running.leave(delay).await,
            RunningPart::Gateway(_) => {}
        }
    }

    /// Ends it in order: what was begun is finished, what was acknowledged is kept.
    pub async fn shutdown(self) {
        match self {
            RunningPart::Service(running) => running.shutdown().await,
            RunningPart::Auth(running) => running.shutdown().await,
            RunningPart::Gateway(running) => running.shutdown().await,
        }
    }
}

/// Starts one part.
///
/// # Errors
/// A taken port, a store that cannot be opened; with the flag that changes it.
pub async fn start(part: Part, settings: &Settings) -> Result<RunningPart> {
    let running = match part {
        Part::Auth => auth(settings).await,
        Part::Order => order(settings).await.map(RunningPart::Service),
        Part::Payment => payment(settings).await.map(RunningPart::Service),
        Part::Store => store(settings).await.map(RunningPart::Service),
        Part::Marketing => marketing(settings).await.map(RunningPart::Service),
        Part::Gateway => gateway(settings).await,
    };
    running.with_context(|| {
        format!(
            "{part} did not start on port {} (--{part}-port takes another, --data another folder)",
            settings.port(part)
        )
    })
}

async fn auth(settings: &Settings) -> Result<RunningPart> {
    let config = baedal_auth::Config {
        listen: settings.listen(Part::Auth),
        issuer: settings.issuer(),
        database_url: settings.database(Part::Auth),
        demo_accounts: settings.demo(),
        audience: AUDIENCE.to_owned(),
        metrics_listen: settings.auth_metrics(),
        ..baedal_auth::Config::default()
    };
    Ok(RunningPart::Auth(baedal_auth::start(config).await?))
}

async fn payment(settings: &Settings) -> Result<baedal_kit::serve::Running> {
    let (listen, grpc) = (settings.listen(Part::Payment), settings.payment_grpc());
    let mut config = baedal_payment::Config::new(
        listen,
        grpc,
        &settings.database(Part::Payment),
        &settings.events(),
    );
    config.issuer = Some(settings.issuer());
    config.grpc_key = Some(payment_key(&settings.data)?);
    baedal_payment::start(config).await
}

async fn store(settings: &Settings) -> Result<baedal_kit::serve::Running> {
    baedal_store::start(baedal_store::Config {
        listen: settings.listen(Part::Store),
        database_url: settings.database(Part::Store),
        events_url: settings.events(),
        issuer: settings.issuer(),
        jwks_url: None,
        audience: AUDIENCE.to_owned(),
        demo: settings.demo(),
        auto: true,
        step_delay: Duration::from_millis(settings.step_ms),
        retention: Retention::default(),
    })
    .await
}

async fn gateway(settings: &Settings) -> Result<RunningPart> {
    let mut config = GatewayConfig {
        listen: settings.listen(Part::Gateway),
        ..GatewayConfig::default()
    };
    let sign = sign();
    for part in Part::SUBGRAPHS {
        let subgraph = SubgraphConfig {
            sign: sign.clone(),
            ..SubgraphConfig::at(settings.graphql(part).parse()?)
        };
        config.subgraphs.insert(part.name().to_owned(), subgraph);
    }
    config.metrics.listen = settings.gateway_metrics();
    config.log.access = settings.told.access_log;
    config.supergraph.poll_interval = POLL;
    config.supergraph.state_dir = Some(settings.data.join("gateway"));
    let issuer = IssuerConfig {
        jwks_url: Some(format!("{}/jwks.json", settings.issuer()).parse()?),
        revocation: Some(RevocationConfig::at(
            format!("{}/revoked", settings.issuer()).parse()?,
        )),
        ..IssuerConfig::new(settings.issuer(), AUDIENCE)
    };
    config.auth = Some(AuthConfig {
        issuers: vec![issuer],
        ..AuthConfig::default()
    });
    config.page = page(settings);
    Ok(RunningPart::Gateway(baedal_router::start(config).await?))
}

/// Subgraphs with `ROUTER_KEYS` in their environment take signed requests only; the first of the keys signs. One that cannot
/// be used is refused by whoever reads it.
fn sign() -> Option<SignConfig> {
    let keys = std::env::var(ROUTER_KEYS).ok()?;
    let (key_id, secret) = keys.split(',').next()?.trim().split_once(':')?;
    Some(SignConfig {
        key_id: key_id.to_owned(),
        secret: secret.to_owned(),
    })
}

/// The page with its plans, on loopback addresses only; with a login where the demo's client exists.
fn page(settings: &Settings) -> PageConfig {
    let scopes = [
        "openid",
        "profile",
        "offline_access",
        "order",
        "store",
        "operator",
    ];
    PageConfig {
        enabled: true,
        plan: true,
        login: settings.demo().then(|| LoginConfig {
            issuer: settings.issuer(),
            client_id: baedal_auth::DEMO_PAGE_CLIENT.to_owned(),
            scopes: scopes.map(str::to_owned).to_vec(),
        }),
    }
}

async fn order(settings: &Settings) -> Result<baedal_kit::serve::Running> {
    let payment = format!("http://{}", settings.payment_grpc());
    let (database, events) = (settings.database(Part::Order), settings.events());
    let mut config = baedal_order::Config::new(settings.listen(Part::Order), &database, &events, &payment);
    config.issuer = Some(settings.issuer());
    config.payment_key = Some(payment_key(&settings.data)?);
    baedal_order::start(config).await
}

async fn marketing(settings: &Settings) -> Result<baedal_kit::serve::Running> {
    baedal_marketing::start(baedal_marketing::Config {
        listen: settings.listen(Part::Marketing),
        database_url: settings.database(Part::Marketing),
        events_url: settings.events(),
        issuer: settings.issuer(),
        jwks_url: None,
        audience: AUDIENCE.to_owned(),
        rules: baedal_marketing::domain::Rules::default(),
        retention: Retention::default(),
    })
    .await
}

/// The key by which order proves to payment that it may call it: in a file, which whoever comes first makes.
fn payment_key(data: &Path) -> Result<Key> {
    let file = data.join("payment.key");
    if !file.exists() {
        std::fs::create_dir_all(data)?;
        let beside = data.join(format!("payment.key.{}", Uuid::new_v4()));
        let mut options = std::fs::OpenOptions::new();
        let mut written = options.write(true).create_new(true).mode(0o600).open(&beside)?;
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        std::io::Write::write_all(&mut written, secret.as_bytes())?;
        // Another part may have made it meanwhile: then that one is the key.
        let _ = std::fs::hard_link(&beside, &file);
        std::fs::remove_file(&beside)?;
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_find_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = payment_key(&data).unwrap();
        let second = payment_key(&data).unwrap();
        let proof = first.prove("payment", "Approve o1", 0);
        assert_eq!(second.check(Some(&proof), "payment", "Approve o1", 0), Ok(()));
        assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
    }
}
