//! The state machines, every transition legal and illegal, and the laws that hold for any history.

use crate::support::{asked, paid, placed};
use baedal_store::domain::{Intake, Refused, Status, Store, StoreEvent, StoreOrder, Ticket, TicketEvent};
use baedal_store::policies::{Fact, whenever};
use proptest::prelude::*;

fn ticket() -> Ticket {
    Ticket {
        placed: placed(1),
        paid: paid(),
        received_at: 5,
    }
}

fn in_state(status: Status) -> StoreOrder {
    match status {
        Status::Parked => StoreOrder::Parked(Intake {
            placed: Some(placed(1)),
            paid: None,
        }),
        Status::Received => StoreOrder::Received(ticket()),
        Status::Accepted => StoreOrder::Accepted(ticket(), 30),
        Status::Rejected => StoreOrder::Rejected(ticket(), "no".into()),
        Status::Cancelled => StoreOrder::Cancelled(
            Intake {
                placed: Some(placed(1)),
                paid: Some(paid()),
            },
            Some(5),
        ),
        Status::Cooking => StoreOrder::Cooking(ticket(), 30),
        Status::Cooked => StoreOrder::Cooked(ticket(), 30),
        Status::Delivering => StoreOrder::Delivering(ticket(), 30),
        Status::Delivered => StoreOrder::Delivered(ticket(), 30),
    }
}

type Command = fn(StoreOrder) -> Result<(StoreOrder, Vec<TicketEvent>), Refused>;

/// Command, the only state it is legal in, where it leads, what it tells.
fn commands() -> [(&'static str, Command, Status, Status, TicketEvent); 6] {
    use Status::{Accepted, Cooked, Cooking, Delivered, Delivering, Received, Rejected};
    let accepted = TicketEvent::OrderAccepted { eta_minutes: 20 };
    let rejected = TicketEvent::OrderRejected {
        reason: "재료 소진".into(),
    };
    [
        (
            "acceptOrder",
            |order| order.accept(20),
            Received,
            Accepted,
            accepted,
        ),
        (
            "rejectOrder",
            |order| order.reject(" 재료 소진 "),
            Received,
            Rejected,
            rejected,
        ),
        (
            "startCooking",
            StoreOrder::start_cooking,
            Accepted,
            Cooking,
            TicketEvent::CookingStarted,
        ),
        (
            "finishCooking",
            StoreOrder::finish_cooking,
            Cooking,
            Cooked,
            TicketEvent::CookingFinished,
        ),
        (
            "startDelivery",
            StoreOrder::start_delivery,
            Cooked,
            Delivering,
            TicketEvent::DeliveryStarted,
        ),
        (
            "completeDelivery",
            StoreOrder::complete_delivery,
            Delivering,
            Delivered,
            TicketEvent::Delivered,
        ),
    ]
}

#[test]
fn each_command_is_legal_in_one_state_and_refused_in_every_other() {
    for (name, command, legal, leads_to, tells) in commands() {
        for status in Status::ALL {
            let decided = command(in_state(status));
            if status == legal {
                let (order, events) = decided.expect("legal");
                assert_eq!(
                    (order.status(), events),
                    (leads_to, vec![tells.clone()]),
                    "{name}"
                );
            } else {
                let refused = Refused::InvalidTransition {
                    subject: "order",
                    command: name,
                    from: status.name(),
                };
                assert_eq!(decided, Err(refused), "{name} while {status:?}");
            }
        }
    }
}

#[test]
fn auto_mode_takes_the_owners_steps_and_stops_where_there_is_none() {
    let mut order = in_state(Status::Received);
    let mut told = Vec::new();
    while order.status().advances() {
        let (next, events) = order.advance().expect("a next step");
        order = next;
        told.extend(events);
    }
    assert_eq!(order.status(), Status::Delivered);
    assert_eq!(told.len(), 5);
    for status in [
        Status::Parked,
        Status::Rejected,
        Status::Cancelled,
        Status::Delivered,
    ] {
        assert!(in_state(status).advance().is_err(), "{status:?}");
    }
}

#[test]
fn until_cooking_starts_the_cancellation_wins_and_then_cooking_does() {
    use Status::{Accepted, Cancelled, Cooked, Cooking, Delivered, Delivering, Parked, Received, Rejected};
    for (status, after, tells) in [
        (Parked, Cancelled, Some(TicketEvent::StoreCancelAccepted(asked()))),
        (
            Received,
            Cancelled,
            Some(TicketEvent::StoreCancelAccepted(asked())),
        ),
        (
            Accepted,
            Cancelled,
            Some(TicketEvent::StoreCancelAccepted(asked())),
        ),
        (
            Rejected,
            Rejected,
            Some(TicketEvent::StoreCancelAccepted(asked())),
        ),
        (Cancelled, Cancelled, None),
        (
            Cooking,
            Cooking,
            Some(TicketEvent::StoreCancelRefused(asked(), Cooking)),
        ),
        (
            Cooked,
            Cooked,
            Some(TicketEvent::StoreCancelRefused(asked(), Cooked)),
        ),
        (
            Delivering,
            Delivering,
            Some(TicketEvent::StoreCancelRefused(asked(), Delivering)),
        ),
        (
            Delivered,
            Delivered,
            Some(TicketEvent::StoreCancelRefused(asked(), Delivered)),
        ),
    ] {
        let (order, events) = in_state(status).request_cancel(asked());
        assert_eq!(
            (order.status(), events),
            (after, tells.into_iter().collect()),
            "{status:?}"
        );
    }
}

#[test]
fn bad_arguments_are_refused_before_the_state_is_looked_at() {
    for eta in [0, 241, u32::MAX] {
        assert!(
            matches!(
                in_state(Status::Received).accept(eta),
                Err(Refused::InvalidInput(_))
            ),
            "{eta}"
        );
    }
    for reason in ["", "   ", "a\u{0}b", &"x".repeat(201)] {
        assert!(
            matches!(
                in_state(Status::Received).reject(reason),
                Err(Refused::InvalidInput(_))
            ),
            "{reason:?}"
        );
    }
}

#[test]
fn a_store_opens_closes_and_keeps_its_menu() {
    let (store, events) = Store::found("s".into(), "o".into(), " 가게 ").expect("founded");
    assert_eq!(
        events,
        [StoreEvent::Opened {
            name: "가게".into(),
            owner_id: "o".into()
        }]
    );
    assert!(store.clone().open("again").is_err());
    let (store, _) = store.set_menu_item("a", "통닭", 18_000).expect("set");
    let (store, events) = store.mark_sold_out("a").expect("sold out");
    assert_eq!(
        events,
        [StoreEvent::ItemSoldOut {
            menu_item_id: "a".into()
        }]
    );
    assert!(store.clone().mark_sold_out("a").expect("no change").1.is_empty());
    assert!(matches!(
        store.clone().mark_sold_out("b"),
        Err(Refused::InvalidInput(_))
    ));
    let (store, _) = store.close().expect("closed");
    assert!(store.clone().close().is_err());
    let (store, _) = store.set_menu_item("a", "통닭", 19_000).expect("on sale again");
    let (store, _) = store.open("새 가게").expect("opened again");
    let item = &store.details().menu[0];
    assert!(store.is_open() && !item.sold_out && item.price == 19_000 && store.details().menu.len() == 1);
}

#[test]
fn a_menu_takes_no_nonsense() {
    let (store, _) = Store::found("s".into(), "o".into(), "가게").expect("founded");
    for (id, name, price) in [
        ("", "a", 1),
        ("a b", "a", 1),
        ("a", " ", 1),
        ("a", "a", 0),
        ("a", "a", -1),
        ("a", "a", 10_000_001),
    ] {
        let refused = store.clone().set_menu_item(id, name, price);
        assert!(
            matches!(refused, Err(Refused::InvalidInput(_))),
            "{id:?} {name:?} {price}"
        );
    }
    let full = (0..200).fold(store, |store, n| {
        store.set_menu_item(&format!("i{n}"), "a", 1).expect("room").0
    });
    assert!(matches!(
        full.set_menu_item("one-more", "a", 1),
        Err(Refused::InvalidInput(_))
    ));
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(Fact::OrderPlaced(placed(1))),
        Just(Fact::PaymentApproved(paid())),
        Just(Fact::OrderCancelRequested(asked())),
        Just(Fact::OrderCancelled),
        Just(Fact::PaymentVoided),
        Just(Fact::PaymentRefunded),
    ]
}

