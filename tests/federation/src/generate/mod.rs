//! Generates graphs and operations from a seed.
//!
//! A graph is made as one schema with its data, and then split: every field gets its subgraphs, every
//! entity its keys there. The directives are chosen so that composition must accept the result.
mod absent;
mod build;
mod contexts;
mod data;
mod features;
mod fields;
pub mod graph;
mod hidden;
mod interface_objects;
mod notation;
mod numbers;
mod operation;
pub mod sdl;
mod split;
mod types;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

use build::Builder;
use features::Features;
use graph::Graph;

pub use numbers::Numbers;
pub use operation::{Request, operation};

/// The graph of a seed.
pub fn generate(seed: u64) -> Graph {
    let mut numbers = Numbers::seeded(seed);
    let features = Features::draw(&mut numbers);
    let subgraphs = [2, 2, 3, 3, 4, 5, 6][numbers.below(7)];
    let mut builder = Builder {
        graph: Graph {
            subgraphs,
            ..Graph::default()
        },
        numbers,
        features,
        key_values: BTreeMap::new(),
        of_interfaces: BTreeSet::new(),
        lacking: Vec::new(),
    };
    types::add(&mut builder);
    fields::add(&mut builder);
    builder.graph.prune();
    builder.merge_types();
    split::add(&mut builder);
    interface_objects::add(&mut builder);
    contexts::add(&mut builder);
    absent::prepare(&mut builder);
    hidden::add(&mut builder);
    builder.graph.directive = builder.features.directives;
    data::add(&mut builder);
    builder.graph
}
