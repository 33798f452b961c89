//! Layers of another program at the two ends of the gateway.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use baedal_router::{Builder, SubgraphCall, SubgraphService};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use serde_json::json;
use tower::layer::layer_fn;
use tower::timeout::TimeoutLayer;
use tower::util::{MapRequestLayer, MapResponseLayer};
use tower::{BoxError, ServiceExt, service_fn};

use crate::support::graphs::{self, Journal};
use crate::support::{Client, Mode, Subgraph, config_of, socket};

struct Embedded {
    products: Subgraph,
    reviews: Subgraph,
    gateway: baedal_router::Running,
}

async fn embedded(layers: impl FnOnce(Builder) -> Builder) -> Embedded {
    let journal = Journal::default();
    let (products, reviews) = (graphs::products(&journal).await, graphs::reviews(&journal).await);
    let accounts = graphs::accounts(&journal).await;
    let config = config_of(&[&products, &reviews, &accounts]);
    let gateway = layers(Builder::new(config)).start().await.expect("it starts");
    Embedded {
        products,
        reviews,
        gateway,
    }
}

impl Embedded {
    fn client(&self) -> Client {
        Client::new(self.gateway.url())
    }
}

const NAMES: &str = "{ topProducts { name reviews { body } } }";

fn mark<B>(value: &'static str) -> impl Fn(Response<B>) -> Response<B> + Clone {
    move |mut response| {
        response
            .headers_mut()
            .append("x-mark", HeaderValue::from_static(value));
        response
    }
}

#[tokio::test]
async fn the_layer_added_last_is_the_outermost() {
    let world = embedded(|builder| {
        builder
            .endpoint_layer(MapResponseLayer::new(mark("inner")))
            .endpoint_layer(MapResponseLayer::new(mark("outer")))
    })
    .await;
    let answer = world.client().query(NAMES).await;
    assert_eq!(answer.data()["topProducts"][0]["name"], "Table");
    let marks: Vec<_> = answer.headers.get_all("x-mark").iter().collect();
    assert_eq!(marks, ["inner", "outer"]);
    let refused = world.client().query("{ nothing }").await;
    assert_eq!((refused.status, refused.header("x-mark")), (400, "inner"));
    // Health checks are not the endpoint's.
    let health = format!("http://{}/health/ready", world.gateway.addr());
    let health = reqwest::get(health).await.expect("an answer");
    assert!(health.status().is_success() && !health.headers().contains_key("x-mark"));
}

#[tokio::test]
async fn web_sockets_go_through_layers() {
    let world = embedded(|builder| builder.endpoint_layer(MapResponseLayer::new(mark("seen")))).await;
    let mut socket = socket::Socket::ready(&world.gateway, None).await;
    socket.subscribe("1", "subscription { sold { name } }").await;
    let event = socket.message().await;
    assert_eq!(event["payload"]["data"]["sold"]["name"], "Table", "{event}");
}

#[tokio::test]
async fn a_layer_that_fails_is_answered_for() {
    let failing = layer_fn(|_inner| {
        service_fn(|_request| async {
            Err::<Response<baedal_router::Body>, BoxError>("a secret reason".into())
        })
    });
    let world = embedded(|builder| builder.endpoint_layer(failing)).await;
    let answer = world.client().query(NAMES).await;
    assert_eq!((answer.status, answer.code()), (500, "INTERNAL_ERROR"));
    assert!(!answer.body.to_string().contains("secret"));
}

#[tokio::test]
async fn calls_of_subgraphs_go_through_layers_and_can_be_changed() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let noting = MapRequestLayer::new(move |mut request: Request<Bytes>| {
        let call = request.extensions().get::<SubgraphCall>().expect("it is there");
        let name = HeaderValue::from_str(&call.subgraph).expect("a name");
        assert!(!call.is_mutation && request.headers().contains_key("x-request-id"));
        counted.fetch_add(1, Ordering::SeqCst);
        request.headers_mut().insert("x-subgraph", name);
        // What frames the request is not a layer's to say.
        request
            .headers_mut()
            .insert("content-length", HeaderValue::from_static("1"));
        request
            .headers_mut()
            .insert("transfer-encoding", HeaderValue::from_static("chunked"));
        request
    });
    let world = embedded(|builder| builder.subgraph_layer(noting)).await;
    let answer = world.client().query(NAMES).await;
    assert_eq!(answer.data()["topProducts"][0]["reviews"][0]["body"], "Love it");
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    for (subgraph, name) in [(&world.products, "products"), (&world.reviews, "reviews")] {
        let (headers, _) = subgraph.requests().pop().expect("it was asked");
        assert_eq!(headers["x-subgraph"], name);
    }
}

