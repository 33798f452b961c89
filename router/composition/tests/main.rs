//! Tests of composition: cases as data, laws as properties.

mod anonymize;
mod cases;
mod compare;
mod contract;
mod determinism;
mod laws;
mod memory;
mod rendering;
mod robustness;
mod scale;
mod support;
mod twins;
