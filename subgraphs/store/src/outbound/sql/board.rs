//! The owner's views: the ticket board, and the sales, which grow in the transaction that delivers.

use super::rows::{TICKET, filed};
use super::{SqlStore, TxError, chunks, failed, values};
use crate::domain::{Line, Placed, TicketEvent};
use crate::ports::{Board, BoardQuery, DishSales, Filed, Sales, StoreError, TicketChange};
use async_trait::async_trait;
use baedal_kit::sql::Tx;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;

#[async_trait]
impl Board for SqlStore {
    async fn tickets(&self, query: BoardQuery) -> Result<Vec<Filed>, StoreError> {
        let (at, id) = query.after.unwrap_or((0, String::new()));
        let only = if query.status.is_some() {
            "AND status = $5"
        } else {
            ""
        };
        let sql = format!(
            "SELECT {TICKET} FROM store_orders WHERE store_id = $1 AND received_at > 0 {only}
             AND received_at >= $2 AND (received_at > $2 OR order_id > $3)
             ORDER BY received_at, order_id LIMIT $4"
        );
        let limit = query.limit as i64;
        let mut select = sqlx::query(AssertSqlSafe(sql))
            .bind(query.store_id)
            .bind(at)
            .bind(id)
            .bind(limit);
        if let Some(status) = query.status {
            select = select.bind(status.name());
        }
        select
            .fetch_all(self.db.pool())
            .await
            .map_err(failed)?
            .iter()
            .map(filed)
            .collect()
    }

    async fn sales(&self, store_id: &str) -> Result<Sales, StoreError> {
        let total = sqlx::query("SELECT orders, revenue FROM sales WHERE store_id = $1").bind(store_id);
        let total = total.fetch_optional(self.db.pool()).await.map_err(failed)?;
        let dishes = sqlx::query(
            "SELECT menu_item_id, name, quantity, revenue FROM dish_sales WHERE store_id = $1
             ORDER BY quantity DESC, menu_item_id LIMIT 200",
        );
        let dishes = dishes
            .bind(store_id)
            .fetch_all(self.db.pool())
            .await
            .map_err(failed)?;
        let (orders, revenue) = match total {
            Some(row) => (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?),
            None => (0, 0),
        };
        let dishes = dishes
            .iter()
            .map(dish)
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        Ok(Sales {
            orders,
            revenue,
            dishes,
        })
    }
}

/// Counts what these changes delivered, rows always in the same order, so that replicas cannot block each other.
pub async fn add_sales(tx: &mut Tx, changes: &[TicketChange]) -> Result<(), TxError> {
    let delivered = |change: &&TicketChange| {
        change
            .events
            .iter()
            .any(|(event, _)| *event == TicketEvent::Delivered)
    };
    let sold: Vec<&Placed> = changes
        .iter()
        .filter(delivered)
        .filter_map(|change| change.order.placed())
        .collect();
    if sold.is_empty() {
        return Ok(());
    }
    let mut stores: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut dishes: BTreeMap<(&str, &str), (&Line, i64, i64)> = BTreeMap::new();
    for placed in sold {
        let store = stores.entry(&placed.store_id).or_default();
        *store = (store.0 + 1, store.1 + placed.total);
        for line in &placed.lines {
            let dish = dishes
                .entry((&placed.store_id, &line.menu_item_id))
                .or_insert((line, 0, 0));
            let quantity = i64::from(line.quantity);
            *dish = (line, dish.1 + quantity, dish.2 + quantity * line.unit_price);
        }
    }
    add_totals(tx, &stores).await?;
    add_dishes(tx, &dishes).await
}

async fn add_totals(tx: &mut Tx, stores: &BTreeMap<&str, (i64, i64)>) -> Result<(), TxError> {
    let stores: Vec<_> = stores.iter().collect();
    for some in chunks(&stores) {
        let sql = format!(
            "INSERT INTO sales (store_id, orders, revenue) VALUES {}
             ON CONFLICT (store_id) DO UPDATE SET orders = sales.orders + excluded.orders,
                 revenue = sales.revenue + excluded.revenue",
            values(some.len(), 3)
        );
        let query = some.iter().fold(
            sqlx::query(AssertSqlSafe(sql)),
            |query, (id, (orders, revenue))| query.bind((**id).to_owned()).bind(*orders).bind(*revenue),
        );
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

async fn add_dishes(tx: &mut Tx, dishes: &BTreeMap<(&str, &str), (&Line, i64, i64)>) -> Result<(), TxError> {
    let dishes: Vec<_> = dishes.iter().collect();
    for some in chunks(&dishes) {
        let sql = format!(
            "INSERT INTO dish_sales (store_id, menu_item_id, name, quantity, revenue) VALUES {}
             ON CONFLICT (store_id, menu_item_id) DO UPDATE SET name = excluded.name,
                 quantity = dish_sales.quantity + excluded.quantity,
                 revenue = dish_sales.revenue + excluded.revenue",
            values(some.len(), 5)
        );
        let query = some.iter().fold(
            sqlx::query(AssertSqlSafe(sql)),
            |query, ((store, dish), (line, count, won))| {
                query
                    .bind((*store).to_owned())
                    .bind((*dish).to_owned())
                    .bind(line.name.clone())
                    .bind(*count)
                    .bind(*won)
            },
        );
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

fn dish(row: &AnyRow) -> Result<DishSales, sqlx::Error> {
    Ok(DishSales {
        menu_item_id: row.try_get(0)?,
        name: row.try_get(1)?,
        quantity: row.try_get(2)?,
        revenue: row.try_get(3)?,
    })
}
