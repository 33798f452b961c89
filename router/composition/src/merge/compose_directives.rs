//! `@composeDirective`: a type-system directive of a subgraph's own goes into the supergraph.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#composedirective>

use apollo_compiler::{Name, Node, ast::DirectiveDefinition};
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
    Ok(Composed {
        graph,
        place,
        feature,
        name,
        definition,
    })
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
                "Composed directive \"@{}\" is not named consistently in all subgraphs: it is \"@{known}\" and \"@{local}\".",
                each.name
            );
            cx.error(CODE, each.graph, each.place, message);
        }
        let newest = composed.iter().filter(|other| other.name == each.name);
        let newest = newest.max_by_key(|other| (other.feature.minor, std::cmp::Reverse(other.graph)));
        let definition = newest.map_or(each.definition, |other| other.definition);
        merged.directives.insert(local.clone(), definition.clone());
    }
    let list = imports.iter().map(|(name, local)| Import {
        name: (*name).to_owned(),
        local: local.to_string(),
    });
    merged.composed.push((latest.feature.clone(), list.collect()));
}