#[tokio::test]
async fn a_layer_can_answer_in_place_of_a_subgraph() {
    let own = layer_fn(|inner: SubgraphService| {
        service_fn(move |request: Request<Bytes>| {
            let inner = inner.clone();
            async move {
                let call = request.extensions().get::<SubgraphCall>().expect("it is there");
                if &*call.subgraph != "products" {
                    return inner.oneshot(request).await;
                }
                let answer = json!({"data": {"topProducts": [{"__typename": "Product", "name": "Ours", "upc": "top-1"}]}});
                Ok::<_, BoxError>(Response::new(Bytes::from(answer.to_string())))
            }
        })
    });
    let world = embedded(|builder| builder.subgraph_layer(own)).await;
    let answer = world.client().query(NAMES).await;
    assert_eq!(answer.data()["topProducts"][0]["name"], "Ours");
    assert_eq!(answer.data()["topProducts"][0]["reviews"][0]["body"], "Love it");
    assert!(world.products.requests().is_empty());
}

#[tokio::test]
async fn what_a_layer_refuses_and_what_a_subgraph_does_are_told_apart() {
    let limit = TimeoutLayer::new(Duration::from_millis(200));
    let world = embedded(|builder| builder.subgraph_layer(limit)).await;
    world.products.set_mode(Mode::Says(502, "down"));
    let down = world.client().query("{ topProducts { name } }").await;
    assert_eq!(down.code(), "SUBGRAPH_HTTP_ERROR");
    world.products.set_mode(Mode::Slow(Duration::from_secs(5)));
    let slow = world.client().query("{ topProducts { name } }").await;
    assert_eq!(slow.code(), "SUBGRAPH_CALL_REFUSED");
    assert!(
        slow.errors()[0]["message"]
            .as_str()
            .expect("text")
            .contains("'products' was not asked")
    );
    let forgetful = MapRequestLayer::new(|request: Request<Bytes>| Request::new(request.into_body()));
    let world = embedded(|builder| builder.subgraph_layer(forgetful)).await;
    assert_eq!(
        world.client().query("{ me { name } }").await.code(),
        "SUBGRAPH_CALL_REFUSED"
    );
}

#[tokio::test]
async fn the_request_for_a_stream_goes_through_the_layers_too() {
    let telling = MapRequestLayer::new(|mut request: Request<Bytes>| {
        let call = request.extensions().get::<SubgraphCall>().expect("it is there");
        if call.is_subscription {
            assert_eq!((&*call.subgraph, call.is_mutation), ("products", false));
            let token = HeaderValue::from_static("Bearer of-the-layer");
            request.headers_mut().insert("authorization", token);
        }
        request
    });
    let world = embedded(|builder| builder.subgraph_layer(telling)).await;
    let mut socket = socket::Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("1", "subscription { sold { upc reviews(first: 1) { body } } }")
        .await;
    let event = socket.message().await;
    assert_eq!(
        event["payload"]["data"]["sold"],
        json!({"upc": "top-1", "reviews": [{"body": "Love it"}]})
    );
    let told = &world.products.inits()[0];
    assert!(told.to_string().contains("Bearer of-the-layer"), "{told}");
}

#[tokio::test]
async fn a_layer_can_refuse_a_stream_but_not_be_one() {
    let error = layer_fn(|_: SubgraphService| {
        service_fn(|_| async { Err::<Response<Bytes>, BoxError>("no".into()) })
    });
    let answer = layer_fn(|inner: SubgraphService| {
        service_fn(move |request: Request<Bytes>| {
            let inner = inner.clone();
            async move {
                let call = request.extensions().get::<SubgraphCall>().expect("it is there");
                match call.is_subscription {
                    true => Ok::<_, BoxError>(Response::new(Bytes::from_static(b"{\"data\":{}}"))),
                    false => inner.oneshot(request).await,
                }
            }
        })
    });
    for world in [
        embedded(|builder| builder.subgraph_layer(error)).await,
        embedded(|builder| builder.subgraph_layer(answer)).await,
    ] {
        let mut socket = socket::Socket::ready(&world.gateway, None).await;
        socket.subscribe("1", "subscription { sold { upc } }").await;
        let refused = socket.message().await;
        assert_eq!(refused["type"], "error", "{refused}");
        assert_eq!(
            refused["payload"][0]["extensions"]["code"],
            "SUBGRAPH_CALL_REFUSED"
        );
        assert_eq!(world.products.open_sockets(), 0);
    }
}
