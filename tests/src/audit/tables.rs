//! Reads the books from SQLite and Postgres.
use anyhow::Result;
use baedal::settings::Part;
use sqlx::{AnyConnection, Connection, Row};

use super::ledger::{Ledger, OrderRow, PaymentRow};

/// Adds what the database of `part` says.
pub async fn read(part: Part, url: &str, ledger: &mut Ledger) -> Result<()> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    match part {
        Part::Order => orders(&mut connection, ledger).await?,
        Part::Payment => payments(&mut connection, ledger).await?,
        Part::Store => tickets(&mut connection, ledger).await?,
        _ => benefits(&mut connection, ledger).await?,
    }
    let waiting = sqlx::query("SELECT COUNT(*) FROM outbox")
        .fetch_one(&mut connection)
        .await?;
    ledger.outbox.insert(part.name(), waiting.try_get(0)?);
    Ok(connection.close().await?)
}

async fn orders(connection: &mut AnyConnection, ledger: &mut Ledger) -> Result<()> {
    for row in sqlx::query("SELECT id, status, doc FROM orders")
        .fetch_all(connection)
        .await?
    {
        let doc: serde_json::Value = serde_json::from_str(&row.try_get::<String, _>(2)?)?;
        let total = doc["total"].as_i64().unwrap_or(-1);
        ledger.orders.push(OrderRow {
            id: row.try_get(0)?,
            status: row.try_get(1)?,
            total,
        });
    }
    Ok(())
}

async fn payments(connection: &mut AnyConnection, ledger: &mut Ledger) -> Result<()> {
    for row in sqlx::query("SELECT order_id, status, amount FROM payments")
        .fetch_all(connection)
        .await?
    {
        ledger.payments.push(PaymentRow {
            order_id: row.try_get(0)?,
            status: row.try_get(1)?,
            amount: row.try_get(2)?,
        });
    }
    Ok(())
}

async fn tickets(connection: &mut AnyConnection, ledger: &mut Ledger) -> Result<()> {
    for row in sqlx::query("SELECT order_id, status FROM tickets")
        .fetch_all(connection)
        .await?
    {
        ledger.tickets.push((row.try_get(0)?, row.try_get(1)?));
    }
    Ok(())
}

async fn benefits(connection: &mut AnyConnection, ledger: &mut Ledger) -> Result<()> {
    for row in sqlx::query("SELECT issued_for FROM coupons")
        .fetch_all(&mut *connection)
        .await?
    {
        ledger.coupons.push(row.try_get(0)?);
    }
    for row in sqlx::query("SELECT order_id, kind, points FROM ledger")
        .fetch_all(&mut *connection)
        .await?
    {
        ledger
            .points
            .push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    }
    for row in sqlx::query("SELECT customer_id, sequence, order_id FROM feed")
        .fetch_all(connection)
        .await?
    {
        ledger
            .feed
            .push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    }
    Ok(())
}
