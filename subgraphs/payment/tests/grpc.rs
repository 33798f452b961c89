//! The gRPC door of a started service.

use std::time::{Duration, Instant};

use baedal_kit::{
    clock::{Clock, SystemClock},
    proof::Key,
};
use baedal_payment::{
    Config, PaymentService,
    inbound::grpc::proto::{
        ApproveRequest, GetRequest, PaymentStatus, RefundRequest, VoidRequest,
        payment_service_client::PaymentServiceClient,
    },
};
use tempfile::TempDir;
use tonic::{Code, Request, transport::Channel};

struct Running {
    service: PaymentService,
    client: PaymentServiceClient<Channel>,
    _folder: TempDir,
}

async fn start(set: impl FnOnce(&mut Config)) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let any = ([127, 0, 0, 1], 0).into();
    let mut config = Config::new(
        any,
        any,
        &format!("sqlite://{path}/payment.db?mode=rwc"),
        &format!("embedded:{path}/events.db"),
    );
    set(&mut config);
    let service = baedal_payment::start_service(config).await.unwrap();
    let client = PaymentServiceClient::connect(format!("http://{}", service.grpc_addr))
        .await
        .unwrap();
    Running {
        service,
        client,
        _folder: folder,
    }
}

fn approve(order: &str, amount: i64) -> ApproveRequest {
    ApproveRequest {
        order_id: order.to_owned(),
        customer_id: "demo-customer".to_owned(),
        amount,
    }
}

