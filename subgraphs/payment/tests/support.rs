//! What the tests have in common: a small world around the application.

use std::{
    collections::HashMap,
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
    outbox::OutboxSource,
    sql::{Db, SqlOutbox},
};
use baedal_payment::{
    app::{App, Approve, terms},
    domain::*,
    outbound::sql::SqlPayments,
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

    pub fn move_back(&self, by: Duration) {
        self.0.fetch_sub(by.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What the provider does with the next charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Charges,
    Declines,
    /// Charges, but the answer is lost.
    ChargesUnheard,
    /// Is not there.
    Gone,
    /// Takes the charge on and never finishes it.
    Dawdles,
}

/// A provider whose book can be read.
pub struct Script {
    pub mood: Mutex<Mood>,
    pub takes: Mutex<Duration>,
    pub held: Mutex<HashMap<String, i64>>,
    pub charges: AtomicUsize,
    pub refunds: AtomicUsize,
}

impl Script {
    pub fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    pub fn holds(&self, order: &OrderId) -> bool {
        self.held.lock().unwrap().contains_key(order.as_str())
    }

    fn there(&self) -> Result<(), ProviderError> {
        if self.mood() == Mood::Gone {
            Err(ProviderError("gone".to_owned()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Provider for Script {
    async fn charge(&self, order: &OrderId, amount: Won) -> Result<Charge, ProviderError> {
        self.there()?;
        let (takes, mood) = (*self.takes.lock().unwrap(), self.mood());
        tokio::time::sleep(takes).await;
        if mood == Mood::Declines {
            return Ok(Charge::Declined {
                reason: "LIMIT_EXCEEDED".to_owned(),
            });
        }
        if mood == Mood::Dawdles {
            std::future::pending::<()>().await;
        }
        self.charges.fetch_add(1, Ordering::SeqCst);
        self.held
            .lock()
            .unwrap()
            .insert(order.as_str().to_owned(), amount.get());
        if mood == Mood::ChargesUnheard {
            return Err(ProviderError("the line broke".to_owned()));
        }
        Ok(Charge::Approved {
            reference: format!("ref-{}", order.as_str()),
        })
    }

    async fn look_up(&self, order: &OrderId) -> Result<Standing, ProviderError> {
        self.there()?;
        if self.mood() == Mood::Dawdles {
            return Ok(Standing::InFlight);
        }
        let charge = || {
            Standing::Decided(Charge::Approved {
                reference: format!("ref-{}", order.as_str()),
            })
        };
        Ok(if self.holds(order) {
            charge()
        } else {
            Standing::Nothing
        })
    }

    async fn cancel(&self, order: &OrderId) -> Result<(), ProviderError> {
        self.there()?;
        self.held.lock().unwrap().remove(order.as_str());
        Ok(())
    }

    async fn refund(&self, order: &OrderId, _reference: &str, _amount: Won) -> Result<(), ProviderError> {
        self.there()?;
        if self.held.lock().unwrap().remove(order.as_str()).is_some() {
            self.refunds.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// A store of a test's own, and its outbox.
pub struct TestStore {
    pub payments: Arc<dyn Payments>,
    pub outbox: Arc<dyn OutboxSource>,
    _folder: Option<TempDir>,
}

impl TestStore {
    pub async fn sqlite() -> TestStore {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!(
            "sqlite://{}/payment.db?mode=rwc",
            folder.path().display()
        ))
        .await
        .unwrap();
        TestStore::over(db, Some(folder)).await
    }

    /// On the server of `POSTGRES_URL`, in a database of its own.
    pub async fn postgres(url: &str) -> TestStore {
        let name = format!("payment_{}", Uuid::now_v7().simple());
        let admin = Db::open(url).await.expect("the Postgres of POSTGRES_URL");
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(admin.pool())
            .await
            .unwrap();
        admin.close().await;
        let mut url = url::Url::parse(url).unwrap();
        url.set_path(&name);
        TestStore::over(Db::open(url.as_str()).await.unwrap(), None).await
    }

    async fn over(db: Db, folder: Option<TempDir>) -> TestStore {
        let payments = Arc::new(SqlPayments::open(db.clone()).await.unwrap());
        TestStore {
            payments,
            outbox: Arc::new(SqlOutbox::new(&db)),
            _folder: folder,
        }
    }

    pub async fn envelopes(&self) -> Vec<Envelope> {
        let rows = self.outbox.pending(10_000).await.unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(&row.payload).unwrap())
            .collect()
    }

    /// Types of the events waiting to be published, in sequence.
    pub async fn told(&self) -> Vec<String> {
        self.envelopes()
            .await
            .into_iter()
            .map(|envelope| envelope.r#type)
            .collect()
    }
}

/// An application on SQLite with a provider that does as it is told.
pub struct World {
    pub app: App,
    pub store: TestStore,
    pub provider: Arc<Script>,
    pub clock: Arc<Hands>,
}

impl World {
    pub async fn new() -> World {
        let store = TestStore::sqlite().await;
        let provider = Arc::new(Script {
            mood: Mutex::new(Mood::Charges),
            takes: Mutex::default(),
            held: Mutex::default(),
            charges: AtomicUsize::new(0),
            refunds: AtomicUsize::new(0),
        });
        let clock = Arc::new(Hands(AtomicI64::new(BEGIN)));
        let patience = Patience {
            charge: Duration::from_millis(200),
            reconcile_after: Duration::from_secs(2),
        };
        let app = App::new(
            store.payments.clone(),
            provider.clone(),
            (clock.clone(), Arc::new(SystemIds)),
            patience,
        );
        World {
            app,
            store,
            provider,
            clock,
        }
    }

    pub async fn status(&self, order: &str) -> Status {
        self.app.get(&id(order)).await.unwrap().state.status()
    }
}

pub fn id(order: &str) -> OrderId {
    OrderId::parse(order).unwrap()
}

pub fn approve(order: &str) -> Approve {
    terms(order, "demo-customer", 18_000).unwrap()
}

/// A charge about to be sent, not saved.
pub fn requested(order: &str) -> Payment {
    Payment::requested(
        id(order),
        CustomerId::parse("demo-customer").unwrap(),
        Won::parse(18_000).unwrap(),
        BEGIN,
    )
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
