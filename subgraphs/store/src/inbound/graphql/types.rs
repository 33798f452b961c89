//! The types of this subgraph. Those of others appear only as references by key.

use super::access::may_see;
use super::loaders::{StoresById, TicketsByOrder};
use crate::domain::{Line, MenuItem, Status, Store};
use crate::ports::{DishSales, Filed, Sales};
use async_graphql::dataloader::DataLoader;
use async_graphql::{
    Context, Enum, ID, InputObject, InputValueError, InputValueResult, Object, Result, Scalar, ScalarType,
    SimpleObject, Value,
};
use baedal_kit::envelope::{parse_rfc3339, rfc3339};
use std::sync::Arc;

/// A point in time, RFC 3339, in UTC. Held as ms since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub i64);

#[Scalar(
    name = "DateTime",
    specified_by_url = "https://scalars.graphql.org/andimarek/date-time"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        parse_rfc3339(text)
            .map(DateTime)
            .ok_or_else(|| InputValueError::custom("not an RFC 3339 time"))
    }

    fn to_value(&self) -> Value {
        Value::String(rfc3339(self.0))
    }
}

/// 상점: a shop that cooks.
pub struct StoreNode(pub Arc<Store>);

/// 상점: a shop that cooks and delivers.
#[Object(name = "Store")]
impl StoreNode {
    async fn id(&self) -> ID {
        ID(self.0.details().id.clone())
    }

    async fn name(&self) -> &str {
        &self.0.details().name
    }

    /// The `sub` of the owner (상점주인).
    async fn owner_id(&self) -> &str {
        &self.0.details().owner_id
    }

    /// Whether it takes orders.
    async fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// The menu board (메뉴판).
    async fn menu(&self) -> Vec<MenuItemNode> {
        self.0.details().menu.iter().map(MenuItemNode::from).collect()
    }
}

/// A dish on the menu board.
#[derive(SimpleObject)]
#[graphql(name = "MenuItem")]
pub struct MenuItemNode {
    /// Unique within the store.
    id: ID,
    name: String,
    /// In KRW.
    price: i64,
    /// 품절: cannot be ordered at the moment.
    sold_out: bool,
}

impl From<&MenuItem> for MenuItemNode {
    fn from(item: &MenuItem) -> Self {
        let MenuItem {
            id,
            name,
            price,
            sold_out,
        } = item.clone();
        MenuItemNode {
            id: ID(id),
            name,
            price,
            sold_out,
        }
    }
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TicketStatus {
    /// 접수.
    Received,
    /// 수락.
    Accepted,
    /// 거절.
    Rejected,
    /// 취소.
    Cancelled,
    /// 요리중.
    Cooking,
    /// 요리완료.
    Cooked,
    /// 배달중.
    Delivering,
    /// 배송완료.
    Delivered,
}

impl From<TicketStatus> for Status {
    fn from(status: TicketStatus) -> Self {
        match status {
            TicketStatus::Received => Status::Received,
            TicketStatus::Accepted => Status::Accepted,
            TicketStatus::Rejected => Status::Rejected,
            TicketStatus::Cancelled => Status::Cancelled,
            TicketStatus::Cooking => Status::Cooking,
            TicketStatus::Cooked => Status::Cooked,
            TicketStatus::Delivering => Status::Delivering,
            TicketStatus::Delivered => Status::Delivered,
        }
    }
}

impl From<Status> for TicketStatus {
    fn from(status: Status) -> Self {
        match status {
            // What is parked is no ticket and is not shown.
            Status::Parked | Status::Received => TicketStatus::Received,
            Status::Accepted => TicketStatus::Accepted,
            Status::Rejected => TicketStatus::Rejected,
            Status::Cancelled => TicketStatus::Cancelled,
            Status::Cooking => TicketStatus::Cooking,
            Status::Cooked => TicketStatus::Cooked,
            Status::Delivering => TicketStatus::Delivering,
            Status::Delivered => TicketStatus::Delivered,
        }
    }
}

/// 주문관리: the store's ticket for one order.
pub struct StoreOrderNode(pub Arc<Filed>);

/// 주문관리: the store's ticket for one order.
#[Object(name = "StoreOrder")]
impl StoreOrderNode {
    async fn order_id(&self) -> ID {
        ID(self.0.order_id.clone())
    }

    async fn status(&self) -> TicketStatus {
        self.0.order.status().into()
    }

    /// Minutes until delivery as promised on acceptance.
    async fn eta_minutes(&self) -> Option<u32> {
        self.0.order.eta_minutes()
    }

