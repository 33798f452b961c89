//! What a customer, an owner and an operator do, from login to delivery, through the gateway.
mod browser;
mod cancelling;
mod first_order;
mod privacy;
mod views;
