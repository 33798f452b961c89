//! Who may call order: customers and operators by GraphQL, other contexts by their events.

pub mod events;
pub mod graphql;
