//! A small TCP balancer: connections go to the backend with the fewest of them among those whose `/health/ready`
//! answers 200. A backend that is not ready gets no new connection; those it has go on to their end.
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::patience::until;

/// How often readiness is asked for.
const EVERY: Duration = Duration::from_millis(50);
/// A backend that says nothing for so long is not ready: a refusal is noticed at once, a busy one is not given up.
const SILENT: Duration = Duration::from_secs(2);
/// How long a connection to a backend may take, and how long a client waits for any backend to be ready.
const CONNECT: Duration = Duration::from_secs(3);

/// A running balancer; it ends, with its connections, when it is dropped.
pub struct Balancer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    _guard: DropGuard,
}

/// What a backend has been given so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Whether it gets new connections.
    pub ready: bool,
    /// Connections under way.
    pub open: u64,
    /// Connections ever given.
    pub total: u64,
}

#[derive(Default)]
struct Shared {
    backends: Mutex<Vec<Arc<Backend>>>,
    /// Connections for which no backend could be found.
    refused: AtomicU64,
}

struct Backend {
    addr: SocketAddr,
    ready: AtomicBool,
    open: AtomicU64,
    total: AtomicU64,
    watched: CancellationToken,
}

impl Balancer {
    /// Listens on `port` of loopback (0: any) with no backend yet.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(port: u16) -> Result<Balancer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("the balancer cannot listen on port {port}"))?;
        let stop = CancellationToken::new();
        let balancer = Balancer {
            addr: listener.local_addr()?,
            shared: Arc::default(),
            stop: stop.clone(),
            _guard: stop.clone().drop_guard(),
        };
        let shared = Arc::clone(&balancer.shared);
        tokio::spawn(async move {
            stop.clone()
                .run_until_cancelled_owned(accept(listener, shared, stop))
                .await
        });
        Ok(balancer)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Adds a backend, followed by `http://{health}/health/ready`.
    pub fn add(&self, addr: SocketAddr, health: SocketAddr) {
        let backend = Arc::new(Backend {
            addr,
            ready: AtomicBool::new(false),
            open: AtomicU64::new(0),
            total: AtomicU64::new(0),
            watched: self.stop.child_token(),
        });
        self.shared.lock().push(Arc::clone(&backend));
        tokio::spawn(async move {
            let watched = backend.watched.clone();
            watched.run_until_cancelled_owned(watch(backend, health)).await
        });
    }

    /// Forgets a backend: no new connection goes there.
    pub fn remove(&self, addr: SocketAddr) {
        let mut backends = self.shared.lock();
        let gone = backends.extract_if(.., |backend| backend.addr == addr);
        gone.for_each(|backend| backend.watched.cancel());
    }

    /// What each backend has been given.
    pub fn counts(&self) -> Vec<Counts> {
        let counts = |backend: &Arc<Backend>| Counts {
            addr: backend.addr,
            ready: backend.ready.load(Ordering::Relaxed),
            open: backend.open.load(Ordering::Relaxed),
            total: backend.total.load(Ordering::Relaxed),
        };
        self.shared.lock().iter().map(counts).collect()
    }

    /// Connections that found no backend.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Waits until `count` backends are ready.
    ///
    /// # Errors
    /// They are not within `patience`.
    pub async fn until_ready(&self, count: usize, patience: Duration) -> Result<()> {
        let ready = || self.counts().iter().filter(|backend| backend.ready).count();
        until(patience, || async { Ok(ready() >= count) })
            .await
            .with_context(|| format!("{count} backends ready: {:?}", self.counts()))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Backend>>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ready backends, those with the fewest connections first, and of these the one that was given fewest.
    fn ready(&self) -> Vec<Arc<Backend>> {
        let mut ready = self.lock().clone();
        ready.retain(|backend| backend.ready.load(Ordering::Relaxed));
        ready.sort_by_key(|backend| {
            let (open, total) = (&backend.open, &backend.total);
            (open.load(Ordering::Relaxed), total.load(Ordering::Relaxed))
        });
        ready
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let carried = carry(client, Arc::clone(&shared));
                let stop = stop.clone();
                tokio::spawn(async move { stop.run_until_cancelled_owned(carried).await });
            }
            Err(_) => tokio::time::sleep(EVERY).await,
        }
    }
}

/// One connection from its beginning to its end.
async fn carry(mut client: TcpStream, shared: Arc<Shared>) {
    let Ok((mut server, _open)) = timeout(CONNECT, connect(&shared)).await else {
        shared.refused.fetch_add(1, Ordering::Relaxed);
        return;
    };
    // Without it answers only wait longer.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    // How it ends is the business of the two ends.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// Tries one ready backend after the other until one takes the connection.
async fn connect(shared: &Shared) -> (TcpStream, Open) {
    loop {
        for backend in shared.ready() {
            let open = Open::count(&backend);
            match TcpStream::connect(backend.addr).await {
                Ok(server) => return (server, open),
                Err(_) => backend.ready.store(false, Ordering::Relaxed),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// A connection under way.
struct Open(Arc<Backend>);

impl Open {
    fn count(backend: &Arc<Backend>) -> Open {
        backend.open.fetch_add(1, Ordering::Relaxed);
        backend.total.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(backend))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn watch(backend: Arc<Backend>, health: SocketAddr) {
    let url = format!("http://{health}/health/ready");
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(SILENT)
        .build()
        .expect("a client without TLS");
    loop {
        let answer = http.get(&url).send().await;
        let ready = answer.is_ok_and(|answer| answer.status().is_success());
        backend.ready.store(ready, Ordering::Relaxed);
        tokio::time::sleep(EVERY).await;
    }
}
