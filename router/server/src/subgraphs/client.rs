//! One HTTP client for everything the gateway fetches: subgraph calls, SDL, JWKS.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{StatusCode, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::connector::{connector, tcp};
use super::error::causes;
use super::exchange::{Answer, Connection, ExchangeError, Taken};
use super::pool::{Line, Pool};
use super::{Place, SubgraphError, Ways, http2};
use crate::config::TrafficConfig;
use crate::forward::{Carried, Forwarded};
use crate::responses::Fields;
use crate::workers;

/// What must not be sent twice goes on a kept connection only if that was used less than this ago. A server that is
/// about to end asks for its connections to be closed as it answers, for longer than this, so those it closes unasked at
/// its end are never about to carry a mutation.
const FRESH: Duration = Duration::from_secs(1);

/// Tells a subgraph for how many milliseconds it is waited for.
const TIME_LEFT: &str = "x-request-timeout-ms";

/// How connections are opened: TCP with TCP_NODELAY, TLS where the URL says https.
pub type Connector = HttpsConnector<HttpConnector>;

/// A connection just opened.
pub type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Whether a request may be sent once more when the kept connection it was sent on turns out to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing happens twice by it: a query.
    Once,
    /// Something might: a mutation.
    Never,
}

/// A GraphQL response, as far as one can tell from outside. A clone shares the body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status it came with.
    pub status: StatusCode,
    /// The response.
    pub body: Bytes,
    /// What its header says about keeping it.
    pub caching: Option<Box<Fields>>,
}

/// A pooling client. A clone shares the pools.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    tcp: HttpConnector,
    connector: Connector,
    response_bytes: usize,
    pool_max_idle: usize,
    pool_idle_timeout: Duration,
    pools: Mutex<HashMap<String, Arc<Pool>>>,
}

impl Client {
    /// A client with empty pools.
    pub fn new(traffic: &TrafficConfig) -> Client {
        let tcp = tcp(traffic.connect_timeout);
        let shared = Shared {
            connector: connector(tcp.clone()),
            tcp,
            response_bytes: traffic.response_bytes,
            pool_max_idle: traffic.pool_max_idle,
            pool_idle_timeout: traffic.pool_idle_timeout,
            pools: Mutex::default(),
        };
        Client {
            shared: Arc::new(shared),
        }
    }

    /// How connections are opened in these ways. `multiplexed`: HTTP/2 may be spoken on them.
    pub fn connector(&self, ways: &Ways, multiplexed: bool) -> Connector {
        match &ways.tls {
            None => self.shared.connector.clone(),
            Some(tls) => Connector::from((self.shared.tcp.clone(), tls.config(multiplexed))),
        }
    }

    /// Opens a connection.
    pub async fn open(&self, url: &Uri, ways: &Ways, multiplexed: bool) -> Result<Stream, SubgraphError> {
        let opened = self.connector(ways, multiplexed).oneshot(url.clone()).await;
        opened.map_err(|error| SubgraphError::Unreachable(advised(causes(&*error), &ways.name)))
    }

    /// Keeps a connection of HTTP/1.1 to a place for the next call.
    pub fn keep(&self, place: &Place, line: Line) {
        place.pool(|| self.pool(&place.url, &place.ways)).put(line);
    }

    /// The largest answer that is read.
    pub fn response_bytes(&self) -> usize {
        self.shared.response_bytes
    }

    /// Posts a GraphQL request and reads the whole answer. The subgraph is told how long is waited for it; to stop then
    /// is the caller's business.
    pub async fn post(
        &self,
        place: &Place,
        forwarded: &Forwarded,
        body: &[u8],
        within: Duration,
        repeat: Repeat,
    ) -> Result<Reply, SubgraphError> {
        let call = http2::Call {
            place,
            forwarded,
            body,
            within,
            repeat,
        };
        let multiplexed = match &place.multiplexed {
            Some(shared) => Box::pin(shared.call(self, &call)).await?,
            None => None,
        };
        let answer = match multiplexed {
            Some(answer) => answer,
            None => self.post_alone(&call).await?,
        };
        if let Some(carried) = forwarded.carried() {
            carried.take(answer.wanted);
        }
        let mut reply = graphql_reply(answer.status, answer.body, answer.retry_after)?;
        reply.caching = answer.caching;
        Ok(reply)
    }

    /// The same on a connection of HTTP/1.1, on which nothing else is meanwhile.
    async fn post_alone(&self, call: &http2::Call<'_>) -> Result<Answer, SubgraphError> {
        let (place, forwarded) = (call.place, call.forwarded);
        let mut last = [0; LAST_LINES];
        let last = last_lines(call.within, call.body.len(), &mut last);
        let own = forwarded.own_lines(&place.ways.name);
        let signature = place.ways.signature_lines(&place.url, call.body);
        let request = [place.head(), forwarded.lines(), own, &signature, last, call.body];
        let pool = place.pool(|| self.pool(&place.url, &place.ways));
        let taken = Taken {
            limit: self.shared.response_bytes,
            packed: place.ways.packed,
            wanted: forwarded.carried().map_or(&[], Carried::names),
        };
        let to = Target {
            url: &place.url,
            ways: &place.ways,
            pool,
        };
        self.call(to, request, call.repeat, taken).await
    }

