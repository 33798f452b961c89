//! The stores and their menus.

use super::rows::{read_menu, write_menu};
use super::{SqlStore, TxError, failed, values};
use crate::domain::{Details, Store};
use crate::outbound::language::{Stamp, store_event};
use crate::ports::{SaveError, StoreChange, StoreError, Stores, Versioned};
use async_trait::async_trait;
use baedal_events::STORE_TOPIC;
use baedal_kit::envelope::Envelope;
use baedal_kit::sql::{Tx, put_outbox};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

const COLUMNS: &str = "id, owner_id, name, open, menu, version";

#[async_trait]
impl Stores for SqlStore {
    async fn find(&self, ids: &[String]) -> Result<Vec<Versioned<Store>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM stores WHERE id IN {}",
            values(1, ids.len())
        );
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| {
            query.bind(id.clone())
        });
        let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }

    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<Store>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM stores WHERE id > $1 ORDER BY id LIMIT $2");
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(after.unwrap_or_default())
            .bind(limit as i64);
        let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
        rows.iter()
            .map(|row| read(row).map(|found| found.state).map_err(failed))
            .collect()
    }

    async fn save(&self, change: StoreChange) -> Result<(), SaveError> {
        let version = change.before + (change.events.len() as u64).max(1);
        let envelopes = self.seal_store(&change);
        let (change, envelopes) = (&change, &envelopes);
        self.db
            .transaction(|mut tx: Tx| async move {
                write(&mut tx, change, version).await?;
                put_outbox(&mut tx, STORE_TOPIC, envelopes).await?;
                Ok::<_, TxError>(tx.commit_with(()).await?)
            })
            .await
            .map_err(SaveError::from)
    }
}

impl SqlStore {
    fn seal_store(&self, change: &StoreChange) -> Vec<Envelope> {
        let time = self.clock.now_ms();
        let id = &change.store.details().id;
        let stamp = |number: u64| Stamp {
            id: self.ids.next(),
            time,
            sequence: change.before + number,
        };
        (1..)
            .zip(change.events.iter().cloned())
            .map(|(number, event)| store_event(id, event, stamp(number)))
            .collect()
    }
}

/// Inserts the first version, replaces the version that was decided on.
async fn write(tx: &mut Tx, change: &StoreChange, version: u64) -> Result<(), TxError> {
    let details = change.store.details();
    let sql = if change.before == 0 {
        "INSERT INTO stores (id, owner_id, name, open, menu, version) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING"
    } else {
        "UPDATE stores SET owner_id = $2, name = $3, open = $4, menu = $5, version = $6
         WHERE id = $1 AND version = $7"
    };
    let query = sqlx::query(sql)
        .bind(details.id.clone())
        .bind(details.owner_id.clone())
        .bind(details.name.clone())
        .bind(i64::from(change.store.is_open()))
        .bind(write_menu(&details.menu))
        .bind(version as i64);
    let query = if change.before == 0 {
        query
    } else {
        query.bind(change.before as i64)
    };
    match query.execute(tx.conn()).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(TxError::Refused(SaveError::Conflict)),
    }
}

fn read(row: &AnyRow) -> Result<Versioned<Store>, sqlx::Error> {
    let menu: String = row.try_get(4)?;
    let menu = read_menu(&menu).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let details = Details {
        id: row.try_get(0)?,
        owner_id: row.try_get(1)?,
        name: row.try_get(2)?,
        menu,
    };
    let open: i64 = row.try_get(3)?;
    let version: i64 = row.try_get(5)?;
    let state = if open == 1 {
        Store::Open(details)
    } else {
        Store::Closed(details)
    };
    Ok(Versioned {
        state,
        version: version.unsigned_abs(),
    })
}
