//! The command line.
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::demo::Account;
use crate::login;
use crate::ops;
use crate::platform;
use crate::settings::Settings;

/// 배달: a food-delivery platform behind a GraphQL federation gateway, in one process.
///
/// Without a command it starts everything: the auth server, the order, payment, store and marketing
/// subgraphs, and the gateway, on embedded stores under ./data.
#[derive(Parser)]
#[command(name = "baedal", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Start the platform (the default), or with --only a part of it.
    Up(Box<Settings>),
    /// Print an access token of a demo account, got by a real login (authorization code with PKCE).
    Token(Token),
    /// Log in with your browser and print an access token.
    Login(Login),
    /// The operator's view: stuck orders, outboxes, dead letters, circuit breakers.
    Ops(Box<ops::Ops>),
}

#[derive(Args)]
struct Token {
    /// Whose token.
    #[arg(long = "as", value_enum)]
    account: Account,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
struct Login {
    /// Rights to ask for, separated by commas.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "openid,order",
        value_name = "SCOPE,…"
    )]
    scopes: Vec<String>,
    /// The public client to log in as, when it is not the platform's own.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Only print the address, open no browser.
    #[arg(long)]
    no_open: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
struct Server {
    /// URL of the auth server.
    #[arg(long, env = "ISSUER_URL", value_name = "URL")]
    issuer: Option<String>,
    /// Port of the auth server on this machine, when no issuer is named.
    #[arg(
        long = "auth-port",
        env = "BAEDAL_AUTH_PORT",
        default_value_t = 4001,
        value_name = "PORT"
    )]
    auth_port: u16,
}

impl Server {
    fn issuer(&self) -> String {
        self.issuer
            .clone()
            .unwrap_or_else(|| format!("http://127.0.0.1:{}", self.auth_port))
    }
}

/// Runs the command of this process' arguments; a failure is printed with what to do.
pub async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode> {
    let cli = Cli::parse();
    match cli.command {
        None => platform::run(cli.up).await?,
        Some(Command::Up(settings)) => platform::run(*settings).await?,
        Some(Command::Token(token)) => print_token(&token).await?,
        Some(Command::Login(login)) => log_in(&login).await?,
        Some(Command::Ops(asked)) => return ops::run(&asked).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn print_token(token: &Token) -> Result<()> {
    let account = token.account;
    let (login, password) = (account.login(), account.password());
    let tokens =
        login::account::login(&token.server.issuer(), None, login, password, account.scopes()).await?;
    println!("{}", tokens.access);
    Ok(())
}

async fn log_in(options: &Login) -> Result<()> {
    let scopes: Vec<&str> = options.scopes.iter().map(String::as_str).collect();
    let client = options.client.as_deref();
    let tokens = login::browser::login(&options.server.issuer(), client, &scopes, !options.no_open).await?;
    println!("{}", tokens.access);
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Options of the whole and of its commands share one space of names; clap finds a clash only when it parses.
    #[test]
    fn command_lines_are_understood_or_refused() {
        Cli::command().debug_assert();
        let parse = |line: &str| Cli::try_parse_from(std::iter::once("baedal").chain(line.split(' ')));
        for line in [
            "--only order --gateway-port 5000",
            "up --data elsewhere",
            "token --as operator",
            "ops status --json",
            "ops orders --older-than 600 --first 5",
            "ops dead-letters --service store",
            "ops dead-letters redrive store:a/1/2 order:b/1/2",
            "ops dead-letters redrive --all --service store",
            "ops dead-letters discard store:a/1/2",
            "ops outbox --token x",
            "ops breakers --gateway http://gateway/graphql --client-id a --client-secret b",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "ops",
            "ops dead-letters redrive",
            "ops dead-letters redrive --all x",
            "ops dead-letters redrive x --service store",
            "ops dead-letters discard",
            "ops orders --first 1000",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
