//! What an operation will cost at most, before it is planned.
//! <https://ibm.github.io/graphql-specs/cost-spec.html#sec-Static-Analysis>
//!
//! An object costs 1 (`@cost` says otherwise), a list as many of its items as its arguments or `@listSize` promise, a
//! leaf nothing; what is sent costs 1 for each input object. [`Operation::estimate`] does once per operation what does
//! not depend on values of variables, each fragment once; [`Estimate::cost`] does the rest, in time linear in what is
//! left. A fragment or a field that is selected twice counts twice: the estimate is an upper bound.
mod compile;
mod estimate;
mod input;

pub use estimate::{CostError, Estimate};

use crate::operation::Operation;
use crate::supergraph::Supergraph;

/// What estimates are made by where a schema says nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct CostSettings {
    /// Items of a list.
    pub list_size: u32,
    /// Integer arguments with these names say how long the list is that a field returns, or the lists of the page that
    /// it returns, where there is no `@listSize`.
    pub slicing_arguments: Vec<String>,
}

/// No estimate is larger, so that sums stay numbers.
pub const MOST: f64 = 1e18;

/// What a mutation costs besides its fields.
const MUTATION: f64 = 10.0;

impl Operation {
    /// Its cost, as far as it is known without values of variables.
    pub fn estimate(&self, sg: &Supergraph, settings: &CostSettings) -> Estimate {
        compile::compile(self, sg, settings)
    }
}
