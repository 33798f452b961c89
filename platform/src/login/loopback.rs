//! The redirect target of a native application: a listener on a free loopback port that takes one answer.
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

/// How long a person may take to log in.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a connection may take to send its request line.
const REQUEST: Duration = Duration::from_secs(5);
/// A request line with a code and a state is far shorter.
const REQUEST_BYTES: usize = 8 * 1024;

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>baedal</title>\
<p>You are logged in. This window can be closed; go back to the terminal.</p></html>";

/// A bound listener.
pub struct Loopback {
    listener: TcpListener,
    redirect: Url,
}

impl Loopback {
    /// Binds a free port.
    pub async fn bind() -> Result<Loopback> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("cannot listen on a loopback port")?;
        let redirect = Url::parse(&format!("http://{}/callback", listener.local_addr()?))?;
        Ok(Loopback { listener, redirect })
    }

    /// The URL that the auth server sends the browser back to.
    pub fn redirect(&self) -> Url {
        self.redirect.clone()
    }

    /// Waits for the browser to come back; other requests (a favicon) are answered 404.
    pub async fn answer(self) -> Result<Url> {
        let accept = async {
            loop {
                let (stream, _) = self.listener.accept().await?;
                if let Ok(Some(url)) = timeout(REQUEST, self.take(stream)).await.unwrap_or(Ok(None)) {
                    return anyhow::Ok(url);
                }
            }
        };
        match timeout(PATIENCE, accept).await {
            Ok(answer) => answer,
            Err(_) => bail!("nobody logged in within {} minutes", PATIENCE.as_secs() / 60),
        }
    }

    async fn take(&self, mut stream: TcpStream) -> Result<Option<Url>> {
        let mut bytes = Vec::new();
        while !bytes.contains(&b'\n') && bytes.len() < REQUEST_BYTES {
            if stream.read_buf(&mut bytes).await? == 0 {
                break;
            }
        }
        let line = String::from_utf8_lossy(&bytes);
        let target = line.split(' ').nth(1).unwrap_or("/");
        let url = self.redirect.join(target)?;
        let ours = url.path() == self.redirect.path();
        let (status, body) = if ours {
            ("200 OK", PAGE)
        } else {
            ("404 Not Found", "")
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await?;
        Ok(ours.then_some(url))
    }
}
