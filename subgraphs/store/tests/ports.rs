//! One behaviour suite for the ports, run on every adapter.

use crate::support::{CUSTOMER, OWNER, Place, STORE, asked, outbox, paid, placed};
use baedal_kit::clock::Clock;
use baedal_store::domain::{Intake, Status, Store, StoreOrder, Ticket, TicketEvent};
use baedal_store::outbound::sql::SqlStore;
use baedal_store::ports::{
    Board, BoardQuery, Cause, SaveError, StoreChange, TicketBatch, TicketChange, Tickets,
};
use std::collections::HashSet;
use uuid::Uuid;

#[tokio::test]
async fn suite_on_sqlite() {
    suite(&Place::sqlite()).await;
}

#[tokio::test]
async fn suite_on_postgres() {
    if let Some(place) = Place::postgres().await {
        suite(&place).await;
    }
}

async fn suite(place: &Place) {
    let (store, _) = place.replica().await;
    every_state_is_read_back_as_it_was_written(&store).await;
    a_decision_on_an_old_version_writes_nothing(&store).await;
    a_batch_with_a_handled_event_writes_nothing(&store).await;
    events_go_out_in_order_with_growing_numbers(&store).await;
    many_tickets_are_saved_at_once(&store).await;
    the_board_shows_tickets_in_pages(&store).await;
    sales_count_deliveries_once(&store).await;
    one_replica_leads_at_a_time(&store, place).await;
    stores_are_read_back_and_guarded_by_version(&store).await;
}

fn ticket(at: i64) -> Ticket {
    Ticket {
        placed: placed(2),
        paid: paid(),
        received_at: at,
    }
}

fn new(order_id: &str, order: StoreOrder, events: Vec<TicketEvent>) -> TicketChange {
    change(order_id, 0, order, events)
}

fn change(order_id: &str, before: u64, order: StoreOrder, events: Vec<TicketEvent>) -> TicketChange {
    let events = events
        .into_iter()
        .map(|event| (event, Cause::default()))
        .collect();
    TicketChange {
        order_id: order_id.into(),
        before,
        order,
        events,
        trace: None,
    }
}

fn batch(changes: Vec<TicketChange>) -> TicketBatch {
    TicketBatch {
        changes,
        handled: Vec::new(),
        now: 100,
    }
}

async fn every_state_is_read_back_as_it_was_written(store: &SqlStore) {
    let half = Intake {
        placed: None,
        paid: Some(paid()),
    };
    let whole = Intake {
        placed: Some(placed(2)),
        paid: Some(paid()),
    };
    let states = [
        StoreOrder::Parked(half.clone()),
        StoreOrder::Received(ticket(5)),
        StoreOrder::Accepted(ticket(5), 30),
        StoreOrder::Rejected(ticket(5), "재료 소진".into()),
        StoreOrder::Cancelled(half, None),
        StoreOrder::Cancelled(whole, Some(5)),
        StoreOrder::Cooking(ticket(5), 30),
        StoreOrder::Cooked(ticket(5), 30),
        StoreOrder::Delivering(ticket(5), 30),
        StoreOrder::Delivered(ticket(5), 30),
    ];
    let id = |number: usize| format!("state-{number}");
    let changes = states
        .iter()
        .enumerate()
        .map(|(number, state)| new(&id(number), state.clone(), Vec::new()));
    store.save(batch(changes.collect())).await.expect("saved");
    let ids: Vec<String> = (0..states.len()).map(id).collect();
    let mut found = store.find(&ids).await.expect("found");
    found.sort_by_key(|filed| ids.iter().position(|id| *id == filed.order_id));
    let read: Vec<StoreOrder> = found.iter().map(|filed| filed.order.clone()).collect();
    assert_eq!(read, states);
    assert!(
        found
            .iter()
            .all(|filed| filed.version == 1 && filed.moved_at == 100)
    );
    let moving: HashSet<Status> = store
        .advancing(100)
        .await
        .expect("read")
        .iter()
        .map(|filed| filed.order.status())
        .collect();
    assert_eq!(
        moving,
        Status::ALL
            .into_iter()
            .filter(|status| status.advances())
            .collect()
    );
}

