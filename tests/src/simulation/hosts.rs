//! The hosts: what each runs from its start to its crash.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use baedal_events::{ORDER_TOPIC, PAYMENT_TOPIC, STORE_TOPIC};
use baedal_kit::consumer::{Handler, spawn_consumer};
use baedal_kit::log::EventLog;
use baedal_kit::outbox::spawn_relay;
use baedal_kit::telemetry::Telemetry;
use baedal_order::app::Actor;
use baedal_order::domain::{
    Address, Basket, CustomerId, IdempotencyKey, MenuItemId, OrderId, Quantity, StoreId,
};
use baedal_order::ports::{Approval, Charge};
use baedal_payment::outbound::simulated::{Manners, SimulatedProvider};
use baedal_payment::ports::Patience;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use turmoil::Sim;

use super::log::{LogDisk, WireLog};
use super::marketing::MarketingStore;
use super::memory::{Data, Disk, NoLetters, SimClock, SimIds};
use super::order::OrderStore;
use super::payment::PaymentStore;
use super::store::StoreStore;
use super::{Weather, lock, wire};
use crate::audit::Ledger;

/// Order's deadline for payment.
const DEADLINE: Duration = Duration::from_millis(610);
/// How long a customer waits for an answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How often a customer asks again.
const STUBBORN: usize = 60;
/// Customers; each orders one thing after another.
const CUSTOMERS: usize = 4;

/// Everything that outlives a crash.
pub struct World {
    seed: u64,
    weather: Weather,
    /// The log.
    pub log: LogDisk,
    /// 주문.
    pub order: OrderStore,
    payment: PaymentStore,
    store: StoreStore,
    marketing: MarketingStore,
    /// What customers were told is placed.
    pub acknowledged: Arc<Mutex<Vec<String>>>,
    ids: HashMap<&'static str, Arc<SimIds>>,
}

impl World {
    /// Empty disks.
    pub fn new(seed: u64, weather: Weather) -> World {
        let names = ["order", "payment", "store", "marketing"];
        let ids =
            |(number, name): (usize, &'static str)| (name, Arc::new(SimIds::new(seed << 3 | number as u64)));
        let ids: HashMap<&'static str, Arc<SimIds>> = names
            .into_iter()
            .enumerate()
            .map(|(n, name)| ids((n, name)))
            .collect();
        World {
            seed,
            weather,
            log: LogDisk::new(seed, weather),
            order: OrderStore::default(),
            payment: PaymentStore::default(),
            store: StoreStore {
                disk: Disk::default(),
                ids: ids["store"].clone(),
            },
            marketing: MarketingStore {
                disk: Disk::default(),
                ids: ids["marketing"].clone(),
            },
            acknowledged: Arc::default(),
            ids,
        }
    }

    /// The books of all services.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        self.order.audit(&mut ledger);
        self.payment.audit(&mut ledger);
        self.store.audit(&mut ledger);
        self.marketing.audit(&mut ledger);
        ledger
    }
}

/// Adds every host, and the customers.
pub fn populate(sim: &mut Sim<'_>, world: &Arc<World>) {
    let host = |world: &Arc<World>| world.clone();
    let log = host(world);
    sim.host("log", move || {
        let disk = log.log.clone();
        async move {
            start().await;
            Ok(disk.serve().await?)
        }
    });
    let order_world = host(world);
    sim.host("order", move || order(order_world.clone()));
    let payment_world = host(world);
    sim.host("payment", move || payment(payment_world.clone()));
    let store_world = host(world);
    sim.host("store", move || store(store_world.clone()));
    let marketing_world = host(world);
    sim.host("marketing", move || marketing(marketing_world.clone()));
    sim.client("customers", customers(world.clone()));
}

/// A start takes a moment. (Before its first tick turmoil's network has the machine's time, not the simulation's: what is
/// sent then would arrive when the machine likes.)
async fn start() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Relay and consumer, as every service has them.
fn plumbing<D: Data>(disk: &Disk<D>, group: &str, topics: &[&str], handler: Arc<dyn Handler>) {
    let log: Arc<dyn EventLog> = Arc::new(WireLog);
    // Nobody ends them in order: they end by a crash.
    let forever = CancellationToken::new();
    let _ = spawn_relay(disk.outbox(), log.clone(), disk.notify(), forever.clone());
    let _ = spawn_consumer(log, group, topics, handler, Arc::new(NoLetters), forever);
}

