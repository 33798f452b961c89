//! The experiments, one fault each.
mod clock;
mod disk;
mod embedded;
mod gateway;
mod poison;
mod replicas;
mod servers;
mod services;
mod simulated;
mod slow;
mod split;
mod versions;

use super::Experiment;

/// All of them, in the order in which they are run.
pub const ALL: &[Experiment] = &[
    services::ORDER,
    services::PAYMENT,
    services::STORE,
    services::MARKETING,
    gateway::GATEWAY,
    gateway::AUTH,
    embedded::KILLED,
    servers::KAFKA,
    poison::POISON,
    replicas::REPLICAS,
    servers::MONGO,
    servers::POSTGRES,
    disk::FULL,
    clock::CLOCK,
    split::SPLIT,
    slow::SLOW,
    versions::VERSIONS,
    simulated::SHUFFLED,
    simulated::SIMULATION,
];

/// The one of this name.
pub fn named(name: &str) -> Option<&'static Experiment> {
    ALL.iter().find(|experiment| experiment.name == name)
}
