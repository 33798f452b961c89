//! What others rely on: exported schemas, events, recorded client operations, and the Compose file.
mod compose;
mod events;
mod graphql;
mod reader;
