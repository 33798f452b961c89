//! How a ticket's state is written down, and read back.

use crate::domain::{Intake, Line, MenuItem, Paid, Placed, Status, StoreOrder, Ticket};
use crate::ports::{Filed, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

/// Columns in the order in which [`filed`] reads them.
pub const TICKET: &str = "order_id, status, received_at, moved_at, version, body";

#[derive(Serialize, Deserialize)]
struct Body {
    placed: Option<PlacedBody>,
    paid: Option<i64>,
    eta: Option<u32>,
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PlacedBody {
    store: String,
    customer: String,
    address: String,
    total: i64,
    at: i64,
    lines: Vec<(String, String, u32, i64)>,
}

#[derive(Serialize, Deserialize)]
struct ItemBody {
    id: String,
    name: String,
    price: i64,
    sold_out: bool,
}

/// What the columns beside `status` do not say.
pub fn body(order: &StoreOrder, trace: Option<&str>) -> String {
    let body = Body {
        placed: order.placed().map(write_placed),
        paid: order.paid().map(|paid| paid.amount),
        eta: order.eta_minutes(),
        reason: order.reason().map(str::to_owned),
        trace: trace.map(str::to_owned),
    };
    serde_json::to_string(&body).expect("a body is strings and numbers")
}

/// A ticket from a row of [`TICKET`].
pub fn filed(row: &AnyRow) -> Result<Filed, StoreError> {
    let cell = |error: sqlx::Error| StoreError::Unavailable(error.into());
    let order_id: String = row.try_get(0).map_err(cell)?;
    let status: String = row.try_get(1).map_err(cell)?;
    let received_at: i64 = row.try_get(2).map_err(cell)?;
    let body: String = row.try_get(5).map_err(cell)?;
    let unreadable =
        || StoreError::Unavailable(anyhow::anyhow!("the row of order {order_id} is not readable"));
    let mut body: Body = serde_json::from_str(&body).map_err(|_| unreadable())?;
    let trace = body.trace.take();
    let order = read(&status, received_at, body).ok_or_else(unreadable)?;
    let version: i64 = row.try_get(4).map_err(cell)?;
    Ok(Filed {
        order_id,
        order,
        version: version.unsigned_abs(),
        moved_at: row.try_get(3).map_err(cell)?,
        trace,
    })
}

fn read(status: &str, received_at: i64, body: Body) -> Option<StoreOrder> {
    let status = Status::parse(status)?;
    let intake = Intake {
        placed: body.placed.map(read_placed),
        paid: body.paid.map(|amount| Paid { amount }),
    };
    let eta = body.eta.unwrap_or_default();
    let at = (received_at > 0).then_some(received_at);
    let ticket = |intake: Intake| {
        Some(Ticket {
            placed: intake.placed?,
            paid: intake.paid?,
            received_at: at?,
        })
    };
    Some(match status {
        Status::Parked => StoreOrder::Parked(intake),
        Status::Cancelled => StoreOrder::Cancelled(intake, at),
        Status::Received => StoreOrder::Received(ticket(intake)?),
        Status::Accepted => StoreOrder::Accepted(ticket(intake)?, eta),
        Status::Rejected => StoreOrder::Rejected(ticket(intake)?, body.reason?),
        Status::Cooking => StoreOrder::Cooking(ticket(intake)?, eta),
        Status::Cooked => StoreOrder::Cooked(ticket(intake)?, eta),
        Status::Delivering => StoreOrder::Delivering(ticket(intake)?, eta),
        Status::Delivered => StoreOrder::Delivered(ticket(intake)?, eta),
    })
}

fn write_placed(placed: &Placed) -> PlacedBody {
    let line = |line: &Line| {
        (
            line.menu_item_id.clone(),
            line.name.clone(),
            line.quantity,
            line.unit_price,
        )
    };
    PlacedBody {
        store: placed.store_id.clone(),
        customer: placed.customer_id.clone(),
        address: placed.address.clone(),
        total: placed.total,
        at: placed.placed_at,
        lines: placed.lines.iter().map(line).collect(),
    }
}

fn read_placed(body: PlacedBody) -> Placed {
    let line = |(menu_item_id, name, quantity, unit_price)| Line {
        menu_item_id,
        name,
        quantity,
        unit_price,
    };
    Placed {
        store_id: body.store,
        customer_id: body.customer,
        address: body.address,
        total: body.total,
        placed_at: body.at,
        lines: body.lines.into_iter().map(line).collect(),
    }
}

/// A menu as one text.
pub fn write_menu(menu: &[MenuItem]) -> String {
    let item = |item: &MenuItem| ItemBody {
        id: item.id.clone(),
        name: item.name.clone(),
        price: item.price,
        sold_out: item.sold_out,
    };
    serde_json::to_string(&menu.iter().map(item).collect::<Vec<_>>()).expect("a menu is strings and numbers")
}

/// Reads what [`write_menu`] wrote.
pub fn read_menu(text: &str) -> Result<Vec<MenuItem>, serde_json::Error> {
    let items: Vec<ItemBody> = serde_json::from_str(text)?;
    let item = |item: ItemBody| MenuItem {
        id: item.id,
        name: item.name,
        price: item.price,
        sold_out: item.sold_out,
    };
    Ok(items.into_iter().map(item).collect())
}
