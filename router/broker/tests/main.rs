//! Streams of topics, on a folder and on Kafka.

mod rig;
mod streams;
mod trouble;
