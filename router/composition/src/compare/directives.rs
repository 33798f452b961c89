//! Directives that clients may write into their operations.

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};

use super::Level::{Breaking, Safe};
use super::{Changes, inputs};
use crate::merge::is_executable_location;

/// Compares all executable directives.
pub(super) fn compare(changes: &mut Changes<'_>) {
    let (before, after) = (changes.before, changes.after);
    for was in before
        .directive_definitions
        .values()
        .filter(|was| is_executable(was))
    {
        let coordinate = format!("@{}", was.name);
        match after
            .directive_definitions
            .get(&was.name)
            .filter(|is| is_executable(is))
        {
            Some(is) => compare_one(changes, &coordinate, was, is),
            None => {
                let message = format!("Directive \"{coordinate}\" was removed.");
                changes.add(Breaking, "DIRECTIVE_REMOVED", coordinate, message);
            }
        }
    }
    for is in after
        .directive_definitions
        .values()
        .filter(|is| is_executable(is))
    {
        if !before.directive_definitions.contains_key(&is.name) {
            let coordinate = format!("@{}", is.name);
            let message = format!("Directive \"{coordinate}\" was added.");
            changes.add(Safe, "DIRECTIVE_ADDED", coordinate, message);
        }
    }
}

fn compare_one(
    changes: &mut Changes<'_>,
    coordinate: &str,
    was: &DirectiveDefinition,
    is: &DirectiveDefinition,
) {
    let lost = |location: &&DirectiveLocation| {
        is_executable_location(**location) && !is.locations.contains(location)
    };
    for location in was.locations.iter().filter(lost) {
        let message = format!("Directive \"{coordinate}\" is no longer allowed on {location}.");
        changes.add(
            Breaking,
            "DIRECTIVE_LOCATION_REMOVED",
            coordinate.to_owned(),
            message,
        );
    }
    if was.repeatable && !is.repeatable {
        let message = format!("Directive \"{coordinate}\" is no longer repeatable.");
        changes.add(
            Breaking,
            "DIRECTIVE_REPEATABLE_REMOVED",
            coordinate.to_owned(),
            message,
        );
    }
    inputs::compare_arguments(changes, coordinate, &was.arguments, &is.arguments);
}

fn is_executable(directive: &DirectiveDefinition) -> bool {
    directive
        .locations
        .iter()
        .any(|location| is_executable_location(*location))
}
