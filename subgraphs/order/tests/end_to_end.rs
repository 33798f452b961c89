//! Order and payment for real, on SQLite, one embedded event log and gRPC over loopback.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use baedal_events::{DomainEvent, STORE_TOPIC, store};
use baedal_kit::{
    log::{self, EventLog, Record},
    proof::Key,
};
use baedal_order::{
    OrderService,
    app::AppError,
    domain::{Order, OrderId, Status},
};
use baedal_payment::{PaymentService, domain as paid, domain::Won};
use baedal_traffic::breaker::State;
use tempfile::TempDir;

use crate::{
    events::{envelope, story},
    support::{basket, customer, eventually, store_id},
};

struct Platform {
    folder: TempDir,
    log: Arc<dyn EventLog>,
}

impl Platform {
    async fn new() -> Platform {
        let folder = tempfile::tempdir().unwrap();
        let log = log::open(&format!("embedded:{}/events.db", folder.path().display()))
            .await
            .unwrap();
        let platform = Platform { folder, log };
        let item = store::MenuItem {
            menu_item_id: "tongdak".to_owned(),
            name: "통닭".to_owned(),
            price: 18_000,
            sold_out: false,
        };
        platform
            .publish(&[
                envelope(&store::StoreOpened::example()),
                envelope(&store::MenuChanged {
                    item,
                    ..store::MenuChanged::example()
                }),
            ])
            .await;
        platform
    }

    async fn publish(&self, events: &[baedal_kit::envelope::Envelope]) {
        let records = events.iter().map(|event| Record {
            key: event.correlation_id.clone(),
            payload: serde_json::to_vec(event).unwrap(),
        });
        self.log.publish(STORE_TOPIC, records.collect()).await.unwrap();
    }

    fn url(&self, name: &str) -> (String, String) {
        let folder = self.folder.path().display();
        (
            format!("sqlite://{folder}/{name}.db?mode=rwc"),
            format!("embedded:{folder}/events.db"),
        )
    }

    async fn payment(&self, port: u16, set: impl FnOnce(&mut baedal_payment::Config)) -> PaymentService {
        let (store, events) = self.url("payment");
        let mut config = baedal_payment::Config::new(loopback(0), loopback(port), &store, &events);
        config.patience.reconcile_after = Duration::from_millis(500);
        config.sweep_every = Duration::from_millis(200);
        set(&mut config);
        baedal_payment::start_service(config).await.unwrap()
    }

    async fn order(&self, payment: u16) -> OrderService {
        self.order_with(payment, |_| {}).await
    }

    async fn order_with(&self, payment: u16, set: impl FnOnce(&mut baedal_order::Config)) -> OrderService {
        let (store, events) = self.url("order");
        let mut config = baedal_order::Config::new(
            loopback(0),
            &store,
            &events,
            &format!("http://127.0.0.1:{payment}"),
        );
        config.sweep_every = Duration::from_millis(200);
        set(&mut config);
        let service = baedal_order::start_service(config).await.unwrap();
        eventually("the menu is known", async || {
            service
                .app
                .menu(&store_id())
                .await
                .unwrap()
                .is_some_and(|menu| menu.dishes.len() == 1)
        })
        .await;
        service
    }
}

fn loopback(port: u16) -> std::net::SocketAddr {
    ([127, 0, 0, 1], port).into()
}

async fn find(order: &OrderService, id: &OrderId) -> Order {
    order.app.orders().find(id).await.unwrap().unwrap()
}

async fn charged(payment: &PaymentService, id: &OrderId) -> Option<paid::Status> {
    let id = paid::OrderId::parse(id.as_str()).unwrap();
    let found = payment.app.payments().find(&id).await.unwrap();
    found.map(|payment| payment.state.status())
}

