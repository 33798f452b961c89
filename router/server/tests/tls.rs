//! TLS on the listening side and towards subgraphs, with and without certificates of both sides.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use baedal_router::Config;
use baedal_router::config::{ClientAuthConfig, Http2, SubgraphTlsConfig, TlsConfig};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::support::certificates::{Authority, Signed};
use crate::support::{World, eventually};

const QUERY: &str = r#"{"query":"{ me { name } }"}"#;

fn listening(signed: &Signed) -> TlsConfig {
    TlsConfig {
        certificate: signed.certificate.clone(),
        key: signed.key.clone(),
        client_auth: None,
    }
}

async fn secured(tls: TlsConfig) -> World {
    World::with(|config| config.tls = Some(tls)).await
}

async fn connect(addr: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(config).connect(name, stream).await
}

/// Status line, headers and body of a query on a connection of its own; an error if the connection is refused.
async fn ask(addr: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<String> {
    let mut stream = connect(addr, config).await?;
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let request = format!(
        "{head}client-cert: :forged:\r\ncontent-length: {}\r\n\r\n{QUERY}",
        QUERY.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8(answer).expect("text"))
}

#[tokio::test]
async fn http1_and_http2_are_chosen_by_alpn() {
    let authority = Authority::new("a");
    let world = secured(listening(&authority.sign("gateway", 2100))).await;
    assert!(world.gateway.url().starts_with("https://"));
    let addr = world.gateway.addr();
    for offered in [&[][..], &["http/1.1"]] {
        let answer = ask(addr, authority.client(None, offered))
            .await
            .expect("an answer");
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("Ada"),
            "{answer}"
        );
    }
    let stream = connect(addr, authority.client(None, &["h2", "http/1.1"]))
        .await
        .expect("connects");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("a handshake");
    tokio::spawn(connection);
    let request = http::Request::post(world.gateway.url())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(QUERY)))
        .expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.version(), http::Version::HTTP_2);
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    assert_eq!(
        serde_json::from_slice::<Value>(&body).expect("JSON")["data"]["me"]["name"],
        "Ada"
    );
}

#[tokio::test]
async fn what_is_no_tls_or_too_old_gets_nothing() {
    let authority = Authority::new("a");
    let world = secured(listening(&authority.sign("gateway", 2100))).await;
    // The beginning of a ClientHello of TLS 1.1: record, handshake, version 0x0302, random, no session, two ciphers.
    let mut hello = vec![0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x13, 0, 0x2f, 1, 0]);
    let plain = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
    for (what, bytes) in [("TLS 1.1", hello), ("no TLS", plain)] {
        let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
        stream.write_all(&bytes).await.expect("sent");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        let _ = read.expect("it is closed");
        // An alert at most.
        assert!(
            answer.len() <= 7 && !answer.starts_with(b"HTTP"),
            "{what}: {answer:?}"
        );
    }
    ask(world.gateway.addr(), authority.client(None, &[]))
        .await
        .expect("others are served on");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut() {
    let authority = Authority::new("a");
    let tls = listening(&authority.sign("gateway", 2100));
    let world = World::with(|config| {
        config.tls = Some(tls);
        config.connections.head_timeout = Duration::from_millis(200);
    })
    .await;
    let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connects");
    stream.write_all(&[0x16, 3, 1, 0, 200]).await.expect("sent");
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    let _ = read.expect("it is closed");
}

#[tokio::test]
async fn certificates_that_change_are_taken_over_and_bad_ones_are_not() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let shown = old.sign("gateway", 2100);
    let world = secured(listening(&shown)).await;
    let addr = world.gateway.addr();
    ask(addr, old.client(None, &[])).await.expect("an answer");
    let next = new.sign("gateway", 2100);
    std::fs::write(&shown.certificate, "nonsense").expect("written");
    eventually("the bad certificate is told", || async {
        !world.gateway.concerns().is_empty()
    })
    .await;
    let concern = world.gateway.concerns().concat();
    assert!(
        concern.contains("tls.certificate") && concern.contains("holds no certificate"),
        "{concern}"
    );
    ask(addr, old.client(None, &[]))
        .await
        .expect("the last good one stays");
    std::fs::copy(&next.key, &shown.key).expect("copied");
    std::fs::copy(&next.certificate, &shown.certificate).expect("copied");
    eventually("the new certificate is shown", || async {
        ask(addr, new.client(None, &[])).await.is_ok()
    })
    .await;
    assert!(
        ask(addr, old.client(None, &[])).await.is_err(),
        "the old one is not"
    );
    assert_eq!(world.gateway.concerns(), [""; 0]);
}

fn with_clients(signed: &Signed, ca: &Path, required: bool, forward_certificate: bool) -> TlsConfig {
    TlsConfig {
        client_auth: Some(ClientAuthConfig {
            ca: ca.to_owned(),
            required,
            forward_certificate,
        }),
        ..listening(signed)
    }
}

