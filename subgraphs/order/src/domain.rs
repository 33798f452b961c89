//! Order (주문): what a customer wants from a store, and how far it has come. Pure: no I/O, no clock, no format.
//!
//! ```text
//! PAYMENT_PENDING → PLACED → ACCEPTED → COOKING → COOKED → DELIVERING → DELIVERED
//! PAYMENT_PENDING → PAYMENT_FAILED
//! PLACED | ACCEPTED → CANCEL_REQUESTED → CANCELLED, or back when the store refuses
//! PLACED → REJECTED → CANCELLED
//! ```
//! CANCELLED is entered only when the refund is confirmed, so a cancelled order never holds money.
//! What the store and payment tell may come late, early or twice: late changes nothing, early is parked until its turn.

mod coupon;
mod draft;
mod event;
mod menu;
mod order;
mod state;
mod timeline;
mod value;

pub use coupon::Coupon;
pub use draft::{Basket, Draft, Line, Refusal};
pub use event::{CancelReason, Event, Recorded};
pub use menu::{Dish, Menu, MenuNews};
pub use order::{InvalidTransition, Order, Step};
pub use state::{Failure, Progress, State, Status};
pub use timeline::{Entry, News, Source, Unified, What};
pub use value::{
    Address, CouponId, CustomerId, IdempotencyKey, InvalidValue, MenuItemId, Millis, OrderId, Quantity,
    StoreId, Won,
};
