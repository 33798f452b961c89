//! A replica in this process.
use std::time::Duration;

use anyhow::Result;
use baedal::parts::{self, AUDIENCE, RunningPart};
use baedal::settings::{Part, Settings};

use super::program;
use super::replica::Context;

/// Starts it on its `own` ports; everything else it reaches at the addresses in front.
pub async fn start(part: Part, context: &Context<'_>, own: &Settings) -> Result<RunningPart> {
    match part {
        Part::Auth => auth(context, own).await,
        Part::Order => order(context, own).await,
        Part::Payment => payment(context, own).await,
        Part::Gateway => gateway(context, own).await,
        _ => {
            let mut settings = context.settings.clone();
            settings.ports = with_own_port(part, context.settings, own);
            parts::start(part, &settings).await
        }
    }
}

fn with_own_port(part: Part, front: &Settings, own: &Settings) -> baedal::settings::Ports {
    let mut ports = front.ports.clone();
    match part {
        Part::Store => ports.store = own.ports.store,
        _ => ports.marketing = own.ports.marketing,
    }
    ports
}

async fn gateway(context: &Context<'_>, own: &Settings) -> Result<RunningPart> {
    let mut config = baedal_router::config::read(&program::gateway_file(context)?)?;
    config.listen = own.listen(Part::Gateway);
    Ok(RunningPart::Gateway(baedal_router::start(config).await?))
}

async fn auth(context: &Context<'_>, own: &Settings) -> Result<RunningPart> {
    let config = baedal_auth::Config {
        listen: own.listen(Part::Auth),
        issuer: context.settings.issuer(),
        database_url: own.database(Part::Auth),
        demo_accounts: own.demo(),
        audience: AUDIENCE.to_owned(),
        ..baedal_auth::Config::default()
    };
    Ok(RunningPart::Auth(baedal_auth::start(config).await?))
}

async fn order(context: &Context<'_>, own: &Settings) -> Result<RunningPart> {
    let payment = format!("http://{}", context.settings.payment_grpc());
    let (database, events) = (own.database(Part::Order), own.events());
    let config = baedal_order::Config::new(own.listen(Part::Order), &database, &events, &payment);
    let mut config = config.with_payment_deadline(context.knobs.deadline);
    // A call is slow when it is nearly given up.
    config.guards.breaker.slow_call = context.knobs.deadline - Duration::from_millis(10);
    config.issuer = Some(context.settings.issuer());
    config.payment_key = Some(program::PAYMENT_KEY.parse()?);
    config.guards.at_once = (context.knobs.at_once > 0).then_some(context.knobs.at_once as usize);
    Ok(RunningPart::Service(baedal_order::start(config).await?))
}

async fn payment(context: &Context<'_>, own: &Settings) -> Result<RunningPart> {
    let (database, events) = (own.database(Part::Payment), own.events());
    let (listen, grpc) = (own.listen(Part::Payment), own.payment_grpc());
    let mut config = baedal_payment::Config::new(listen, grpc, &database, &events);
    config.issuer = Some(context.settings.issuer());
    config.grpc_key = Some(program::PAYMENT_KEY.parse()?);
    (config.pace.delay, config.pace.jitter) = context.knobs.answer;
    config.provider.delay = context.knobs.delay;
    config.provider.jitter = context.knobs.jitter;
    config.provider.capacity = context.knobs.capacity as usize;
    Ok(RunningPart::Service(baedal_payment::start(config).await?))
}
