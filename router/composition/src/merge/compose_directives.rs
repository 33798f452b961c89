//! `@composeDirective`: a type-system directive of a subgraph's own goes into the supergraph.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#composedirective>

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};
use apollo_compiler::{Name, Node};
use std::collections::BTreeMap;

use super::Context;
use super::merged::{GraphId, Import, Merged};
use crate::model::{Feature, Model, Place};

/// One directive that one subgraph composes.
struct Composed<'a> {
    graph: GraphId,
    place: Place,
    feature: &'a Feature,
    /// Its name in the feature.
    name: String,
    definition: &'a Node<DirectiveDefinition>,
}

const CODE: &str = "DIRECTIVE_COMPOSITION_ERROR";

/// Adds the composed directives, their definitions and their features.
pub(super) fn merge(cx: &mut Context<'_>, merged: &mut Merged) {
    let mut features: BTreeMap<&str, Vec<Composed<'_>>> = BTreeMap::new();
    for (graph, model) in cx.models.iter().enumerate() {
        for (name, place) in &model.composed {
            match find(model, graph, name, *place) {
                Ok(composed) => features
                    .entry(composed.feature.identity.as_str())
                    .or_default()
                    .push(composed),
                Err(message) => cx.error(CODE, graph, *place, message),
            }
        }
    }
    for (identity, composed) in features {
        merge_feature(cx, merged, identity, &composed);
    }
}

fn find<'a>(model: &'a Model, graph: GraphId, name: &str, place: Place) -> Result<Composed<'a>, String> {
    let who = &model.name;
    let Some(local) = name.strip_prefix('@') else {
        return Err(format!(
            "Argument to @composeDirective \"{name}\" in subgraph \"{who}\" must have a leading \"@\"."
        ));
    };
    let Some(definition) = model.directives.get(local) else {
        return Err(format!(
            "Could not find matching directive definition for argument to @composeDirective \"@{local}\" in subgraph \"{who}\": define it there; federation's own directives need no @composeDirective."
        ));
    };
    let Some((feature, name)) = model
        .features
        .iter()
        .find_map(|feature| Some((feature, name_in(feature, local)?)))
    else {
        return Err(format!(
            "Directive \"@{local}\" in subgraph \"{who}\" cannot be composed because it is not a member of a core feature: @link a specification that imports it."
        ));
    };
    if is_reserved(local) {
        return Err(format!(
            "Directive \"@{local}\" in subgraph \"{who}\" cannot be composed because the supergraph uses that name for a directive of federation: import it under another name with {{ name: \"@{name}\", as: \"@…\" }}."
        ));
    }
    Ok(Composed {
        graph,
        place,
        feature,
        name,
        definition,
    })
}

/// Names that the supergraph's own machinery has.
fn is_reserved(name: &str) -> bool {
    const OWN: [&str; 9] = [
        "authenticated",
        "context",
        "cost",
        "inaccessible",
        "link",
        "listSize",
        "policy",
        "requiresScopes",
        "tag",
    ];
    OWN.contains(&name) || name.starts_with("join__") || name.starts_with("context__")
}

/// The name that a feature gives to a directive of this schema.
fn name_in(feature: &Feature, local: &str) -> Option<String> {
    let imported = feature
        .imports
        .iter()
        .find(|(_, here)| here.strip_prefix('@') == Some(local));
    if let Some((name, _)) = imported {
        return Some(name.trim_start_matches('@').to_owned());
    }
    if feature.prefix == local {
        return feature.identity.rsplit('/').next().map(str::to_owned);
    }
    local
        .strip_prefix(&format!("{}__", feature.prefix))
        .map(str::to_owned)
}

fn merge_feature(cx: &mut Context<'_>, merged: &mut Merged, identity: &str, composed: &[Composed<'_>]) {
    let Some(latest) = composed
        .iter()
        .max_by_key(|each| (each.feature.major, each.feature.minor))
    else {
        return;
    };
    if let Some(other) = composed
        .iter()
        .find(|each| each.feature.major != latest.feature.major)
    {
        let message = format!(
            "Core feature \"{identity}\" requested to be merged has major version mismatch across subgraphs: v{} in {} and v{} in {}.",
            latest.feature.major,
            cx.names(&[latest.graph]),
            other.feature.major,
            cx.names(&[other.graph])
        );
        cx.error(CODE, other.graph, other.place, message);
        return;
    }
    let mut imports: BTreeMap<&str, &Name> = BTreeMap::new();
    for each in composed {
        let local = &each.definition.name;
        let known = *imports.entry(&each.name).or_insert(local);
        if known != local {
            let message = format!(
                "Composed directive \"@{}\" is not named consistently in all subgraphs: it is \"@{known}\" and \"@{local}\"; import it under one name.",
                each.name
            );
            cx.error(CODE, each.graph, each.place, message);
        }
    }
    for (name, local) in &imports {
        let same: Vec<&Composed<'_>> = composed.iter().filter(|each| each.name == **name).collect();
        let definition = define(cx, &same);
        for arg in &definition.arguments {
            cx.note_usage(&arg.ty, true);
        }
        merged.directives.insert((*local).clone(), definition);
    }
    let list = imports.iter().map(|(name, local)| Import {
        name: (*name).to_owned(),
        local: local.to_string(),
    });
    merged.composed.push((latest.feature.clone(), list.collect()));
}

/// The newest definition, at all locations that any subgraph allows, and repeatable if it is so anywhere.
fn define(cx: &mut Context<'_>, same: &[&Composed<'_>]) -> Node<DirectiveDefinition> {
    let newest = same
        .iter()
        .max_by_key(|each| (each.feature.minor, std::cmp::Reverse(each.graph)))
        .expect("each import stems from a composed directive");
    let mut definition = newest.definition.clone();
    let name = definition.name.clone();
    for each in same {
        let more = |location: &DirectiveLocation| !newest.definition.locations.contains(location);
        let added: Vec<DirectiveLocation> = each.definition.locations.iter().copied().filter(more).collect();
        let known = &definition.locations;
        let added: Vec<DirectiveLocation> = added.into_iter().filter(|one| !known.contains(one)).collect();
        if !added.is_empty() {
            let message = format!(
                "Type system directive \"@{name}\" has inconsistent locations across subgraphs; the supergraph uses the union of all."
            );
            let code = "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_LOCATIONS";
            cx.hint(code, each.graph, each.definition.location(), message);
            definition.make_mut().locations.extend(added);
        }
        if each.definition.repeatable != newest.definition.repeatable {
            let message = format!(
                "Type system directive \"@{name}\" is repeatable in some subgraphs only; it will be in the supergraph."
            );
            let code = "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_REPEATABLE";
            cx.hint(code, each.graph, each.definition.location(), message);
            definition.make_mut().repeatable = true;
        }
    }
    definition
}
