//! The state machine: every transition, every refusal, and that the sequence of news does not matter.

use baedal_order::domain::*;
use proptest::prelude::*;

use crate::support::{BEGIN, basket, customer, dish, pending, store_id, with_coupon};

fn placed() -> Order {
    pending("o1", "k1").place(BEGIN + 1).unwrap().0
}

fn told(order: Order, news: &[News]) -> Order {
    (BEGIN + 10..)
        .zip(news)
        .fold(order, |order, (at, news)| order.hear(news.clone(), at).0)
}

const ACCEPTED: News = News::Accepted { eta_minutes: 30 };

fn rejected() -> News {
    News::Rejected {
        reason: "재료 소진".to_owned(),
    }
}

fn unanswered() -> Failure {
    Failure::Unavailable {
        reason: "no answer".to_owned(),
    }
}

/// An order in each status.
fn in_every_status() -> Vec<Order> {
    let accepted = told(placed(), &[ACCEPTED]);
    let asked = accepted
        .clone()
        .request_cancel(CancelReason::Customer, BEGIN + 20)
        .unwrap()
        .0;
    vec![
        pending("o1", "k1"),
        pending("o1", "k1").fail(unanswered(), BEGIN + 1).unwrap().0,
        placed(),
        accepted.clone(),
        told(accepted.clone(), &[News::CookingStarted]),
        told(accepted.clone(), &[News::CookingStarted, News::CookingFinished]),
        told(
            accepted.clone(),
            &[News::CookingStarted, News::CookingFinished, News::DeliveryStarted],
        ),
        told(
            accepted,
            &[
                News::CookingStarted,
                News::CookingFinished,
                News::DeliveryStarted,
                News::Delivered,
            ],
        ),
        asked.clone(),
        told(placed(), &[rejected()]),
        told(asked, &[News::CancelAccepted, News::PaymentRefunded]),
    ]
}

#[test]
fn the_fixtures_cover_every_status() {
    let statuses: Vec<Status> = in_every_status()
        .iter()
        .map(|order| order.state.status())
        .collect();
    assert_eq!(statuses, Status::ALL);
}

#[test]
fn commands_are_refused_in_every_other_status() {
    for order in in_every_status() {
        let status = order.state.status();
        assert_eq!(
            order.clone().place(BEGIN).is_ok(),
            status == Status::PaymentPending,
            "place {status:?}"
        );
        assert_eq!(
            order.clone().fail(unanswered(), BEGIN).is_ok(),
            status == Status::PaymentPending,
            "fail {status:?}"
        );
        let may = matches!(status, Status::Placed | Status::Accepted);
        let cancel = order.request_cancel(CancelReason::Customer, BEGIN);
        assert_eq!(cancel.is_ok(), may, "cancel {status:?}");
        if let Err(refused) = cancel {
            assert_eq!(refused.from, status);
        }
    }
}

#[test]
fn a_status_never_moves_backward() {
    let all = [
        ACCEPTED,
        News::CookingStarted,
        News::CookingFinished,
        News::DeliveryStarted,
        News::Delivered,
        rejected(),
        News::CancelRefused,
        News::PaymentApproved,
        News::PaymentDeclined,
        News::PaymentVoided,
    ];
    for order in in_every_status() {
        for news in &all {
            let before = order.state.status();
            let after = order.clone().hear(news.clone(), BEGIN + 500).0.state.status();
            let one_step = in_every_status()
                .iter()
                .map(|order| order.state.status())
                .any(|status| status == after);
            assert!(one_step);
            let rank = |status: Status| Status::ALL[2..8].iter().position(|known| *known == status);
            if let (Some(before), Some(after)) = (rank(before), rank(after)) {
                assert!(
                    after >= before && after <= before + 1,
                    "{news:?} moved {before} to {after}"
                );
            }
        }
    }
}

#[test]
fn end_states_stay() {
    for order in in_every_status()
        .into_iter()
        .filter(|order| order.state.status().is_end())
    {
        let state = order.state.clone();
        let news = [
            ACCEPTED,
            rejected(),
            News::CancelAccepted,
            News::PaymentRefunded,
            News::Delivered,
        ];
        assert_eq!(told(order, &news).state, state);
    }
}

