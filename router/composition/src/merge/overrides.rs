//! `@override`: a field moves from one subgraph to another.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#override>

use apollo_compiler::Name;
use std::collections::{BTreeMap, BTreeSet};

use super::merged::GraphId;
use super::{Context, Sources};
use crate::model::{Field, Override};

/// Who lost a field, and under which label.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    /// Lost, but the subgraph's own schema still needs it there.
    used: BTreeSet<GraphId>,
    /// Lost for good.
    unused: BTreeSet<GraphId>,
    labels: BTreeMap<GraphId, String>,
    /// An override is wrong and reported: what follows from it need not be.
    pub failed: bool,
}

impl Overrides {
    pub fn is_used(&self, graph: GraphId) -> bool {
        self.used.contains(&graph)
    }

    pub fn is_unused(&self, graph: GraphId) -> bool {
        self.unused.contains(&graph)
    }

    pub fn is_overridden(&self, graph: GraphId) -> bool {
        self.is_used(graph) || self.is_unused(graph)
    }

    pub fn label(&self, graph: GraphId) -> Option<&str> {
        self.labels.get(&graph).map(String::as_str)
    }

    pub fn needs_joins(&self) -> bool {
        !self.used.is_empty() || !self.labels.is_empty()
    }
}

/// Resolves the overrides of one field.
pub(super) fn resolve(cx: &mut Context<'_>, parent: &Name, has: &Sources<'_, Field>) -> Overrides {
    let mut result = Overrides::default();
    for (graph, field) in has {
        if let Some(overriding) = &field.overrides {
            let before = cx.errors.len();
            resolve_one(cx, parent, (*graph, field, overriding), has, &mut result);
            result.failed |= cx.errors.len() > before;
        }
    }
    result
}

fn resolve_one(
    cx: &mut Context<'_>,
    parent: &Name,
    (graph, field, overriding): (GraphId, &Field, &Override),
    has: &Sources<'_, Field>,
    result: &mut Overrides,
) {
    let coordinate = format!("{parent}.{}", field.name);
    let place = overriding.place;
    let own = cx.models[graph].name.clone();
    let from = cx.models.iter().position(|model| model.name == overriding.from);
    let Some(from) = from.filter(|from| *from != graph) else {
        report_source(cx, &coordinate, graph, overriding, from.is_some());
        return;
    };
    let Some((_, source)) = has.iter().find(|(other, _)| *other == from) else {
        let message = format!(
            "Field \"{coordinate}\" on subgraph \"{own}\" no longer exists in the from subgraph: the @override directive can be removed."
        );
        cx.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", graph, place, message);
        return;
    };
    if source.overrides.is_some() {
        let message = format!(
            "Field \"{coordinate}\" on subgraph \"{own}\" is also marked with directive @override in subgraph \"{}\". Only one @override directive is allowed per field.",
            overriding.from
        );
        cx.error("OVERRIDE_SOURCE_HAS_OVERRIDE", graph, place, message);
    } else if let Some((marked, directive)) = conflict(graph, field, from, source) {
        let message = format!(
            "@override cannot be used on field \"{coordinate}\" on subgraph \"{own}\" since \"{coordinate}\" on \"{}\" is marked with directive \"@{directive}\".",
            cx.models[marked].name
        );
        cx.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", graph, place, message);
    } else {
        note(cx, parent, (graph, overriding), (from, source), result);
    }
}

/// The subgraph named is the overriding one itself, or none.
fn report_source(
    cx: &mut Context<'_>,
    coordinate: &str,
    graph: GraphId,
    overriding: &Override,
    is_self: bool,
) {
    let own = cx.models[graph].name.clone();
    if is_self {
        let message = format!(
            "Source and destination subgraphs \"{own}\" are the same for overridden field \"{coordinate}\"."
        );
        cx.error("OVERRIDE_FROM_SELF_ERROR", graph, overriding.place, message);
        return;
    }
    let message = format!(
        "Source subgraph \"{}\" for field \"{coordinate}\" on subgraph \"{own}\" does not exist.",
        overriding.from
    );
    cx.hint("FROM_SUBGRAPH_DOES_NOT_EXIST", graph, overriding.place, message);
}

/// Directives that cannot move along with the field.
fn conflict(graph: GraphId, field: &Field, from: GraphId, source: &Field) -> Option<(GraphId, &'static str)> {
    if source.requires.is_some() {
        return Some((from, "requires"));
    }
    if source.provides.is_some() {
        return Some((from, "provides"));
    }
    field.external.then_some((graph, "external"))
}

fn note(
    cx: &mut Context<'_>,
    parent: &Name,
    (graph, overriding): (GraphId, &Override),
    (from, source): (GraphId, &Field),
    result: &mut Overrides,
) {
    let coordinate = format!("{parent}.{}", source.name);
    let other = &overriding.from;
    if source.external {
        let message = format!(
            "Field \"{coordinate}\" is external in \"{other}\": the @override directive can be removed."
        );
        cx.hint(
            "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
            graph,
            overriding.place,
            message,
        );
        return;
    }
    let used = cx.models[from]
        .used
        .contains(&(parent.clone(), source.name.clone()));
    if used {
        result.used.insert(from);
    } else {
        result.unused.insert(from);
    }
    if let Some(label) = &overriding.label {
        note_label(
            cx,
            &coordinate,
            (graph, overriding),
            (from, source),
            label,
            result,
        );
        return;
    }
    let what = if used {
        "is still used there, but can be made external"
    } else {
        "can be removed"
    };
    let message = format!("Field \"{coordinate}\" on subgraph \"{other}\" is overridden and {what}.");
    cx.hint("OVERRIDDEN_FIELD_CAN_BE_REMOVED", from, source.place, message);
}

fn note_label(
    cx: &mut Context<'_>,
    coordinate: &str,
    (graph, overriding): (GraphId, &Override),
    (from, source): (GraphId, &Field),
    label: &str,
    result: &mut Overrides,
) {
    if is_valid_label(label) {
        result.labels.insert(graph, label.to_owned());
        result.labels.insert(from, label.to_owned());
        let message = format!(
            "Field \"{coordinate}\" on subgraph \"{}\" is currently being migrated to \"{}\" with label \"{label}\".",
            overriding.from, cx.models[graph].name
        );
        cx.hint("OVERRIDE_MIGRATION_IN_PROGRESS", from, source.place, message);
        return;
    }
    let message = format!(
        "Invalid @override label \"{label}\" on field \"{coordinate}\" on subgraph \"{}\": labels must start with a letter and after that may contain alphanumerics, underscores, minuses, colons, periods, or slashes. Alternatively, labels may be of the form \"percent(x)\" where x is a float between 0-100 inclusive.",
        cx.models[graph].name
    );
    cx.error("OVERRIDE_LABEL_INVALID", graph, overriding.place, message);
}

fn is_valid_label(label: &str) -> bool {
    if let Some(percent) = label
        .strip_prefix("percent(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let (whole, part) = percent.split_once('.').unwrap_or((percent, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit())
        };
        return percent == "100" || (digits(whole, 2) && digits(part, 8));
    }
    label.starts_with(|c: char| c.is_ascii_alphabetic())
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-:./".contains(c))
}
