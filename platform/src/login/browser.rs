//! Login by a person in their own browser.
use std::process::{Command, Stdio};

use anyhow::Result;

use super::loopback::Loopback;
use super::{Session, Tokens};

/// Opens the login page in the browser and waits for the answer.
///
/// # Errors
/// No auth server, a refused or abandoned login.
pub async fn login(issuer: &str, client: Option<&str>, scopes: &[&str], open: bool) -> Result<Tokens> {
    let loopback = Loopback::bind().await?;
    let session = Session::begin(issuer, client, loopback.redirect(), scopes).await?;
    eprintln!("Log in at:\n\n  {}\n", session.authorization_url);
    if open {
        open_browser(session.authorization_url.as_str());
    }
    let answer = loopback.answer().await?;
    session.finish(&answer).await
}

/// Tries the system's opener; where there is none, the user opens the printed URL by hand.
fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = Command::new(opener)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        eprintln!("(no browser could be opened: open the address by hand)");
    }
}
