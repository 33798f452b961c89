//! What is sent: 1 for each input object, 0 for each leaf, unless `@cost` says otherwise.
use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::schema::ExtendedType;
use serde_json::Value;

use crate::supergraph::Supergraph;

/// Whether a value of this type costs nothing, whatever it is.
pub(super) fn is_free(sg: &Supergraph, ty: &Type, weight: Option<f64>) -> bool {
    let is_object = matches!(
        sg.api_schema().types.get(ty.inner_named_type()),
        Some(ExtendedType::InputObject(_))
    );
    !is_object && weight.unwrap_or_else(|| sg.costs.usual(sg.api_schema(), ty)) == 0.0
}

/// What a variable's value costs. `weight` is that of the argument or field it is given to.
pub(super) fn of_json(sg: &Supergraph, value: &Value, ty: &Type, weight: Option<f64>) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Array(items) => items
            .iter()
            .map(|item| of_json(sg, item, ty.item_type(), weight))
            .sum(),
        Value::Object(fields) => {
            let own = weight.unwrap_or_else(|| sg.costs.usual(sg.api_schema(), ty));
            let field = |(name, value): (&String, &Value)| {
                let (ty, weight) = input_field(sg, ty, name)?;
                Some(of_json(sg, value, ty, weight))
            };
            own + fields.iter().filter_map(field).sum::<f64>()
        }
        _ => weight.unwrap_or_else(|| sg.costs.usual(sg.api_schema(), ty)),
    }
}

/// Type and weight of a field of an input object.
pub(super) fn input_field<'a>(sg: &'a Supergraph, ty: &Type, field: &str) -> Option<(&'a Type, Option<f64>)> {
    let name = ty.inner_named_type();
    let definition = sg.api_schema().get_input_object(name)?.fields.get(field)?;
    let weight = sg.costs.field(name, field).and_then(|cost| cost.weight);
    Some((&definition.ty, weight))
}

/// The number at a path of a literal; the variable there, if it is one.
pub(super) fn at<'a>(mut value: &'a Literal, path: &[&str]) -> (Option<&'a Literal>, usize) {
    for (depth, step) in path.iter().enumerate() {
        match value {
            Literal::Object(fields) => match fields.iter().find(|(name, _)| name == step) {
                Some((_, found)) => value = found,
                None => return (None, depth),
            },
            Literal::Variable(_) => return (Some(value), depth),
            _ => return (None, depth),
        }
    }
    (Some(value), path.len())
}
