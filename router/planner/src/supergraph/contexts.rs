//! `@context` and the contextual arguments of `join__field`: arguments that the gateway fills from an
//! enclosing object. <https://specs.apollo.dev/context/v0.1/>, <https://specs.apollo.dev/join/v0.5/>

use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, Type, Value};
use hashbrown::HashMap;

use super::SupergraphError;
use super::field_set::FieldSet;
use super::read::{Reader, string};
use super::types::Types;

/// An argument that clients do not see: its value is that of a selection on the nearest enclosing
/// object whose type sets the context.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContextArg {
    pub name: String,
    /// Type of the argument in the subgraph.
    pub ty: Type,
    /// Name of the context, with its subgraph's.
    pub context: String,
    /// Object types that set the context, by themselves or by an interface or union they belong to.
    pub setters: Types,
    /// One field, or one under each type condition, down to a leaf.
    pub selection: FieldSet,
}

/// The object types that set each context.
pub(super) type Contexts = HashMap<String, Types>;

impl Reader<'_> {
    /// Reads `@context(name:)` of all types.
    pub(super) fn contexts(&self, schema: &Schema) -> Contexts {
        let mut contexts = Contexts::new();
        for (name, def) in &schema.types {
            let Some(ix) = self.by_name.get(name) else {
                continue;
            };
            let set = def
                .directives()
                .iter()
                .filter(|d| self.links.is(&d.name, "context"));
            for context in set.filter_map(|d| string(d, "name")) {
                let setters = contexts.entry(context).or_default();
                *setters = setters.or(self.possible(*ix));
            }
        }
        contexts
    }

    /// `contextArguments` of a `join__field`.
    pub(super) fn context_arguments(
        &self,
        coordinate: &str,
        directive: &Directive,
    ) -> Result<Vec<ContextArg>, SupergraphError> {
        let Some(value) = directive.specified_argument_by_name("contextArguments") else {
            return Ok(Vec::new());
        };
        let items = match &**value {
            Value::List(items) => items.iter().map(|item| &**item).collect(),
            Value::Null => Vec::new(),
            single => vec![single],
        };
        items
            .into_iter()
            .map(|item| self.context_argument(coordinate, item))
            .collect()
    }

    fn context_argument(&self, coordinate: &str, item: &Value) -> Result<ContextArg, SupergraphError> {
        let invalid = |reason: String| SupergraphError::Invalid {
            coordinate: coordinate.into(),
            reason,
        };
        let member = |name: &str| {
            let fields = item.as_object()?;
            let (_, value) = fields.iter().find(|(n, _)| n == name)?;
            value.as_str()
        };
        let text = |name: &str| {
            member(name).ok_or_else(|| invalid(format!("a contextual argument has no \"{name}\"")))
        };
        let context = text("context")?;
        let setters = self.contexts.get(context);
        let setters = setters.ok_or_else(|| invalid(format!("no type sets the context \"{context}\"")))?;
        let ty = Type::parse(text("type")?, "type of a contextual argument")
            .map_err(|e| invalid(e.to_string()))?;
        let selection = self.field_set(coordinate, text("selection")?)?;
        if selection.0.is_empty() {
            return Err(invalid("a contextual argument selects nothing".into()));
        }
        Ok(ContextArg {
            name: text("name")?.into(),
            ty,
            context: context.into(),
            setters: setters.clone(),
            selection,
        })
    }
}
