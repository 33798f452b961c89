//! What payment relies on a provider for, shown of the simulated one.

use std::time::{Duration, Instant};

use baedal_payment::{
    domain::Won,
    outbound::simulated::{Manners, SimulatedProvider},
    ports::{Charge, Provider, Standing},
};

use crate::support::id;

fn provider(delay: u64, capacity: usize) -> SimulatedProvider {
    let limit = Won::parse(100_000).unwrap();
    SimulatedProvider::new(Manners {
        delay: Duration::from_millis(delay),
        jitter: Duration::ZERO,
        capacity,
        limit,
    })
}

fn amount(won: i64) -> Won {
    Won::parse(won).unwrap()
}

#[tokio::test]
async fn a_charge_is_made_once_and_above_the_limit_not_at_all() {
    let provider = provider(0, 10);
    let first = provider.charge(&id("o1"), amount(100_000)).await.unwrap();
    assert_eq!(provider.charge(&id("o1"), amount(100_000)).await.unwrap(), first);
    assert!(matches!(first, Charge::Approved { .. }));
    assert!(matches!(
        provider.charge(&id("o2"), amount(100_001)).await.unwrap(),
        Charge::Declined { .. }
    ));
    assert!(provider.holds_money(&id("o1")) && !provider.holds_money(&id("o2")));
}

#[tokio::test]
async fn it_goes_on_when_its_caller_has_gone_and_tells_later() {
    let provider = provider(80, 10);
    let asked = tokio::time::timeout(Duration::from_millis(20), provider.charge(&id("o1"), amount(1))).await;
    assert!(asked.is_err());
    assert_eq!(provider.look_up(&id("o1")).await.unwrap(), Standing::InFlight);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(matches!(
        provider.look_up(&id("o1")).await.unwrap(),
        Standing::Decided(Charge::Approved { .. })
    ));
}

#[tokio::test]
async fn after_a_cancel_no_charge_stands_nor_comes() {
    let provider = provider(50, 10);
    provider.cancel(&id("before")).await.unwrap();
    assert!(matches!(
        provider.charge(&id("before"), amount(1)).await.unwrap(),
        Charge::Declined { .. }
    ));
    let during = tokio::spawn({
        let provider = provider.clone();
        async move { provider.charge(&id("during"), amount(1)).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(15)).await;
    provider.cancel(&id("during")).await.unwrap();
    assert!(matches!(during.await.unwrap(), Charge::Declined { .. }));
    provider.charge(&id("after"), amount(1)).await.unwrap();
    provider.cancel(&id("after")).await.unwrap();
    for order in ["before", "during", "after"] {
        assert!(!provider.holds_money(&id(order)), "{order}");
        assert_eq!(provider.look_up(&id(order)).await.unwrap(), Standing::Nothing);
    }
}

#[tokio::test]
async fn a_cancel_while_it_waits_in_the_queue_stays_when_its_caller_leaves() {
    let provider = provider(60, 1);
    let busy = tokio::spawn({
        let provider = provider.clone();
        async move { provider.charge(&id("busy"), amount(1)).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let queued = tokio::time::timeout(
        Duration::from_millis(10),
        provider.charge(&id("queued"), amount(1)),
    )
    .await;
    assert!(queued.is_err());
    provider.cancel(&id("queued")).await.unwrap();
    busy.await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(matches!(
        provider.charge(&id("queued"), amount(1)).await.unwrap(),
        Charge::Declined { .. }
    ));
}

#[tokio::test]
async fn it_serves_only_so_many_at_once() {
    let provider = provider(60, 2);
    let began = Instant::now();
    let charges: Vec<_> = (0..6)
        .map(|n| {
            let provider = provider.clone();
            tokio::spawn(async move { provider.charge(&id(&format!("o{n}")), amount(1)).await.unwrap() })
        })
        .collect();
    for charge in charges {
        charge.await.unwrap();
    }
    assert!(
        began.elapsed() >= Duration::from_millis(180),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_refund_is_given_once_and_stays() {
    let provider = provider(0, 10);
    provider.charge(&id("o1"), amount(1)).await.unwrap();
    for _ in 0..2 {
        provider.refund(&id("o1"), "ref", amount(1)).await.unwrap();
        assert!(!provider.holds_money(&id("o1")));
    }
    provider.cancel(&id("o1")).await.unwrap();
    assert!(matches!(
        provider.charge(&id("o1"), amount(1)).await.unwrap(),
        Charge::Declined { .. }
    ));
}