    /// Asks somebody who is no subgraph, within a time, and takes whatever comes back.
    pub(super) async fn ask<const N: usize>(
        &self,
        url: &Uri,
        request: [&[u8]; N],
        repeat: Repeat,
        timeout: Duration,
    ) -> Result<(StatusCode, Option<Duration>, Bytes), SubgraphError> {
        let ways = Ways::default();
        let pool = self.pool(url, &ways);
        let taken = Taken {
            limit: self.shared.response_bytes,
            packed: false,
            wanted: &[],
        };
        let to = Target {
            url,
            ways: &ways,
            pool: &pool,
        };
        let calling = self.call(to, request, repeat, taken);
        let answer = tokio::time::timeout(timeout, calling)
            .await
            .unwrap_or(Err(SubgraphError::Timeout(timeout)))?;
        Ok((answer.status, answer.retry_after, answer.body))
    }

    /// Closes what was not used for too long.
    pub fn sweep(&self) {
        let mut pools = self.shared.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|_, pool| pool.sweep() > 0 || Arc::strong_count(pool) > 1);
    }

    /// The unused connections to where `url` is. Those on which the gateway has shown a certificate are nobody else's.
    fn pool(&self, url: &Uri, ways: &Ways) -> Arc<Pool> {
        let Shared {
            pool_max_idle,
            pool_idle_timeout,
            pools,
            ..
        } = &*self.shared;
        let owner = ways.tls.as_ref().map_or("", |_| &ways.name);
        let place = format!(
            "{owner} {}://{}",
            url.scheme_str().unwrap_or_default(),
            authority(url)
        );
        let lanes = workers::lanes(workers::usual());
        let make = || Arc::new(Pool::new(lanes, *pool_max_idle, *pool_idle_timeout));
        let mut pools = pools.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pools.entry(place).or_insert_with(make))
    }

    /// One exchange, on a kept connection if there is one.
    async fn call<const N: usize>(
        &self,
        Target { url, ways, pool }: Target<'_>,
        request: [&[u8]; N],
        repeat: Repeat,
        taken: Taken<'_>,
    ) -> Result<Answer, SubgraphError> {
        let told = |error| told(error, taken.limit, &ways.name);
        let fresh = match repeat {
            Repeat::Once => Duration::MAX,
            Repeat::Never => FRESH,
        };
        if let Some(line) = pool.take(fresh) {
            match exchange(line, pool, request, taken).await {
                // Closed while it lay there: the others of its age will be too.
                Err(ExchangeError::Gone(_)) if repeat == Repeat::Once => pool.clear(),
                done => return done.map_err(told),
            }
        }
        let stream = Box::pin(self.open(url, ways, false)).await?;
        let line = Box::new(Connection::new(TokioIo::new(stream)));
        exchange(line, pool, request, taken).await.map_err(told)
    }
}

/// Where a request goes.
#[derive(Clone, Copy)]
struct Target<'a> {
    url: &'a Uri,
    ways: &'a Ways,
    pool: &'a Pool,
}

/// An exchange; the connection is kept if it can be.
async fn exchange<const N: usize>(
    mut line: Line,
    pool: &Pool,
    request: [&[u8]; N],
    taken: Taken<'_>,
) -> Result<Answer, ExchangeError> {
    let answer = line.exchange(request, taken).await?;
    if answer.reusable {
        pool.put(line);
    }
    Ok(answer)
}

fn told(error: ExchangeError, limit: usize, subgraph: &str) -> SubgraphError {
    match error {
        ExchangeError::TooLarge => SubgraphError::TooLarge(limit),
        ExchangeError::Encoded | ExchangeError::Packed | ExchangeError::Malformed(_) => {
            SubgraphError::Malformed(error.to_string())
        }
        other => SubgraphError::Unreachable(advised(other.to_string(), subgraph)),
    }
}

/// `host: …` with the end of its line.
pub fn host(url: &Uri) -> String {
    format!("{}: {}\r\n", HOST, authority(url))
}

/// The path and query of a request's first line.
pub fn target(url: &Uri) -> &str {
    url.path_and_query().map_or("/", |target| target.as_str())
}

/// Host and port, without a name and password.
pub fn authority(url: &Uri) -> &str {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    authority.rsplit_once('@').map_or(authority, |(_, place)| place)
}

/// Room for the last lines of a head.
const LAST_LINES: usize = 128;

/// The last lines of a head, and its end: how long is waited, in milliseconds, and how long the body is.
fn last_lines(within: Duration, length: usize, room: &mut [u8; LAST_LINES]) -> &[u8] {
    use std::io::Write;
    let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut rest = &mut room[..];
    write!(rest, "{TIME_LEFT}: {within}\r\ncontent-length: {length}\r\n\r\n")
        .expect("two numbers of twenty digits have room");
    let left = rest.len();
    &room[..LAST_LINES - left]
}

