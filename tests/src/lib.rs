//! The testkit: a whole platform to drive ([`world`]), clients for it ([`client`], [`feed`]), the
//! ledger audit that follows every scenario ([`audit`]), and the exported contracts ([`contract`]).
pub mod contract;
