//! SIGHUP: what has changed is taken over at once. Without it the files are looked at every two seconds.

use tokio::signal::unix::Signal;

use crate::Running;

/// Obeys until it is dropped.
pub async fn obey(running: &Running, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        running.look_again().await;
    }
}
