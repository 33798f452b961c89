//! What must be true of the books of a platform at rest.
use std::collections::{BTreeMap, BTreeSet};

use super::ledger::{Ledger, OrderRow};

/// How an order may have ended; any other status passes by itself, and none is left in a platform at rest.
const ENDED: [&str; 3] = ["DELIVERED", "CANCELLED", "PAYMENT_FAILED"];
/// Statuses of a payment that took nothing, or gave it back.
const UNCHARGED: [&str; 2] = ["DECLINED", "VOIDED"];

/// Everything that is wrong, in words.
pub fn problems(ledger: &Ledger, acknowledged: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let orders: BTreeMap<&str, &OrderRow> = ledger
        .orders
        .iter()
        .map(|order| (order.id.as_str(), order))
        .collect();
    found.extend(lost(&orders, acknowledged));
    let unfinished = ledger
        .orders
        .iter()
        .filter(|order| !ENDED.contains(&order.status.as_str()));
    found.extend(unfinished.map(|order| format!("order {} is still {}", order.id, order.status)));
    found.extend(ledger.orders.iter().filter_map(|order| unpaid(ledger, order)));
    found.extend(charged_for_nothing(ledger, &orders));
    found.extend(tickets_without_order(ledger, &orders));
    found.extend(
        ledger
            .orders
            .iter()
            .filter(|order| order.status == "DELIVERED")
            .flat_map(|order| effects(ledger, order)),
    );
    found.extend(repeated("coupon", ledger.coupons.iter().cloned()));
    found.extend(repeated(
        "points",
        ledger
            .points
            .iter()
            .map(|(order, kind, _)| format!("{order} {kind}")),
    ));
    found.extend(gaps(ledger));
    let waiting = ledger.outbox.iter().filter(|(_, count)| **count != 0);
    found.extend(waiting.map(|(service, count)| format!("{count} events wait in the outbox of {service}")));
    found
}

fn lost(orders: &BTreeMap<&str, &OrderRow>, acknowledged: &[String]) -> Vec<String> {
    let missing = acknowledged.iter().filter(|id| !orders.contains_key(id.as_str()));
    missing
        .map(|id| format!("order {id} was acknowledged and is gone"))
        .collect()
}

/// What is wrong with the payment of an order.
fn unpaid(ledger: &Ledger, order: &OrderRow) -> Option<String> {
    let of_order: Vec<_> = ledger
        .payments
        .iter()
        .filter(|payment| payment.order_id == order.id)
        .collect();
    let status = of_order.first().map(|payment| payment.status.as_str());
    let amount = of_order.first().map(|payment| payment.amount);
    let right = match order.status.as_str() {
        "DELIVERED" => status == Some("APPROVED") && amount == Some(order.total),
        "CANCELLED" => status == Some("REFUNDED") && amount == Some(order.total),
        "PAYMENT_FAILED" => status.is_none_or(|status| UNCHARGED.contains(&status)),
        _ => true,
    };
    (!right || of_order.len() > 1).then(|| {
        format!(
            "order {} is {} over {}, its payment is {status:?} over {amount:?}",
            order.id, order.status, order.total
        )
    })
}

fn charged_for_nothing(ledger: &Ledger, orders: &BTreeMap<&str, &OrderRow>) -> Vec<String> {
    let without = ledger
        .payments
        .iter()
        .filter(|payment| !orders.contains_key(payment.order_id.as_str()));
    without
        .filter(|payment| !UNCHARGED.contains(&payment.status.as_str()))
        .map(|payment| {
            format!(
                "payment of {} is {} and there is no such order",
                payment.order_id, payment.status
            )
        })
        .collect()
}

fn tickets_without_order(ledger: &Ledger, orders: &BTreeMap<&str, &OrderRow>) -> Vec<String> {
    let served =
        |status: &str| ["ACCEPTED", "COOKING", "COOKED", "DELIVERING", "DELIVERED"].contains(&status);
    let wrong = ledger
        .tickets
        .iter()
        .filter_map(|(id, status)| match orders.get(id.as_str()) {
            None => Some(format!("ticket {id} is {status} and there is no such order")),
            Some(order) if order.status == "PAYMENT_FAILED" => {
                Some(format!("ticket {id} is {status}, its order was not paid"))
            }
            Some(order) if served(status) && order.status != *status => {
                Some(format!("ticket {id} is {status}, its order is {}", order.status))
            }
            Some(_) => None,
        });
    wrong.collect()
}

