//! The gateway from outside: real connections, real subgraphs, real tokens.

mod support;

mod audits;
mod authorization;
mod batching;
mod bound;
mod cache;
mod callbacks;
mod check_config;
mod cli;
mod compression;
mod config;
mod config_schema;
mod costs;
mod csrf;
mod event_streams;
mod failures;
mod http;
mod jwt;
mod life;
mod limits;
mod misbehaviour;
mod mutations;
mod observe;
mod persisted_documents;
mod persisted_queries;
mod queries;
mod rates;
mod redis;
mod reload;
mod sharing;
mod streams;
mod subscriptions;
mod traffic;
mod uploads;
mod websocket;
