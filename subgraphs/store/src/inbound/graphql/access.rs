//! Who may see and do what. A caller without the right scope is told so; one who asks for another's store or order
//! gets the same answer as for one that does not exist.

use super::loaders::StoresById;
use crate::app::App;
use crate::ports::Filed;
use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Result};
use baedal_kit::auth::Caller;
use baedal_kit::error::coded;
use std::sync::Arc;

/// Scope of a store owner.
pub const STORE: &str = "store";
/// Scope of a customer.
pub const ORDER: &str = "order";
/// Scope of an operator.
pub const OPERATOR: &str = "operator";

/// The application behind the schema.
pub fn app<'a>(ctx: &Context<'a>) -> &'a Arc<App> {
    ctx.data_unchecked::<Arc<App>>()
}

/// The calling owner's `sub`.
pub fn owner<'a>(ctx: &Context<'a>) -> Result<&'a str> {
    Ok(Caller::of(ctx).require(STORE)?.sub.as_str())
}

/// Lets through the store's owner, and operators.
pub async fn may_manage(ctx: &Context<'_>, store_id: &str) -> Result<()> {
    let caller = Caller::of(ctx);
    let claims = caller.require_any(&[STORE, OPERATOR])?;
    if caller.has(OPERATOR) || owns(ctx, store_id, &claims.sub).await? {
        return Ok(());
    }
    Err(coded("NOT_FOUND", "there is no such store"))
}

/// Whether the caller may see a ticket: its customer, the store's owner, an operator.
pub async fn may_see(ctx: &Context<'_>, filed: &Filed) -> Result<bool> {
    let caller = Caller::of(ctx);
    let (Ok(claims), Some(placed)) = (caller.claims(), filed.order.placed()) else {
        return Ok(false);
    };
    if caller.has(OPERATOR) || (caller.has(ORDER) && placed.customer_id == claims.sub) {
        return Ok(true);
    }
    Ok(caller.has(STORE) && owns(ctx, &placed.store_id, &claims.sub).await?)
}

async fn owns(ctx: &Context<'_>, store_id: &str, sub: &str) -> Result<bool> {
    let store = ctx
        .data_unchecked::<DataLoader<StoresById>>()
        .load_one(store_id.to_owned())
        .await?;
    Ok(store.is_some_and(|store| store.details().owner_id == sub))
}
