//! Topics of a broker as streams that can be taken up again anywhere.
//!
//! Its duty: many streams of one [`Topic`] cost one reader; a stream that gives a [`Position`] gets every record after it
//! once, in the order of its partition; a broker that is away makes streams wait, not end. It must not know what a record
//! means, nor anything of GraphQL or HTTP.
//!
//! * [`Log`] is the port: [`kafka::Kafka`], or [`files::Files`] for trying things out;
//! * [`Topic`] reads the newest records once for all who follow it, and remembers the latest of them;
//! * [`Stream`] is one follower: it reads what it missed by itself, and then goes over to the common reader;
//! * [`Position`] is where a stream is, and its text is a cursor.

pub mod files;
pub mod kafka;
mod log;
mod position;
mod recent;
mod stream;
mod topic;

pub use log::{Extent, Log, LogError, Read, Reader, Record};
pub use position::Position;
pub use stream::Stream;
pub use topic::{Settings, State, Topic};
