//! Tests of the planner, in one binary.
mod anonymous;
mod case_files;
mod cases;
mod composed;
mod cost;
mod explanations;
mod generated;
mod growth;
mod incremental;
mod introspection;
mod operations;
mod optimal;
mod properties;
mod subgraph_view;
mod supergraphs;
mod support;
mod validation;
