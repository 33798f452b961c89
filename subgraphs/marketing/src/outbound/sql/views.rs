//! The feeds and the customers' views.

use super::{SqlBooks, failed, read};
use crate::domain::{Coupon, Entry, FeedItem};
use crate::ports::{BooksError, Feeds, Head, Views};
use async_trait::async_trait;
use sqlx::AssertSqlSafe;

#[async_trait]
impl Feeds for SqlBooks {
    async fn items_after(
        &self,
        customer_id: &str,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<FeedItem>, BooksError> {
        let sql = format!(
            "{} WHERE customer_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
            read::ITEM
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(customer_id.to_owned());
        let rows = query
            .bind(sequence as i64)
            .bind(limit as i64)
            .fetch_all(self.db.pool())
            .await
            .map_err(failed)?;
        rows.iter().map(|row| read::item(row).map_err(failed)).collect()
    }

    async fn heads(&self, customer_ids: &[String]) -> Result<Vec<Head>, BooksError> {
        let rows = self.rows_of(read::HEAD, "customer_id", customer_ids).await?;
        rows.iter().map(|row| read::head(row).map_err(failed)).collect()
    }

    async fn changed_after(&self, after: (i64, String), limit: usize) -> Result<Vec<Head>, BooksError> {
        let sql = format!(
            "{} WHERE touched_at >= $1 AND (touched_at > $1 OR customer_id > $2)
             ORDER BY touched_at, customer_id LIMIT $3",
            read::HEAD
        );
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(after.0)
            .bind(after.1)
            .bind(limit as i64);
        let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
        rows.iter().map(|row| read::head(row).map_err(failed)).collect()
    }
}

#[async_trait]
impl Views for SqlBooks {
    async fn coupons_of(
        &self,
        customer_id: &str,
        after: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<Coupon>, BooksError> {
        let (at, id) = after.unwrap_or((i64::MAX, String::new()));
        let sql = format!(
            "{} WHERE customer_id = $1 AND issued_at <= $2 AND (issued_at < $2 OR id < $3)
             ORDER BY issued_at DESC, id DESC LIMIT $4",
            read::COUPON
        );
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(customer_id.to_owned())
            .bind(at)
            .bind(id)
            .bind(limit as i64);
        let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
        rows.iter()
            .map(|row| read::coupon(row).map(|one| one.state).map_err(failed))
            .collect()
    }

    async fn entries_of(
        &self,
        customer_id: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, BooksError> {
        let before = before
            .and_then(|number| i64::try_from(number).ok())
            .unwrap_or(i64::MAX);
        let sql = format!(
            "{} WHERE customer_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
            read::ENTRY
        );
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(customer_id.to_owned())
            .bind(before)
            .bind(limit as i64);
        let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
        rows.iter().map(|row| read::entry(row).map_err(failed)).collect()
    }
}
