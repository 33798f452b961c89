//! The layers before payment: bulkhead, breaker, deadline.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use baedal_kit::deadline;
use baedal_order::{
    domain::{OrderId, Won},
    outbound::payment::{Answer, Call, GuardedPayments, Guards},
    ports::{Approval, Charge, Payments},
};
use baedal_traffic::{Layers, breaker::State};
use tokio::time::Instant;

use crate::support::customer;

#[derive(Clone)]
struct Slow {
    takes: Duration,
    answer: Answer,
    calls: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

#[async_trait]
impl Call for Slow {
    async fn approve(&self, _charge: &Charge, _deadline: Duration) -> Answer {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.answer.clone()
    }
}

fn slow(takes: u64, answer: Answer) -> Slow {
    let (calls, at_once, most) = Default::default();
    Slow {
        takes: Duration::from_millis(takes),
        answer,
        calls,
        at_once,
        most,
    }
}

fn guarded(call: &Slow, guards: &Guards) -> (Arc<GuardedPayments<Slow>>, Arc<Layers>) {
    let layers = guards.layers();
    (
        Arc::new(GuardedPayments::new(call.clone(), layers.clone())),
        layers,
    )
}

fn charge() -> Charge {
    Charge {
        order: OrderId::parse("o1").unwrap(),
        customer: customer(),
        amount: Won::parse(18_000).unwrap(),
    }
}

/// Approves at once, and remembers how long it was given.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Duration>>>);

#[async_trait]
impl Call for Told {
    async fn approve(&self, _charge: &Charge, deadline: Duration) -> Answer {
        self.0.lock().unwrap().push(deadline);
        Answer::Approved
    }
}

#[tokio::test]
async fn payment_is_told_what_is_left_of_the_customers_time() {
    let (told, layers) = (Told::default(), Guards::default().layers());
    let payments = GuardedPayments::new(told.clone(), layers);
    payments.approve(&charge()).await;
    let until = |left| Some(Instant::now() + Duration::from_millis(left));
    let hurried = deadline::within(until(300), payments.approve(&charge())).await;
    assert_eq!(hurried, Ok(Approval::Approved));
    let patient = deadline::within(until(60_000), payments.approve(&charge())).await;
    assert_eq!(patient, Ok(Approval::Approved));
    // A task of its own outlives the deadline it was told of.
    let late = deadline::within(until(200), async {
        let payments = Arc::new(payments);
        let task = deadline::carried(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            payments.approve(&charge()).await
        });
        (tokio::spawn(task),)
    });
    let (late,) = late.await.unwrap();
    let late = late.await.unwrap();
    assert!(matches!(late, Approval::Unavailable { .. }), "{late:?}");
    let told = told.0.lock().unwrap().clone();
    assert_eq!((told.len(), told[0]), (3, Duration::from_millis(610)));
    assert!(told[1] <= Duration::from_millis(300), "{told:?}");
    assert_eq!(told[2], Duration::from_millis(610));
}

#[tokio::test]
async fn an_answer_is_not_waited_for_beyond_the_deadline() {
    let (payments, _) = guarded(&slow(60_000, Answer::Approved), &Guards::default());
    let began = Instant::now();
    assert!(matches!(
        payments.approve(&charge()).await,
        Approval::Unavailable { .. }
    ));
    let took = began.elapsed();
    assert!((600..1_000).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn a_full_bulkhead_rejects_after_a_short_wait_and_says_when_to_come_again() {
    let call = slow(400, Answer::Approved);
    let (payments, _) = guarded(
        &call,
        &Guards {
            at_once: Some(10),
            ..Guards::default()
        },
    );
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let payments = payments.clone();
            tokio::spawn(async move {
                let began = Instant::now();
                (payments.approve(&charge()).await, began.elapsed())
            })
        })
        .collect();
    let mut approved = 0;
    for task in tasks {
        match task.await.unwrap() {
            (Approval::Approved, _) => approved += 1,
            (Approval::Unavailable { retry_after, .. }, took) => {
                // Far below the 400 ms of a call: it did not wait for one to end.
                assert!(took <= Duration::from_millis(300), "{took:?}");
                assert!(retry_after.is_some());
            }
            (Approval::Declined { .. }, _) => panic!("nothing declines"),
        }
    }
    assert_eq!((approved, call.most.load(Ordering::SeqCst)), (10, 10));
}

#[tokio::test]
async fn a_dead_payment_opens_the_circuit_and_a_living_one_closes_it_within_five_seconds() {
    let mut call = slow(1, Answer::Failed("gone".to_owned()));
    let guards = Guards::default();
    let (payments, layers) = guarded(&call, &guards);
    for _ in 0..guards.breaker.min_calls {
        payments.approve(&charge()).await;
    }
    assert_eq!(layers.breaker().snapshot().state, State::Open);
    let before = call.calls.load(Ordering::SeqCst);
    assert!(matches!(
        payments.approve(&charge()).await,
        Approval::Unavailable { .. }
    ));
    assert_eq!(
        call.calls.load(Ordering::SeqCst),
        before,
        "an open circuit does not call"
    );

    call.answer = Answer::Approved;
    let payments = GuardedPayments::new(call, layers.clone());
    let began = Instant::now();
    while payments.approve(&charge()).await != Approval::Approved {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    for _ in 0..guards.breaker.probes {
        payments.approve(&charge()).await;
    }
    assert_eq!(layers.breaker().snapshot().state, State::Closed);
}

#[tokio::test]
async fn a_declined_or_refused_payment_is_an_answer() {
    for answer in [
        Answer::Declined("LIMIT_EXCEEDED".to_owned()),
        Answer::Refused("odd".to_owned()),
    ] {
        let (payments, layers) = guarded(&slow(1, answer), &Guards::default());
        for _ in 0..100 {
            payments.approve(&charge()).await;
        }
        assert_eq!(layers.breaker().snapshot().opened, 0);
    }
}
