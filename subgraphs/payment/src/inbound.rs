//! Who may call payment: other services by gRPC, customers by GraphQL, other contexts by their events.

pub mod events;
pub mod graphql;
pub mod grpc;
pub mod pace;
