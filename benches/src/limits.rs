//! What the gateway is measured against: servers that do only what cannot be left out.
//!
//! * the bytes: a plain hyper server that gives a fixed answer;
//! * the calls: for each request, the very calls of the gateway's plan by hyper's client, their answers dropped, and
//!   the fixed answer.

use std::path::PathBuf;

use anyhow::Result;
use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::recording::Recording;
use crate::serve;

/// How a limit is served.
#[derive(Debug, clap::Args)]
pub struct LimitArgs {
    /// What was recorded of the gateway's plan and answer
    #[arg(long)]
    recording: PathBuf,
    /// Threads that serve
    #[arg(long)]
    threads: usize,
    /// One runtime with all threads, instead of one for each
    #[arg(long)]
    spread: bool,
}

/// A server of the recorded answer.
pub fn bytes(arguments: &LimitArgs) -> Result<()> {
    let answer = Bytes::from(Recording::read(&arguments.recording)?.answer);
    run(arguments, move || {
        let answer = answer.clone();
        move |_| std::future::ready(answer.clone())
    })
}

/// A server that makes the recorded calls before it gives the recorded answer.
pub fn calls(arguments: &LimitArgs) -> Result<()> {
    let recording = Recording::read(&arguments.recording)?;
    let answer = Bytes::from(recording.answer);
    let step = |step: Vec<crate::recording::Call>| -> Vec<(Uri, Bytes)> {
        let call = |call: crate::recording::Call| {
            (
                call.url.parse().expect("recorded from a URL"),
                Bytes::from(call.body),
            )
        };
        step.into_iter().map(call).collect()
    };
    let steps: Vec<Vec<(Uri, Bytes)>> = recording.steps.into_iter().map(step).collect();
    run(arguments, move || {
        let caller = Caller::new(steps.clone());
        let answer = answer.clone();
        move |_| {
            let (caller, answer) = (caller.clone(), answer.clone());
            async move {
                caller.call_all().await;
                answer
            }
        }
    })
}

/// Serves on a free port and prints which. `make` is called once for each runtime.
fn run<M, F, A>(arguments: &LimitArgs, make: M) -> Result<()>
where
    M: Fn() -> F + Clone + Send + 'static,
    F: Fn(Bytes) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Bytes> + Send + 'static,
{
    let reserved = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let address = reserved.local_addr()?;
    drop(reserved);
    println!("http://{address}");
    serve::on_threads(arguments.threads, arguments.spread, move || {
        let answer = make();
        async move { serve::serve(serve::listener(address)?, answer).await }
    })
}

#[derive(Clone)]
struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    steps: std::sync::Arc<Vec<Vec<(Uri, Bytes)>>>,
}

impl Caller {
    fn new(steps: Vec<Vec<(Uri, Bytes)>>) -> Caller {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Caller {
            client: Client::builder(TokioExecutor::new()).build(connector),
            steps: std::sync::Arc::new(steps),
        }
    }

    async fn call_all(&self) {
        for step in self.steps.iter() {
            match step.as_slice() {
                [(url, body)] => self.call(url, body).await,
                several => drop(join_all(several.iter().map(|(url, body)| self.call(url, body))).await),
            }
        }
    }

    async fn call(&self, url: &Uri, body: &Bytes) {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let response = self.client.request(request).await.expect("the subgraphs answer");
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            drop(frame.expect("the subgraphs answer to the end"));
        }
    }
}
