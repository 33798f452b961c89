//! The state machines, every transition legal and illegal, and the laws that hold for any history.

use crate::support::{CUSTOMER, START, delivered, using};
use baedal_marketing::domain::{
    Coupon, CouponEvent, CouponState, Entry, Member, PointsEvent, Refused, Rules,
};
use baedal_marketing::policies::{Desk, Fact};
use baedal_marketing::ports::{Cause, Decisions, Tracked};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn coupon(state: CouponState) -> Coupon {
    let (coupon, _) = Coupon::issue("o", CUSTOMER, 1_000, START, 1_000);
    Coupon { state, ..coupon }
}

fn reserved(order: &str, waiting: &[&str]) -> CouponState {
    CouponState::Reserved {
        order_id: order.into(),
        waiting: waiting.iter().map(|one| (*one).to_owned()).collect(),
    }
}

fn redeemed(order: &str) -> CouponState {
    CouponState::Redeemed {
        order_id: order.into(),
    }
}

/// Where a command leads and what it tells; refused if none.
type Outcome = Option<(CouponState, Vec<CouponEvent>)>;
/// Facts about orders, as they come.
type History = Vec<(&'static str, Fact)>;

#[test]
fn every_transition_of_a_coupon_is_as_drawn_and_all_others_are_refused() {
    use CouponState::{Expired, Issued};
    type Command = fn(Coupon) -> Result<(Coupon, Vec<CouponEvent>), Refused>;
    let commands: [(&str, Command); 4] = [
        ("reserve", |coupon| coupon.reserve("a")),
        ("redeem", |coupon| coupon.redeem("a")),
        ("release", |coupon| coupon.release("a")),
        ("expire", |coupon| coupon.expire(START + 1_000)),
    ];
    let released = CouponEvent::Released { order_id: "a".into() };
    let used = CouponEvent::Redeemed { order_id: "a".into() };
    // From a state, what each command leads to and tells; None is refused.
    let table: Vec<(CouponState, [Outcome; 4])> = vec![
        (
            Issued,
            [
                Some((reserved("a", &[]), vec![])),
                None,
                None,
                Some((Expired, vec![])),
            ],
        ),
        (
            reserved("a", &[]),
            [
                Some((reserved("a", &[]), vec![])),
                Some((redeemed("a"), vec![used.clone()])),
                Some((Issued, vec![released])),
                None,
            ],
        ),
        (
            reserved("a", &["b"]),
            [
                Some((reserved("a", &["b"]), vec![])),
                Some((redeemed("a"), vec![used.clone()])),
                Some((reserved("b", &[]), vec![])),
                None,
            ],
        ),
        (
            reserved("b", &[]),
            [Some((reserved("b", &["a"]), vec![])), None, None, None],
        ),
        (
            reserved("b", &["a"]),
            [
                Some((reserved("b", &["a"]), vec![])),
                Some((redeemed("a"), vec![used])),
                Some((reserved("b", &[]), vec![])),
                None,
            ],
        ),
        (redeemed("a"), [None, Some((redeemed("a"), vec![])), None, None]),
        (redeemed("b"), [None, None, None, None]),
        (Expired, [None, None, None, None]),
    ];
    for (from, outcomes) in table {
        for ((name, command), expected) in commands.into_iter().zip(outcomes) {
            let decided = command(coupon(from.clone()));
            match expected {
                Some((state, events)) => {
                    assert_eq!(decided, Ok((coupon(state), events)), "{name} from {from:?}")
                }
                None => {
                    let refused = Refused::InvalidTransition {
                        command: name,
                        from: from.name(),
                    };
                    assert_eq!(decided, Err(refused), "{name} from {from:?}");
                }
            }
        }
    }
}

#[test]
fn a_coupon_does_not_expire_before_its_time() {
    assert!(coupon(CouponState::Issued).expire(START + 999).is_err());
}

#[test]
fn five_percent_is_rounded_down() {
    let rules = Rules::default();
    for (total, points) in [
        (18_000, 900),
        (19, 0),
        (20, 1),
        (0, 0),
        (-5, 0),
        (i64::MAX, i64::MAX / 20),
    ] {
        assert_eq!(rules.points(total), points, "{total}");
    }
}

/// What saved decisions amount to, as the books would hold it.
#[derive(Debug, Default, PartialEq)]
struct World {
    coupons: BTreeMap<String, CouponState>,
    balances: BTreeMap<String, i64>,
    feed: BTreeMap<String, usize>,
}

/// The books, kept in memory.
#[derive(Default)]
struct Memory {
    benefits: BTreeMap<String, Tracked<baedal_marketing::domain::Benefit>>,
    coupons: BTreeMap<String, Tracked<Coupon>>,
    members: BTreeMap<String, Tracked<Member>>,
    entries: Vec<(String, Entry)>,
    feed: Vec<baedal_marketing::domain::FeedItem>,
}

impl Memory {
    fn take(&mut self, order: &str, fact: Fact) {
        let benefits = self.benefits.clone().into_iter().collect();
        let (coupons, members) = (self.coupons.values().cloned(), self.members.values().cloned());
        let mut desk = Desk::with(benefits, coupons.collect(), members.collect());
        desk.whenever(order, fact, &Rules::default(), &Cause::default());
        let Decisions {
            benefits,
            coupons,
            members,
            entries,
            feed,
            ..
        } = desk.decisions();
        for (id, one) in benefits {
            let version = one.after();
            self.benefits.insert(id, Tracked::loaded(one.state, version));
        }
        for one in coupons {
            let version = one.after();
            self.coupons
                .insert(one.state.id.clone(), Tracked::loaded(one.state, version));
        }
        for one in members {
            let version = one.after();
            self.members.insert(
                one.state.customer_id().to_owned(),
                Tracked::loaded(one.state, version),
            );
        }
        self.entries.extend(entries);
        self.feed.extend(feed);
    }

    fn world(&self) -> World {
        let mut world = World::default();
        for one in self.coupons.values() {
            world
                .coupons
                .insert(one.state.id.clone(), one.state.state.clone());
        }
        for one in self.members.values() {
            world
                .balances
                .insert(one.state.customer_id().to_owned(), one.state.balance());
        }
        for item in &self.feed {
            *world.feed.entry(item.order_id.clone()).or_default() += 1;
        }
        world
    }
}

/// How an order that may use the coupon of `gift` can go, as told by three services.
fn histories() -> impl Strategy<Value = Vec<Fact>> {
    let refund = Fact::PaymentRefunded { at: START + 5 };
    prop_oneof![
        Just(vec![using("coupon-gift")]),
        Just(vec![using("coupon-gift"), delivered(CUSTOMER)]),
        Just(vec![using("coupon-gift"), Fact::OrderEnded, refund.clone()]),
        Just(vec![Fact::OrderPlaced { coupon_id: None }, delivered(CUSTOMER)]),
        Just(vec![
            Fact::OrderPlaced { coupon_id: None },
            delivered(CUSTOMER),
            refund
        ]),
    ]
}

/// Two orders, the first of which is over when it shares the coupon; every event twice, shuffled.
fn shuffled() -> impl Strategy<Value = (History, History)> {
    let ended = vec![using("coupon-gift"), Fact::OrderEnded];
    (histories(), prop_oneof![Just(Vec::new()), Just(ended)]).prop_flat_map(|(one, other)| {
        let all: Vec<(&str, Fact)> = one
            .into_iter()
            .map(|fact| ("one", fact))
            .chain(other.into_iter().map(|fact| ("other", fact)))
            .collect();
        let twice: Vec<_> = all.iter().chain(&all).cloned().collect();
        (Just(all), Just(twice).prop_shuffle())
    })
}

fn with_gift() -> Memory {
    let mut memory = Memory::default();
    memory.take("gift", delivered(CUSTOMER));
    memory
}

proptest! {
    #[test]
    fn any_order_and_duplication_of_events_ends_the_same((clean, wild) in shuffled()) {
        let (mut tidy, mut messy) = (with_gift(), with_gift());
        clean.into_iter().for_each(|(order, fact)| tidy.take(order, fact));
        wild.into_iter().for_each(|(order, fact)| messy.take(order, fact));
        prop_assert_eq!(tidy.world(), messy.world());
    }

    #[test]
    fn the_ledger_sums_to_the_balance_and_the_feed_has_no_gaps((_, wild) in shuffled()) {
        let mut memory = with_gift();
        wild.into_iter().for_each(|(order, fact)| memory.take(order, fact));
        let mut balance = 0;
        for (number, (customer, entry)) in (1..).zip(&memory.entries) {
            balance += entry.points;
            prop_assert_eq!((customer.as_str(), entry.number, entry.balance), (CUSTOMER, number, balance));
            prop_assert!(balance >= 0);
        }
        prop_assert_eq!(memory.members[CUSTOMER].state.balance(), balance);
        let numbers: Vec<u64> = memory.feed.iter().map(|item| item.sequence).collect();
        prop_assert_eq!(numbers, (1..=memory.feed.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn points_are_never_below_zero(moves in prop::collection::vec((any::<bool>(), -10..2_000_i64), 0..40)) {
        let mut member = Member::new(CUSTOMER);
        let mut sum = 0;
        for (number, (earn, points)) in moves.into_iter().enumerate() {
            let order = number.to_string();
            let (next, event) = if earn { member.earn(&order, points, 0) } else { member.reverse(&order, points, 0) };
            if let Some(PointsEvent::Earned(entry) | PointsEvent::Reversed(entry)) = event {
                sum += entry.points;
                prop_assert_eq!(entry.balance, sum);
            }
            member = next;
            prop_assert!(member.balance() >= 0);
            prop_assert_eq!(member.balance(), sum);
        }
    }
}
