//! What the client is told: a code it can act on; what went wrong inside stays in the log.

use std::{sync::Arc, time::Duration};

use async_graphql::{Error, ErrorExtensions};
use baedal_kit::error::coded;

use crate::{
    app::AppError,
    domain::{InvalidValue, OrderId, Refusal},
    ports::StoreError,
};

pub(super) fn app(error: AppError) -> Error {
    match &error {
        AppError::Refused(refusal) => coded(code(refusal), error.to_string()),
        AppError::OtherContents => coded("IDEMPOTENCY_CONFLICT", error.to_string()),
        AppError::NotFound(_) => coded("NOT_FOUND", error.to_string()),
        AppError::InvalidTransition(_) => coded("INVALID_TRANSITION", error.to_string()),
        AppError::Store(failed) => store(failed),
        AppError::StillPaying { order, retry_after } => {
            about("PAYMENT_PENDING", &error, order, Some(*retry_after))
        }
        AppError::NotPaid {
            order,
            failure,
            retry_after,
        } => about(failure.code(), &error, order, *retry_after),
    }
}

/// An error about an order that exists: the client can look it up, and knows when to try again.
fn about(code: &str, error: &AppError, order: &OrderId, retry_after: Option<Duration>) -> Error {
    let order = order.as_str().to_owned();
    coded(code, error.to_string()).extend_with(|_, extensions| {
        extensions.set("orderId", order);
        if let Some(wait) = retry_after {
            extensions.set("retryAfterMs", wait.as_millis().max(1) as u64);
        }
    })
}

pub(super) fn store(error: &StoreError) -> Error {
    tracing::error!(%error, "the order store did not answer");
    coded(
        "STORE_UNAVAILABLE",
        "orders cannot be read or written at the moment, try again",
    )
}

pub(super) fn loaded(error: Arc<StoreError>) -> Error {
    store(&error)
}

pub(super) fn invalid(error: InvalidValue) -> Error {
    coded("INVALID_INPUT", error.to_string())
}

fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::StoreClosed(_) => "STORE_CLOSED",
        Refusal::MenuItemUnknown(_) => "MENU_ITEM_UNKNOWN",
        Refusal::SoldOut(_) => "SOLD_OUT",
        Refusal::CouponUnusable(_) => "COUPON_UNUSABLE",
        Refusal::Invalid(_) => "INVALID_INPUT",
    }
}
