//! Calls over HTTP/2: one connection for each thread that serves, and all its calls on it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Mutex;

use super::client::{Stream, authority};
use super::error::causes;
use super::exchange::{Answer, Connection};
use super::{ACCEPTED, Client, Place, Repeat, SubgraphError};
use crate::coding::{Coding, UnpackError};
use crate::config::Http2;
use crate::forward::Forwarded;
use crate::responses::Fields;
use crate::workers;

/// Tells a subgraph for how many milliseconds it is waited for.
const TIME_LEFT: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// How often a connection with calls under way is asked for a sign of life, and how long that may take.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Bytes that may be on their way of one answer, and of all on a connection: what is quick needs no round trip for more.
const WINDOWS: (u32, u32) = (1024 * 1024, 8 * 1024 * 1024);
/// Bytes of an answer's head.
const HEAD_BYTES: u32 = 64 * 1024;

type Sender = SendRequest<Full<Bytes>>;

/// The connections to one place.
pub struct Shared {
    lanes: Box<[Mutex<Option<Sender>>]>,
    /// Whether the other side has chosen HTTP/1.1.
    declined: AtomicBool,
}

/// One call.
pub struct Call<'a> {
    /// Where to.
    pub place: &'a Place,
    /// What travels on.
    pub forwarded: &'a Forwarded,
    /// What is asked.
    pub body: &'a [u8],
    /// How long it is waited for.
    pub within: Duration,
    /// Whether it may be sent twice.
    pub repeat: Repeat,
}

/// Why a call came to nothing on one connection.
enum Failed {
    /// Nothing of it was sent.
    Unsent(String),
    /// The connection ended before an answer.
    Gone(String),
    /// It cannot be helped by another.
    Final(SubgraphError),
}

impl Shared {
    /// No connection yet.
    pub fn new() -> Shared {
        Shared {
            lanes: (0..workers::lanes(workers::usual()))
                .map(|_| Mutex::default())
                .collect(),
            declined: AtomicBool::new(false),
        }
    }

    /// An answer, or `None` where the other side speaks HTTP/1.1 only.
    pub async fn call(&self, client: &Client, call: &Call<'_>) -> Result<Option<Answer>, SubgraphError> {
        let mut again = true;
        loop {
            let Some(sender) = self.sender(client, call.place).await? else {
                return Ok(None);
            };
            match ask(sender, client, call).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Unsent(_)) if again => again = false,
                Err(Failed::Gone(_)) if again && call.repeat == Repeat::Once => again = false,
                Err(Failed::Unsent(why) | Failed::Gone(why)) => return Err(SubgraphError::Unreachable(why)),
            }
        }
    }

    /// This thread's connection; opened if there is none. Whoever comes meanwhile waits for it.
    async fn sender(&self, client: &Client, place: &Place) -> Result<Option<Sender>, SubgraphError> {
        if self.declined.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut lane = self.lanes[workers::lane() % self.lanes.len()].lock().await;
        if let Some(sender) = lane.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(Some(sender.clone()));
        }
        let stream = client.open(&place.url, &place.ways, true).await?;
        if !self.is_spoken(&stream, place)? {
            self.declined.store(true, Ordering::Relaxed);
            client.keep(place, Box::new(Connection::new(TokioIo::new(stream))));
            return Ok(None);
        }
        let sender = shake_hands(stream).await?;
        *lane = Some(sender.clone());
        Ok(Some(sender))
    }

    /// Whether HTTP/2 is what comes next on a connection just opened.
    fn is_spoken(&self, stream: &Stream, place: &Place) -> Result<bool, SubgraphError> {
        let chosen = match stream {
            MaybeHttpsStream::Http(_) => return Ok(place.ways.http2 == Http2::Always),
            MaybeHttpsStream::Https(stream) => stream.inner().get_ref().1.alpn_protocol() == Some(b"h2"),
        };
        if !chosen && place.ways.http2 == Http2::Always {
            let name = &place.ways.name;
            let why =
                format!("it does not speak HTTP/2 (by ALPN); set subgraphs.{name}.http2 to auto or never");
            return Err(SubgraphError::Unreachable(why));
        }
        Ok(chosen)
    }
}

async fn shake_hands(stream: Stream) -> Result<Sender, SubgraphError> {
    let shaking = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .max_header_list_size(HEAD_BYTES)
        .handshake(stream);
    let shaken = shaking.await;
    let (sender, connection) = shaken.map_err(|error| SubgraphError::Unreachable(error.to_string()))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of HTTP/2 to a subgraph broke");
        }
    });
    Ok(sender)
}

