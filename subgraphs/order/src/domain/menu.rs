//! The menu board (메뉴판) as order knows it: a replica of what stores publish, so that ordering needs no store.

use std::collections::BTreeMap;

use super::{MenuItemId, StoreId, Won};

/// A store's menu, as far as it has been heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Whose.
    pub store: StoreId,
    /// Whether the store takes orders.
    pub open: bool,
    /// Its dishes.
    pub dishes: BTreeMap<MenuItemId, Dish>,
    /// How often it was saved; 0 = never. Guards against two writers.
    pub version: u64,
}

/// A dish as it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dish {
    /// Its name.
    pub name: String,
    /// Its price.
    pub price: Won,
    /// It cannot be ordered at the moment.
    pub sold_out: bool,
    /// Version of the store's menu this was heard with; older news of the dish changes nothing.
    pub as_of: i64,
}

/// What a store says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuNews {
    /// 상점열림
    Opened,
    /// 상점닫힘
    Closed,
    /// 메뉴변경됨
    Changed {
        /// Which dish.
        item: MenuItemId,
        /// As it now is.
        dish: Dish,
    },
    /// 품절됨
    SoldOut {
        /// Which dish.
        item: MenuItemId,
        /// Version of the store's menu.
        as_of: i64,
    },
}

impl Menu {
    /// A store not heard of before. Closed until it says otherwise.
    pub fn unknown(store: StoreId) -> Menu {
        Menu {
            store,
            open: false,
            dishes: BTreeMap::new(),
            version: 0,
        }
    }

    /// The menu after the news.
    pub fn hear(mut self, news: MenuNews) -> Menu {
        match news {
            MenuNews::Opened => self.open = true,
            MenuNews::Closed => self.open = false,
            MenuNews::Changed { item, dish } => {
                if self
                    .dishes
                    .get(&item)
                    .is_none_or(|known| known.as_of <= dish.as_of)
                {
                    self.dishes.insert(item, dish);
                }
            }
            MenuNews::SoldOut { item, as_of } => {
                if let Some(dish) = self.dishes.get_mut(&item).filter(|known| known.as_of <= as_of) {
                    dish.sold_out = true;
                    dish.as_of = as_of;
                }
            }
        }
        self
    }
}
