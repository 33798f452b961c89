//! The proxy of the fault kit does what it says.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use baedal_tests::faults::proxy::{Flow, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Sends back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn say(stream: &mut TcpStream, word: &[u8; 4]) -> std::io::Result<[u8; 4]> {
    stream.write_all(word).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

async fn silent(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(300), say(stream, b"more"))
        .await
        .is_err()
}

#[tokio::test]
async fn bytes_pass_late_or_garbled_or_not_at_all() {
    let proxy = Proxy::start(vec![echo().await]).await.expect("a proxy");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connected");
    assert_eq!(&say(&mut stream, b"word").await.expect("an answer"), b"word");
    proxy.set(|toxics| toxics.latency = Duration::from_millis(100));
    let start = Instant::now();
    assert_eq!(&say(&mut stream, b"late").await.expect("an answer"), b"late");
    assert!(start.elapsed() >= Duration::from_millis(200), "there and back");
    proxy.set(|toxics| (toxics.latency, toxics.bandwidth) = (Duration::ZERO, Some(40)));
    let start = Instant::now();
    assert_eq!(&say(&mut stream, b"slow").await.expect("an answer"), b"slow");
    assert!(
        start.elapsed() >= Duration::from_millis(200),
        "four bytes, twice, at 40 a second"
    );
    proxy.heal();
    proxy.set(|toxics| toxics.down = Flow::Garbage);
    assert_ne!(&say(&mut stream, b"word").await.expect("an answer"), b"word");
    proxy.set(|toxics| toxics.down = Flow::Drop);
    assert!(silent(&mut stream).await);
    proxy.heal();
    assert_eq!(
        &say(&mut stream, b"back").await.expect("an answer"),
        b"back",
        "what was dropped stays away"
    );
}

#[tokio::test]
async fn held_bytes_come_when_the_network_is_back() {
    let proxy = Proxy::start(vec![echo().await]).await.expect("a proxy");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connected");
    assert_eq!(&say(&mut stream, b"word").await.expect("an answer"), b"word");
    proxy.set(|toxics| toxics.up = Flow::Hold);
    assert!(silent(&mut stream).await);
    proxy.heal();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.expect("what was held");
    assert_eq!(&answer, b"more");
}

#[tokio::test]
async fn connections_are_reset_and_refused_and_go_to_a_server_that_is_there() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("an address");
    let proxy = Proxy::start(vec![gone, echo().await]).await.expect("a proxy");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connected");
    assert_eq!(&say(&mut stream, b"word").await.expect("an answer"), b"word");
    proxy.cut();
    assert!(
        say(&mut stream, b"word").await.is_err(),
        "the connection was reset"
    );
    proxy.set(|toxics| toxics.refusing = true);
    let mut refused = TcpStream::connect(proxy.address())
        .await
        .expect("accepted, and closed at once");
    assert!(say(&mut refused, b"word").await.is_err());
    proxy.heal();
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connected");
    assert_eq!(&say(&mut stream, b"word").await.expect("an answer"), b"word");
    assert_eq!(proxy.accepted(), 3);
}
