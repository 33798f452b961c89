//! What a customer sends, and the basket it becomes.

use async_graphql::{Error, ID, InputObject};

use super::error;
use crate::domain::{
    Address, Basket, CouponId, CustomerId, IdempotencyKey, InvalidValue, MenuItemId, Quantity, StoreId,
};

/// What to order. Prices are the store's, never the client's.
#[derive(Debug, Clone, InputObject)]
pub struct PlaceOrderInput {
    /// From which store.
    pub store_id: ID,
    /// Which dishes.
    pub items: Vec<OrderItemInput>,
    /// 주소, where to bring it.
    pub address: String,
    /// A coupon of the customer's.
    pub coupon_id: Option<ID>,
    /// The client's name for this attempt: sent again, it gives the same order and charges nothing.
    pub idempotency_key: String,
}

/// A dish and how many of it.
#[derive(Debug, Clone, InputObject)]
pub struct OrderItemInput {
    /// Which dish of the store's menu.
    pub menu_item_id: ID,
    /// 수량, 1 to 100.
    pub quantity: i32,
}

impl PlaceOrderInput {
    /// Checks everything that can be checked without looking anything up.
    pub(super) fn basket(self, customer: &str) -> Result<Basket, Error> {
        let items = self
            .items
            .into_iter()
            .map(item)
            .collect::<Result<Vec<_>, _>>()
            .map_err(error::invalid)?;
        let items = Basket::items(items).map_err(|refusal| error::app(refusal.into()))?;
        let parse = || -> Result<Basket, InvalidValue> {
            Ok(Basket {
                customer: CustomerId::parse(customer)?,
                key: IdempotencyKey::parse(&self.idempotency_key)?,
                store: StoreId::parse(&self.store_id)?,
                items,
                address: Address::parse(&self.address)?,
                coupon: self
                    .coupon_id
                    .as_deref()
                    .map(|coupon| CouponId::parse(coupon))
                    .transpose()?,
            })
        };
        parse().map_err(error::invalid)
    }
}

fn item(input: OrderItemInput) -> Result<(MenuItemId, Quantity), InvalidValue> {
    Ok((
        MenuItemId::parse(&input.menu_item_id)?,
        Quantity::parse(i64::from(input.quantity))?,
    ))
}
