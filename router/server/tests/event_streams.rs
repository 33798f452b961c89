//! Streams over HTTP: server-sent events in both modes of graphql-sse, and multipart subscriptions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::issuer::{self, Issuer};
use crate::support::{World, eventually};

const SOLD: &str = "subscription { sold { upc reviews(first: 1) { body } } }";
const MULTIPART: &str = "multipart/mixed;subscriptionSpec=1.0, application/json";

/// A response that is read as it comes.
struct Stream {
    response: reqwest::Response,
    read: String,
}

impl Stream {
    async fn post(world: &World, accept: &str, body: Value, token: Option<&str>) -> Stream {
        let request = reqwest::Client::new()
            .post(world.gateway.url())
            .header("accept", accept)
            .header("content-type", "application/json")
            .body(body.to_string());
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Stream::of(request).await
    }

    async fn of(request: reqwest::RequestBuilder) -> Stream {
        Stream {
            response: request.send().await.expect("a response"),
            read: String::new(),
        }
    }

    fn content_type(&self) -> &str {
        self.response.headers()["content-type"].to_str().expect("text")
    }

    /// What comes before the next `end`; `None` at the end of the stream.
    async fn until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some((before, after)) = self.read.split_once(end) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.read = after;
                return Some(before);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk());
            let chunk = chunk
                .await
                .expect("nothing came in 10 s")
                .expect("no broken stream")?;
            self.read.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// The name and data of the next event; comments are not counted.
    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let text = self.until("\n\n").await?;
            let (mut name, mut data) = (String::new(), Value::Null);
            for line in text.lines() {
                match line.split_once(':') {
                    Some(("event", value)) => name = value.trim().to_owned(),
                    Some(("data", "")) => data = Value::Null,
                    Some(("data", value)) => data = serde_json::from_str(value).expect("JSON"),
                    Some(("", _)) => {}
                    _ => panic!("not a line of an event: {line}"),
                }
            }
            if !name.is_empty() {
                return Some((name, data));
            }
        }
    }

    /// The JSON of the next part that is no heartbeat.
    async fn part(&mut self) -> Option<Value> {
        loop {
            let text = self.until("\r\n--graphql").await?;
            let Some((_, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            match serde_json::from_str(body).expect("JSON") {
                Value::Object(members) if members.is_empty() => {}
                part => return Some(part),
            }
        }
    }
}

fn query(text: &str) -> Value {
    json!({"query": text})
}

fn sold() -> Vec<Value> {
    let sold = |upc: &str, reviews: Value| json!({"data": {"sold": {"upc": upc, "reviews": reviews}}});
    vec![
        sold("top-1", json!([{"body": "Love it"}])),
        sold("top-2", json!([{"body": "Too expensive"}])),
        sold("top-3", json!([])),
    ]
}

#[tokio::test]
async fn a_subscription_is_streamed_as_events_and_completed() {
    let world = World::start().await;
    let mut stream = Stream::post(&world, "text/event-stream", query(SOLD), None).await;
    assert_eq!(stream.response.status(), 200);
    assert_eq!(stream.content_type(), "text/event-stream; charset=utf-8");
    for wanted in sold() {
        assert_eq!(stream.event().await, Some(("next".to_owned(), wanted)));
    }
    assert_eq!(stream.event().await, Some(("complete".to_owned(), Value::Null)));
    assert_eq!(stream.event().await, None, "the response ends");
}

#[tokio::test]
async fn queries_mutations_and_what_is_wrong_with_them_are_events_too() {
    let world = World::start().await;
    let ask = async |text: &str| {
        let mut stream = Stream::post(&world, "text/event-stream", query(text), None).await;
        assert_eq!(stream.response.status(), 200);
        let (name, data) = stream.event().await.expect("an event");
        assert_eq!(name, "next");
        assert_eq!(stream.event().await.expect("an end").0, "complete");
        data
    };
    assert_eq!(ask("{ me { id } }").await, json!({"data": {"me": {"id": "1"}}}));
    let data = ask("mutation { productsStep(step: 3) }").await;
    assert_eq!(data, json!({"data": {"productsStep": 3}}));
    let refused = ask("{ nobody }").await;
    assert_eq!(
        refused["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
}

#[tokio::test]
async fn by_get_a_browser_can_subscribe_but_not_mutate() {
    let world = World::start().await;
    let get = |text: &str| {
        let mut url = reqwest::Url::parse(&world.gateway.url()).expect("a URL");
        url.query_pairs_mut().append_pair("query", text);
        let request = reqwest::Client::new()
            .get(url)
            .header("accept", "text/event-stream");
        Stream::of(request.header("graphql-require-preflight", "1"))
    };
    let mut stream = get(SOLD).await;
    assert_eq!(stream.event().await.expect("an event").1, sold()[0]);
    let mut stream = get("mutation { productsStep(step: 3) }").await;
    let (_, refused) = stream.event().await.expect("an event");
    assert_eq!(refused["errors"][0]["extensions"]["code"], "MUTATION_BY_GET");
    assert_eq!(world.journal.read(), Vec::<i32>::new());
}

#[tokio::test]
async fn a_subscription_is_streamed_as_parts_and_closed() {
    let world = World::start().await;
    let mut stream = Stream::post(&world, MULTIPART, query(SOLD), None).await;
    assert!(
        stream
            .content_type()
            .starts_with("multipart/mixed; boundary=\"graphql\"")
    );
    for wanted in sold() {
        assert_eq!(stream.part().await, Some(json!({"payload": wanted})));
    }
    assert_eq!(stream.part().await, None);
    assert_eq!(stream.read, "--\r\n", "the last boundary closes the body");
    let mut refused = Stream::post(&world, MULTIPART, query("subscription { nobody }"), None).await;
    let part = refused.part().await.expect("a part");
    assert_eq!(
        part["payload"]["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_upstream_and_others_share_it() {
    let world = World::start().await;
    let text = "subscription { ticker(everyMs: 20) { upc } }";
    let mut events = Stream::post(&world, "text/event-stream", query(text), None).await;
    let mut parts = Stream::post(&world, MULTIPART, query(text), None).await;
    events.event().await.expect("an event");
    parts.part().await.expect("a part");
    assert_eq!(world.products.open_sockets(), 1);
    drop(events);
    for _ in 0..5 {
        parts.part().await.expect("a part");
    }
    drop(parts);
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
}

#[tokio::test]
async fn a_token_that_expires_and_a_stop_break_streams_off_with_a_code() {
    let issuer = Issuer::start().await;
    let world = World::guarded(&issuer).await;
    let token = issuer.token_with(json!({"exp": issuer::now() + 2}));
    let sales = query("subscription { sales(everyMs: 100) { cursor } }");
    let mut expiring = Stream::post(&world, "text/event-stream", sales.clone(), Some(&token)).await;
    let lasting = issuer.token("order");
    let mut events = Stream::post(&world, "text/event-stream", sales.clone(), Some(&lasting)).await;
    let mut parts = Stream::post(&world, MULTIPART, sales, Some(&lasting)).await;
    let mut seen = Value::Null;
    let last = loop {
        let (_, data) = expiring.event().await.expect("an event");
        if data.get("errors").is_some() {
            break data;
        }
        seen = data["data"]["sales"]["cursor"].clone();
    };
    let wanted = json!({"code": "INVALID_TOKEN", "cursor": seen});
    assert_eq!(last["errors"][0]["extensions"], wanted);
    assert_eq!(
        expiring.event().await,
        None,
        "it is not completed, so that the client comes again"
    );
    events.event().await.expect("an event");
    parts.part().await.expect("a part");
    let stopping = tokio::spawn(world.gateway.shutdown());
    let last = loop {
        let (_, data) = events.event().await.expect("an event");
        if data.get("errors").is_some() {
            break data;
        }
        seen = data["data"]["sales"]["cursor"].clone();
    };
    let wanted = json!({"code": "SHUTTING_DOWN", "cursor": seen});
    assert_eq!(last["errors"][0]["extensions"], wanted);
    let last = loop {
        let part = parts.part().await.expect("a part");
        if part.get("errors").is_some() {
            break part;
        }
    };
    assert_eq!(
        (&last["payload"], &last["errors"][0]["extensions"]["code"]),
        (&Value::Null, &json!("SHUTTING_DOWN"))
    );
    stopping.await.expect("no panic");
}

/// The single connection mode.
struct Single {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Single {
    async fn reserve(world: &World) -> Single {
        let (http, url) = (reqwest::Client::new(), world.gateway.url());
        let response = http.put(&url).send().await.expect("a response");
        assert_eq!(response.status(), 201);
        let token = response.text().await.expect("a token");
        Single { http, url, token }
    }

    fn request(&self, method: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, &self.url);
        request.header("x-graphql-event-stream-token", &self.token)
    }

    async fn open(&self) -> Stream {
        let url = format!("{}?token={}", self.url, self.token);
        Stream::of(self.http.get(url).header("accept", "text/event-stream")).await
    }

    /// Its status, and the code of its refusal.
    async fn execute(&self, id: &str, text: &str) -> (u16, String) {
        let body = json!({"query": text, "extensions": {"operationId": id}});
        let request = self.request("POST").header("content-type", "application/json");
        let request = request.header("accept", "application/graphql-response+json");
        let response = request.body(body.to_string()).send().await.expect("a response");
        let status = response.status().as_u16();
        let body: Value = serde_json::from_str(&response.text().await.expect("a body")).unwrap_or_default();
        let code = &body["errors"][0]["extensions"]["code"];
        (status, code.as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn many_operations_share_a_reserved_stream() {
    let world = World::start().await;
    let single = Single::reserve(&world).await;
    let mut stream = single.open().await;
    assert_eq!(single.execute("q", "{ me { id } }").await.0, 202);
    let data = json!({"id": "q", "payload": {"data": {"me": {"id": "1"}}}});
    assert_eq!(stream.event().await, Some(("next".to_owned(), data)));
    assert_eq!(
        stream.event().await,
        Some(("complete".to_owned(), json!({"id": "q"})))
    );
    assert_eq!(
        single.execute("m", "mutation { productsStep(step: 4) }").await.0,
        202
    );
    let data = json!({"id": "m", "payload": {"data": {"productsStep": 4}}});
    assert_eq!(stream.event().await, Some(("next".to_owned(), data)));
    assert_eq!(
        stream.event().await,
        Some(("complete".to_owned(), json!({"id": "m"})))
    );
    let ticker = "subscription { ticker(everyMs: 20) { upc } }";
    assert_eq!(single.execute("s", ticker).await.0, 202);
    assert_eq!(stream.event().await.expect("an event").1["id"], "s");
    assert_eq!(
        single.execute("s", ticker).await,
        (409, "EVENT_STREAM_CONFLICT".to_owned())
    );
    let invalid = (400, "GRAPHQL_VALIDATION_FAILED".to_owned());
    assert_eq!(single.execute("v", "{ nobody }").await, invalid);
    let url = format!("{}?operationId=s", single.url);
    let stop = single
        .http
        .delete(url)
        .header("x-graphql-event-stream-token", &single.token);
    assert_eq!(stop.send().await.expect("a response").status(), 200);
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
    let again = single.open().await;
    assert_eq!(again.response.status(), 409, "one stream for each reservation");
    drop(stream);
    eventually("the reservation ends with its stream", || async {
        single.execute("x", "{ me { id } }").await == (404, "EVENT_STREAM_UNKNOWN".to_owned())
    })
    .await;
}

#[tokio::test]
async fn a_found_out_reservation_gives_no_rights() {
    let issuer = Issuer::start().await;
    let world = World::guarded(&issuer).await;
    let http = reqwest::Client::new();
    let reserve = http.put(world.gateway.url()).bearer_auth(issuer.token("order"));
    let token = reserve
        .send()
        .await
        .expect("a response")
        .text()
        .await
        .expect("a token");
    let single = Single {
        http,
        url: world.gateway.url(),
        token,
    };
    assert_eq!(
        single.execute("q", "{ me { id } }").await,
        (401, "INVALID_TOKEN".to_owned())
    );
}

#[tokio::test]
async fn queries_and_mutations_can_be_parts_too() {
    let world = World::start().await;
    for (text, data) in [
        ("{ me { id } }", json!({"me": {"id": "1"}})),
        ("mutation { productsStep(step: 5) }", json!({"productsStep": 5})),
    ] {
        let mut stream = Stream::post(&world, MULTIPART, query(text), None).await;
        assert_eq!(stream.part().await, Some(json!({"payload": {"data": data}})));
        assert_eq!(stream.part().await, None);
    }
    assert_eq!(world.journal.read(), [5]);
}

/// A subscription whose events fill what is between the gateway and a client that does not read.
fn large() -> Value {
    query(&format!(
        "subscription {{ sales(everyMs: 5) {{ cursor a{}: cursor }} }}",
        "x".repeat(300_000)
    ))
}

#[tokio::test]
async fn a_client_that_reads_too_late_is_told_so_and_where_to_go_on() {
    let world = World::with(|config| config.websocket.queue = 8).await;
    let mut events = Stream::post(&world, "text/event-stream", large(), None).await;
    let mut parts = Stream::post(&world, MULTIPART, large(), None).await;
    let cursor = |payload: &Value| payload["data"]["sales"]["cursor"].clone();
    // Some hundred megabytes are more than there is room for.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut seen = Value::Null;
    let (name, told) = loop {
        let (name, data) = events.event().await.expect("an event");
        match data.get("errors") {
            None => seen = cursor(&data),
            Some(_) => break (name, data),
        }
    };
    let wanted = json!({"code": "SLOW_CONSUMER", "cursor": seen});
    assert_eq!(
        (name.as_str(), &told["errors"][0]["extensions"]),
        ("next", &wanted)
    );
    assert_eq!(events.event().await, None, "it is not completed");
    let told = loop {
        let part = parts.part().await.expect("a part");
        match part.get("errors") {
            None => seen = cursor(&part["payload"]),
            Some(_) => break part,
        }
    };
    let wanted = json!({"code": "SLOW_CONSUMER", "cursor": seen});
    assert_eq!(
        (&told["payload"], &told["errors"][0]["extensions"]),
        (&Value::Null, &wanted)
    );
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_and_keeps_no_upstream() {
    let world = World::with(|config| {
        config.websocket.queue = 8;
        config.connections.write_timeout = Duration::from_millis(500);
    })
    .await;
    let _events = Stream::post(&world, "text/event-stream", large(), None).await;
    let _parts = Stream::post(&world, MULTIPART, large(), None).await;
    let cut = async {
        while world.products.open_sockets() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    eventually("it is subscribed", || async { world.products.open_sockets() > 0 }).await;
    tokio::time::timeout(Duration::from_secs(30), cut)
        .await
        .expect("the upstream ends with its clients");
}
