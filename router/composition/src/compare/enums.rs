//! Values of enums.

use apollo_compiler::schema::EnumType;

use super::Changes;
use super::Level::{Breaking, Dangerous};

/// Compares the values of one enum.
pub(super) fn compare(changes: &mut Changes<'_>, was: &EnumType, is: &EnumType) {
    let name = &was.name;
    for value in was.values.keys().filter(|value| !is.values.contains_key(*value)) {
        let coordinate = format!("{name}.{value}");
        let message = format!("Enum value \"{coordinate}\" was removed.");
        changes.add(Breaking, "ENUM_VALUE_REMOVED", coordinate, message);
    }
    for value in is.values.keys().filter(|value| !was.values.contains_key(*value)) {
        let coordinate = format!("{name}.{value}");
        let message = format!("Enum value \"{coordinate}\" was added: clients may meet it.");
        changes.add_for(
            Dangerous,
            "ENUM_VALUE_ADDED",
            coordinate,
            message,
            name.to_string(),
        );
    }
}
