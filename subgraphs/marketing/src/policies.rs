//! Whenever an event of another service comes, what marketing does about it.
//!
//! Decisions are taken on a [`Desk`]: the aggregates concerned, loaded together, changed in memory, saved as one.

use crate::domain::{
    Benefit, Coupon, CouponEvent, Delivery, Entry, FeedItem, Member, PointsEvent, Refused, Rules,
};
use crate::ports::{Cause, Decisions, News, Tracked};
use std::collections::BTreeMap;

/// What other services tell marketing about an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// 주문됨.
    OrderPlaced {
        /// The coupon it uses.
        coupon_id: Option<String>,
    },
    /// 배송됨.
    Delivered {
        /// Who ordered.
        customer_id: String,
        /// Who cooked.
        store_id: String,
        /// What was paid, in KRW.
        total: i64,
        /// When, in ms since 1970.
        at: i64,
    },
    /// 주문취소됨 or 결제실패됨: it came to nothing.
    OrderEnded,
    /// 결제취소됨.
    PaymentRefunded {
        /// When, in ms since 1970.
        at: i64,
    },
}

/// The aggregates that a batch of facts is about.
#[derive(Debug, Default)]
pub struct Desk {
    benefits: BTreeMap<String, Tracked<Benefit>>,
    coupons: BTreeMap<String, Tracked<Coupon>>,
    members: BTreeMap<String, Tracked<Member>>,
    entries: Vec<(String, Entry)>,
    feed: Vec<FeedItem>,
    news: Vec<(News, Cause)>,
}

impl Desk {
    /// With what is known of the orders, coupons and members concerned.
    pub fn with(
        benefits: Vec<(String, Tracked<Benefit>)>,
        coupons: Vec<Tracked<Coupon>>,
        members: Vec<Tracked<Member>>,
    ) -> Desk {
        Desk {
            benefits: benefits.into_iter().collect(),
            coupons: coupons
                .into_iter()
                .map(|one| (one.state.id.clone(), one))
                .collect(),
            members: members
                .into_iter()
                .map(|one| (one.state.customer_id().to_owned(), one))
                .collect(),
            ..Desk::default()
        }
    }

    /// - whenever OrderPlaced with a coupon then reserve it
    /// - whenever Delivered then points + coupon + feed item, once per order, and redeem the coupon it used
    /// - whenever OrderCancelled or OrderPaymentFailed then release the coupon
    /// - whenever PaymentRefunded then reverse the points
    pub fn whenever(&mut self, order_id: &str, fact: Fact, rules: &Rules, cause: &Cause) {
        match fact {
            Fact::OrderPlaced {
                coupon_id: Some(coupon_id),
            } => self.placed(order_id, &coupon_id, cause),
            Fact::OrderPlaced { coupon_id: None } => {}
            Fact::Delivered {
                customer_id,
                store_id,
                total,
                at,
            } => {
                let delivery = Delivery {
                    customer_id,
                    store_id,
                    points: rules.points(total),
                    at,
                };
                self.delivered(order_id, delivery, rules, cause);
            }
            Fact::OrderEnded => self.ended(order_id, cause),
            Fact::PaymentRefunded { at } => self.refunded(order_id, at, cause),
        }
    }

    /// What was decided, to be saved.
    pub fn decisions(self) -> Decisions {
        let (entries, feed, news) = (self.entries, self.feed, self.news);
        let benefits = self
            .benefits
            .into_iter()
            .filter(|(_, one)| one.moves > 0)
            .collect();
        let coupons = self.coupons.into_values().filter(|one| one.moves > 0).collect();
        let members = self.members.into_values().filter(|one| one.moves > 0).collect();
        Decisions {
            benefits,
            coupons,
            members,
            entries,
            feed,
            news,
            ..Decisions::default()
        }
    }

    fn placed(&mut self, order_id: &str, coupon_id: &str, cause: &Cause) {
        if !self.note(order_id, |benefit| benefit.note_coupon(coupon_id)) {
            return;
        }
        match self.benefit(order_id).end {
            None => self.coupon(coupon_id, cause, |coupon| coupon.reserve(order_id)),
            Some(crate::domain::End::Delivered(_)) => self.use_up(order_id, cause),
            Some(crate::domain::End::Cancelled) => {}
        }
    }

    fn delivered(&mut self, order_id: &str, delivery: Delivery, rules: &Rules, cause: &Cause) {
        if !self.note(order_id, |benefit| benefit.note_delivery(delivery.clone())) {
            return;
        }
        self.give_coupon(order_id, &delivery, rules, cause);
        let (at, points) = (delivery.at, delivery.points);
        self.points(&delivery.customer_id, cause, |member| {
            member.earn(order_id, points, at)
        });
        self.append_feed(order_id, &delivery);
        self.use_up(order_id, cause);
        if self.benefit(order_id).refunded {
            self.take_back(order_id, at, cause);
        }
    }