#[tokio::test]
async fn a_client_without_a_valid_certificate_is_refused_where_one_is_required() {
    let (servers, clients, strangers) = (Authority::new("s"), Authority::new("c"), Authority::new("x"));
    let tls = with_clients(&servers.sign("gateway", 2100), &clients.file, true, false);
    let world = secured(tls).await;
    let addr = world.gateway.addr();
    let good = servers.client(Some(&clients.sign("anna", 2100)), &[]);
    assert!(ask(addr, good).await.expect("an answer").contains("Ada"));
    for (what, shown) in [
        ("none", None),
        ("expired", Some(clients.sign("old", 2001))),
        ("of another CA", Some(strangers.sign("eve", 2100))),
    ] {
        let answer = ask(addr, servers.client(shown.as_ref(), &[])).await;
        assert!(answer.is_err(), "{what}: {answer:?}");
    }
    let (headers, _) = world.accounts.requests().pop().expect("a call");
    assert!(!headers.contains_key("client-cert"), "nobody is told unasked");
}

#[tokio::test]
async fn an_optional_certificate_is_told_to_subgraphs_where_configured_and_never_forged() {
    let (servers, clients) = (Authority::new("s"), Authority::new("c"));
    let tls = with_clients(&servers.sign("gateway", 2100), &clients.file, false, true);
    let world = secured(tls).await;
    let addr = world.gateway.addr();
    let anna = clients.sign("anna", 2100);
    ask(addr, servers.client(Some(&anna), &[]))
        .await
        .expect("an answer");
    ask(addr, servers.client(None, &[])).await.expect("an answer");
    let stranger = Authority::new("x").sign("eve", 2100);
    assert!(
        ask(addr, servers.client(Some(&stranger), &[])).await.is_err(),
        "a wrong one is worse than none"
    );
    let calls = world.accounts.requests();
    let told: Vec<_> = calls
        .iter()
        .map(|(headers, _)| headers.get("client-cert"))
        .collect();
    use base64::Engine as _;
    let der = base64::prelude::BASE64_STANDARD.encode(&anna.der);
    let of_anna = told[0].expect("her certificate").to_str().expect("text");
    assert_eq!(of_anna, format!(":{der}:"));
    assert_eq!(told[1..], [None]);
}

/// Why a gateway with this configuration does not start.
async fn refusal(change: impl FnOnce(&mut Config)) -> String {
    let mut config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    let subgraph =
        baedal_router::config::SubgraphConfig::at("https://127.0.0.1:1/graphql".parse().expect("a URL"));
    config.subgraphs.insert("a".to_owned(), subgraph);
    change(&mut config);
    match baedal_router::start(config).await {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn every_misuse_of_files_is_told_with_its_key_and_a_cure() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let (good, wrong) = (one.sign("good", 2100), other.sign("wrong", 2100));
    let expired = one.sign("expired", 2001);
    let absent = PathBuf::from("/no/such/file.pem");
    let tls = |certificate: &Path, key: &Path| TlsConfig {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        client_auth: None,
    };
    for (tls, wanted) in [
        (
            tls(&absent, &good.key),
            ["`tls.certificate`: cannot read /no/such/file.pem", ""],
        ),
        (tls(&good.certificate, &absent), ["`tls.key`: cannot read", ""]),
        (
            tls(&good.key, &good.key),
            ["`tls.certificate`", "-----BEGIN CERTIFICATE-----"],
        ),
        (
            tls(&good.certificate, &good.certificate),
            ["`tls.key`", "-----BEGIN PRIVATE KEY-----"],
        ),
        (
            tls(&good.certificate, &wrong.key),
            ["`tls.key`", "is not the one of the certificate in"],
        ),
        (
            tls(&expired.certificate, &expired.key),
            ["`tls.certificate`", "days ago; renew it"],
        ),
        (
            with_clients(&good, &good.key, true, false),
            ["`tls.client_auth.ca`", "holds no certificate"],
        ),
    ] {
        let told = refusal(|config| config.tls = Some(tls)).await;
        assert!(
            wanted.iter().all(|part| told.contains(part)),
            "{wanted:?} in: {told}"
        );
    }
    let own = |tls: SubgraphTlsConfig| {
        refusal(move |config| config.subgraphs.get_mut("a").expect("it is there").tls = Some(tls))
    };
    let told = own(SubgraphTlsConfig {
        certificate: Some(good.certificate.clone()),
        ..SubgraphTlsConfig::default()
    });
    let told = told.await;
    assert!(told.contains("`subgraphs.a.tls.key` is missing"), "{told}");
    let told = own(SubgraphTlsConfig {
        certificate: Some(expired.certificate.clone()),
        key: Some(expired.key.clone()),
        ca: None,
    });
    let told = told.await;
    assert!(
        told.contains("`subgraphs.a.tls.certificate`") && told.contains("renew it"),
        "{told}"
    );
}

/// A subgraph behind TLS: answers `{ me { name } }`, and says in the name how it was asked.
struct Behind {
    addr: SocketAddr,
}

fn server(signed: &Signed, clients: Option<&Authority>, protocols: &[&str]) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(clients.verifier()),
    };
    let mut config = builder
        .with_single_cert(vec![signed.der.clone()], signed.private_key())
        .expect("a certificate and its key");
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

