//! What every event can say about itself.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// A fact one service publishes and others may rely on.
pub trait DomainEvent: Serialize + DeserializeOwned + JsonSchema + Clone + PartialEq {
    /// Name of the event, the envelope's `type`.
    const TYPE: &'static str;
    /// The Korean term of the domain, the envelope's `alias`.
    const ALIAS: &'static str;
    /// Major version of the payload; raised only by a change that would break a reader.
    const VERSION: u32;
    /// Topic it is published to.
    const TOPIC: &'static str;

    /// What the event is ordered by and correlated with: the order id where there is an order, else the aggregate id.
    fn key(&self) -> &str;

    /// One complete example, kept in `schema/events/`.
    fn example() -> Self;

    /// The payload as JSON, the envelope's `data`.
    fn to_data(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("an event is strings, integers, booleans and lists of them")
    }

    /// Reads a payload; fields that are not known are ignored.
    fn from_data(data: &serde_json::Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(data)
    }
}

/// Implements [`DomainEvent`] for version 1 of one struct.
macro_rules! event {
    ($event:ident, $alias:literal, $topic:path, key: $key:ident, $example:expr) => {
        impl $crate::DomainEvent for $event {
            const TYPE: &'static str = stringify!($event);
            const ALIAS: &'static str = $alias;
            const VERSION: u32 = 1;
            const TOPIC: &'static str = $topic;

            fn key(&self) -> &str {
                &self.$key
            }

            fn example() -> Self {
                $example
            }
        }
    };
}
pub(crate) use event;
