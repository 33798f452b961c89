//! From what a customer asks for to an order with prices: every amount comes from the menu, none from the client.

use super::{
    Address, Coupon, CouponId, CustomerId, Dish, IdempotencyKey, InvalidValue, Menu, MenuItemId, Millis,
    OrderId, Quantity, StoreId, Won,
};

/// What the customer asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// Who asks.
    pub customer: CustomerId,
    /// What the client calls this attempt.
    pub key: IdempotencyKey,
    /// From which store.
    pub store: StoreId,
    /// Which dishes, at least one, each once.
    pub items: Vec<(MenuItemId, Quantity)>,
    /// Where to bring it.
    pub address: Address,
    /// With which coupon.
    pub coupon: Option<CouponId>,
}

/// A line of an order, priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which dish.
    pub item: MenuItemId,
    /// Its name at the time.
    pub name: String,
    /// How many.
    pub quantity: Quantity,
    /// Price of one at the time.
    pub unit_price: Won,
}

/// An order that can be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id to be.
    pub id: OrderId,
    /// As asked.
    pub basket: Basket,
    /// Priced.
    pub lines: Vec<Line>,
    /// What the coupon takes off; never more than the lines' sum.
    pub discount: Won,
    /// What is to be paid.
    pub total: Won,
}

/// Why there is nothing to order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Closed, or not known at all.
    #[error("store {0} is not taking orders")]
    StoreClosed(String),
    /// Not on the menu.
    #[error("menu item {0} is not on the menu")]
    MenuItemUnknown(String),
    /// On the menu, but there is none left.
    #[error("{0} is sold out")]
    SoldOut(String),
    /// Not the customer's, expired, or not heard of.
    #[error("coupon {0} cannot be used")]
    CouponUnusable(String),
    /// Not an order at all.
    #[error("{0}")]
    Invalid(String),
}

impl Basket {
    /// The most different dishes in one order.
    pub const MAX_LINES: usize = 50;

    /// Puts the same dish asked for twice in one line, and refuses an empty or endless basket.
    pub fn items(asked: Vec<(MenuItemId, Quantity)>) -> Result<Vec<(MenuItemId, Quantity)>, Refusal> {
        let mut items: Vec<(MenuItemId, Quantity)> = Vec::with_capacity(asked.len().min(Basket::MAX_LINES));
        for (item, quantity) in asked {
            match items.iter_mut().find(|(known, _)| *known == item) {
                Some((_, sum)) => *sum = Quantity::parse(i64::from(sum.get()) + i64::from(quantity.get()))?,
                None => items.push((item, quantity)),
            }
        }
        if items.is_empty() || items.len() > Basket::MAX_LINES {
            return Err(Refusal::Invalid(format!(
                "an order has 1 to {} different dishes",
                Basket::MAX_LINES
            )));
        }
        Ok(items)
    }

    /// Prices the basket from the menu and the coupon.
    pub fn price(
        self,
        id: OrderId,
        menu: Option<&Menu>,
        coupon: Option<&Coupon>,
        now: Millis,
    ) -> Result<Draft, Refusal> {
        let Some(menu) = menu.filter(|menu| menu.open) else {
            return Err(Refusal::StoreClosed(self.store.as_str().to_owned()));
        };
        let lines = self
            .items
            .iter()
            .map(|(item, quantity)| line(menu, item, *quantity))
            .collect::<Result<Vec<_>, _>>()?;
        let mut sum = Won::ZERO;
        for line in &lines {
            sum = sum.plus(line.unit_price.times(line.quantity)?)?;
        }
        let off = self.taken_off(coupon, now)?;
        let discount = off.min(sum);
        Ok(Draft {
            id,
            basket: self,
            lines,
            discount,
            total: sum.less(discount),
        })
    }

    fn taken_off(&self, coupon: Option<&Coupon>, now: Millis) -> Result<Won, Refusal> {
        let Some(wanted) = &self.coupon else {
            return Ok(Won::ZERO);
        };
        let usable = coupon.filter(|coupon| coupon.id == *wanted && coupon.usable_by(&self.customer, now));
        usable
            .map(|coupon| coupon.amount)
            .ok_or_else(|| Refusal::CouponUnusable(wanted.as_str().to_owned()))
    }
}

fn line(menu: &Menu, item: &MenuItemId, quantity: Quantity) -> Result<Line, Refusal> {
    match menu.dishes.get(item) {
        None => Err(Refusal::MenuItemUnknown(item.as_str().to_owned())),
        Some(Dish {
            sold_out: true, name, ..
        }) => Err(Refusal::SoldOut(name.clone())),
        Some(Dish { name, price, .. }) => Ok(Line {
            item: item.clone(),
            name: name.clone(),
            quantity,
            unit_price: *price,
        }),
    }
}

impl From<InvalidValue> for Refusal {
    fn from(error: InvalidValue) -> Refusal {
        Refusal::Invalid(error.to_string())
    }
}