/// The end of a history: the state, without the time at which it happened to be received.
fn end(facts: &[Fact]) -> StoreOrder {
    let order = facts.iter().fold(StoreOrder::default(), |order, fact| {
        whenever(fact.clone(), order, 7).0
    });
    match order {
        StoreOrder::Cancelled(intake, _) => StoreOrder::Cancelled(intake, None),
        other => other,
    }
}

proptest! {
    #[test]
    fn any_order_and_duplication_of_events_ends_the_same(
        (facts, shuffled) in prop::collection::vec(any_fact(), 1..8).prop_flat_map(|facts| {
            let twice: Vec<Fact> = facts.iter().chain(&facts).cloned().collect();
            (Just(facts), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(end(&facts), end(&shuffled));
    }

    #[test]
    fn there_is_no_ticket_without_both_an_order_and_its_payment(facts in prop::collection::vec(any_fact(), 0..8)) {
        let order = end(&facts);
        let both = facts.iter().any(|fact| matches!(fact, Fact::OrderPlaced(_)))
            && facts.iter().any(|fact| matches!(fact, Fact::PaymentApproved(_)));
        let called_off = facts.iter().any(|fact| !matches!(fact, Fact::OrderPlaced(_) | Fact::PaymentApproved(_)));
        prop_assert_eq!(order.status() == Status::Received, both && !called_off);
        prop_assert_eq!(order.status() == Status::Cancelled, called_off);
    }

    #[test]
    fn cancel_or_cook_exactly_one_wins(moves in prop::collection::vec(0..8_usize, 0..24)) {
        let mut order = in_state(Status::Received);
        let mut told = Vec::new();
        for number in moves {
            let decided = match number {
                0..6 => commands()[number].1(order.clone()).ok(),
                6 => Some(order.clone().request_cancel(asked())),
                _ => Some((order.clone().cancel(), Vec::new())),
            };
            if let Some((next, events)) = decided {
                order = next;
                told.extend(events);
            }
        }
        let count = |wanted: fn(&TicketEvent) -> bool| told.iter().filter(|event| wanted(event)).count();
        let given_up = count(|event| matches!(event, TicketEvent::StoreCancelAccepted(_)));
        let cooked = count(|event| matches!(event, TicketEvent::CookingStarted));
        prop_assert!(given_up == 0 || cooked == 0, "{:?}", told);
        prop_assert!(cooked <= 1 && count(|event| matches!(event, TicketEvent::Delivered)) <= 1);
    }
}
