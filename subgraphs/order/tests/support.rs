//! What the tests have in common: a small world around the application.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use baedal_kit::{
    auth::Caller,
    clock::{Clock, SystemIds},
    envelope::Envelope,
    mongo::{Mongo, MongoOutbox},
    outbox::OutboxSource,
    sql::{Db, SqlOutbox},
};
use baedal_order::{
    app::{App, Incoming, Ports},
    domain::*,
    outbound::{mongo::MongoStore, sql::SqlStore},
    policies::{Command, Limits},
    ports::*,
};
use baedal_token::{Claims, Scopes};
use tempfile::TempDir;
use uuid::Uuid;

/// When every test begins.
pub const BEGIN: Millis = 1_800_000_000_000;

/// A clock that stands until it is moved.
pub struct Hands(AtomicI64);

impl Hands {
    pub fn move_on(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Payment as the test says; approves when nothing is said.
#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<Approval>>,
    pub calls: AtomicUsize,
    pub takes: Mutex<Duration>,
}

impl Script {
    pub fn say(&self, approval: Approval) {
        self.answers.lock().unwrap().push_back(approval);
    }
}

#[async_trait]
impl Payments for Script {
    async fn approve(&self, _charge: &Charge) -> Approval {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let takes = *self.takes.lock().unwrap();
        tokio::time::sleep(takes).await;
        self.answers
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Approval::Approved)
    }
}

/// A store of a test's own, and its outbox.
pub struct TestStore {
    pub orders: Arc<dyn Orders>,
    pub menus: Arc<dyn Menus>,
    pub coupons: Arc<dyn Coupons>,
    pub outbox: Arc<dyn OutboxSource>,
    _folder: Option<TempDir>,
}

impl TestStore {
    pub async fn sqlite() -> TestStore {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite://{}/order.db?mode=rwc", folder.path().display()))
            .await
            .unwrap();
        let store = Arc::new(SqlStore::open(db.clone()).await.unwrap());
        TestStore {
            orders: store.clone(),
            menus: store.clone(),
            coupons: store,
            outbox: Arc::new(SqlOutbox::new(&db)),
            _folder: Some(folder),
        }
    }

    /// On the server of `MONGODB_URL`, in a database of its own.
    pub async fn mongo(url: &str) -> TestStore {
        let mut url = url::Url::parse(url).unwrap();
        url.set_path(&format!("/order_{}", Uuid::now_v7().simple()));
        let mongo = Mongo::open(url.as_str())
            .await
            .expect("the MongoDB of MONGODB_URL");
        let store = Arc::new(MongoStore::open(mongo.clone()).await.unwrap());
        TestStore {
            orders: store.clone(),
            menus: store.clone(),
            coupons: store,
            outbox: Arc::new(MongoOutbox::new(&mongo)),
            _folder: None,
        }
    }

    /// Types of the events waiting to be published, in sequence.
    pub async fn told(&self) -> Vec<String> {
        self.envelopes()
            .await
            .into_iter()
            .map(|envelope| envelope.r#type)
            .collect()
    }

    pub async fn envelopes(&self) -> Vec<Envelope> {
        let rows = self.outbox.pending(10_000).await.unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(&row.payload).unwrap())
            .collect()
    }
}

/// An application on SQLite with a scripted payment.
pub struct World {
    pub app: Arc<App>,
    pub store: TestStore,
    pub payment: Arc<Script>,
    pub clock: Arc<Hands>,
}

impl World {
    /// On SQLite, with `store-seoul` open: tongdak 18 000, pizza 23 000, and cola sold out.
    pub async fn new() -> World {
        World::opened(TestStore::sqlite().await).await
    }

    pub async fn opened(store: TestStore) -> World {
        let world = World::on(store).await;
        world.open_store().await;
        world
    }

    pub async fn on(store: TestStore) -> World {
        let payment = Arc::new(Script::default());
        let clock = Arc::new(Hands(AtomicI64::new(BEGIN)));
        let ports = Ports {
            orders: store.orders.clone(),
            menus: store.menus.clone(),
            coupons: store.coupons.clone(),
            payments: payment.clone(),
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
        };
        let limits = Limits {
            payment: Duration::from_millis(3_000),
            acceptance: Duration::from_secs(600),
        };
        World {
            app: Arc::new(App::new(ports, limits)),
            store,
            payment,
            clock,
        }
    }

    pub async fn open_store(&self) {
        let news = [
            MenuNews::Opened,
            dish("tongdak", "통닭", 18_000, false, 1),
            dish("pizza", "피자", 23_000, false, 2),
            dish("cola", "콜라", 2_000, true, 3),
        ];
        let commands = news.map(|news| Command::UpdateMenu {
            store: store_id(),
            news,
        });
        self.tell(commands).await;
    }