/// What a delivery must have brought, and has not.
fn effects(ledger: &Ledger, order: &OrderRow) -> Vec<String> {
    let coupons = ledger.coupons.iter().filter(|id| **id == order.id).count();
    let earned = ledger
        .points
        .iter()
        .filter(|(id, _, points)| *id == order.id && *points > 0)
        .count();
    let shown = ledger.feed.iter().filter(|(_, _, id)| *id == order.id).count();
    [
        ("coupons", coupons),
        ("point entries", earned),
        ("feed items", shown),
    ]
    .into_iter()
    .filter(|(_, count)| *count != 1)
    .map(|(what, count)| format!("order {} was delivered and has {count} {what}", order.id))
    .collect()
}

fn repeated(what: &str, keys: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    keys.filter(|key| !seen.insert(key.clone()))
        .map(|key| format!("{what} of {key} stands twice"))
        .collect()
}

/// Each customer's feed counts 1, 2, 3 …
fn gaps(ledger: &Ledger) -> Vec<String> {
    let mut feeds: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (customer, sequence, _) in &ledger.feed {
        feeds.entry(customer).or_default().push(*sequence);
    }
    let mut wrong = Vec::new();
    for (customer, mut sequences) in feeds {
        sequences.sort_unstable();
        if !sequences
            .iter()
            .copied()
            .eq(1..=i64::try_from(sequences.len()).unwrap_or(i64::MAX))
        {
            wrong.push(format!(
                "the feed of {customer} has a gap or a repetition: {sequences:?}"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::ledger::PaymentRow;
    use super::*;

    fn sound() -> Ledger {
        Ledger {
            orders: vec![
                OrderRow {
                    id: "1".into(),
                    status: "DELIVERED".into(),
                    total: 10,
                },
                OrderRow {
                    id: "2".into(),
                    status: "PAYMENT_FAILED".into(),
                    total: 5,
                },
                OrderRow {
                    id: "3".into(),
                    status: "CANCELLED".into(),
                    total: 7,
                },
            ],
            payments: vec![
                PaymentRow {
                    order_id: "1".into(),
                    status: "APPROVED".into(),
                    amount: 10,
                },
                PaymentRow {
                    order_id: "3".into(),
                    status: "REFUNDED".into(),
                    amount: 7,
                },
            ],
            tickets: vec![("1".into(), "DELIVERED".into()), ("3".into(), "CANCELLED".into())],
            coupons: vec!["1".into()],
            points: vec![("1".into(), "EARNED".into(), 1)],
            feed: vec![("kim".into(), 1, "1".into())],
            outbox: BTreeMap::from([("order", 0)]),
        }
    }

    #[test]
    fn sound_books_pass() {
        assert_eq!(
            problems(&sound(), &["1".into(), "2".into()]),
            Vec::<String>::new()
        );
    }

    /// Spoils sound books.
    type Fault = fn(&mut Ledger);

    #[test]
    fn every_rule_sees_its_fault() {
        let faults: [(&str, Fault); 13] = [
            ("still COOKING", |l| l.orders[0].status = "COOKING".into()),
            ("acknowledged", |l| drop(l.orders.remove(1))),
            ("its payment is None", |l| drop(l.payments.remove(0))),
            ("over Some(9)", |l| l.payments[0].amount = 9),
            ("its payment is Some(\"APPROVED\")", |l| {
                l.payments[1].status = "APPROVED".into()
            }),
            ("there is no such order", |l| l.payments[1].order_id = "9".into()),
            ("ticket 9", |l| l.tickets[0].0 = "9".into()),
            ("was not paid", |l| l.tickets[0].0 = "2".into()),
            ("2 coupons", |l| l.coupons.push("1".into())),
            ("0 point entries", |l| l.points.clear()),
            ("stands twice", |l| {
                l.points.push(("1".into(), "EARNED".into(), 1))
            }),
            ("gap", |l| l.feed[0].1 = 2),
            ("wait in the outbox", |l| l.outbox.extend([("order", 3)])),
        ];
        for (words, fault) in faults {
            let mut ledger = sound();
            fault(&mut ledger);
            let found = problems(&ledger, &["1".into(), "2".into()]);
            assert!(
                found.iter().any(|problem| problem.contains(words)),
                "{words}: {found:?}"
            );
        }
    }
}
