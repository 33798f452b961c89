//! Decisions as documents: many in one command, each only if it is still at the version that was decided on.

use super::{BENEFITS, COUPONS, FEED, LEDGER, MEMBERS, TxError, documents};
use crate::ports::{Decisions, SaveError, Tracked};
use baedal_kit::mongo::MongoTx;
use mongodb::Database;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind};

/// Code of a broken unique key.
const DUPLICATE_KEY: i32 = 11_000;

/// One document as it should be, and the version it replaces; 0 for a new one.
struct Row {
    id: String,
    before: u64,
    fields: Document,
}

pub async fn all(tx: &mut MongoTx, db: &Database, decisions: &Decisions) -> Result<(), TxError> {
    let benefits = decisions
        .benefits
        .iter()
        .map(|(id, one)| row(id, one, documents::benefit(&one.state)));
    replace(tx, db, BENEFITS, benefits.collect()).await?;
    let coupons = decisions
        .coupons
        .iter()
        .map(|one| row(&one.state.id, one, documents::coupon(&one.state)));
    replace(tx, db, COUPONS, coupons.collect()).await?;
    let member = |one: &Tracked<crate::domain::Member>| {
        row(
            one.state.customer_id(),
            one,
            documents::member(&one.state, decisions.now),
        )
    };
    replace(tx, db, MEMBERS, decisions.members.iter().map(member).collect()).await?;
    let entries = decisions
        .entries
        .iter()
        .map(|(customer, entry)| documents::entry(customer, entry));
    insert(tx, db, LEDGER, entries.collect()).await?;
    insert(tx, db, FEED, decisions.feed.iter().map(documents::item).collect()).await
}

fn row<T>(id: &str, one: &Tracked<T>, mut fields: Document) -> Row {
    fields.insert("version", one.after() as i64);
    Row {
        id: id.to_owned(),
        before: one.before,
        fields,
    }
}

async fn replace(tx: &mut MongoTx, db: &Database, collection: &str, rows: Vec<Row>) -> Result<(), TxError> {
    let (new, known): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.before == 0);
    let new = new.into_iter().map(|row| {
        let mut document = row.fields;
        document.insert("_id", row.id);
        document
    });
    insert(tx, db, collection, new.collect()).await?;
    if known.is_empty() {
        return Ok(());
    }
    let expected = known.len() as i64;
    let updates: Vec<Document> = known.into_iter().map(update).collect();
    let command = doc! { "update": collection, "updates": updates };
    let answer = db.run_command(command).session(tx.session()).await?;
    match answer.get("n") {
        Some(Bson::Int32(n)) if i64::from(*n) == expected => Ok(()),
        Some(Bson::Int64(n)) if *n == expected => Ok(()),
        _ => Err(TxError::Refused(SaveError::Conflict)),
    }
}

fn update(row: Row) -> Document {
    doc! { "q": { "_id": row.id, "version": row.before as i64 }, "u": { "$set": row.fields } }
}

async fn insert(
    tx: &mut MongoTx,
    db: &Database,
    collection: &str,
    rows: Vec<Document>,
) -> Result<(), TxError> {
    if rows.is_empty() {
        return Ok(());
    }
    match db
        .collection::<Document>(collection)
        .insert_many(rows)
        .session(tx.session())
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if is_duplicate_key(&error) => Err(TxError::Refused(SaveError::Conflict)),
        Err(error) => Err(error.into()),
    }
}

fn is_duplicate_key(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Command(command) => command.code == DUPLICATE_KEY,
        ErrorKind::InsertMany(many) => many
            .write_errors
            .iter()
            .flatten()
            .any(|write| write.code == DUPLICATE_KEY),
        _ => false,
    }
}
