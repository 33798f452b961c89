//! Who may see what: customers their own, operators everything. Another's coupon or order answers as if it had none.

use crate::app::App;
use async_graphql::{Context, Result};
use baedal_kit::auth::Caller;
use std::sync::Arc;

/// Scope of a customer.
pub const ORDER: &str = "order";
/// Scope of an operator.
pub const OPERATOR: &str = "operator";

/// The application behind the schema.
pub fn app<'a>(ctx: &Context<'a>) -> &'a Arc<App> {
    ctx.data_unchecked::<Arc<App>>()
}

/// The calling customer's `sub`.
pub fn customer<'a>(ctx: &Context<'a>) -> Result<&'a str> {
    Ok(Caller::of(ctx).require(ORDER)?.sub.as_str())
}

/// Whether the caller may see what belongs to this customer.
pub fn may_see(ctx: &Context<'_>, customer_id: &str) -> bool {
    let caller = Caller::of(ctx);
    let own = caller.claims().is_ok_and(|claims| claims.sub == customer_id);
    caller.has(OPERATOR) || (own && caller.has(ORDER))
}
