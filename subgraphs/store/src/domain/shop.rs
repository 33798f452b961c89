//! Store (상점) and its menu board (메뉴판).

use super::{Decided, Refused, text};

/// A menu has at most this many items.
pub const MAX_MENU_ITEMS: usize = 200;
const MAX_PRICE: i64 = 10_000_000;

/// One dish on the menu board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// Id, unique within the store.
    pub id: String,
    /// What the customer reads.
    pub name: String,
    /// Price in KRW.
    pub price: i64,
    /// 품절: listed, but cannot be ordered.
    pub sold_out: bool,
}

/// What a store is, open or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Id of the store.
    pub id: String,
    /// `sub` of the owner (상점주인).
    pub owner_id: String,
    /// Name of the store.
    pub name: String,
    /// The menu board, in the order in which items were added.
    pub menu: Vec<MenuItem>,
}

/// A store is open or closed; the menu can be changed in both states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// 영업중: takes orders.
    Open(Details),
    /// 영업종료: takes none.
    Closed(Details),
}

/// What happened to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    /// It opened, for the first time or again.
    Opened {
        /// Its name at that time.
        name: String,
        /// `sub` of its owner.
        owner_id: String,
    },
    /// It closed.
    Closed,
    /// An item was added or changed, and is on sale.
    MenuChanged(MenuItem),
    /// 품절됨.
    ItemSoldOut {
        /// Which item.
        menu_item_id: String,
    },
}

impl Store {
    /// Opens a store that did not exist.
    pub fn found(id: String, owner_id: String, name: &str) -> Decided<Store, StoreEvent> {
        let name = text("name", name, 80)?;
        let details = Details {
            id,
            owner_id,
            name,
            menu: Vec::new(),
        };
        let event = opened(&details);
        Ok((Store::Open(details), vec![event]))
    }

    /// Opens a closed store again, under a name that may be new.
    pub fn open(self, name: &str) -> Decided<Store, StoreEvent> {
        match self {
            Store::Open(_) => Err(not_while("openStore", "OPEN")),
            Store::Closed(mut details) => {
                details.name = text("name", name, 80)?;
                let event = opened(&details);
                Ok((Store::Open(details), vec![event]))
            }
        }
    }

    /// Closes an open store.
    pub fn close(self) -> Decided<Store, StoreEvent> {
        match self {
            Store::Open(details) => Ok((Store::Closed(details), vec![StoreEvent::Closed])),
            Store::Closed(_) => Err(not_while("closeStore", "CLOSED")),
        }
    }

    /// Adds an item, or changes the one with this id; either way it is on sale afterwards.
    pub fn set_menu_item(self, id: &str, name: &str, price: i64) -> Decided<Store, StoreEvent> {
        let item = MenuItem {
            id: item_id(id)?,
            name: text("name", name, 80)?,
            price,
            sold_out: false,
        };
        if !(1..=MAX_PRICE).contains(&price) {
            return Err(Refused::InvalidInput(format!(
                "price must be 1 to {MAX_PRICE} won, it is {price}"
            )));
        }
        let mut store = self;
        let menu = &mut store.details_mut().menu;
        match menu.iter().position(|known| known.id == item.id) {
            Some(known) => menu[known] = item.clone(),
            None if menu.len() >= MAX_MENU_ITEMS => {
                return Err(Refused::InvalidInput(format!(
                    "a menu has at most {MAX_MENU_ITEMS} items"
                )));
            }
            None => menu.push(item.clone()),
        }
        Ok((store, vec![StoreEvent::MenuChanged(item)]))
    }

    /// Marks an item as sold out; one that already is stays so, without an event.
    pub fn mark_sold_out(self, menu_item_id: &str) -> Decided<Store, StoreEvent> {
        let mut store = self;
        let item = store
            .details_mut()
            .menu
            .iter_mut()
            .find(|item| item.id == menu_item_id);
        let item = item.ok_or_else(|| Refused::InvalidInput("the menu has no such item".to_owned()))?;
        if item.sold_out {
            return Ok((store, Vec::new()));
        }
        item.sold_out = true;
        Ok((
            store,
            vec![StoreEvent::ItemSoldOut {
                menu_item_id: menu_item_id.to_owned(),
            }],
        ))
    }

    /// What the store is.
    pub fn details(&self) -> &Details {
        match self {
            Store::Open(details) | Store::Closed(details) => details,
        }
    }

    /// Whether it takes orders.
    pub fn is_open(&self) -> bool {
        matches!(self, Store::Open(_))
    }

    fn details_mut(&mut self) -> &mut Details {
        match self {
            Store::Open(details) | Store::Closed(details) => details,
        }
    }
}

fn opened(details: &Details) -> StoreEvent {
    StoreEvent::Opened {
        name: details.name.clone(),
        owner_id: details.owner_id.clone(),
    }
}

fn not_while(command: &'static str, from: &'static str) -> Refused {
    Refused::InvalidTransition {
        subject: "store",
        command,
        from,
    }
}

fn item_id(id: &str) -> Result<String, Refused> {
    let ok = !id.is_empty()
        && id.len() <= 64
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if ok {
        Ok(id.to_owned())
    } else {
        Err(Refused::InvalidInput(
            "menuItemId must be 1 to 64 letters, digits, - or _".to_owned(),
        ))
    }
}
