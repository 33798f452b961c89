//! What given operations use of a schema.

use apollo_compiler::ast::{DirectiveList, Value};
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Schema};
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Change, narrowing};

/// A document of operations that does not fit the schema of today.
#[derive(Debug, thiserror::Error)]
#[error("{file} does not fit the schema that is compared against:\n{errors}")]
pub struct Unfit {
    /// The document's name.
    pub file: String,
    /// What is wrong with it.
    pub errors: String,
}

/// Which operations use what: coordinate → `file: name`.
#[derive(Debug, Default)]
pub struct Usage {
    used: BTreeMap<String, BTreeSet<String>>,
}

impl Usage {
    /// Adds the operations of a document that is valid in `schema`.
    ///
    /// # Errors
    /// The document does not fit the schema.
    pub fn add(&mut self, schema: &Valid<Schema>, file: &str, text: &str) -> Result<(), Unfit> {
        let document =
            ExecutableDocument::parse_and_validate(schema, text, file).map_err(|failed| Unfit {
                file: file.to_owned(),
                errors: failed.errors.to_string(),
            })?;
        for operation in document.operations.iter() {
            let name = operation
                .name
                .as_ref()
                .map_or("(anonymous)", |name| name.as_str());
            let mut reader = Reader {
                schema,
                document: &document,
                operation: format!("{file}: {name}"),
                spread: HashSet::new(),
                used: &mut self.used,
            };
            reader.operation(operation);
        }
        Ok(())
    }

    /// Keeps the changes that some operation notices, and notes which.
    pub fn noticed(&self, changes: Vec<Change>) -> Vec<Change> {
        let note = |mut change: Change| {
            let operations = self.used.get(&change.needs)?;
            change.operations = operations.iter().cloned().collect();
            Some(change)
        };
        changes.into_iter().filter_map(note).collect()
    }
}

struct Reader<'a> {
    schema: &'a Valid<Schema>,
    document: &'a ExecutableDocument,
    operation: String,
    /// Fragments read already, with the type they were spread in.
    spread: HashSet<(Name, Name)>,
    used: &'a mut BTreeMap<String, BTreeSet<String>>,
}

impl Reader<'_> {
    fn note(&mut self, coordinate: String) {
        self.used
            .entry(coordinate)
            .or_default()
            .insert(self.operation.clone());
    }

    fn operation(&mut self, operation: &Operation) {
        self.directives(&operation.directives);
        for variable in &operation.variables {
            self.directives(&variable.directives);
            self.variable(variable.ty.inner_named_type(), &mut HashSet::new());
        }
        self.selections(&operation.selection_set);
    }

    /// A variable may bring any value of its type.
    fn variable(&mut self, ty: &Name, seen: &mut HashSet<Name>) {
        self.note(ty.to_string());
        if !seen.insert(ty.clone()) {
            return;
        }
        match self.schema.types.get(ty) {
            Some(ExtendedType::Enum(ty)) => {
                for value in ty.values.keys() {
                    self.note(format!("{}.{value}", ty.name));
                }
            }
            Some(ExtendedType::InputObject(ty)) => {
                for (name, field) in &ty.fields {
                    self.note(format!("{}.{name}", ty.name));
                    self.variable(field.ty.inner_named_type(), seen);
                }
            }
            _ => {}
        }
    }

    fn selections(&mut self, set: &SelectionSet) {
        self.note(set.ty.to_string());
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => self.field(&set.ty, field),
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives);
                    self.narrow(&set.ty, &fragment.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    let document = self.document;
                    let fragment = document.fragments.get(&spread.fragment_name);
                    let first = self.spread.insert((spread.fragment_name.clone(), set.ty.clone()));
                    if let Some(fragment) = fragment.filter(|_| first) {
                        self.directives(&fragment.directives);
                        self.narrow(&set.ty, &fragment.selection_set);
                    }
                }
            }
        }
    }

    fn narrow(&mut self, outer: &Name, inner: &SelectionSet) {
        self.note(narrowing(outer, &inner.ty));
        self.note(narrowing(&inner.ty, outer));
        self.selections(inner);
    }

    fn field(&mut self, parent: &Name, field: &Field) {
        let coordinate = format!("{parent}.{}", field.name);
        self.directives(&field.directives);
        for argument in &field.arguments {
            self.note(format!("{coordinate}({}:)", argument.name));
            if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                self.value(definition.ty.inner_named_type(), &argument.value);
            }
        }
        self.note(coordinate);
        let ty = field.definition.ty.inner_named_type();
        if field.selection_set.selections.is_empty() {
            self.note(ty.to_string());
        } else {
            self.selections(&field.selection_set);
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter() {
            self.note(format!("@{}", directive.name));
            let schema = self.schema;
            let definition = schema.directive_definitions.get(&directive.name);
            for argument in &directive.arguments {
                self.note(format!("@{}({}:)", directive.name, argument.name));
                let wanted = definition.and_then(|definition| definition.argument_by_name(&argument.name));
                if let Some(wanted) = wanted {
                    self.value(wanted.ty.inner_named_type(), &argument.value);
                }
            }
        }
    }

    /// A literal value.
    fn value(&mut self, ty: &Name, value: &Value) {
        match value {
            Value::Variable(_) => {}
            Value::Enum(name) => {
                self.note(ty.to_string());
                self.note(format!("{ty}.{name}"));
            }
            Value::List(items) => items.iter().for_each(|item| self.value(ty, item)),
            Value::Object(entries) => {
                self.note(ty.to_string());
                let Some(ExtendedType::InputObject(input)) = self.schema.types.get(ty) else {
                    return;
                };
                for (name, value) in entries {
                    self.note(format!("{ty}.{name}"));
                    if let Some(field) = input.fields.get(name) {
                        self.value(field.ty.inner_named_type(), value);
                    }
                }
            }
            _ => self.note(ty.to_string()),
        }
    }
}
