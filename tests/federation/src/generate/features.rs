//! What a generated graph may have. Each graph has some of it, so that it stays small.
use super::numbers::Numbers;

/// Which parts of federation a graph uses.
#[derive(Clone, Debug)]
pub struct Features {
    pub several_keys: bool,
    pub composite_keys: bool,
    pub values: bool,
    pub interfaces: bool,
    pub interface_objects: bool,
    pub unions: bool,
    pub enums: bool,
    pub arguments: bool,
    pub nullability: bool,
    pub lists_of_lists: bool,
    pub shareable: bool,
    pub requires: bool,
    pub provides: bool,
    pub overrides: bool,
    pub mutations: bool,
    /// Interfaces and unions have not the same types everywhere.
    pub partial: bool,
    /// Entities are extended, with external keys.
    pub extensions: bool,
    /// Types without identity whose fields are in different subgraphs.
    pub split_values: bool,
    /// Keys that are lists.
    pub list_keys: bool,
    /// Entities that a subgraph does not have, and those that have no value for its key.
    pub absent: bool,
    /// Fields that clients don't see.
    pub hidden: bool,
    /// Arguments that enclosing objects fill.
    pub contexts: bool,
    /// A directive that clients write on fields.
    pub directives: bool,
}

impl Features {
    /// Some of all.
    pub fn draw(numbers: &mut Numbers) -> Features {
        let mut half = |chance| numbers.percent(chance);
        let mut features = Features {
            several_keys: half(50),
            composite_keys: half(40),
            values: half(50),
            interfaces: half(50),
            interface_objects: half(50),
            unions: half(35),
            enums: half(40),
            arguments: half(50),
            nullability: half(40),
            lists_of_lists: half(40),
            shareable: half(60),
            requires: half(50),
            provides: half(40),
            overrides: half(40),
            mutations: half(25),
            partial: half(50),
            extensions: half(25),
            split_values: half(30),
            list_keys: half(40),
            absent: half(35),
            hidden: half(30),
            contexts: half(25),
            directives: half(25),
        };
        // What stands on a value that an absent entity lacks is null in ways that the whole does not tell.
        features.absent &= !features.requires && !features.contexts;
        features
    }
}
