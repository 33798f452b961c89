//! The experiments, one fault each.
mod embedded;
mod services;

use super::Experiment;

/// All of them, in the order in which they are run.
pub const ALL: &[Experiment] = &[
    services::ORDER,
    services::PAYMENT,
    services::STORE,
    services::MARKETING,
    embedded::KILLED,
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Experiment> {
    ALL.iter().find(|experiment| experiment.name == name)
}