async fn a_decision_on_an_old_version_writes_nothing(store: &SqlStore) {
    let received = StoreOrder::Received(ticket(5));
    store
        .save(batch(vec![new("old", received.clone(), Vec::new())]))
        .await
        .expect("saved");
    let before = outbox(store).await.len();
    for stale in [0, 2, 7] {
        let accepted = change(
            "old",
            stale,
            StoreOrder::Accepted(ticket(5), 30),
            vec![TicketEvent::CookingStarted],
        );
        let other = new("innocent", received.clone(), vec![TicketEvent::CookingStarted]);
        let mut refused = batch(vec![other, accepted]);
        refused.handled.push(Uuid::now_v7());
        let error = store.save(refused.clone()).await.expect_err("a conflict");
        assert!(matches!(error, SaveError::Conflict), "{error:?}");
        assert!(
            store.find(&["innocent".into()]).await.expect("found").is_empty(),
            "all or nothing"
        );
        // The event counts as not handled: it can be handled with a better decision.
        refused.changes.clear();
        store.save(refused).await.expect("handled now");
    }
    assert_eq!(outbox(store).await.len(), before);
    let next = change("old", 1, StoreOrder::Accepted(ticket(5), 30), Vec::new());
    store.save(batch(vec![next])).await.expect("the right version");
}

async fn a_batch_with_a_handled_event_writes_nothing(store: &SqlStore) {
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let mut one = batch(vec![new("seen-1", StoreOrder::Received(ticket(5)), Vec::new())]);
    one.handled = vec![first];
    store.save(one).await.expect("saved");
    let mut two = batch(vec![new(
        "seen-2",
        StoreOrder::Received(ticket(5)),
        vec![TicketEvent::Delivered],
    )]);
    two.handled = vec![first, second];
    let before = outbox(store).await.len();
    match store.save(two).await {
        Err(SaveError::Seen { fresh }) => assert_eq!(fresh, HashSet::from([second])),
        other => panic!("{other:?}"),
    }
    assert!(store.find(&["seen-2".into()]).await.expect("found").is_empty());
    assert_eq!(outbox(store).await.len(), before);
}

