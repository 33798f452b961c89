//! What the audit looks at.
use std::collections::BTreeMap;

use anyhow::{Context, Result};
use baedal::settings::{Part, Settings};

use super::{documents, tables};

/// An order as order's store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// Order id.
    pub id: String,
    /// Status.
    pub status: String,
    /// What was to be paid.
    pub total: i64,
}

/// A payment as payment's store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Order id.
    pub order_id: String,
    /// Status.
    pub status: String,
    /// What was paid.
    pub amount: i64,
}

/// The books of all services.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// 주문.
    pub orders: Vec<OrderRow>,
    /// 결제.
    pub payments: Vec<PaymentRow>,
    /// 주문관리: order id and status.
    pub tickets: Vec<(String, String)>,
    /// 쿠폰: the orders they were issued for.
    pub coupons: Vec<String>,
    /// 포인트 entries: order id, kind, points.
    pub points: Vec<(String, String, i64)>,
    /// The feed: customer, sequence, order id.
    pub feed: Vec<(String, i64, String)>,
    /// Rows waiting in each service's outbox.
    pub outbox: BTreeMap<&'static str, i64>,
}

impl Ledger {
    /// Reads every store.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn read(settings: &Settings) -> Result<Ledger> {
        let mut ledger = Ledger::default();
        for part in Part::SUBGRAPHS {
            let url = settings.database(part);
            let read = if url.starts_with("mongodb") {
                documents::read(part, &url, &mut ledger).await
            } else {
                tables::read(part, &url, &mut ledger).await
            };
            read.with_context(|| format!("cannot read the store of {part} for the audit"))?;
        }
        Ok(ledger)
    }
}
