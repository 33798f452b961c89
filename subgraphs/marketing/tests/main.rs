//! Tests of the marketing service, in one binary.

mod domain;
mod feed;
mod graphql;
mod issuer;
mod live;
mod policies;
mod ports;
mod replicas;
mod service;
mod support;