fn not_paid(result: Result<Order, AppError>) -> (OrderId, &'static str) {
    match result {
        Err(AppError::NotPaid { order, failure, .. }) => (order, failure.code()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_paid_cooked_and_delivered() {
    let platform = Platform::new().await;
    let payment = platform.payment(0, |_| {}).await;
    let order = platform.order(payment.grpc_addr.port()).await;
    let placed = order.app.place(basket("k1")).await.unwrap();
    assert_eq!(charged(&payment, &placed.id).await, Some(paid::Status::Approved));
    platform.publish(&story(placed.id.as_str())[1..]).await;
    eventually("delivered", async || {
        find(&order, &placed.id).await.state.status() == Status::Delivered
    })
    .await;
    eventually("payment's own event is heard", async || {
        find(&order, &placed.id).await.unified().payment == Some("APPROVED")
    })
    .await;
    order.running.shutdown().await;
    payment.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_order_service_with_payments_key_has_orders_paid() {
    let platform = Platform::new().await;
    let key = |letter: &str| letter.repeat(32).parse::<Key>().unwrap();
    let payment = platform
        .payment(0, |config| config.grpc_key = Some(key("a")))
        .await;
    let port = payment.grpc_addr.port();
    for (attempt, wrong) in [None, Some(key("b"))].into_iter().enumerate() {
        let order = platform
            .order_with(port, |config| config.payment_key = wrong)
            .await;
        let (id, code) = not_paid(order.app.place(basket(&format!("wrong-{attempt}"))).await);
        assert_eq!(code, "PAYMENT_UNAVAILABLE");
        assert_ne!(charged(&payment, &id).await, Some(paid::Status::Approved));
        order.running.shutdown().await;
    }
    let order = platform
        .order_with(port, |config| config.payment_key = Some(key("a")))
        .await;
    let placed = order.app.place(basket("right")).await.unwrap();
    assert_eq!(charged(&payment, &placed.id).await, Some(paid::Status::Approved));
    order.running.shutdown().await;
    payment.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_order_is_refunded_exactly_once() {
    let platform = Platform::new().await;
    let payment = platform.payment(0, |_| {}).await;
    let order = platform.order(payment.grpc_addr.port()).await;
    let placed = order.app.place(basket("k1")).await.unwrap();
    let me = baedal_order::app::Actor::Customer(customer());
    order.app.cancel(&me, &placed.id).await.unwrap();
    let granted = envelope(&store::StoreCancelAccepted {
        order_id: placed.id.as_str().to_owned(),
        ..store::StoreCancelAccepted::example()
    });
    platform.publish(&[granted.clone(), granted]).await;
    eventually("cancelled", async || {
        find(&order, &placed.id).await.state.status() == Status::Cancelled
    })
    .await;
    assert_eq!(charged(&payment, &placed.id).await, Some(paid::Status::Refunded));
    assert!(
        !payment
            .provider
            .holds_money(&paid::OrderId::parse(placed.id.as_str()).unwrap())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_order_is_not_charged() {
    let platform = Platform::new().await;
    let payment = platform
        .payment(0, |config| config.provider.limit = Won::parse(10_000).unwrap())
        .await;
    let order = platform.order(payment.grpc_addr.port()).await;
    let (id, code) = not_paid(order.app.place(basket("k1")).await);
    assert_eq!(
        (code, charged(&payment, &id).await),
        ("PAYMENT_DECLINED", Some(paid::Status::Declined))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_that_comes_too_late_is_voided() {
    let platform = Platform::new().await;
    let payment = platform
        .payment(0, |config| config.provider.delay = Duration::from_millis(900))
        .await;
    let order = platform.order(payment.grpc_addr.port()).await;
    let began = Instant::now();
    let (id, code) = not_paid(order.app.place(basket("k1")).await);
    assert_eq!(code, "PAYMENT_UNAVAILABLE");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    eventually("voided", async || {
        charged(&payment, &id).await == Some(paid::Status::Voided)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(
        !payment
            .provider
            .holds_money(&paid::OrderId::parse(id.as_str()).unwrap())
    );
    eventually("heard", async || {
        find(&order, &id).await.unified().payment == Some("VOIDED")
    })
    .await;
    assert_eq!(find(&order, &id).await.state.status(), Status::PaymentFailed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_payment_orders_fail_fast_and_with_it_they_succeed_soon() {
    let platform = Platform::new().await;
    let payment = platform.payment(0, |_| {}).await;
    let port = payment.grpc_addr.port();
    let order = platform.order(port).await;
    order.app.place(basket("k0")).await.unwrap();
    payment.running.shutdown().await;
    let mut lost = Vec::new();
    for n in 0..30 {
        let began = Instant::now();
        let (id, code) = not_paid(order.app.place(basket(&format!("lost{n}"))).await);
        assert_eq!(code, "PAYMENT_UNAVAILABLE");
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        lost.push(id);
    }
    assert_eq!(order.circuit.breaker().snapshot().state, State::Open);
    let payment = platform.payment(port, |_| {}).await;
    let began = Instant::now();
    let mut n = 0;
    while order.app.place(basket(&format!("again{n}"))).await.is_err() {
        n += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    for id in &lost {
        eventually("a tombstone", async || {
            charged(&payment, id).await == Some(paid::Status::Voided)
        })
        .await;
        assert!(
            !payment
                .provider
                .holds_money(&paid::OrderId::parse(id.as_str()).unwrap())
        );
    }
}

/// Kills order at many moments of placing and audits the ledger: placed and charged match one to one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_is_clean_after_order_dies_at_any_moment() {
    let platform = Platform::new().await;
    let payment = platform.payment(0, |_| {}).await;
    let port = payment.grpc_addr.port();
    let mut acknowledged = Vec::new();
    for round in 0..5_usize {
        let order = platform.order(port).await;
        let (done, mut first) = tokio::sync::mpsc::channel(8);
        let attempts: Vec<_> = (0..8)
            .map(|n| {
                let (app, key, done) = (order.app.clone(), format!("r{round}n{n}"), done.clone());
                tokio::spawn(async move {
                    let placed = app.place(basket(&key)).await.map(|order| order.id);
                    done.send(()).await.expect("the round is not over");
                    placed
                })
            })
            .collect();
        // The first round dies before anything is answered, each later one when two more attempts have been.
        match round {
            0 => tokio::time::sleep(Duration::from_millis(15)).await,
            _ => {
                for _ in 0..round * 2 - 1 {
                    first.recv().await;
                }
            }
        }
        attempts.iter().for_each(|attempt| attempt.abort());
        order.running.kill();
        for attempt in attempts {
            acknowledged.extend(attempt.await.into_iter().flatten());
        }
    }
    let order = platform.order(port).await;
    let me = customer();
    let settled = |found: &[Order]| {
        found
            .iter()
            .all(|order| order.state.status() != Status::PaymentPending)
    };
    eventually("no attempt is left open", async || {
        settled(&order.app.orders().of_customer(&me, None, 1_000).await.unwrap())
    })
    .await;
    let found = order.app.orders().of_customer(&me, None, 1_000).await.unwrap();
    for order in &found {
        let id = &order.id;
        match order.state.status() {
            Status::Placed => assert_eq!(charged(&payment, id).await, Some(paid::Status::Approved)),
            Status::PaymentFailed => {
                eventually("voided", async || {
                    charged(&payment, id).await == Some(paid::Status::Voided)
                })
                .await;
                assert!(
                    !payment
                        .provider
                        .holds_money(&paid::OrderId::parse(id.as_str()).unwrap())
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let placed: Vec<_> = found
        .iter()
        .filter(|order| order.state.status() == Status::Placed)
        .map(|order| &order.id)
        .collect();
    assert!(
        acknowledged.iter().all(|id| placed.contains(&id)),
        "an acknowledged order is gone"
    );
    assert!(
        acknowledged.len() >= 16 && found.len() > placed.len(),
        "nothing died in the middle of an attempt"
    );
    eprintln!(
        "{} orders, {} placed, {} acknowledged",
        found.len(),
        placed.len(),
        acknowledged.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_on_the_same_store_breaks_nothing() {
    let platform = Platform::new().await;
    let payment = platform.payment(0, |_| {}).await;
    let port = payment.grpc_addr.port();
    let (one, two) = (platform.order(port).await, platform.order(port).await);
    let mut ids = Vec::new();
    for n in 0..10 {
        let app = if n % 2 == 0 { &one.app } else { &two.app };
        ids.push(app.place(basket(&format!("k{n}"))).await.unwrap().id);
    }
    for id in &ids {
        platform.publish(&story(id.as_str())[1..]).await;
    }
    for id in &ids {
        eventually("delivered", async || {
            find(&one, id).await.state.status() == Status::Delivered
        })
        .await;
        assert_eq!(find(&two, id).await.timeline, find(&one, id).await.timeline);
    }
}

#[test]
fn order_and_payment_speak_the_same_protocol() {
    let ours = include_str!("../proto/payment.proto");
    assert_eq!(
        ours,
        include_str!("../../payment/proto/payment.proto"),
        "order's copy of the contract is out of date"
    );
}
