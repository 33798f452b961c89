//! The testkit: a whole platform to drive ([`world`] in this process, [`process`] as a process of its own,
//! [`cluster`] with replicas behind a [`balancer`]), clients for it ([`client`], [`shop`], [`feed`]) and [`load`], the
//! acceptance scenarios ([`scenario`]), the ledger audit that follows every one ([`audit`]), and the exported contracts
//! ([`contract`]). Federated graphs are a crate of their own, `tests/federation`.
pub mod audit;
pub mod balancer;
pub mod client;
pub mod cluster;
pub mod contract;
pub mod faults;
pub mod feed;
pub mod load;
pub mod patience;
pub mod process;
pub mod scenario;
pub mod servers;
pub mod shop;
pub mod simulation;
pub mod views;
pub mod world;
