//! HTTP and HTTPS for the login: no redirects are followed (in the code flow each is an answer to look at), no proxy is
//! asked, answers are bounded in time and size.
use std::io;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use oauth2::{HttpRequest, HttpResponse};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer that is read; login pages and tokens are a few kilobytes.
const MOST: usize = 1024 * 1024;

/// The body behind `url`, which must answer 200.
pub async fn get(url: &str) -> Result<Vec<u8>> {
    let request = Request::get(url).body(Vec::new());
    let answer = send(request.with_context(|| format!("{url} is not a URL"))?).await?;
    ensure!(answer.status().is_success(), "{url} answered {}", answer.status());
    Ok(answer.into_body())
}

/// Sends a request, of the `oauth2` crate or another.
pub async fn send(request: HttpRequest) -> io::Result<HttpResponse> {
    tokio::time::timeout(TIMEOUT, exchange(request.map(Full::from)))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn exchange(request: Request<Full<Bytes>>) -> io::Result<HttpResponse> {
    let (head, body) = match request.uri().scheme_str() {
        Some("https") => {
            let builder = HttpsConnectorBuilder::new().with_native_roots()?;
            ask(builder.https_only().enable_http1().build(), request).await?
        }
        _ => ask(HttpConnector::new(), request).await?,
    }
    .into_parts();
    let body = Limited::new(body, MOST)
        .collect()
        .await
        .map_err(io::Error::other)?;
    Ok(Response::from_parts(head, body.to_bytes().into()))
}

async fn ask<C>(connector: C, request: Request<Full<Bytes>>) -> io::Result<Response<Incoming>>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = Client::builder(TokioExecutor::new()).build(connector);
    client.request(request).await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    /// A server of one connection, which gives `answer` to whatever comes and ends with what came first.
    async fn server(answer: Vec<u8>) -> (String, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut came = vec![0; 4096];
            let length = peer.read(&mut came).await.unwrap();
            came.truncate(length);
            // The client may hang up in the middle, which is the point of one test.
            drop(peer.write_all(&answer).await);
            came
        });
        (address, task)
    }

    #[tokio::test]
    async fn an_https_issuer_is_spoken_to_in_tls() {
        let (address, server) = server(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
        let refused = get(&format!("https://{address}/")).await.unwrap_err();
        let came = server.await.unwrap();
        // RFC 8446 section 5.1: a record of type handshake, 22; section 4: whose message is a client_hello, 1.
        assert_eq!((came[0], came[5]), (22, 1), "{refused:#}");
        assert!(
            format!("{refused:#}").contains("InvalidContentType"),
            "{refused:#}"
        );
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let answer = "HTTP/1.1 303 See Other\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        let (address, _server) = server(answer.into()).await;
        let request = Request::get(format!("http://{address}/"))
            .body(Vec::new())
            .unwrap();
        let answer = send(request).await.unwrap();
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()["location"], "http://127.0.0.1:1/");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_an_error() {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(answer.len() + MOST + 1, b' ');
        let (address, _server) = server(answer).await;
        let refused = get(&format!("http://{address}/")).await.unwrap_err();
        assert!(format!("{refused:#}").contains("length limit"), "{refused:#}");
    }
}
