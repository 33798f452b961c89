//! Orders, menus and coupons as documents, and back: one shape for MongoDB (BSON) and SQLite (JSON text).

mod order;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Coupon, CouponId, CustomerId, Dish, InvalidValue, Menu, MenuItemId, Millis, StoreId, Won},
    ports::StoreError,
};

pub(super) use order::OrderDoc;

/// A replica of a menu.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MenuDoc {
    open: bool,
    dishes: Vec<DishDoc>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DishDoc {
    item: String,
    name: String,
    price: i64,
    sold_out: bool,
    as_of: i64,
}

/// A replica of a coupon.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CouponDoc {
    customer: String,
    amount: i64,
    expires_at: Millis,
}

impl MenuDoc {
    pub(super) fn of(menu: &Menu) -> MenuDoc {
        let dish = |(item, dish): (&MenuItemId, &Dish)| DishDoc {
            item: item.as_str().to_owned(),
            name: dish.name.clone(),
            price: dish.price.get(),
            sold_out: dish.sold_out,
            as_of: dish.as_of,
        };
        MenuDoc {
            open: menu.open,
            dishes: menu.dishes.iter().map(dish).collect(),
        }
    }

    pub(super) fn read(self, store: &str, version: i64) -> Result<Menu, StoreError> {
        let read = || -> Result<Menu, InvalidValue> {
            let mut menu = Menu::unknown(StoreId::parse(store)?);
            menu.open = self.open;
            for dish in self.dishes {
                let DishDoc {
                    item,
                    name,
                    price,
                    sold_out,
                    as_of,
                } = dish;
                menu.dishes.insert(
                    MenuItemId::parse(&item)?,
                    Dish {
                        name,
                        price: Won::parse(price)?,
                        sold_out,
                        as_of,
                    },
                );
            }
            Ok(menu)
        };
        let menu = read().map_err(|error| broken("menu", store, error))?;
        Ok(Menu {
            version: count("menu", store, version)?,
            ..menu
        })
    }
}

impl CouponDoc {
    pub(super) fn of(coupon: &Coupon) -> CouponDoc {
        CouponDoc {
            customer: coupon.customer.as_str().to_owned(),
            amount: coupon.amount.get(),
            expires_at: coupon.expires_at,
        }
    }

    pub(super) fn read(self, id: &str) -> Result<Coupon, StoreError> {
        let read = || -> Result<Coupon, InvalidValue> {
            Ok(Coupon {
                id: CouponId::parse(id)?,
                customer: CustomerId::parse(&self.customer)?,
                amount: Won::parse(self.amount)?,
                expires_at: self.expires_at,
            })
        };
        read().map_err(|error| broken("coupon", id, error))
    }
}

/// A version column read back.
pub(super) fn count(what: &str, id: &str, version: i64) -> Result<u64, StoreError> {
    u64::try_from(version).map_err(|error| broken(what, id, error))
}

/// A version as a column.
pub(super) fn column(version: u64) -> i64 {
    i64::try_from(version).expect("a version counts saves")
}

/// A record nobody of ours has written.
pub(super) fn broken(what: &str, id: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Failed {
        message: format!("the record of {what} {id} cannot be read: {why}"),
        transient: false,
    }
}