/// Whether a body begins and ends as a JSON object does: one that broke off does not.
fn is_braced(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    body.first() == Some(&b'{') && body.last() == Some(&b'}')
}

/// An answer, if it looks like a GraphQL response.
pub fn graphql_reply(
    status: StatusCode,
    body: Bytes,
    retry_after: Option<Duration>,
) -> Result<Reply, SubgraphError> {
    if !status.is_success() && !is_graphql(&body) {
        return Err(SubgraphError::Status { status, retry_after });
    }
    if !is_braced(&body) {
        return Err(SubgraphError::Malformed("it is not a JSON object".to_owned()));
    }
    Ok(Reply {
        status,
        body,
        caching: None,
    })
}

/// Whether an answer with an error status is still a GraphQL response.
fn is_graphql(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        data: Option<IgnoredAny>,
        errors: Option<Vec<IgnoredAny>>,
    }
    serde_json::from_slice::<Probe>(body).is_ok_and(|probe| probe.data.is_some() || probe.errors.is_some())
}

/// What is wrong with a connection by TLS, and what to do.
fn advised(why: String, subgraph: &str) -> String {
    let key = |field: &str| format!("subgraphs.{subgraph}.tls.{field}");
    let advice = match () {
        _ if why.contains("UnknownIssuer") => {
            format!("name the CA that signs its certificate in {}", key("ca"))
        }
        _ if why.contains("NotValidForName") => {
            "its certificate is for another name than that of its URL".to_owned()
        }
        _ if why.contains("CertificateRequired") => {
            format!("it asks for a certificate: name one in {}", key("certificate"))
        }
        _ if why.contains("alert: CertificateExpired") => {
            format!("the certificate in {} has expired: renew it", key("certificate"))
        }
        _ if why.contains("alert: UnknownCA") || why.contains("alert: DecryptError") => {
            format!(
                "it does not believe who signed the certificate in {}",
                key("certificate")
            )
        }
        _ => return why,
    };
    format!("{why}; {advice}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    /// Answers the first request of each connection, and closes at the second.
    async fn fickle() -> (Place, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url: Uri = format!("http://{}/graphql", listener.local_addr().expect("an address"))
            .parse()
            .expect("a URL");
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                for answer in [ANSWER, b""] {
                    if read_request(&mut stream).await {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                    stream.write_all(answer).await.expect("written");
                }
            }
        });
        (Place::at(url), seen)
    }

    async fn read_request(stream: &mut TcpStream) -> bool {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"{body}") {
            if stream.read_buf(&mut bytes).await.expect("a request") == 0 {
                return false;
            }
        }
        true
    }

    async fn post(client: &Client, place: &Place, repeat: Repeat) -> Result<Bytes, SubgraphError> {
        let (forwarded, within) = (Forwarded::default(), Duration::from_secs(5));
        let reply = client.post(place, &forwarded, b"{body}", within, repeat).await;
        reply.map(|reply| reply.body)
    }

    #[tokio::test]
    async fn a_query_on_a_connection_that_is_closed_meanwhile_is_sent_once_more() {
        let (place, seen) = fickle().await;
        let client = Client::new(&TrafficConfig::default());
        for _ in 0..2 {
            let answer = post(&client, &place, Repeat::Once).await;
            assert_eq!(answer.expect("an answer"), "{}");
        }
        assert_eq!(seen.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_mutation_is_never_sent_twice() {
        let (place, seen) = fickle().await;
        let client = Client::new(&TrafficConfig::default());
        post(&client, &place, Repeat::Never).await.expect("an answer");
        let second = post(&client, &place, Repeat::Never).await;
        assert!(matches!(second, Err(SubgraphError::Unreachable(_))), "{second:?}");
        assert_eq!(seen.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_host_has_no_password() {
        let url: Uri = "http://me:secret@a.example:81/graphql?x=1"
            .parse()
            .expect("a URL");
        assert_eq!(host(&url), "host: a.example:81\r\n");
        assert_eq!(target(&url), "/graphql?x=1");
    }

    #[test]
    fn the_last_lines_have_room() {
        let mut room = [0; LAST_LINES];
        let last = last_lines(Duration::MAX, usize::MAX, &mut room);
        let wanted =
            "x-request-timeout-ms: 18446744073709551615\r\ncontent-length: 18446744073709551615\r\n\r\n";
        assert_eq!(last, wanted.as_bytes());
    }

    #[test]
    fn what_broke_off_is_no_object() {
        for whole in ["{}", " {\"a\":{}}\r\n"] {
            assert!(is_braced(whole.as_bytes()), "{whole}");
        }
        for broken in ["", "{", "{\"a\":[{},", "[{}]", "{\"a\":1", "<html>"] {
            assert!(!is_braced(broken.as_bytes()), "{broken}");
        }
    }
}
