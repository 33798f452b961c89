//! The testkit: a whole platform to drive ([`world`] in this process, [`process`] as a process of its own),
//! clients for it ([`client`], [`shop`], [`feed`]), the ledger audit that follows every scenario ([`audit`]),
//! federated graphs as data ([`federation`]), and the exported contracts ([`contract`]).
pub mod audit;
pub mod client;
pub mod contract;
pub mod federation;
pub mod feed;
pub mod patience;
pub mod process;
pub mod servers;
pub mod shop;
pub mod world;
