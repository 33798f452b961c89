//! What the tests share: facts, databases, callers.

use baedal_events::DomainEvent;
use baedal_events::order::{OrderItem, OrderPlaced};
use baedal_events::payment::PaymentApproved;
use baedal_kit::auth::Caller;
use baedal_kit::clock::{Clock, SystemIds};
use baedal_kit::envelope::{Envelope, Fact as Said, Origin};
use baedal_kit::outbox::OutboxSource;
use baedal_kit::sql::Db;
use baedal_store::app::{App, Incoming, Seed};
use baedal_store::domain::{Asked, Line, Paid, Placed, Status};
use baedal_store::outbound::sql::SqlStore;
use baedal_store::policies::Fact;
use baedal_store::ports::{Cause, Tickets};
use baedal_token::{Claims, Scopes};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use uuid::Uuid;

pub const OWNER: &str = "owner-1";
pub const STORE: &str = "store-1";
pub const CUSTOMER: &str = "customer-1";

/// A clock that only the test moves.
pub struct Hand(AtomicI64);

impl Hand {
    pub fn new() -> Arc<Hand> {
        Arc::new(Hand(AtomicI64::new(1_700_000_000_000)))
    }

    pub fn forward(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A database of its own, with what keeps it alive.
pub struct Place {
    pub url: String,
    pub clock: Arc<Hand>,
    _folder: Option<TempDir>,
}

impl Place {
    pub fn sqlite() -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/store.db?mode=rwc", folder.path().display());
        Place {
            url,
            clock: Hand::new(),
            _folder: Some(folder),
        }
    }

    /// A new database on the server of POSTGRES_URL, if there is one.
    pub async fn postgres() -> Option<Place> {
        let Ok(server) = std::env::var("POSTGRES_URL") else {
            eprintln!("not run: POSTGRES_URL is not set");
            return None;
        };
        let name = format!("store_{}", Uuid::new_v4().simple());
        let admin = Db::open(&server).await.expect("the Postgres of POSTGRES_URL");
        let create = format!("CREATE DATABASE {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(create))
            .execute(admin.pool())
            .await
            .expect("a new database");
        admin.close().await;
        let mut url = url::Url::parse(&server).expect("a URL");
        url.set_path(&name);
        Some(Place {
            url: url.to_string(),
            clock: Hand::new(),
            _folder: None,
        })
    }

    /// One more replica on this database.
    pub async fn replica(&self) -> (Arc<SqlStore>, Arc<App>) {
        let clock: Arc<Hand> = self.clock.clone();
        let store = SqlStore::open(&self.url, clock.clone(), Arc::new(SystemIds))
            .await
            .expect("the database opens");
        let store = Arc::new(store);
        (
            store.clone(),
            Arc::new(App::new(store, clock, Arc::new(SystemIds))),
        )
    }

    /// The first replica, with [`STORE`] of [`OWNER`] founded.
    pub async fn opened(&self) -> (Arc<SqlStore>, Arc<App>) {
        let (store, app) = self.replica().await;
        let seed = Seed {
            name: "가게",
            menu: &[("tongdak", "통닭", 18_000)],
        };
        app.seed_store(OWNER, STORE, seed).await.expect("seeded");
        (store, app)
    }
}

pub fn placed(quantity: u32) -> Placed {
    let line = Line {
        menu_item_id: "tongdak".into(),
        name: "통닭".into(),
        quantity,
        unit_price: 18_000,
    };
    Placed {
        store_id: STORE.into(),
        customer_id: CUSTOMER.into(),
        lines: vec![line],
        address: "서울".into(),
        total: 18_000 * i64::from(quantity),
        placed_at: 1_700_000_000_000,
    }
}

pub fn paid() -> Paid {
    Paid { amount: 18_000 }
}

pub fn asked() -> Asked {
    Asked {
        store_id: STORE.into(),
        customer_id: CUSTOMER.into(),
    }
}

/// A fact with an id of its own.
pub fn told(order_id: &str, fact: Fact) -> Incoming {
    Incoming {
        id: Uuid::now_v7(),
        order_id: order_id.into(),
        fact,
        cause: Cause::default(),
    }
}

/// The two facts that make a ticket.
pub fn ordered(order_id: &str) -> Vec<Incoming> {
    vec![
        told(order_id, Fact::OrderPlaced(placed(1))),
        told(order_id, Fact::PaymentApproved(paid())),
    ]
}

pub async fn status(store: &SqlStore, order_id: &str) -> Option<Status> {
    store
        .find(&[order_id.to_owned()])
        .await
        .expect("found")
        .pop()
        .map(|filed| filed.order.status())
}

/// Everything in the outbox, oldest first.
pub async fn outbox(store: &SqlStore) -> Vec<Envelope> {
    let rows = store.outbox().pending(100_000).await.expect("the outbox");
    rows.iter()
        .map(|row| Envelope::from_json(row.payload.as_bytes()).expect("an envelope"))
        .collect()
}

/// The types of the events of one order, in order.
pub async fn events_of(store: &SqlStore, order_id: &str) -> Vec<String> {
    let all = outbox(store).await;
    all.into_iter()
        .filter(|one| one.correlation_id == order_id)
        .map(|one| one.r#type)
        .collect()
}

/// One event, as its producer would say it.
pub fn said<E: DomainEvent>(event: &E, sequence: u64) -> Envelope {
    let fact = Said {
        r#type: E::TYPE,
        alias: E::ALIAS,
        version: E::VERSION,
        data: event.to_data(),
    };
    let origin = Origin {
        id: Uuid::now_v7(),
        time: 1_700_000_000_000,
        source: "test",
    };
    Envelope::new(fact, origin, event.key(), sequence)
}

pub fn order_placed(order_id: &str) -> OrderPlaced {
    let item = OrderItem {
        menu_item_id: "tongdak".into(),
        name: "통닭".into(),
        quantity: 1,
        unit_price: 18_000,
    };
    OrderPlaced {
        order_id: order_id.into(),
        customer_id: CUSTOMER.into(),
        store_id: "store-seoul".into(),
        items: vec![item],
        address: "서울".into(),
        total: 18_000,
        discount: 0,
        coupon_id: None,
    }
}

pub fn payment_approved(order_id: &str) -> PaymentApproved {
    PaymentApproved {
        order_id: order_id.into(),
        customer_id: CUSTOMER.into(),
        amount: 18_000,
    }
}

pub fn caller(sub: &str, scope: &str) -> Caller {
    Caller::User(Claims {
        iss: "https://issuer".into(),
        sub: sub.into(),
        aud: vec!["baedal".into()],
        exp: 4_000_000_000,
        iat: 1_700_000_000,
        jti: "jti".into(),
        client_id: "test".into(),
        scope: Scopes::parse(scope),
        sid: None,
    })
}
