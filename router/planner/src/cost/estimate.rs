//! A cost in which values of variables are still missing.
use apollo_compiler::ast::Type;
use serde_json::{Map, Value};

use super::{MOST, input};
use crate::supergraph::Supergraph;

/// No estimate can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// `@listSize(requireOneSlicingArgument: true)` is not fulfilled.
    #[error("give exactly one of the arguments {} of \"{field}\", and not null: it says how many items are wanted", arguments.join(", "))]
    Slicing {
        /// Type and field.
        field: String,
        /// Its slicing arguments.
        arguments: Vec<String>,
    },
}

/// What an operation costs at most.
#[derive(Clone, Debug, Default)]
pub struct Estimate {
    /// Each after those it refers to, so that one pass gives all their values.
    pub(super) nodes: Vec<Node>,
    pub(super) root: Part,
}

/// A number, or the value of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Fixed(f64),
    Node(usize),
}

impl Default for Part {
    fn default() -> Part {
        Part::Fixed(0.0)
    }
}

/// A part that depends on variables.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Sum(f64, Vec<usize>),
    Largest(f64, Vec<usize>),
    Times(Vec<Size>, Part),
    /// 0 unless each variable has this value.
    When(Vec<(String, bool)>, Part),
    /// What a variable's value costs as an argument (or part of one) of this type.
    Input(String, Type, Option<f64>),
}

/// How long a list is at most; of several, the longest.
#[derive(Clone, Debug)]
pub(super) struct Size {
    /// Sizes that the client gives.
    pub given: Vec<Given>,
    /// The size if it gives none.
    pub otherwise: f64,
    /// Exactly one must be given: what to say if not.
    pub one: Option<Box<CostError>>,
}

#[derive(Clone, Debug)]
pub(super) enum Given {
    Number(f64),
    /// A variable, the path in its value, and what holds if there is nothing.
    Variable(String, Vec<String>, Option<f64>),
}

impl Estimate {
    /// The cost with these values of variables.
    ///
    /// # Errors
    /// A list whose length must be told is not.
    pub fn cost(&self, sg: &Supergraph, coerced: &Map<String, Value>) -> Result<f64, CostError> {
        let mut values: Vec<Result<f64, &CostError>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let value = match node {
                Node::Sum(fixed, parts) => parts
                    .iter()
                    .try_fold(*fixed, |sum, part| Ok(sum + values[*part]?))
                    .map(|sum| sum.clamp(0.0, MOST)),
                Node::Largest(fixed, parts) => parts
                    .iter()
                    .try_fold(*fixed, |most, part| Ok(most.max(values[*part]?))),
                Node::Times(sizes, part) => {
                    value(*part, &values).and_then(|inner| Ok((longest(sizes, coerced)? * inner).min(MOST)))
                }
                Node::When(conditions, part) => {
                    let holds = |(name, wanted): &(String, bool)| {
                        coerced.get(name).and_then(Value::as_bool).unwrap_or(false) == *wanted
                    };
                    match conditions.iter().all(holds) {
                        true => value(*part, &values),
                        false => Ok(0.0),
                    }
                }
                Node::Input(name, ty, weight) => Ok(coerced
                    .get(name)
                    .map_or(0.0, |value| input::of_json(sg, value, ty, *weight))),
            };
            values.push(value);
        }
        value(self.root, &values).map_err(Clone::clone)
    }

    /// Whether it is the same for all values of variables.
    pub fn is_fixed(&self) -> bool {
        self.nodes.is_empty()
    }
}

fn value<'e>(part: Part, values: &[Result<f64, &'e CostError>]) -> Result<f64, &'e CostError> {
    match part {
        Part::Fixed(number) => Ok(number),
        Part::Node(at) => values[at],
    }
}

/// The longest that a list may be.
pub(super) fn longest<'e>(sizes: &'e [Size], coerced: &Map<String, Value>) -> Result<f64, &'e CostError> {
    sizes.iter().try_fold(0.0, |longest: f64, size| {
        let given: Vec<f64> = size
            .given
            .iter()
            .filter_map(|given| given.size(coerced))
            .collect();
        match &size.one {
            Some(error) if given.len() != 1 => Err(&**error),
            _ => {
                let most = given.into_iter().reduce(f64::max);
                // What a negative size means is the subgraph's secret.
                let most = most.filter(|most| *most >= 0.0);
                Ok(longest.max(most.unwrap_or(size.otherwise)))
            }
        }
    })
}

impl Given {
    fn size(&self, coerced: &Map<String, Value>) -> Option<f64> {
        match self {
            Given::Number(number) => Some(*number),
            Given::Variable(name, path, otherwise) => {
                let Some(mut value) = coerced.get(name) else {
                    return *otherwise;
                };
                for step in path {
                    value = value.get(step)?;
                }
                value.as_f64()
            }
        }
    }
}
