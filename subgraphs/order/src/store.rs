//! Which store the records are in: MongoDB or SQLite, by the URL.

use std::sync::Arc;

use anyhow::{Context, bail};
use baedal_kit::{
    consumer::DeadLetters,
    mongo::{Mongo, MongoInbox, MongoLetters, MongoOutbox},
    outbox::OutboxSource,
    prune::SeenEvents,
    serve::Check,
    sql::{Db, SqlInbox, SqlLetters, SqlOutbox},
};
use tokio::sync::Notify;

use crate::{
    outbound::{mongo::MongoStore, sql::SqlStore},
    ports::{Coupons, Menus, Orders},
};

/// An open store with everything that shares its transactions.
pub(crate) struct Store {
    pub orders: Arc<dyn Orders>,
    pub menus: Arc<dyn Menus>,
    pub coupons: Arc<dyn Coupons>,
    pub outbox: Arc<dyn OutboxSource>,
    pub outbox_notify: Arc<Notify>,
    pub letters: Arc<dyn DeadLetters>,
    pub inbox: Arc<dyn SeenEvents>,
    pub check: Check,
}

impl Store {
    pub async fn open(url: &str) -> anyhow::Result<Store> {
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("sqlite") => Store::sqlite(url).await,
            Some("mongodb" | "mongodb+srv") => Store::mongo(url).await,
            _ => bail!(
                "order cannot use this DATABASE_URL; set it to sqlite://PATH?mode=rwc or mongodb://HOST:PORT/DATABASE?replicaSet=NAME"
            ),
        }
    }

    async fn sqlite(url: &str) -> anyhow::Result<Store> {
        let db = Db::open(url).await.context("order cannot open its store")?;
        let store = Arc::new(
            SqlStore::open(db.clone())
                .await
                .context("order cannot prepare its tables")?,
        );
        let pinged = db.clone();
        Ok(Store {
            orders: store.clone(),
            menus: store.clone(),
            coupons: store,
            outbox: Arc::new(SqlOutbox::new(&db)),
            outbox_notify: db.outbox_notify(),
            letters: Arc::new(SqlLetters::new(&db)),
            inbox: Arc::new(SqlInbox::new(&db)),
            check: Check::new("store", move || {
                let db = pinged.clone();
                async move { db.ping().await.map_err(|error| error.to_string()) }
            }),
        })
    }

    async fn mongo(url: &str) -> anyhow::Result<Store> {
        let mongo = Mongo::open(url).await.context("order cannot open its store")?;
        let store = Arc::new(
            MongoStore::open(mongo.clone())
                .await
                .context("order cannot prepare its collections")?,
        );
        let pinged = mongo.clone();
        Ok(Store {
            orders: store.clone(),
            menus: store.clone(),
            coupons: store,
            outbox: Arc::new(MongoOutbox::new(&mongo)),
            outbox_notify: mongo.outbox_notify(),
            letters: Arc::new(MongoLetters::new(&mongo)),
            inbox: Arc::new(MongoInbox::new(&mongo)),
            check: Check::new("store", move || {
                let mongo = pinged.clone();
                async move { mongo.ping().await.map_err(|error| error.to_string()) }
            }),
        })
    }
}
