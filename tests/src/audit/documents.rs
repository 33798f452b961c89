//! Reads the books from MongoDB.
use anyhow::{Context, Result};
use baedal::settings::Part;
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use mongodb::{Client, Database};

use super::ledger::{Ledger, OrderRow};

/// Adds what the database of `part` says.
pub async fn read(part: Part, url: &str, ledger: &mut Ledger) -> Result<()> {
    let client = Client::with_uri_str(url).await?;
    let database = client.default_database().context("the URL names a database")?;
    if part == Part::Order {
        for order in all(&database, "orders").await? {
            let total = order
                .get_document("doc")
                .ok()
                .and_then(|doc| number(doc.get("total")))
                .unwrap_or(-1);
            ledger.orders.push(OrderRow {
                id: text(&order, "_id"),
                status: text(&order, "status"),
                total,
            });
        }
    } else {
        ledger.coupons.extend(
            all(&database, "coupons")
                .await?
                .iter()
                .map(|coupon| text(coupon, "issued_for")),
        );
        for entry in all(&database, "ledger").await? {
            let points = number(entry.get("points")).unwrap_or_default();
            ledger
                .points
                .push((text(&entry, "order_id"), text(&entry, "kind"), points));
        }
        for item in all(&database, "feed").await? {
            let sequence = number(item.get("sequence")).unwrap_or_default();
            ledger
                .feed
                .push((text(&item, "customer_id"), sequence, text(&item, "order_id")));
        }
    }
    let waiting = database
        .collection::<Document>("outbox")
        .count_documents(doc! {})
        .await?;
    ledger.outbox.insert(part.name(), i64::try_from(waiting)?);
    Ok(())
}

async fn all(database: &Database, collection: &str) -> Result<Vec<Document>> {
    Ok(database
        .collection(collection)
        .find(doc! {})
        .await?
        .try_collect()
        .await?)
}

fn text(document: &Document, field: &str) -> String {
    document.get_str(field).unwrap_or_default().to_owned()
}

fn number(value: Option<&Bson>) -> Option<i64> {
    match value? {
        Bson::Int64(number) => Some(*number),
        Bson::Int32(number) => Some(i64::from(*number)),
        _ => None,
    }
}
