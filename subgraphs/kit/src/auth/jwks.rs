//! Fetching the issuer's keys: discovery
//! ([OpenID Connect Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html) section 4) names the JWKS.

use baedal_token::FetchJwks;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connect, HttpConnector},
    },
    rt::TokioExecutor,
};
use std::{error::Error, time::Duration};

/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(3);
/// Largest document that is read.
const MOST: usize = 512 * 1024;

/// Reads an issuer's JWKS over HTTP or HTTPS. No redirect is followed and no proxy is asked.
pub(super) struct IssuerKeys {
    place: Place,
}

/// Where the keys are.
enum Place {
    /// Where the discovery document of this issuer says.
    Discovered(String),
    /// At this URL.
    At(String),
}

impl IssuerKeys {
    pub fn discovered(issuer: &str) -> IssuerKeys {
        let place = Place::Discovered(issuer.trim_end_matches('/').to_owned());
        IssuerKeys { place }
    }

    pub fn at(url: &str) -> IssuerKeys {
        let place = Place::At(url.to_owned());
        IssuerKeys { place }
    }

    /// The URL of the JWKS. An issuer without a discovery document has it at `/jwks.json`.
    async fn url(&self) -> Result<String, String> {
        let issuer = match &self.place {
            Place::At(url) => return Ok(url.clone()),
            Place::Discovered(issuer) => issuer,
        };
        match document(&format!("{issuer}/.well-known/openid-configuration")).await? {
            Some(document) => jwks_uri(&document),
            None => Ok(format!("{issuer}/jwks.json")),
        }
    }
}

impl FetchJwks for IssuerKeys {
    async fn fetch(&self, _issuer: &str) -> Result<Vec<u8>, String> {
        let url = self.url().await?;
        document(&url).await?.ok_or_else(|| format!("{url}: not found"))
    }
}

fn jwks_uri(document: &[u8]) -> Result<String, String> {
    let document: serde_json::Value =
        serde_json::from_slice(document).map_err(|error| format!("discovery document: {error}"))?;
    let uri = document["jwks_uri"]
        .as_str()
        .ok_or("discovery document: no jwks_uri")?;
    Ok(uri.to_owned())
}

/// The body of a document, read within the deadline; none where the issuer has no such document.
async fn document(url: &str) -> Result<Option<Vec<u8>>, String> {
    tokio::time::timeout(DEADLINE, read(url))
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())))
        .map_err(|reason| format!("{url}: {reason}"))
}

async fn read(url: &str) -> Result<Option<Vec<u8>>, String> {
    let answer = get(url).await?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => return Err(format!("status {status}")),
    }
    match Limited::new(answer.into_body(), MOST).collect().await {
        Ok(body) => Ok(Some(body.to_bytes().into())),
        Err(error) if error.is::<LengthLimitError>() => Err(format!("more than {MOST} bytes")),
        Err(error) => Err(causes(&*error)),
    }
}

async fn get(url: &str) -> Result<Response<Incoming>, String> {
    let uri: Uri = url.parse().map_err(|error| causes(&error))?;
    let over_tls = uri.scheme_str() == Some("https");
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri;
    match over_tls {
        true => send(tls()?, request).await,
        false => send(HttpConnector::new(), request).await,
    }
}

async fn send<C>(connector: C, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, String>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = Client::builder(TokioExecutor::new()).build(connector);
    client.request(request).await.map_err(|error| causes(&error))
}

/// TLS that trusts what the system trusts (or `SSL_CERT_FILE`). Built for each request: keys are fetched seldom, an
/// issuer by `http://` needs no certificates, and a renewed certificate counts at once.
fn tls() -> Result<HttpsConnector<HttpConnector>, String> {
    let builder = HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|error| causes(&error))?;
    Ok(builder.https_only().enable_http1().build())
}

/// An error with all its causes; hyper's own text stops at "client error (Connect)".
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinHandle,
    };

    /// A server of one connection, which answers `answer` to whatever comes, or with none keeps silent. It ends with
    /// what came first.
    async fn server(answer: Option<Vec<u8>>) -> (String, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let task = tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.expect("a connection");
            let mut came = vec![0; 4096];
            let length = peer.read(&mut came).await.expect("a request");
            came.truncate(length);
            match answer {
                // The client may hang up in the middle, which is the point of one test.
                Some(answer) => drop(peer.write_all(&answer).await),
                None => tokio::time::sleep(DEADLINE * 2).await,
            }
            came
        });
        (address, task)
    }

    async fn fetch(url: &str) -> Result<Vec<u8>, String> {
        IssuerKeys::at(url).fetch("").await
    }

    #[tokio::test]
    async fn an_https_url_is_spoken_to_in_tls() {
        let (address, server) = server(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).await;
        let refused = fetch(&format!("https://{address}/jwks.json"))
            .await
            .expect_err("that server knows no TLS");
        let came = server.await.expect("served");
        // RFC 8446 section 5.1: a record of type handshake, 22; section 4: whose message is a client_hello, 1.
        assert_eq!((came[0], came[5]), (22, 1), "{refused}");
        assert!(refused.contains("InvalidContentType"), "{refused}");
    }

    #[tokio::test]
    async fn an_http_url_is_spoken_to_in_plain() {
        let (address, server) =
            server(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec())).await;
        let keys = fetch(&format!("http://{address}/jwks.json")).await;
        assert_eq!(keys, Ok(b"{}".to_vec()));
        let came = server.await.expect("served");
        assert!(came.starts_with(b"GET /jwks.json HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn a_redirect_is_an_error() {
        let (elsewhere, _elsewhere) =
            server(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec())).await;
        let answer =
            format!("HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
        let (address, _server) = server(Some(answer.into_bytes())).await;
        let refused = fetch(&format!("http://{address}/")).await;
        assert_eq!(refused, Err(format!("http://{address}/: status 302 Found")));
    }

    #[tokio::test]
    async fn a_document_without_end_is_an_error() {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(answer.len() + MOST + 1, b' ');
        let (address, _server) = server(Some(answer)).await;
        let refused = fetch(&format!("http://{address}/")).await;
        assert_eq!(refused, Err(format!("http://{address}/: more than 524288 bytes")));
    }

    #[tokio::test]
    async fn silence_is_an_error() {
        let (address, _server) = server(None).await;
        let refused = fetch(&format!("http://{address}/")).await;
        assert_eq!(refused, Err(format!("http://{address}/: no answer within 3 s")));
    }

    #[tokio::test]
    async fn another_scheme_is_an_error() {
        let refused = fetch("ftp://127.0.0.1/")
            .await
            .expect_err("neither http nor https");
        assert!(refused.contains("scheme"), "{refused}");
    }
}
