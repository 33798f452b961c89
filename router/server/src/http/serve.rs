//! Connections: accepted until the gateway closes, then drained.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::door::Door;
use crate::front::Front;
use crate::traffic::Peer;
use crate::workers::Workers;

/// Pause after the system refused a connection (too many open files, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the gateway closes, and returns when all requests under way are answered, or the time for it is up.
/// The threads are given back: streams that go on run on them.
pub async fn serve(listener: TcpListener, front: Arc<Front>, workers: Workers) -> Workers {
    let closing = front.main().closing.clone();
    let door = Door::new(Arc::clone(&front));
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let moved = accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, Peer(peer.ip()))));
        match moved {
            Ok((stream, peer)) => door.let_in(stream, peer, &workers),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let time = front.main().config.traffic.drain_timeout;
    if tokio::time::timeout(time, door.drain()).await.is_err() {
        tracing::warn!("requests under way did not end in time (traffic.drain_timeout); they are cut");
    }
    workers
}
