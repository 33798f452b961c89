//! What the tests share: facts, databases on every adapter, callers.

use baedal_events::DomainEvent;
use baedal_kit::auth::Caller;
use baedal_kit::clock::{Clock, SystemIds};
use baedal_kit::envelope::{Envelope, Fact as Said, Origin};
use baedal_kit::outbox::OutboxSource;
use baedal_marketing::app::{App, Incoming};
use baedal_marketing::domain::Rules;
use baedal_marketing::outbound::mongo::MongoBooks;
use baedal_marketing::outbound::sql::SqlBooks;
use baedal_marketing::policies::Fact;
use baedal_marketing::ports::{Books, Cause, Feeds, Views};
use baedal_token::{Claims, Scopes};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use uuid::Uuid;

pub const CUSTOMER: &str = "customer-1";
pub const START: i64 = 1_700_000_000_000;

/// A clock that only the test moves.
pub struct Hand(AtomicI64);

impl Hand {
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

/// One process' view of a place.
#[derive(Clone)]
pub struct Replica {
    pub app: Arc<App>,
    pub books: Arc<dyn Books>,
    pub feeds: Arc<dyn Feeds>,
    pub views: Arc<dyn Views>,
    outbox: Arc<dyn OutboxSource>,
}

impl Place {
    pub fn sqlite() -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/marketing.db?mode=rwc", folder.path().display());
        Place {
            url,
            clock: Arc::new(Hand(AtomicI64::new(START))),
            _folder: Some(folder),
        }
    }

    /// A new database on the server of MONGODB_URL, if there is one.
    pub fn mongo() -> Option<Place> {
        let Ok(server) = std::env::var("MONGODB_URL") else {
            eprintln!("not run: MONGODB_URL is not set");
            return None;
        };
        let mut url = url::Url::parse(&server).expect("a URL");
        url.set_path(&format!("marketing_{}", Uuid::new_v4().simple()));
        Some(Place {
            url: url.to_string(),
            clock: Arc::new(Hand(AtomicI64::new(START))),
            _folder: None,
        })
    }

    /// One more replica on this database.
    pub async fn replica(&self) -> Replica {
        let ids = Arc::new(SystemIds);
        if self.url.starts_with("sqlite:") {
            let books = Arc::new(SqlBooks::open(&self.url, ids).await.expect("the database opens"));
            let outbox = Arc::new(books.outbox());
            return self.over(books, outbox);
        }
        let books = Arc::new(
            MongoBooks::open(&self.url, ids)
                .await
                .expect("the database opens"),
        );
        let outbox = Arc::new(books.outbox());
        self.over(books, outbox)
    }

    fn over<A: Books + Feeds + Views + 'static>(
        &self,
        books: Arc<A>,
        outbox: Arc<dyn OutboxSource>,
    ) -> Replica {
        let app = Arc::new(App::new(books.clone(), self.clock.clone(), Rules::default()));
        Replica {
            app,
            books: books.clone(),
            feeds: books.clone(),
            views: books,
            outbox,
        }
    }
}

impl Replica {
    /// Everything in the outbox, oldest first.
    pub async fn told(&self) -> Vec<Envelope> {
        let rows = self.outbox.pending(100_000).await.expect("the outbox");
        rows.iter()
            .map(|row| Envelope::from_json(row.payload.as_bytes()).expect("an envelope"))
            .collect()
    }

    /// How many events of that type are in the outbox.
    pub async fn count(&self, event_type: &str) -> usize {
        self.told()
            .await
            .iter()
            .filter(|one| one.r#type == event_type)
            .count()
    }

    pub async fn take_in(&self, incoming: &[Incoming]) {
        self.app.take_in(incoming).await.expect("taken in");
    }

    pub async fn balance(&self, customer: &str) -> i64 {
        let found = self.books.members(&[customer.to_owned()]).await.expect("found");
        found.first().map_or(0, |one| one.state.balance())
    }

    pub async fn coupon(&self, id: &str) -> Option<baedal_marketing::domain::CouponState> {
        self.books
            .coupons(&[id.to_owned()])
            .await
            .expect("found")
            .pop()
            .map(|one| one.state.state)
    }

    /// The numbers of a customer's feed.
    pub async fn feed(&self, customer: &str) -> Vec<u64> {
        let items = self
            .feeds
            .items_after(customer, 0, 100_000)
            .await
            .expect("the feed");
        items.into_iter().map(|item| item.sequence).collect()
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

pub fn delivered(customer: &str) -> Fact {
    Fact::Delivered {
        customer_id: customer.into(),
        store_id: "store-1".into(),
        total: 18_000,
        at: START,
    }
}

pub fn using(coupon: &str) -> Fact {
    Fact::OrderPlaced {
        coupon_id: Some(coupon.into()),
    }
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
        time: START,
        source: "test",
    };
    Envelope::new(fact, origin, event.key(), sequence)
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