async fn ask(mut sender: Sender, client: &Client, call: &Call<'_>) -> Result<Answer, Failed> {
    sender
        .ready()
        .await
        .map_err(|error| Failed::Unsent(error.to_string()))?;
    let request = request(call).map_err(|why| Failed::Final(SubgraphError::Unreachable(why)))?;
    let answered = sender.try_send_request(request).await;
    let answer = answered.map_err(|mut refused| {
        let unsent = refused.take_message().is_some();
        let why = causes(refused.error());
        if unsent {
            Failed::Unsent(why)
        } else {
            Failed::Gone(why)
        }
    })?;
    read(answer, client, call).await.map_err(Failed::Final)
}

fn request(call: &Call<'_>) -> Result<Request<Full<Bytes>>, String> {
    let Call {
        place,
        forwarded,
        within,
        ..
    } = call;
    let body = Full::new(Bytes::copy_from_slice(call.body));
    let mut request = Request::post(without_user(&place.url)?)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, ACCEPTED)
        .body(body)
        .map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    let fixed = place.ways.fields().chain(forwarded.fields(&place.ways.name));
    for (name, value) in fixed.chain(place.ways.signature("POST", &place.url, Some(call.body))) {
        headers.append(name, value);
    }
    let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).max(1);
    headers.insert(TIME_LEFT, HeaderValue::from(within));
    Ok(request)
}

/// The same place, without a name and password.
fn without_user(url: &Uri) -> Result<Uri, String> {
    let mut parts = url.clone().into_parts();
    let place: Result<Authority, _> = authority(url).parse();
    parts.authority = Some(place.map_err(|error| error.to_string())?);
    Uri::from_parts(parts).map_err(|error| error.to_string())
}

async fn read(answer: Response<Incoming>, client: &Client, call: &Call<'_>) -> Result<Answer, SubgraphError> {
    let limit = client.response_bytes();
    let (head, body) = answer.into_parts();
    let coding = coding(&head.headers, call.place.ways.packed, head.status)?;
    let collected = Limited::new(body, limit).collect().await;
    let whole = collected.map_err(|error| match error.is::<LengthLimitError>() {
        true => SubgraphError::TooLarge(limit),
        false => SubgraphError::Unreachable(error.to_string()),
    })?;
    let bytes = whole.to_bytes();
    let body = match coding {
        None => bytes,
        Some(coding) => coding.unpack(&bytes, limit).map_err(|error| match error {
            UnpackError::TooLarge => SubgraphError::TooLarge(limit),
            UnpackError::Broken => SubgraphError::Malformed("the body cannot be unpacked".to_owned()),
        })?,
    };
    let seconds = head
        .headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let carried = call.forwarded.carried();
    Ok(Answer {
        status: head.status,
        body,
        retry_after: seconds.map(Duration::from_secs),
        caching: caching(&head.headers),
        reusable: false,
        wanted: carried
            .map(|carried| wanted(&head.headers, carried.names()))
            .unwrap_or_default(),
    })
}

/// What it says about keeping the answer.
fn caching(headers: &HeaderMap) -> Option<Box<Fields>> {
    let mut caching = None;
    for (name, value) in headers {
        Fields::note(&mut caching, name.as_str(), value.as_bytes());
    }
    caching
}

fn wanted(headers: &HeaderMap, names: &[HeaderName]) -> Vec<(usize, HeaderValue)> {
    let values = |(number, name)| {
        headers
            .get_all(name)
            .iter()
            .map(move |value| (number, value.clone()))
    };
    names.iter().enumerate().flat_map(values).collect()
}

/// How the body is coded; an error if that was not asked for.
fn coding(headers: &HeaderMap, packed: bool, status: StatusCode) -> Result<Option<Coding>, SubgraphError> {
    let mut named = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter(|value| *value != "identity");
    let Some(first) = named.next() else {
        return Ok(None);
    };
    match (Coding::of(first.as_bytes()), named.next()) {
        (Some(coding), None) if packed => Ok(Some(coding)),
        // Its status says enough.
        _ if !status.is_success() => Ok(None),
        _ => Err(SubgraphError::Malformed(
            "the body is encoded, which was not asked for".to_owned(),
        )),
    }
}
