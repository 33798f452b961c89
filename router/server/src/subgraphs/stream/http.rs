//! Streams as the body of an answer: server-sent events, or parts of a multipart body. One connection for each.

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use tokio::task::AbortHandle;

use super::super::{Client, Endpoint, SubgraphError, client};
use super::reader::{Read, Reader};
use super::{UpstreamItem, http_twin};
use crate::config::StreamProtocol;
use crate::forward::Forwarded;

/// A stream that is the answer to a POST.
pub struct HttpStream {
    body: Incoming,
    read: BytesMut,
    reader: Reader,
    limit: usize,
    _connection: Driven,
}

/// What drives a connection; dropped, the connection ends.
pub struct Driven(AbortHandle);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A POST on a connection of its own, and the head of its answer.
pub struct Exchange {
    /// The answer's header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Incoming,
    /// The connection it comes on.
    pub connection: Driven,
}

impl Exchange {
    /// Posts the request, and reads the head of its answer, which must be one of success.
    pub async fn begin(
        client: &Client,
        endpoint: &Endpoint,
        forwarded: &Forwarded,
        body: Bytes,
        accepted: &'static str,
    ) -> Result<Exchange, SubgraphError> {
        let unreachable = |error: &dyn std::fmt::Display| SubgraphError::Unreachable(error.to_string());
        let url = http_twin(&endpoint.stream_url)?;
        let stream = client.open(&url, &endpoint.ways, false).await?;
        let shaken = http1::handshake(stream).await;
        let (mut sender, connection) = shaken.map_err(|error| unreachable(&error))?;
        let driving = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection of a subgraph's stream broke");
            }
        });
        let connection = Driven(driving.abort_handle());
        let request = request(endpoint, forwarded, body, accepted)?;
        let answered = sender.send_request(request).await;
        let answer = answered.map_err(|error| unreachable(&error))?;
        if !answer.status().is_success() {
            return Err(SubgraphError::Status {
                status: answer.status(),
                retry_after: None,
            });
        }
        let (head, body) = answer.into_parts();
        Ok(Exchange {
            headers: head.headers,
            body,
            connection,
        })
    }
}

impl HttpStream {
    /// Asks for a stream.
    pub async fn open(
        client: &Client,
        endpoint: &Endpoint,
        forwarded: &Forwarded,
        body: Bytes,
    ) -> Result<HttpStream, SubgraphError> {
        let accepted = match endpoint.stream_protocol {
            StreamProtocol::Multipart => "multipart/mixed;subscriptionSpec=1.0, application/json;q=0.9",
            _ => "text/event-stream, application/json;q=0.9",
        };
        let begun = Exchange::begin(client, endpoint, forwarded, body, accepted).await?;
        Ok(HttpStream {
            reader: reader(&begun.headers)?,
            body: begun.body,
            read: BytesMut::new(),
            limit: client.response_bytes(),
            _connection: begun.connection,
        })
    }

    /// The next item.
    pub async fn next(&mut self) -> UpstreamItem {
        loop {
            match self.reader.read(&mut self.read) {
                Ok(Read::Item(item)) => return item,
                Ok(Read::More) => {}
                Err(why) => return UpstreamItem::Lost(why),
            }
            if self.read.len() > self.limit {
                return UpstreamItem::Lost(format!("an event larger than {} bytes", self.limit));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self
                    .read
                    .extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                Some(Err(error)) => return UpstreamItem::Lost(error.to_string()),
                None => return self.reader.end(&mut self.read),
            }
        }
    }
}

fn request(
    endpoint: &Endpoint,
    forwarded: &Forwarded,
    body: Bytes,
    accepted: &'static str,
) -> Result<Request<Full<Bytes>>, SubgraphError> {
    let url = &endpoint.stream_url;
    let signature = endpoint.ways.signature("POST", url, Some(&body));
    let mut request = Request::post(client::target(url))
        .header(HOST, client::authority(url))
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, accepted)
        .body(Full::new(body))
        .map_err(|error| SubgraphError::Unreachable(error.to_string()))?;
    let fixed = endpoint.ways.inserted.iter().cloned();
    for (name, value) in fixed
        .chain(forwarded.fields(&endpoint.ways.name))
        .chain(signature)
    {
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

/// How this answer is read: by what the subgraph says it is.
fn reader(headers: &HeaderMap) -> Result<Reader, SubgraphError> {
    let told = headers
        .get(CONTENT_TYPE)
        .and_then(|value: &HeaderValue| value.to_str().ok());
    let told = told.unwrap_or_default();
    let media = told
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match media.as_str() {
        "text/event-stream" => Ok(Reader::events()),
        "multipart/mixed" => Ok(Reader::parts(boundary(told))),
        "application/json" | "application/graphql-response+json" => Ok(Reader::Answer),
        other => {
            let text = format!("a stream of type `{}`", other.escape_debug());
            Err(SubgraphError::StreamRefused(text))
        }
    }
}

/// RFC 2046, section 5.1.1; `-` is what most servers take, and the default.
fn boundary(content_type: &str) -> &str {
    let mut parameters = content_type.split(';').skip(1).map(str::trim);
    let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="));
    boundary.unwrap_or("-").trim_matches('"')
}