async fn events_go_out_in_order_with_growing_numbers(store: &SqlStore) {
    let delivered = StoreOrder::Delivered(ticket(5), 30);
    let events = vec![
        TicketEvent::CookingStarted,
        TicketEvent::CookingFinished,
        TicketEvent::StoreCancelAccepted(asked()),
    ];
    let mut with_cause = new("told", delivered, events);
    with_cause.events[1].1 = Cause {
        causation_id: Some("cause".into()),
        traceparent: Some("00-trace".into()),
    };
    store.save(batch(vec![with_cause])).await.expect("saved");
    let told: Vec<_> = outbox(store)
        .await
        .into_iter()
        .filter(|one| one.correlation_id == "told")
        .collect();
    let types: Vec<&str> = told.iter().map(|one| one.r#type.as_str()).collect();
    assert_eq!(
        types,
        ["CookingStarted", "CookingFinished", "StoreCancelAccepted"]
    );
    assert_eq!(told.iter().map(|one| one.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(told[1].causation_id.as_deref(), Some("cause"));
    assert_eq!(told[1].traceparent.as_deref(), Some("00-trace"));
    assert_eq!(told[0].data["storeId"], STORE);
    assert_eq!(told[0].data["customerId"], CUSTOMER);
    assert_eq!(store.find(&["told".into()]).await.expect("found")[0].version, 3);
}

async fn many_tickets_are_saved_at_once(store: &SqlStore) {
    let ids: Vec<String> = (0..555).map(|number| format!("many-{number:04}")).collect();
    let order = StoreOrder::Delivered(ticket(5), 30);
    let changes = ids
        .iter()
        .map(|id| new(id, order.clone(), vec![TicketEvent::DeliveryStarted]));
    store.save(batch(changes.collect())).await.expect("saved");
    assert_eq!(store.find(&ids).await.expect("found").len(), 555);
    let told = outbox(store)
        .await
        .into_iter()
        .filter(|one| one.correlation_id.starts_with("many-"))
        .count();
    assert_eq!(told, 555);
}

async fn the_board_shows_tickets_in_pages(store: &SqlStore) {
    let on_board = |at: i64| {
        let mut ticket = ticket(at);
        ticket.placed.store_id = "board".into();
        ticket
    };
    let mut parked = placed(1);
    parked.store_id = "board".into();
    let changes = vec![
        new("b-3", StoreOrder::Received(on_board(20)), Vec::new()),
        new("b-2", StoreOrder::Cooking(on_board(10), 30), Vec::new()),
        new("b-1", StoreOrder::Received(on_board(10)), Vec::new()),
        new(
            "b-0",
            StoreOrder::Parked(Intake {
                placed: Some(parked),
                paid: None,
            }),
            Vec::new(),
        ),
    ];
    store.save(batch(changes)).await.expect("saved");
    let page = async |status, after, limit| {
        let query = BoardQuery {
            store_id: "board".into(),
            status,
            after,
            limit,
        };
        let filed = store.tickets(query).await.expect("the board");
        filed.into_iter().map(|filed| filed.order_id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None, 10).await, ["b-1", "b-2", "b-3"]);
    assert_eq!(page(None, Some((10, "b-1".into())), 1).await, ["b-2"]);
    assert_eq!(page(None, Some((10, "b-2".into())), 9).await, ["b-3"]);
    assert_eq!(page(Some(Status::Received), None, 10).await, ["b-1", "b-3"]);
    assert!(page(Some(Status::Rejected), None, 10).await.is_empty());
}

async fn sales_count_deliveries_once(store: &SqlStore) {
    let of = |quantity| {
        let mut ticket = ticket(5);
        ticket.placed = placed(quantity);
        ticket.placed.store_id = "sales".into();
        ticket
    };
    let delivered = |id: &str, quantity| {
        new(
            id,
            StoreOrder::Delivered(of(quantity), 30),
            vec![TicketEvent::Delivered],
        )
    };
    let cooking = new(
        "sale-3",
        StoreOrder::Cooking(of(9), 30),
        vec![TicketEvent::CookingStarted],
    );
    store
        .save(batch(vec![
            delivered("sale-1", 1),
            delivered("sale-2", 2),
            cooking,
        ]))
        .await
        .expect("saved");
    store
        .save(batch(vec![delivered("sale-4", 4)]))
        .await
        .expect("saved");
    let again = store.save(batch(vec![delivered("sale-4", 4)])).await;
    assert!(matches!(again, Err(SaveError::Conflict)), "{again:?}");
    let sales = store.sales("sales").await.expect("sales");
    assert_eq!((sales.orders, sales.revenue), (3, 7 * 18_000));
    let dish = &sales.dishes[0];
    assert_eq!(
        (sales.dishes.len(), dish.quantity, dish.revenue),
        (1, 7, 7 * 18_000)
    );
    assert_eq!(store.sales("nobody's").await.expect("sales"), Default::default());
}

async fn one_replica_leads_at_a_time(store: &SqlStore, place: &Place) {
    let now = place.clock.now_ms();
    assert!(store.lead("a", now, now + 1_000).await.expect("asked"));
    assert!(!store.lead("b", now + 500, now + 1_500).await.expect("asked"));
    assert!(
        store.lead("a", now + 500, now + 1_500).await.expect("asked"),
        "its own lease again"
    );
    assert!(
        store.lead("b", now + 1_501, now + 2_500).await.expect("asked"),
        "it has run out"
    );
    assert!(
        store.lead("b", now + 1_501, 0).await.expect("asked"),
        "given back"
    );
    assert!(store.lead("a", now + 1_502, now + 2_500).await.expect("asked"));
}

async fn stores_are_read_back_and_guarded_by_version(store: &SqlStore) {
    use baedal_store::ports::Stores;
    let (founded, events) = Store::found("store-x".into(), OWNER.into(), "가게").expect("founded");
    store_save(store, 0, &founded, events.clone())
        .await
        .expect("saved");
    let twice = store_save(store, 0, &founded, events).await;
    assert!(matches!(twice, Err(SaveError::Conflict)), "{twice:?}");
    let (with_menu, events) = founded.clone().set_menu_item("a", "통닭", 18_000).expect("set");
    store_save(store, 1, &with_menu, events.clone())
        .await
        .expect("saved");
    let stale = store_save(store, 1, &founded, events).await;
    assert!(matches!(stale, Err(SaveError::Conflict)), "{stale:?}");
    let (closed, events) = with_menu.close().expect("closed");
    store_save(store, 2, &closed, events).await.expect("saved");
    let found = Stores::find(store, &["store-x".into(), "nobody's".into()])
        .await
        .expect("found");
    assert_eq!((found.len(), &found[0].state, found[0].version), (1, &closed, 3));
    assert_eq!(store.page(Some("store-w"), 5).await.expect("page"), [closed]);
    let told: Vec<_> = outbox(store)
        .await
        .into_iter()
        .filter(|one| one.correlation_id == "store-x")
        .collect();
    let told: Vec<(&str, u64)> = told
        .iter()
        .map(|one| (one.r#type.as_str(), one.sequence))
        .collect();
    assert_eq!(told, [("StoreOpened", 1), ("MenuChanged", 2), ("StoreClosed", 3)]);
}

async fn store_save(
    store: &SqlStore,
    before: u64,
    state: &Store,
    events: Vec<baedal_store::domain::StoreEvent>,
) -> Result<(), SaveError> {
    baedal_store::ports::Stores::save(
        store,
        StoreChange {
            before,
            store: state.clone(),
            events,
        },
    )
    .await
}
