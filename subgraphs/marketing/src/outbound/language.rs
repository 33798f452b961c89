//! From what happened in the domain to the published language.

use crate::domain::{Coupon, CouponEvent, PointsEvent};
use crate::ports::{Cause, Decisions, News};
use baedal_events::{DomainEvent, marketing as say};
use baedal_kit::clock::Ids;
use baedal_kit::envelope::{Envelope, Fact, Origin, rfc3339};

/// Name of this service in envelopes.
const SOURCE: &str = "marketing";

/// The envelopes of all the news, in order.
pub fn envelopes(decisions: &Decisions, ids: &dyn Ids) -> Vec<Envelope> {
    let seal = |(news, cause): &(News, Cause)| {
        let origin = Origin {
            id: ids.next(),
            time: decisions.now,
            source: SOURCE,
        };
        let mut envelope = match news.clone() {
            News::Coupon(coupon, event, number) => coupon_event(coupon, event, number, origin),
            News::Points { customer_id, event } => points_event(customer_id, event, origin),
        };
        envelope.causation_id.clone_from(&cause.causation_id);
        envelope.traced(cause.traceparent.clone())
    };
    decisions.news.iter().map(seal).collect()
}

fn coupon_event(coupon: Coupon, event: CouponEvent, number: u64, origin: Origin<'_>) -> Envelope {
    let (coupon_id, customer_id) = (coupon.id, coupon.customer_id);
    let of = (coupon_id.clone(), number, origin);
    match event {
        CouponEvent::Issued => {
            let (order_id, expires_at) = (Some(coupon.issued_for), rfc3339(coupon.expires_at));
            let amount = coupon.amount;
            let event = say::CouponIssued {
                coupon_id,
                customer_id,
                amount,
                order_id,
                campaign_id: None,
                expires_at,
            };
            seal(&event, of)
        }
        CouponEvent::Redeemed { order_id } => seal(
            &say::CouponRedeemed {
                coupon_id,
                customer_id,
                order_id,
            },
            of,
        ),
        CouponEvent::Released { order_id } => seal(
            &say::CouponReleased {
                coupon_id,
                customer_id,
                order_id,
            },
            of,
        ),
    }
}

fn points_event(customer_id: String, event: PointsEvent, origin: Origin<'_>) -> Envelope {
    match event {
        PointsEvent::Earned(entry) => {
            let of = (customer_id.clone(), entry.number, origin);
            let (order_id, points, balance) = (entry.order_id, entry.points, entry.balance);
            seal(
                &say::PointsEarned {
                    customer_id,
                    order_id,
                    points,
                    balance,
                },
                of,
            )
        }
        PointsEvent::Reversed(entry) => {
            let of = (customer_id.clone(), entry.number, origin);
            let (order_id, points, balance) = (entry.order_id, -entry.points, entry.balance);
            seal(
                &say::PointsReversed {
                    customer_id,
                    order_id,
                    points,
                    balance,
                },
                of,
            )
        }
    }
}

fn seal<E: DomainEvent>(event: &E, (aggregate_id, sequence, origin): (String, u64, Origin<'_>)) -> Envelope {
    let fact = Fact {
        r#type: E::TYPE,
        alias: E::ALIAS,
        version: E::VERSION,
        data: event.to_data(),
    };
    Envelope::new(fact, origin, aggregate_id, sequence).correlated(event.key())
}