#[tokio::test]
async fn the_calls_answer_as_the_contract_says() {
    let mut running = start(|_| {}).await;
    let client = &mut running.client;
    for _ in 0..2 {
        let approved = client.approve(approve("o1", 18_000)).await.unwrap().into_inner();
        assert_eq!(
            (approved.status(), approved.amount),
            (PaymentStatus::Approved, 18_000)
        );
    }
    let declined = client
        .approve(approve("o2", 2_000_000))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (declined.status(), declined.reason.as_str()),
        (PaymentStatus::Declined, "LIMIT_EXCEEDED")
    );
    assert_eq!(
        client.approve(approve("o1", 1)).await.unwrap_err().code(),
        Code::AlreadyExists
    );
    assert_eq!(
        client.approve(approve("", 1)).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(
        client.approve(approve("o3", -1)).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let order = |order: &str| order.to_owned();
    assert_eq!(
        client
            .get(GetRequest {
                order_id: order("o9")
            })
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    let refund = RefundRequest {
        order_id: order("o2"),
        reason: "why".to_owned(),
    };
    assert_eq!(
        client.refund(refund).await.unwrap_err().code(),
        Code::FailedPrecondition
    );
    let refund = || RefundRequest {
        order_id: order("o1"),
        reason: "why".to_owned(),
    };
    for _ in 0..2 {
        client.refund(refund()).await.unwrap();
    }
    let tombstone = client
        .void(VoidRequest {
            order_id: order("o4"),
            reason: "why".to_owned(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(tombstone.status(), PaymentStatus::Voided);
    assert_eq!(
        client
            .approve(approve("o4", 1))
            .await
            .unwrap()
            .into_inner()
            .status(),
        PaymentStatus::Voided
    );
    running.service.running.shutdown().await;
}

#[tokio::test]
async fn the_callers_deadline_is_honoured_and_the_payment_reconciled() {
    let mut running = start(|config| {
        config.provider.delay = Duration::from_millis(700);
        config.patience.reconcile_after = Duration::from_millis(300);
        config.sweep_every = Duration::from_millis(100);
    })
    .await;
    let mut request = Request::new(approve("o1", 18_000));
    request.set_timeout(Duration::from_millis(200));
    let began = Instant::now();
    let error = running.client.approve(request).await.unwrap_err();
    assert!(
        matches!(error.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{error:?}"
    );
    assert!(
        began.elapsed() < Duration::from_millis(650),
        "{:?}",
        began.elapsed()
    );
    for _ in 0..100 {
        let found = running
            .client
            .get(GetRequest {
                order_id: "o1".to_owned(),
            })
            .await
            .unwrap()
            .into_inner();
        if found.status() == PaymentStatus::Approved {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not reconciled within 10 s");
}

#[tokio::test]
async fn the_health_service_says_serving() {
    let running = start(|_| {}).await;
    let channel = Channel::from_shared(format!("http://{}", running.service.grpc_addr))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    for service in ["", "baedal.payment.v1.PaymentService"] {
        let answer = health
            .check(tonic_health::pb::HealthCheckRequest {
                service: service.to_owned(),
            })
            .await
            .unwrap();
        assert_eq!(
            answer.into_inner().status(),
            tonic_health::pb::health_check_response::ServingStatus::Serving
        );
    }
}

#[tokio::test]
async fn a_taken_port_is_named_with_what_to_do() {
    let running = start(|_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let config = Config::new(
        ([127, 0, 0, 1], 0).into(),
        running.service.grpc_addr,
        &format!("sqlite://{path}/payment.db?mode=rwc"),
        &format!("embedded:{path}/events.db"),
    );
    let error = format!("{:#}", baedal_payment::start(config).await.err().unwrap());
    assert!(
        error.contains(&running.service.grpc_addr.to_string()) && error.contains("PAYMENT_GRPC_LISTEN"),
        "{error}"
    );
}

/// A call that carries these proofs.
fn proven<T>(message: T, proofs: &[String]) -> Request<T> {
    let mut request = Request::new(message);
    for proof in proofs {
        request
            .metadata_mut()
            .append("x-service-proof", proof.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn with_a_key_only_calls_with_a_proof_for_just_this_are_let_in() {
    let key: Key = "k".repeat(32).parse().unwrap();
    let mut running = start(|config| config.grpc_key = Some(key.clone())).await;
    let client = &mut running.client;
    let now = SystemClock.now_ms();
    let good = key.prove("payment", "Approve o1", now);
    let other: Key = "x".repeat(32).parse().unwrap();
    for bad in [
        vec![],
        vec![String::new()],
        vec![other.prove("payment", "Approve o1", now)],
        vec![key.prove("store", "Approve o1", now)],
        vec![key.prove("payment", "Approve o2", now)],
        vec![key.prove("payment", "Void o1", now)],
        vec![key.prove("payment", "Approve o1", now - 60_000)],
        vec![key.prove("payment", "Approve o1", now + 60_000)],
        vec![good.clone(), good.clone()],
    ] {
        let refused = client
            .approve(proven(approve("o1", 18_000), &bad))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{bad:?}");
    }
    let get = GetRequest {
        order_id: "o1".into(),
    };
    let void = VoidRequest {
        order_id: "o1".into(),
        reason: String::new(),
    };
    let refund = RefundRequest {
        order_id: "o1".into(),
        reason: String::new(),
    };
    assert_eq!(
        client.get(get.clone()).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    assert_eq!(client.void(void).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(
        client.refund(refund).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let seen = proven(get, &[key.prove("payment", "Get o1", now)]);
    assert_eq!(
        client.get(seen).await.unwrap_err().code(),
        Code::NotFound,
        "nothing was charged"
    );
    let approved = client
        .approve(proven(approve("o1", 18_000), &[good]))
        .await
        .unwrap();
    assert_eq!(approved.into_inner().status(), PaymentStatus::Approved);
}

#[tokio::test]
async fn without_a_key_it_is_not_served_to_other_machines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let config = Config::new(
        ([127, 0, 0, 1], 0).into(),
        ([0, 0, 0, 0], 0).into(),
        &format!("sqlite://{path}/payment.db?mode=rwc"),
        &format!("embedded:{path}/events.db"),
    );
    let refused = baedal_payment::start_service(config).await.err().unwrap();
    assert!(refused.to_string().contains("PAYMENT_GRPC_KEY"), "{refused:#}");
}
