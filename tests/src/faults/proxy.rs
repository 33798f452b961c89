//! A TCP proxy that spoils what goes through it: latency, bandwidth, silence in one direction or both, garbage, slow
//! closes, resets. What it does can be changed at any time and holds for open connections too.
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::random::Random;

/// What happens to the bytes of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// They pass.
    #[default]
    Pass,
    /// They are kept until the flow passes again: a network that is away, its connections half open.
    Hold,
    /// They are thrown away.
    Drop,
    /// Others come in their place.
    Garbage,
}

/// What happens to everything that goes through.
#[derive(Debug, Clone, Default)]
pub struct Toxics {
    /// From client to server.
    pub up: Flow,
    /// From server to client.
    pub down: Flow,
    /// Each piece arrives this much later.
    pub latency: Duration,
    /// And up to this much more.
    pub jitter: Duration,
    /// At most so many bytes a second, each way.
    pub bandwidth: Option<u64>,
    /// The other side hears of a close only after this.
    pub slow_close: Duration,
    /// New connections are closed at once.
    pub refusing: bool,
}

/// A running proxy; it ends when dropped, and its connections with it.
pub struct Proxy {
    address: SocketAddr,
    toxics: watch::Sender<Toxics>,
    /// Counts the resets: a connection of an earlier count is over.
    resets: watch::Sender<u64>,
    upstreams: Arc<Vec<SocketAddr>>,
    accepted: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of the loopback address, for these servers in turn; one that cannot be reached is passed by.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(upstreams: Vec<SocketAddr>) -> Result<Proxy> {
        Proxy::on(0, upstreams).await
    }

    /// [`Proxy::start`] on this port.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn on(port: u16, upstreams: Vec<SocketAddr>) -> Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (toxics, resets) = (watch::Sender::default(), watch::Sender::new(0));
        let (upstreams, accepted) = (Arc::new(upstreams), Arc::new(AtomicU64::new(0)));
        let door = Door {
            toxics: toxics.subscribe(),
            resets: resets.subscribe(),
            upstreams: upstreams.clone(),
            accepted: accepted.clone(),
            turn: AtomicUsize::new(0),
        };
        let task = tokio::spawn(door.keep(listener));
        Ok(Proxy {
            address,
            toxics,
            resets,
            upstreams,
            accepted,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it leads.
    pub fn upstreams(&self) -> &[SocketAddr] {
        &self.upstreams
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Changes what happens from now on.
    pub fn set(&self, change: impl FnOnce(&mut Toxics)) {
        self.toxics.send_modify(change);
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.toxics.send_replace(Toxics::default());
    }

    /// Resets every open connection (RST, not FIN).
    pub fn cut(&self) {
        self.resets.send_modify(|count| *count += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

/// What accepts connections.
struct Door {
    toxics: watch::Receiver<Toxics>,
    resets: watch::Receiver<u64>,
    upstreams: Arc<Vec<SocketAddr>>,
    accepted: Arc<AtomicU64>,
    turn: AtomicUsize,
}

impl Door {
    async fn keep(self, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            if self.toxics.borrow().refusing {
                reset(client);
                continue;
            }
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let mut resets = self.resets.clone();
            resets.mark_unchanged();
            tokio::spawn(connection(
                client,
                self.upstreams.clone(),
                turn,
                self.toxics.clone(),
                resets,
            ));
        }
    }
}

/// The next close of this stream is a reset.
fn reset(stream: TcpStream) {
    // A stream that cannot be set so is closed in the ordinary way.
    let _ = stream.set_zero_linger();
    drop(stream);
}

async fn connection(
    client: TcpStream,
    upstreams: Arc<Vec<SocketAddr>>,
    turn: usize,
    toxics: watch::Receiver<Toxics>,
    mut resets: watch::Receiver<u64>,
) {
    let Some(server) = connect(&upstreams, turn).await else {
        return reset(client);
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let _ = (client.set_zero_linger(), server.set_zero_linger());
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(from_client, to_server, toxics.clone(), |toxics| toxics.up);
    let down = pump(from_server, to_client, toxics, |toxics| toxics.down);
    tokio::select! {
        _ = async { tokio::join!(up, down) } => {}
        _ = resets.changed() => {}
    }
}

async fn connect(upstreams: &[SocketAddr], turn: usize) -> Option<TcpStream> {
    for index in 0..upstreams.len() {
        if let Ok(stream) = TcpStream::connect(upstreams[(turn + index) % upstreams.len()]).await {
            return Some(stream);
        }
    }
    None
}

/// One direction, from its first byte to its close.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut toxics: watch::Receiver<Toxics>,
    flow: fn(&Toxics) -> Flow,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut random = Random::new(7);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let now = toxics.borrow().clone();
        tokio::time::sleep(delay(&now, count, &mut random)).await;
        // The proxy itself ends when nobody can change its mind any more.
        let passing = toxics.wait_for(|toxics| flow(toxics) != Flow::Hold).await;
        let Ok(flow) = passing.map(|toxics| flow(&toxics)) else {
            return;
        };
        let bytes = &mut buffer[..count];
        match flow {
            Flow::Drop => continue,
            Flow::Garbage => bytes
                .iter_mut()
                .for_each(|byte| *byte = random.draw().to_le_bytes()[0]),
            Flow::Pass | Flow::Hold => {}
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
    let slow = toxics.borrow().slow_close;
    tokio::time::sleep(slow).await;
    let _ = to.shutdown().await;
}

fn delay(toxics: &Toxics, count: usize, random: &mut Random) -> Duration {
    let jitter = u64::try_from(toxics.jitter.as_millis()).unwrap_or(u64::MAX);
    let jitter = if jitter == 0 { 0 } else { random.below(jitter) };
    let line = toxics.bandwidth.map_or(Duration::ZERO, |bytes| {
        Duration::from_secs_f64(count as f64 / bytes.max(1) as f64)
    });
    toxics.latency + Duration::from_millis(jitter) + line
}
