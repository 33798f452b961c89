//! The testkit: a whole platform to drive ([`world`] in this process, [`process`] as a process of its own),
//! clients for it ([`client`], [`shop`], [`feed`]), the ledger audit that follows every scenario ([`audit`]),
//! and the exported contracts ([`contract`]). Federated graphs are a crate of their own, `tests/federation`.
pub mod audit;
pub mod client;
pub mod contract;
pub mod faults;
pub mod feed;
pub mod patience;
pub mod process;
pub mod servers;
pub mod shop;
pub mod world;