    fn ended(&mut self, order_id: &str, cause: &Cause) {
        if !self.note(order_id, Benefit::note_cancellation) {
            return;
        }
        if let Some(coupon_id) = self.benefit(order_id).coupon_id.clone() {
            self.coupon(&coupon_id, cause, |coupon| coupon.release(order_id));
        }
    }

    fn refunded(&mut self, order_id: &str, at: i64, cause: &Cause) {
        if self.note(order_id, Benefit::note_refund) {
            self.take_back(order_id, at, cause);
        }
    }

    fn take_back(&mut self, order_id: &str, at: i64, cause: &Cause) {
        let Some(delivery) = self.benefit(order_id).delivery().cloned() else {
            return;
        };
        self.points(&delivery.customer_id, cause, |member| {
            member.reverse(order_id, delivery.points, at)
        });
    }

    fn use_up(&mut self, order_id: &str, cause: &Cause) {
        if let Some(coupon_id) = self.benefit(order_id).coupon_id.clone() {
            self.coupon(&coupon_id, cause, |coupon| {
                coupon.reserve(order_id)?.0.redeem(order_id)
            });
        }
    }

    fn give_coupon(&mut self, order_id: &str, delivery: &Delivery, rules: &Rules, cause: &Cause) {
        let (amount, lifetime) = (rules.coupon_amount, rules.coupon_lifetime_ms);
        let (coupon, events) = Coupon::issue(order_id, &delivery.customer_id, amount, delivery.at, lifetime);
        let id = coupon.id.clone();
        if self.coupons.contains_key(&id) {
            return; // one per order, whatever was forgotten elsewhere
        }
        self.coupons.insert(id.clone(), Tracked::loaded(coupon, 0));
        self.coupon(&id, cause, |coupon| Ok((coupon, events)));
    }

    fn append_feed(&mut self, order_id: &str, delivery: &Delivery) {
        let member = self.member(&delivery.customer_id);
        let (state, sequence) = member.state.clone().next_in_feed();
        (member.state, member.moves) = (state, member.moves + 1);
        self.feed.push(FeedItem {
            customer_id: delivery.customer_id.clone(),
            sequence,
            order_id: order_id.to_owned(),
            store_id: delivery.store_id.clone(),
            points: delivery.points,
            coupon_id: Coupon::id_for(order_id),
            at: delivery.at,
        });
    }

    fn points(
        &mut self,
        customer_id: &str,
        cause: &Cause,
        decide: impl FnOnce(Member) -> (Member, Option<PointsEvent>),
    ) {
        let member = self.member(customer_id);
        let (state, event) = decide(member.state.clone());
        let Some(event) = event else { return };
        (member.state, member.moves) = (state, member.moves + 1);
        let (PointsEvent::Earned(entry) | PointsEvent::Reversed(entry)) = &event;
        self.entries.push((customer_id.to_owned(), entry.clone()));
        self.news.push((
            News::Points {
                customer_id: customer_id.to_owned(),
                event,
            },
            cause.clone(),
        ));
    }

    /// Moves a coupon; a refusal leaves it as it is, for an event is a fact and cannot be refused.
    fn coupon(
        &mut self,
        id: &str,
        cause: &Cause,
        decide: impl FnOnce(Coupon) -> Result<(Coupon, Vec<CouponEvent>), Refused>,
    ) {
        let Some(tracked) = self.coupons.get_mut(id) else {
            return;
        };
        let Ok((state, events)) = decide(tracked.state.clone()) else {
            return;
        };
        if state == tracked.state && events.is_empty() {
            return;
        }
        (tracked.state, tracked.moves) = (state, tracked.moves + 1);
        let number = tracked.after();
        for event in events {
            self.news
                .push((News::Coupon(tracked.state.clone(), event, number), cause.clone()));
        }
    }

    fn note(&mut self, order_id: &str, note: impl FnOnce(&mut Benefit) -> bool) -> bool {
        let tracked = self
            .benefits
            .entry(order_id.to_owned())
            .or_insert_with(|| Tracked::loaded(Benefit::default(), 0));
        let news = note(&mut tracked.state);
        tracked.moves += u64::from(news);
        news
    }

    fn benefit(&self, order_id: &str) -> &Benefit {
        &self
            .benefits
            .get(order_id)
            .expect("every fact is noted before it is acted upon")
            .state
    }

    fn member(&mut self, customer_id: &str) -> &mut Tracked<Member> {
        let new = || Tracked::loaded(Member::new(customer_id), 0);
        self.members.entry(customer_id.to_owned()).or_insert_with(new)
    }
}