    /// Digests commands, each as an event of its own.
    pub async fn tell(&self, commands: impl IntoIterator<Item = Command>) {
        let batch: Vec<Incoming> = commands
            .into_iter()
            .map(|command| Incoming {
                event: Uuid::now_v7(),
                command,
            })
            .collect();
        self.app.digest(&batch).await.unwrap();
    }

    pub async fn hear(&self, order: &OrderId, news: &[News]) {
        let at = self.clock.now_ms();
        self.tell(news.iter().map(|news| Command::Hear {
            order: order.clone(),
            news: news.clone(),
            at,
        }))
        .await;
    }

    pub async fn find(&self, order: &OrderId) -> Order {
        self.store.orders.find(order).await.unwrap().unwrap()
    }

    pub async fn issue_coupon(&self, id: &str, customer: &str, amount: i64) {
        let coupon = Coupon {
            id: CouponId::parse(id).unwrap(),
            customer: CustomerId::parse(customer).unwrap(),
            amount: Won::parse(amount).unwrap(),
            expires_at: BEGIN + 86_400_000,
        };
        self.tell([Command::LearnCoupon(coupon)]).await;
    }
}

pub fn dish(item: &str, name: &str, price: i64, sold_out: bool, as_of: i64) -> MenuNews {
    let dish = Dish {
        name: name.to_owned(),
        price: Won::parse(price).unwrap(),
        sold_out,
        as_of,
    };
    MenuNews::Changed {
        item: MenuItemId::parse(item).unwrap(),
        dish,
    }
}

pub fn store_id() -> StoreId {
    StoreId::parse("store-seoul").unwrap()
}

pub fn customer() -> CustomerId {
    CustomerId::parse("demo-customer").unwrap()
}

/// One tongdak to 서울.
pub fn basket(key: &str) -> Basket {
    Basket {
        customer: customer(),
        key: IdempotencyKey::parse(key).unwrap(),
        store: store_id(),
        items: vec![(MenuItemId::parse("tongdak").unwrap(), Quantity::parse(1).unwrap())],
        address: Address::parse("서울").unwrap(),
        coupon: None,
    }
}

pub fn with_coupon(key: &str, coupon: &str) -> Basket {
    Basket {
        coupon: Some(CouponId::parse(coupon).unwrap()),
        ..basket(key)
    }
}

/// An order about to be paid, not saved.
pub fn pending(id: &str, key: &str) -> Order {
    pending_from(id, basket(key))
}

pub fn pending_from(id: &str, basket: Basket) -> Order {
    let menu = Menu::unknown(store_id())
        .hear(MenuNews::Opened)
        .hear(dish("tongdak", "통닭", 18_000, false, 1));
    let coupon = basket.coupon.as_ref().map(|id| Coupon {
        id: id.clone(),
        customer: customer(),
        amount: Won::parse(1_000).unwrap(),
        expires_at: BEGIN + 1,
    });
    let draft = basket
        .price(OrderId::parse(id).unwrap(), Some(&menu), coupon.as_ref(), BEGIN)
        .unwrap();
    Order::request(draft, BEGIN)
}

pub fn unavailable() -> Approval {
    Approval::Unavailable {
        reason: "no answer".to_owned(),
        retry_after: Some(Duration::from_secs(2)),
    }
}

/// Somebody logged in.
pub fn caller(subject: &str, scopes: &str) -> Caller {
    Caller::User(Claims {
        iss: "http://issuer.test".to_owned(),
        sub: subject.to_owned(),
        aud: vec!["baedal".to_owned()],
        exp: u64::MAX / 2,
        iat: 0,
        jti: "jti".to_owned(),
        client_id: "test".to_owned(),
        scope: Scopes::parse(scopes),
        sid: None,
    })
}

/// Waits until `done` says so, 10 s at most.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut done: F) {
    for _ in 0..400 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not within 10 s: {what}");
}

/// Runs tests that take a [`World`] on SQLite, and on MongoDB when `MONGODB_URL` is set.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(crate::support::World::new().await).await; })*
        }
        mod mongo {
            use crate::support::{TestStore, World};

            $(#[tokio::test] async fn $name() {
                match std::env::var("MONGODB_URL") {
                    Ok(url) => super::$name(World::opened(TestStore::mongo(&url).await).await).await,
                    Err(_) => eprintln!("MONGODB_URL is not set: `cargo xtask test` runs this on a real server"),
                }
            })*
        }
    };
}
pub(crate) use on_every_store;