#[derive(Serialize, Deserialize)]
enum ToOrder {
    Place {
        customer: String,
        key: String,
        quantity: u32,
    },
    Cancel {
        customer: String,
        order: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Approve {
    order: String,
    customer: String,
    amount: i64,
}

#[derive(Serialize, Deserialize)]
enum Paid {
    Approved,
    Declined(String),
    Unknown,
}

#[derive(Serialize, Deserialize, Clone)]
enum Told {
    Placed(String),
    /// For want of payment: try with another key.
    NotPaid,
    /// Try again with the same.
    Again,
    Done,
}

async fn order(world: Arc<World>) -> turmoil::Result {
    start().await;
    use baedal_order::app::{App, Ports};
    let store = Arc::new(world.order.clone());
    let ports = Ports {
        orders: store.clone(),
        menus: store.clone(),
        coupons: store.clone(),
        payments: Arc::new(WirePayment),
        clock: Arc::new(SimClock),
        ids: world.ids["order"].clone(),
    };
    let limits = baedal_order::policies::Limits {
        payment: Duration::from_millis(3_000),
        acceptance: Duration::from_secs(30 * 60),
    };
    let app = Arc::new(App::new(ports, limits));
    let handler = Arc::new(baedal_order::inbound::events::Events::new(app.clone()));
    plumbing(
        &world.order.0,
        "order",
        baedal_order::inbound::events::TOPICS,
        handler,
    );
    let swept = app.clone();
    tokio::spawn(async move {
        loop {
            // A sweep that fails comes again.
            let _ = swept.sweep().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let answer = move |asked: ToOrder| {
        let app = app.clone();
        // A customer who has gone does not keep the order from being carried out.
        async move {
            tokio::spawn(async move { serve_order(&app, asked).await })
                .await
                .unwrap_or(Told::Again)
        }
    };
    Ok(wire::serve(answer).await?)
}

async fn serve_order(app: &baedal_order::app::App, asked: ToOrder) -> Told {
    use baedal_order::app::AppError;
    match asked {
        ToOrder::Place {
            customer,
            key,
            quantity,
        } => match app.place(basket(&customer, &key, quantity)).await {
            Ok(order) => Told::Placed(order.id.as_str().to_owned()),
            Err(AppError::NotPaid { .. }) => Told::NotPaid,
            Err(_) => Told::Again,
        },
        ToOrder::Cancel { customer, order } => {
            let actor = Actor::Customer(CustomerId::parse(&customer).expect("a customer's id"));
            let cancelled = app
                .cancel(&actor, &OrderId::parse(&order).expect("an order's id"))
                .await;
            match cancelled {
                Ok(_) | Err(AppError::InvalidTransition(_)) => Told::Done,
                Err(_) => Told::Again,
            }
        }
    }
}

fn basket(customer: &str, key: &str, quantity: u32) -> Basket {
    Basket {
        customer: CustomerId::parse(customer).expect("a customer's id"),
        key: IdempotencyKey::parse(key).expect("a key"),
        store: StoreId::parse("store-seoul").expect("a store's id"),
        items: vec![(
            MenuItemId::parse("tongdak").expect("an item's id"),
            Quantity::parse(i64::from(quantity)).expect("a quantity"),
        )],
        address: Address::parse("서울").expect("an address"),
        coupon: None,
    }
}

struct WirePayment;

#[async_trait]
impl baedal_order::ports::Payments for WirePayment {
    async fn approve(&self, charge: &Charge) -> Approval {
        let asked = Approve {
            order: charge.order.as_str().to_owned(),
            customer: charge.customer.as_str().to_owned(),
            amount: charge.amount.get(),
        };
        let unavailable = |reason: String| Approval::Unavailable {
            reason,
            retry_after: None,
        };
        match wire::ask("payment", &asked, DEADLINE).await {
            Ok(Paid::Approved) => Approval::Approved,
            Ok(Paid::Declined(reason)) => Approval::Declined { reason },
            Ok(Paid::Unknown) => unavailable("nobody knows".to_owned()),
            Err(error) => unavailable(error.to_string()),
        }
    }
}

async fn payment(world: Arc<World>) -> turmoil::Result {
    start().await;
    use baedal_payment::app::App;
    let provider = SimulatedProvider::new(Manners {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(300),
        capacity: 10_000,
        limit: baedal_payment::domain::Won::parse(1_000_000).expect("an amount"),
    });
    let patience = Patience {
        charge: Duration::from_secs(5),
        reconcile_after: Duration::from_secs(2),
    };
    let time = (Arc::new(SimClock) as _, world.ids["payment"].clone() as _);
    let app = App::new(
        Arc::new(world.payment.clone()),
        Arc::new(provider),
        time,
        patience,
    );
    let settle = Arc::new(Notify::new());
    let handler = Arc::new(baedal_payment::inbound::events::OrderEvents::new(
        app.clone(),
        settle.clone(),
    ));
    plumbing(&world.payment.0, "payment", &[ORDER_TOPIC], handler);
    let settling = app.clone();
    tokio::spawn(async move {
        loop {
            // A sweep that fails comes again.
            let _ = settling.settle().await;
            let _ = tokio::time::timeout(Duration::from_secs(1), settle.notified()).await;
        }
    });
    let answer = move |asked: Approve| {
        let app = app.clone();
        async move {
            tokio::spawn(async move { serve_payment(&app, asked).await })
                .await
                .unwrap_or(Paid::Unknown)
        }
    };
    Ok(wire::serve(answer).await?)
}

async fn serve_payment(app: &baedal_payment::app::App, asked: Approve) -> Paid {
    use baedal_payment::domain::Status;
    let Ok(terms) = baedal_payment::app::terms(&asked.order, &asked.customer, asked.amount) else {
        return Paid::Declined("INVALID".to_owned());
    };
    match app.approve(terms, Some(DEADLINE)).await {
        Ok(payment) => match payment.state.status() {
            Status::Approved => Paid::Approved,
            Status::Requested | Status::Unknown => Paid::Unknown,
            _ => Paid::Declined(payment.state.reason().unwrap_or_default().to_owned()),
        },
        Err(_) => Paid::Unknown,
    }
}

async fn store(world: Arc<World>) -> turmoil::Result {
    start().await;
    use baedal_store::app::{App, auto};
    let ids = world.ids["store"].clone();
    let app = Arc::new(App::new(Arc::new(world.store.clone()), Arc::new(SimClock), ids));
    baedal_store::demo::seed(&app).await?;
    let handler = Arc::new(baedal_store::Inbox { app: app.clone() });
    plumbing(&world.store.disk, "store", &[ORDER_TOPIC, PAYMENT_TOPIC], handler);
    let rounds = Telemetry::unread().rounds("auto mode", world.weather.step);
    auto::run(app, world.weather.step, rounds, CancellationToken::new()).await;
    Ok(())
}

async fn marketing(world: Arc<World>) -> turmoil::Result {
    start().await;
    use baedal_marketing::app::App;
    let rules = baedal_marketing::domain::Rules::default();
    let app = Arc::new(App::new(
        Arc::new(world.marketing.clone()),
        Arc::new(SimClock),
        rules,
    ));
    let handler = Arc::new(baedal_marketing::Inbox { app });
    let topics = [ORDER_TOPIC, PAYMENT_TOPIC, STORE_TOPIC];
    plumbing(&world.marketing.disk, "marketing", &topics, handler);
    std::future::pending().await
}

/// Everybody orders one thing after another; done when all have.
async fn customers(world: Arc<World>) -> turmoil::Result {
    let each = world.weather.orders / CUSTOMERS;
    let mut tasks = Vec::new();
    for number in 0..CUSTOMERS {
        tasks.push(tokio::spawn(customer(world.clone(), number, each)));
    }
    for task in tasks {
        task.await?;
    }
    Ok(())
}

async fn customer(world: Arc<World>, number: usize, orders: usize) {
    let customer = format!("customer-{number}");
    // Not all at the same instant, and not before order has heard of a menu.
    tokio::time::sleep(Duration::from_millis(500 + 37 * number as u64)).await;
    for order in 0..orders {
        let every = world.weather.cancel;
        let place = number * orders + order + usize::try_from(world.seed % 7).unwrap_or(0);
        let cancelled = every > 0 && place.is_multiple_of(every);
        // One that is too dear for the provider.
        let quantity = if place % 11 == 5 { 60 } else { 1 };
        if let Some(id) = order_once(&customer, order, quantity).await {
            lock(&world.acknowledged).push(id.clone());
            if cancelled {
                let cancel = || ToOrder::Cancel {
                    customer: customer.clone(),
                    order: id.clone(),
                };
                let _ = again(cancel).await;
            }
        }
    }
}

/// The order's id, once it is placed; none where its payment is declined.
async fn order_once(customer: &str, order: usize, quantity: u32) -> Option<String> {
    for attempt in 0..5 {
        let key = format!("{order}-{attempt}");
        let place = || ToOrder::Place {
            customer: customer.to_owned(),
            key: key.clone(),
            quantity,
        };
        match again(place).await {
            Some(Told::Placed(id)) => return Some(id),
            Some(Told::NotPaid) if quantity > 1 => return None,
            _ => {}
        }
    }
    None
}

/// Asks until there is an answer.
async fn again(question: impl Fn() -> ToOrder) -> Option<Told> {
    for _ in 0..STUBBORN {
        match wire::ask("order", &question(), ANSWER).await {
            Ok(Told::Again) | Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(told) => return Some(told),
        }
    }
    None
}