    /// Why the store rejected it.
    async fn reason(&self) -> Option<&str> {
        self.0.order.reason()
    }

    /// When both the order and its payment were there.
    async fn received_at(&self) -> Option<DateTime> {
        self.0.order.received_at().map(DateTime)
    }

    /// When the status last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.moved_at)
    }

    /// The dishes to cook.
    async fn lines(&self) -> Vec<TicketLine> {
        let placed = self.0.order.placed();
        placed
            .map(|placed| placed.lines.iter().map(TicketLine::from).collect())
            .unwrap_or_default()
    }

    /// Where to deliver.
    async fn address(&self) -> Option<&str> {
        self.0.order.placed().map(|placed| placed.address.as_str())
    }

    /// What the customer paid, in KRW.
    async fn total(&self) -> Option<i64> {
        self.0.order.placed().map(|placed| placed.total)
    }

    async fn store(&self, ctx: &Context<'_>) -> Result<Option<StoreNode>> {
        let Some(placed) = self.0.order.placed() else {
            return Ok(None);
        };
        let stores = ctx.data_unchecked::<DataLoader<StoresById>>();
        Ok(stores.load_one(placed.store_id.clone()).await?.map(StoreNode))
    }

    async fn order(&self) -> OrderRef {
        OrderRef {
            id: ID(self.0.order_id.clone()),
        }
    }
}

/// A dish on a ticket.
#[derive(SimpleObject)]
pub struct TicketLine {
    menu_item_id: ID,
    name: String,
    quantity: u32,
}

impl From<&Line> for TicketLine {
    fn from(line: &Line) -> Self {
        TicketLine {
            menu_item_id: ID(line.menu_item_id.clone()),
            name: line.name.clone(),
            quantity: line.quantity,
        }
    }
}

/// An order of the order subgraph, of which this one knows the ticket.
pub struct OrderRef {
    /// Its id.
    pub id: ID,
}

#[Object(name = "Order")]
impl OrderRef {
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The store's ticket, once it has one, for its customer, the store's owner and operators.
    #[graphql(
        requires_scopes = "order",
        requires_scopes = "store",
        requires_scopes = "operator"
    )]
    async fn ticket(&self, ctx: &Context<'_>) -> Result<Option<StoreOrderNode>> {
        seen_ticket(ctx, self.id.as_str()).await
    }
}

/// The ticket of an order, if there is one and the caller may see it.
pub async fn seen_ticket(ctx: &Context<'_>, order_id: &str) -> Result<Option<StoreOrderNode>> {
    let tickets = ctx.data_unchecked::<DataLoader<TicketsByOrder>>();
    match tickets.load_one(order_id.to_owned()).await? {
        Some(filed) if may_see(ctx, &filed).await? => Ok(Some(StoreOrderNode(filed))),
        _ => Ok(None),
    }
}

/// What a store sold: delivered orders only.
#[derive(SimpleObject)]
#[graphql(name = "StoreSales")]
pub struct SalesNode {
    /// How many orders.
    orders: i64,
    /// What customers paid, in KRW.
    revenue: i64,
    /// Per dish, best seller first.
    dishes: Vec<DishSalesNode>,
}

/// What was sold of one dish.
#[derive(SimpleObject)]
#[graphql(name = "DishSales")]
pub struct DishSalesNode {
    menu_item_id: ID,
    name: String,
    quantity: i64,
    /// At menu prices, in KRW.
    revenue: i64,
}

impl From<Sales> for SalesNode {
    fn from(sales: Sales) -> Self {
        let dish = |dish: DishSales| DishSalesNode {
            menu_item_id: ID(dish.menu_item_id),
            name: dish.name,
            quantity: dish.quantity,
            revenue: dish.revenue,
        };
        let dishes = sales.dishes.into_iter().map(dish).collect();
        SalesNode {
            orders: sales.orders,
            revenue: sales.revenue,
            dishes,
        }
    }
}

/// Opens a store.
#[derive(InputObject)]
pub struct OpenStoreInput {
    /// One of the caller's closed stores; without it a new store is founded.
    pub store_id: Option<ID>,
    /// 1 to 80 characters.
    pub name: String,
}

/// A dish as it should be.
#[derive(InputObject)]
pub struct MenuItemInput {
    /// A dish of the menu, or the id for a new one; without it a new dish gets one.
    pub id: Option<ID>,
    /// 1 to 80 characters.
    pub name: String,
    /// In KRW.
    pub price: i64,
}