impl Behind {
    /// Over TLS with this configuration, or without.
    async fn start(tls: Option<Arc<ServerConfig>>) -> Behind {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => speak(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                                speak(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Behind { addr }
    }
}

async fn speak(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static) {
    let service = hyper::service::service_fn(|request: http::Request<hyper::body::Incoming>| async move {
        let version = format!("{:?}", request.version());
        let host = request.headers().contains_key("host");
        let body = json!({"data": {"me": {"name": format!("{version} {host}")}}}).to_string();
        Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(Bytes::from(body))))
    });
    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// What the subgraph `accounts` says, or the code of the error.
async fn through(url: String, tls: Option<SubgraphTlsConfig>, http2: Http2) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let sdl = folder.path().join("accounts.graphql");
    let world = World::with(|config| {
        std::fs::write(&sdl, "type Query { me: User } type User { name: String }").expect("written");
        let accounts = config.subgraphs.get_mut("accounts").expect("it is there");
        (accounts.url, accounts.sdl) = (Some(url.parse().expect("a URL")), Some(sdl));
        (accounts.tls, accounts.http2) = (tls, http2);
        config.subgraphs.retain(|name, _| name == "accounts");
    })
    .await;
    let mut said = Vec::new();
    for _ in 0..3 {
        let answer = world.query("{ me { name } }").await;
        said.push(match answer.body["data"]["me"]["name"].as_str() {
            Some(name) => name.to_owned(),
            None => answer.code().to_owned(),
        });
    }
    said.dedup();
    said.join(", ")
}

#[tokio::test]
async fn http2_is_spoken_with_subgraphs_as_configured() {
    let authority = Authority::new("a");
    let signed = authority.sign("subgraph", 2100);
    let own = || {
        Some(SubgraphTlsConfig {
            ca: Some(authority.file.clone()),
            ..SubgraphTlsConfig::default()
        })
    };
    let plain = Behind::start(None).await.addr;
    let both = Behind::start(Some(server(&signed, None, &["h2", "http/1.1"])))
        .await
        .addr;
    let old = Behind::start(Some(server(&signed, None, &["http/1.1"])))
        .await
        .addr;
    for (url, tls, http2, wanted) in [
        (format!("http://{plain}/"), None, Http2::Never, "HTTP/1.1 true"),
        (format!("http://{plain}/"), None, Http2::Auto, "HTTP/1.1 true"),
        (format!("http://{plain}/"), None, Http2::Always, "HTTP/2.0 false"),
        (format!("https://{both}/"), own(), Http2::Never, "HTTP/1.1 true"),
        (format!("https://{both}/"), own(), Http2::Auto, "HTTP/2.0 false"),
        (format!("https://{both}/"), own(), Http2::Always, "HTTP/2.0 false"),
        (format!("https://{old}/"), own(), Http2::Auto, "HTTP/1.1 true"),
        (
            format!("https://{old}/"),
            own(),
            Http2::Always,
            "SUBGRAPH_UNREACHABLE",
        ),
    ] {
        assert_eq!(through(url.clone(), tls, http2).await, wanted, "{url} {http2:?}");
    }
}

#[tokio::test]
async fn a_subgraph_is_believed_by_its_own_ca_only_and_shown_the_gateways_certificate() {
    let (servers, clients) = (Authority::new("s"), Authority::new("c"));
    let signed = servers.sign("subgraph", 2100);
    let asking = Behind::start(Some(server(&signed, Some(&clients), &[])))
        .await
        .addr;
    let url = format!("https://{asking}/");
    let (gateway, stranger) = (clients.sign("gateway", 2100), servers.sign("stranger", 2100));
    let shows = |ca: &Authority, shown: Option<&Signed>| {
        Some(SubgraphTlsConfig {
            ca: Some(ca.file.clone()),
            certificate: shown.map(|shown| shown.certificate.clone()),
            key: shown.map(|shown| shown.key.clone()),
        })
    };
    for (tls, wanted) in [
        (shows(&servers, Some(&gateway)), "HTTP/1.1 true"),
        (shows(&servers, None), "SUBGRAPH_UNREACHABLE"),
        (shows(&servers, Some(&stranger)), "SUBGRAPH_UNREACHABLE"),
        (shows(&clients, Some(&gateway)), "SUBGRAPH_UNREACHABLE"),
        (None, "SUBGRAPH_UNREACHABLE"),
    ] {
        assert_eq!(
            through(url.clone(), tls.clone(), Http2::Never).await,
            wanted,
            "{tls:?}"
        );
        assert_eq!(
            through(url.clone(), tls.clone(), Http2::Auto).await,
            wanted,
            "{tls:?}"
        );
    }
}
