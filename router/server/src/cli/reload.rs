//! A changed configuration, taken over while serving: at SIGHUP, and when the file has changed.

use std::time::Duration;

use tokio::signal::unix::Signal;

use super::ServeArgs;
use super::serve::configure;
use crate::Running;
use crate::config::Layers;

/// How often the file is looked at.
const PAUSE: Duration = Duration::from_secs(2);

/// Watches until it is dropped.
pub async fn watch(running: &Running, args: &ServeArgs, mut hangup: Signal) {
    let layers = Layers::of(args.config.clone());
    let mut seen = layers.texts().ok();
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            () = tokio::time::sleep(PAUSE) => {
                let now = layers.texts().ok();
                if now == seen {
                    continue;
                }
                seen = now;
            }
        }
        reload(running, args);
    }
}

fn reload(running: &Running, args: &ServeArgs) {
    let taken = configure(args.clone()).and_then(|config| Ok(running.reload(&config)?));
    match taken {
        Ok(restart) if restart.is_empty() => tracing::info!("the configuration is taken over"),
        Ok(restart) => tracing::warn!(
            ?restart,
            "the configuration is taken over, but for these keys, whose change needs a restart"
        ),
        Err(error) => {
            tracing::error!("the changed configuration is refused, the one before holds: {error}");
            running.refuse_reload(&error.to_string());
        }
    }
}
