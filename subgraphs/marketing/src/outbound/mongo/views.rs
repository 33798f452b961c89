//! The feeds and the customers' views.

use super::{COUPONS, FEED, LEDGER, MEMBERS, MongoBooks, documents, failed, malformed};
use crate::domain::{Coupon, Entry, FeedItem};
use crate::ports::{BooksError, Feeds, Head, Views};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};

#[async_trait]
impl Feeds for MongoBooks {
    async fn items_after(
        &self,
        customer_id: &str,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<FeedItem>, BooksError> {
        let after = doc! { "customer_id": customer_id, "sequence": { "$gt": sequence as i64 } };
        let documents = self.page(FEED, after, doc! { "sequence": 1 }, limit).await?;
        documents
            .iter()
            .map(|one| documents::read_item(one).map_err(malformed))
            .collect()
    }

    async fn heads(&self, customer_ids: &[String]) -> Result<Vec<Head>, BooksError> {
        let documents = self.by_ids(MEMBERS, customer_ids).await?;
        documents
            .iter()
            .map(|one| documents::read_head(one).map_err(malformed))
            .collect()
    }

    async fn changed_after(&self, (at, id): (i64, String), limit: usize) -> Result<Vec<Head>, BooksError> {
        let after = doc! {
            "touched_at": { "$gte": at },
            "$or": [{ "touched_at": { "$gt": at } }, { "_id": { "$gt": id } }],
        };
        let documents = self
            .page(MEMBERS, after, doc! { "touched_at": 1, "_id": 1 }, limit)
            .await?;
        documents
            .iter()
            .map(|one| documents::read_head(one).map_err(malformed))
            .collect()
    }
}

#[async_trait]
impl Views for MongoBooks {
    async fn coupons_of(
        &self,
        customer_id: &str,
        after: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<Coupon>, BooksError> {
        let mut wanted = doc! { "customer_id": customer_id };
        if let Some((at, id)) = after {
            let older = vec![doc! { "issued_at": { "$lt": at } }, doc! { "_id": { "$lt": id } }];
            wanted.extend(doc! { "issued_at": { "$lte": at }, "$or": older });
        }
        let documents = self
            .page(COUPONS, wanted, doc! { "issued_at": -1, "_id": -1 }, limit)
            .await?;
        documents
            .iter()
            .map(|one| {
                documents::read_coupon(one)
                    .map(|one| one.state)
                    .map_err(malformed)
            })
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
        let wanted = doc! { "customer_id": customer_id, "number": { "$lt": before } };
        let documents = self.page(LEDGER, wanted, doc! { "number": -1 }, limit).await?;
        documents
            .iter()
            .map(|one| documents::read_entry(one).map_err(malformed))
            .collect()
    }
}

impl MongoBooks {
    async fn page(
        &self,
        collection: &str,
        wanted: Document,
        order: Document,
        limit: usize,
    ) -> Result<Vec<Document>, BooksError> {
        let collection = self.collection(collection);
        let find = collection.find(wanted).sort(order).limit(limit as i64);
        find.await.map_err(failed)?.try_collect().await.map_err(failed)
    }
}
