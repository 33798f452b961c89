//! Plain servers: a port, and a function from a request's body to an answer.

use std::future::Future;
use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A listener on a loopback address. Several may share one port: connections are spread over them.
pub fn listener(address: SocketAddr) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket.listen(1024)?)
}

/// Serves until the process ends.
pub async fn serve<F, A>(listener: TcpListener, answer: F) -> Result<()>
where
    F: Fn(Bytes) -> A + Clone + Send + 'static,
    A: Future<Output = Bytes> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, answer.clone()));
    }
}

async fn connection<F, A>(stream: TcpStream, answer: F)
where
    F: Fn(Bytes) -> A + Clone + Send + 'static,
    A: Future<Output = Bytes> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            let body = request.into_body().collect().await?.to_bytes();
            let mut response = Response::new(Full::new(answer(body).await));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            Ok::<_, hyper::Error>(response)
        }
    });
    // A client that breaks off is no concern of a benchmark.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Runs `work` on `threads` runtimes of one thread each, or on one runtime of as many threads when `spread` is set.
pub fn on_threads<W, F>(threads: usize, spread: bool, work: W) -> Result<()>
where
    W: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    if spread {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?;
        return runtime.block_on(async move { tokio::spawn(work()).await? });
    }
    let one = |work: W| -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(work())
    };
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let work = work.clone();
            std::thread::spawn(move || one(work))
        })
        .collect();
    let own = one(work);
    for other in others {
        other.join().expect("a server thread does not panic")?;
    }
    own
}
