//! A text at a URL, a supergraph or a list: asked for again only if it has changed
//! (<https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests>).

use std::time::Duration;

use bytes::Bytes;
use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioExecutor;
use url::Url;

use crate::subgraphs::{Client, Connector, Ways, causes};

/// A place that is asked again and again.
pub struct Remote {
    url: Url,
    http: hyper_util::client::legacy::Client<Connector, Empty<Bytes>>,
    /// Bytes of an answer at most.
    limit: usize,
    /// Longest time for the whole of it.
    within: Duration,
    /// What the last answer said of itself.
    known: Validators,
}

#[derive(Default)]
struct Validators {
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Validators {
        Validators {
            etag: headers.get(ETAG).cloned(),
            modified: headers.get(LAST_MODIFIED).cloned(),
        }
    }
}

impl Remote {
    /// Not asked yet. Each time it has so long to answer.
    pub fn new(url: Url, client: &Client, within: Duration) -> Remote {
        Remote {
            url,
            http: hyper_util::client::legacy::Client::builder(TokioExecutor::new())
                .build(client.connector(&Ways::default(), false)),
            limit: client.response_bytes(),
            within,
            known: Validators::default(),
        }
    }

    /// Where it is, without a password.
    pub fn shown(&self) -> String {
        let mut url = self.url.clone();
        // Of a URL that can have none there is none to hide.
        let _ = url.set_password(None);
        url.to_string()
    }

    /// What is there, if it is another than it was.
    pub async fn look(&mut self) -> Result<Option<String>, String> {
        let within = self.within;
        let asking = self.ask();
        match tokio::time::timeout(within, asking).await {
            Ok(Ok(Some((text, validators)))) => {
                self.known = validators;
                Ok(Some(text))
            }
            Ok(Ok(None)) => Ok(None),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("it did not answer within {within:?}")),
        }
    }

    /// Forgets what the last answer said of itself: it was no good.
    pub fn forget(&mut self) {
        self.known = Validators::default();
    }

    async fn ask(&self) -> Result<Option<(String, Validators)>, String> {
        let mut request = Request::get(self.url.as_str())
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let headers = request.headers_mut();
        if let Some(etag) = &self.known.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        if let Some(modified) = &self.known.modified {
            headers.insert(IF_MODIFIED_SINCE, modified.clone());
        }
        let answer = self.http.request(request).await;
        let answer = answer.map_err(|error| causes(&error))?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        if !answer.status().is_success() {
            return Err(format!("it answered with {}", answer.status()));
        }
        let validators = Validators::of(answer.headers());
        let body = Limited::new(answer.into_body(), self.limit).collect().await;
        let body = body.map_err(|error| format!("its answer cannot be read: {error}"))?;
        let text = String::from_utf8(body.to_bytes().into());
        let text = text.map_err(|_| "its answer is not UTF-8".to_owned())?;
        Ok(Some((text, validators)))
    }
}
