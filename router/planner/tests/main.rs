//! Tests of the planner, in one binary.
mod case_files;
mod cases;
mod composed;
mod explanations;
mod generated;
mod operations;
mod optimal;
mod properties;
mod subgraph_view;
mod supergraphs;
mod support;
