//! A literal of a `@oneOf` input gives exactly one field, and that not null.
//! <https://spec.graphql.org/September2025/#sec-All-Variable-Usages-Are-Allowed>
use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

use super::{Extensions, Location, OperationError, RequestError};

/// Refuses such literals of a valid document that give another number of fields.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Result<(), OperationError> {
    let mut check = Check {
        schema,
        document,
        errors: Vec::new(),
    };
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                check.value(variable.ty.inner_named_type(), default);
            }
        }
        check.selections(&operation.selection_set);
    }
    for fragment in document.fragments.values() {
        check.selections(&fragment.selection_set);
    }
    let errors = check.errors;
    if errors.is_empty() {
        Ok(())
    } else {
        Err(OperationError { errors })
    }
}

struct Check<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    errors: Vec<RequestError>,
}

impl Check<'_> {
    fn selections(&mut self, set: &SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => self.field(field),
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field(&mut self, field: &Field) {
        for argument in &field.arguments {
            if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                self.value(definition.ty.inner_named_type(), &argument.value);
            }
        }
        self.selections(&field.selection_set);
    }

    fn value(&mut self, ty: &Name, value: &Node<Value>) {
        match &**value {
            Value::List(items) => items.iter().for_each(|item| self.value(ty, item)),
            Value::Object(given) => {
                let Some(ExtendedType::InputObject(definition)) = self.schema.types.get(ty) else {
                    return;
                };
                if definition.directives.has("oneOf") && !self.is_one(given) {
                    self.report(definition, value);
                }
                for (name, value) in given {
                    if let Some(field) = definition.fields.get(name) {
                        self.value(field.ty.inner_named_type(), value);
                    }
                }
            }
            _ => {}
        }
    }

    /// One field, that cannot be null: no variable that may be.
    fn is_one(&self, given: &[(Name, Node<Value>)]) -> bool {
        let [(_, value)] = given else { return false };
        match &**value {
            Value::Null => false,
            Value::Variable(name) => {
                let operations = self.document.operations.iter();
                let mut definitions = operations.flat_map(|operation| &operation.variables);
                !definitions.any(|definition| definition.name == *name && !Type::is_non_null(&definition.ty))
            }
            _ => true,
        }
    }

    fn report(&mut self, ty: &InputObjectType, value: &Node<Value>) {
        let place = value
            .location()
            .and_then(|span| span.line_column(&self.document.sources));
        let location = |place: apollo_compiler::parser::LineColumn| Location {
            line: place.line,
            column: place.column,
        };
        self.errors.push(RequestError {
            message: format!("exactly one field of \"{}\" must be given, and not null", ty.name),
            locations: place.into_iter().map(location).collect(),
            extensions: Extensions {
                code: "GRAPHQL_VALIDATION_FAILED",
            },
        });
    }
}