#[test]
fn a_store_that_refuses_puts_the_order_back_where_it_was() {
    let asked = told(placed(), &[ACCEPTED])
        .request_cancel(CancelReason::Customer, BEGIN + 20)
        .unwrap()
        .0;
    let cooking_unheard = told(asked.clone(), &[News::CookingStarted]);
    assert_eq!(
        cooking_unheard.state.status(),
        Status::CancelRequested,
        "what the store cooks is parked until it refuses"
    );
    assert_eq!(
        told(cooking_unheard, &[News::CancelRefused]).state.status(),
        Status::Cooking
    );
    assert_eq!(
        told(asked, &[News::CancelRefused]).state.status(),
        Status::Accepted
    );
}

#[test]
fn cancelled_comes_only_after_the_refund_and_is_told_once() {
    let (asked, events) = placed()
        .request_cancel(CancelReason::Customer, BEGIN + 2)
        .unwrap();
    assert_eq!(
        events,
        [Event::CancelRequested {
            reason: CancelReason::Customer
        }]
    );
    let (granted, events) = asked.hear(News::CancelAccepted, BEGIN + 3);
    assert_eq!(
        events,
        [Event::Cancelled {
            reason: CancelReason::Customer
        }]
    );
    assert_eq!(granted.state.status(), Status::CancelRequested);
    let (again, events) = granted.hear(News::CancelAccepted, BEGIN + 4);
    assert_eq!(events, []);
    let (cancelled, events) = again.hear(News::PaymentRefunded, BEGIN + 5);
    assert_eq!((cancelled.state.status(), events), (Status::Cancelled, vec![]));
}

#[test]
fn a_rejected_order_is_cancelled_by_policy() {
    let (order, events) = placed().hear(rejected(), BEGIN + 2);
    assert_eq!(order.state.status(), Status::Rejected);
    assert_eq!(
        events,
        [Event::Cancelled {
            reason: CancelReason::StoreRejected
        }]
    );
}

#[test]
fn an_attempt_without_an_answer_wants_a_void_and_a_declined_one_does_not() {
    let (_, events) = pending("o1", "k1").fail(unanswered(), BEGIN).unwrap();
    assert_eq!(
        events,
        [Event::PaymentFailed {
            code: "PAYMENT_UNAVAILABLE",
            void: true
        }]
    );
    let declined = Failure::Declined {
        reason: "LIMIT_EXCEEDED".to_owned(),
    };
    let (_, events) = pending("o1", "k1").fail(declined, BEGIN).unwrap();
    assert_eq!(
        events,
        [Event::PaymentFailed {
            code: "PAYMENT_DECLINED",
            void: false
        }]
    );
}

#[test]
fn prices_come_from_the_menu_and_a_discount_never_exceeds_them() {
    let menu = Menu::unknown(store_id())
        .hear(MenuNews::Opened)
        .hear(dish("tongdak", "통닭", 18_000, false, 1));
    let coupon = Coupon {
        id: CouponId::parse("c1").unwrap(),
        customer: customer(),
        amount: Won::parse(50_000).unwrap(),
        expires_at: BEGIN + 1,
    };
    let draft = with_coupon("k1", "c1")
        .price(OrderId::parse("o1").unwrap(), Some(&menu), Some(&coupon), BEGIN)
        .unwrap();
    assert_eq!((draft.discount.get(), draft.total.get()), (18_000, 0));
    let late = with_coupon("k1", "c1").price(
        OrderId::parse("o1").unwrap(),
        Some(&menu),
        Some(&coupon),
        BEGIN + 1,
    );
    assert_eq!(late, Err(Refusal::CouponUnusable("c1".to_owned())));
}

#[test]
fn what_cannot_be_ordered_is_refused_with_its_reason() {
    let open = Menu::unknown(store_id()).hear(MenuNews::Opened);
    let price = |menu: Option<&Menu>| {
        basket("k1")
            .price(OrderId::parse("o1").unwrap(), menu, None, BEGIN)
            .unwrap_err()
    };
    assert_eq!(price(None), Refusal::StoreClosed("store-seoul".to_owned()));
    assert_eq!(
        price(Some(&open.clone().hear(MenuNews::Closed))),
        Refusal::StoreClosed("store-seoul".to_owned())
    );
    assert_eq!(price(Some(&open)), Refusal::MenuItemUnknown("tongdak".to_owned()));
    let sold_out = open.hear(dish("tongdak", "통닭", 18_000, true, 1));
    assert_eq!(price(Some(&sold_out)), Refusal::SoldOut("통닭".to_owned()));
}

