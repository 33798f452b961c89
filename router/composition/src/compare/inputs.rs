//! What clients give: arguments and input fields.

use apollo_compiler::Node;
use apollo_compiler::ast::{InputValueDefinition, Type};
use apollo_compiler::schema::InputObjectType;

use super::Changes;
use super::Level::{Breaking, Dangerous, Safe};

/// The codes of one kind of input.
struct Codes {
    what: &'static str,
    removed: &'static str,
    added: &'static str,
    required_added: &'static str,
    type_changed: &'static str,
    default_changed: &'static str,
}

const ARGUMENT: Codes = Codes {
    what: "Argument",
    removed: "ARGUMENT_REMOVED",
    added: "OPTIONAL_ARGUMENT_ADDED",
    required_added: "REQUIRED_ARGUMENT_ADDED",
    type_changed: "ARGUMENT_TYPE_CHANGED",
    default_changed: "ARGUMENT_DEFAULT_CHANGED",
};

const INPUT_FIELD: Codes = Codes {
    what: "Input field",
    removed: "INPUT_FIELD_REMOVED",
    added: "OPTIONAL_INPUT_FIELD_ADDED",
    required_added: "REQUIRED_INPUT_FIELD_ADDED",
    type_changed: "INPUT_FIELD_TYPE_CHANGED",
    default_changed: "INPUT_FIELD_DEFAULT_CHANGED",
};

/// Compares the arguments of a field or directive.
pub(super) fn compare_arguments(
    changes: &mut Changes<'_>,
    owner: &str,
    was: &[Node<InputValueDefinition>],
    is: &[Node<InputValueDefinition>],
) {
    for arg in was {
        let coordinate = format!("{owner}({}:)", arg.name);
        let now = is.iter().find(|other| other.name == arg.name);
        compare_one(
            changes,
            &ARGUMENT,
            (coordinate, owner),
            arg,
            now.map(|now| &**now),
        );
    }
    for arg in is
        .iter()
        .filter(|arg| !was.iter().any(|other| other.name == arg.name))
    {
        add(changes, &ARGUMENT, format!("{owner}({}:)", arg.name), owner, arg);
    }
}

/// Compares the fields of an input object.
pub(super) fn compare_object(changes: &mut Changes<'_>, was: &InputObjectType, is: &InputObjectType) {
    let owner = was.name.as_str();
    for (name, field) in &was.fields {
        let coordinate = format!("{owner}.{name}");
        let now = is.fields.get(name).map(|now| &***now);
        compare_one(changes, &INPUT_FIELD, (coordinate, owner), field, now);
    }
    for (name, field) in is
        .fields
        .iter()
        .filter(|(name, _)| !was.fields.contains_key(*name))
    {
        add(changes, &INPUT_FIELD, format!("{owner}.{name}"), owner, field);
    }
    if is.directives.has("oneOf") && !was.directives.has("oneOf") {
        let message = format!("Input object \"{owner}\" now takes exactly one field (@oneOf).");
        changes.add(Breaking, "INPUT_OBJECT_BECAME_ONE_OF", owner.to_owned(), message);
    }
}

fn compare_one(
    changes: &mut Changes<'_>,
    codes: &Codes,
    (coordinate, owner): (String, &str),
    was: &InputValueDefinition,
    is: Option<&InputValueDefinition>,
) {
    let what = codes.what;
    let Some(is) = is else {
        let message = format!("{what} \"{coordinate}\" was removed.");
        return changes.add(Breaking, codes.removed, coordinate, message);
    };
    if was.ty != is.ty {
        let level = if accepts(&is.ty, &was.ty) { Safe } else { Breaking };
        let message = format!(
            "Type of \"{coordinate}\" changed from \"{}\" to \"{}\".",
            was.ty, is.ty
        );
        // Whoever leaves out what is now required notices too.
        let needs = if is.is_required() && !was.is_required() {
            owner
        } else {
            &coordinate
        };
        changes.add_for(
            level,
            codes.type_changed,
            coordinate.clone(),
            message,
            needs.to_owned(),
        );
    }
    if was.default_value != is.default_value {
        let text = |input: &InputValueDefinition| {
            let value = input.default_value.as_ref();
            value.map_or_else(
                || "none".to_owned(),
                |value| value.serialize().no_indent().to_string(),
            )
        };
        let message = format!(
            "Default value of \"{coordinate}\" changed from {} to {}.",
            text(was),
            text(is)
        );
        let still = !is.is_required() || was.is_required();
        let level = if still { Dangerous } else { Breaking };
        changes.add_for(
            level,
            codes.default_changed,
            coordinate,
            message,
            owner.to_owned(),
        );
    }
}

fn add(
    changes: &mut Changes<'_>,
    codes: &Codes,
    coordinate: String,
    owner: &str,
    input: &InputValueDefinition,
) {
    let (level, code, how) = if input.is_required() {
        (Breaking, codes.required_added, "Required")
    } else {
        (Safe, codes.added, "Optional")
    };
    let what = codes.what.to_lowercase();
    let message = format!("{how} {what} \"{coordinate}\" was added.");
    changes.add_for(level, code, coordinate, message, owner.to_owned());
}

/// Every value of the old type is one of the new.
fn accepts(new: &Type, old: &Type) -> bool {
    match (new, old) {
        (Type::Named(a), Type::Named(b) | Type::NonNullNamed(b)) => a == b,
        (Type::NonNullNamed(a), Type::NonNullNamed(b)) => a == b,
        (Type::List(a), Type::List(b) | Type::NonNullList(b)) => accepts(a, b),
        (Type::NonNullList(a), Type::NonNullList(b)) => accepts(a, b),
        _ => false,
    }
}
