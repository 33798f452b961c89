//! Tests of the store service, in one binary.

mod domain;
mod graphql;
mod policies;
mod ports;
mod replicas;
mod service;
mod support;
