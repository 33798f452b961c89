//! The state machine: every transition that there is, and no other.

use baedal_payment::domain::*;
use proptest::prelude::*;

use crate::support::{BEGIN, id, requested};

fn why() -> String {
    "because".to_owned()
}

/// A payment in each status, in the sequence of `Status::ALL`.
fn in_every_status() -> Vec<Payment> {
    let approved = requested("o1").approve("ref".to_owned(), BEGIN + 1).unwrap().0;
    let pending = approved.clone().refund(why(), BEGIN + 2).unwrap().0;
    vec![
        requested("o1"),
        approved.clone(),
        requested("o1").decline(why(), BEGIN + 1).unwrap().0,
        requested("o1").lose(why(), BEGIN + 1).unwrap().0,
        approved.void(why(), BEGIN + 2).unwrap().0,
        Payment::tombstone(id("o1"), None, why(), BEGIN).0,
        pending.clone(),
        pending.confirm_refund(BEGIN + 3).unwrap().0,
    ]
}

#[test]
fn each_transition_starts_where_the_machine_says_and_nowhere_else() {
    use Status::{Approved, RefundPending, Requested, Unknown, VoidPending};
    type Transition = fn(Payment) -> Result<Step, InvalidTransition>;
    let machine: [(&str, Transition, &[Status]); 7] = [
        (
            "approve",
            |payment| payment.approve("ref".to_owned(), BEGIN),
            &[Requested, Unknown],
        ),
        ("decline", |payment| payment.decline(why(), BEGIN), &[Requested]),
        ("lose", |payment| payment.lose(why(), BEGIN), &[Requested]),
        (
            "void",
            |payment| payment.void(why(), BEGIN),
            &[Requested, Unknown, Approved],
        ),
        (
            "confirm_void",
            |payment| payment.confirm_void(BEGIN),
            &[VoidPending, Unknown],
        ),
        ("refund", |payment| payment.refund(why(), BEGIN), &[Approved]),
        (
            "confirm_refund",
            |payment| payment.confirm_refund(BEGIN),
            &[RefundPending],
        ),
    ];
    for (name, transition, from) in machine {
        for (payment, status) in in_every_status().into_iter().zip(Status::ALL) {
            assert_eq!(payment.state.status(), status);
            match transition(payment) {
                Ok(_) => assert!(from.contains(&status), "{name} from {status:?} must be refused"),
                Err(refused) => assert!(
                    !from.contains(&status) && refused.from == status,
                    "{name} from {status:?} must work"
                ),
            }
        }
    }
}

#[test]
fn a_status_has_one_name() {
    for status in Status::ALL {
        assert_eq!(Status::named(status.name()), Some(status));
    }
    assert_eq!(Status::named("PAID"), None);
}

#[test]
fn values_are_checked_where_they_enter() {
    assert!(Won::parse(-1).is_err() && Won::parse(i64::from(i32::MAX) + 1).is_err());
    assert!(
        OrderId::parse("").is_err()
            && OrderId::parse("a b").is_err()
            && OrderId::parse(&"x".repeat(129)).is_err()
    );
}

proptest! {
    /// Whatever is tried in whatever sequence: charged at most once, refunded or voided at most once, never both.
    #[test]
    fn no_path_charges_or_refunds_twice(steps in prop::collection::vec(0..7_u8, 0..40)) {
        let mut payment = requested("o1");
        let mut told = Vec::new();
        for (at, step) in (BEGIN..).zip(steps) {
            let next = match step {
                0 => payment.clone().approve("ref".to_owned(), at),
                1 => payment.clone().decline(why(), at),
                2 => payment.clone().lose(why(), at),
                3 => payment.clone().void(why(), at),
                4 => payment.clone().confirm_void(at),
                5 => payment.clone().refund(why(), at),
                _ => payment.clone().confirm_refund(at),
            };
            if let Ok((moved, events)) = next {
                payment = moved;
                told.extend(events);
            }
        }
        let count = |which: fn(&Event) -> bool| told.iter().filter(|event| which(event)).count();
        let approved = count(|event| matches!(event, Event::Approved { .. }));
        let refunded = count(|event| matches!(event, Event::Refunded { .. }));
        let voided = count(|event| matches!(event, Event::Voided { .. }));
        let declined = count(|event| matches!(event, Event::Declined { .. }));
        prop_assert!(approved <= 1 && refunded <= approved);
        prop_assert!(refunded + voided + declined <= 1);
    }
}