#[test]
fn a_sum_beyond_what_the_graph_can_carry_is_refused() {
    let menu = Menu::unknown(store_id()).hear(MenuNews::Opened).hear(dish(
        "tongdak",
        "통닭",
        i64::from(i32::MAX),
        false,
        1,
    ));
    let two = Basket {
        items: vec![(MenuItemId::parse("tongdak").unwrap(), Quantity::parse(2).unwrap())],
        ..basket("k1")
    };
    assert!(matches!(
        two.price(OrderId::parse("o1").unwrap(), Some(&menu), None, BEGIN),
        Err(Refusal::Invalid(_))
    ));
}

#[test]
fn older_news_of_a_dish_changes_nothing() {
    let menu = Menu::unknown(store_id()).hear(dish("tongdak", "통닭", 18_000, false, 5));
    let stale = menu.clone().hear(dish("tongdak", "통닭", 1, false, 4));
    assert_eq!(stale, menu);
    let item = MenuItemId::parse("tongdak").unwrap();
    assert_eq!(
        menu.clone().hear(MenuNews::SoldOut {
            item: item.clone(),
            as_of: 4
        }),
        menu
    );
    assert!(
        menu.hear(MenuNews::SoldOut {
            item: item.clone(),
            as_of: 6
        })
        .dishes[&item]
            .sold_out
    );
}

/// News with the time of each piece.
type History = Vec<(News, Millis)>;

/// What a store and payment may truly tell of a placed order, with the time of each piece.
fn histories() -> impl Strategy<Value = (bool, History)> {
    let straight = [
        ACCEPTED,
        News::CookingStarted,
        News::CookingFinished,
        News::DeliveryStarted,
        News::Delivered,
    ];
    let delivered = (0..=straight.len()).prop_map(move |length| (false, straight[..length].to_vec()));
    let turned_down = Just((false, vec![rejected(), News::PaymentRefunded]));
    let given_up = prop_oneof![
        Just((true, vec![News::CancelAccepted, News::PaymentRefunded])),
        Just((true, vec![ACCEPTED, News::CancelAccepted, News::PaymentRefunded])),
        Just((true, vec![ACCEPTED, News::CancelAccepted])),
        Just((true, vec![rejected(), News::CancelRefused, News::PaymentRefunded])),
        Just((
            true,
            vec![
                ACCEPTED,
                News::CookingStarted,
                News::CancelRefused,
                News::CookingFinished,
                News::DeliveryStarted,
                News::Delivered
            ]
        )),
        Just((true, vec![ACCEPTED, News::CookingStarted, News::CancelRefused])),
    ];
    prop_oneof![delivered, turned_down, given_up].prop_map(|(asked, news)| {
        let told = std::iter::once(News::PaymentApproved).chain(news);
        (asked, told.zip(BEGIN + 100..).collect())
    })
}

/// A history and the same history three times over in any sequence.
fn shuffled() -> impl Strategy<Value = (bool, History, History)> {
    histories().prop_flat_map(|(asked, history)| {
        let thrice: Vec<_> = history.iter().cycle().take(history.len() * 3).cloned().collect();
        (Just(asked), Just(history), Just(thrice).prop_shuffle())
    })
}

fn live(asked: bool, history: &[(News, Millis)]) -> (Order, Vec<Event>) {
    let (mut order, mut events) = pending("o1", "k1").place(BEGIN + 1).unwrap();
    if asked {
        let (next, more) = order.request_cancel(CancelReason::Customer, BEGIN + 2).unwrap();
        (order, events) = (next, [events, more].concat());
    }
    for (news, at) in history {
        let (next, more) = order.hear(news.clone(), *at);
        (order, events) = (next, [events, more].concat());
    }
    (order, events)
}

proptest! {
    #[test]
    fn any_sequence_of_the_same_news_ends_in_the_same_order((asked, history, shuffled) in shuffled()) {
        let (straight, told) = live(asked, &history);
        let (crooked, told_crooked) = live(asked, &shuffled);
        prop_assert_eq!(&straight, &crooked);
        prop_assert_eq!(&told, &told_crooked);
        let cancelled = told.iter().filter(|event| matches!(event, Event::Cancelled { .. })).count();
        prop_assert!(cancelled <= 1, "refunded more than once");
        prop_assert_eq!(straight.state.status() == Status::Cancelled && cancelled == 0, false);
    }

    #[test]
    fn an_order_holds_its_coupon_until_it_has_come_to_nothing((asked, history, shuffled) in shuffled()) {
        let _ = history;
        let (order, _) = live(asked, &shuffled);
        let order = Order { coupon: Some(CouponId::parse("c1").unwrap()), ..order };
        let nothing = matches!(order.state.status(), Status::Cancelled | Status::PaymentFailed);
        prop_assert_eq!(order.holds_coupon(), !nothing);
    }
}
