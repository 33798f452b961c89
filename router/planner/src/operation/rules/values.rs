//! Goes to every value of a document: arguments of fields and directives, defaults of variables, and what is in them.
use std::collections::HashMap;

use apollo_compiler::ast::{Argument, DirectiveList, InputValueDefinition, Type, Value};
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

/// What is expected where a value stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Position<'a> {
    /// `None` inside of a custom scalar: there anything may be.
    pub ty: Option<&'a Type>,
    /// Whether there is a value where none is given.
    pub has_default: bool,
    /// The `@oneOf` input whose field it is.
    pub one_of: Option<&'a InputObjectType>,
}

/// A variable that is used.
pub(super) struct Usage<'a> {
    pub variable: &'a Name,
    pub position: Position<'a>,
    pub at: &'a Node<Value>,
}

/// What an operation or a fragment uses by itself, and the fragments it spreads.
#[derive(Default)]
pub(super) struct Part<'a> {
    pub usages: Vec<Usage<'a>>,
    pub spreads: Vec<&'a Name>,
}

/// The operations, in their order, and the fragments by name.
pub(super) struct Parts<'a> {
    pub operations: Vec<Part<'a>>,
    pub fragments: HashMap<&'a Name, Part<'a>>,
}

type Visit<'v, 'a> = &'v mut dyn FnMut(Position<'a>, &'a Node<Value>);

/// Visits every value, each once.
pub(super) fn parts<'a>(
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    visit: Visit<'_, 'a>,
) -> Parts<'a> {
    let mut operations = Vec::new();
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            let mut values = Values::new(schema, visit);
            values.directives(&variable.directives);
            if let Some(default) = &variable.default_value {
                values.value(expected(&variable.ty), default);
            }
        }
        let mut values = Values::new(schema, visit);
        values.directives(&operation.directives);
        values.selections(&operation.selection_set);
        operations.push(values.part);
    }
    let mut fragments = HashMap::new();
    for (name, fragment) in &document.fragments {
        let mut values = Values::new(schema, visit);
        values.directives(&fragment.directives);
        values.selections(&fragment.selection_set);
        fragments.insert(name, values.part);
    }
    Parts {
        operations,
        fragments,
    }
}

fn expected(ty: &Type) -> Position<'_> {
    Position {
        ty: Some(ty),
        ..Position::default()
    }
}

fn argument(definition: &InputValueDefinition) -> Position<'_> {
    Position {
        has_default: definition.default_value.is_some(),
        ..expected(&definition.ty)
    }
}

struct Values<'v, 'a> {
    schema: &'a Schema,
    visit: Visit<'v, 'a>,
    part: Part<'a>,
}

impl<'v, 'a> Values<'v, 'a> {
    fn new(schema: &'a Schema, visit: Visit<'v, 'a>) -> Self {
        Values {
            schema,
            visit,
            part: Part::default(),
        }
    }

    fn selections(&mut self, set: &'a SelectionSet) {
        let mut pending = vec![set];
        while let Some(set) = pending.pop() {
            for selection in &set.selections {
                self.directives(selection.directives());
                match selection {
                    Selection::Field(field) => {
                        self.arguments(&field.arguments, &field.definition.arguments);
                        pending.push(&field.selection_set);
                    }
                    Selection::InlineFragment(fragment) => pending.push(&fragment.selection_set),
                    Selection::FragmentSpread(spread) => self.part.spreads.push(&spread.fragment_name),
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) {
        for directive in directives.iter() {
            let definition = self.schema.directive_definitions.get(&directive.name);
            let known = definition.map_or(&[][..], |definition| &definition.arguments);
            self.arguments(&directive.arguments, known);
        }
    }

    fn arguments(&mut self, given: &'a [Node<Argument>], known: &'a [Node<InputValueDefinition>]) {
        for one in given {
            let definition = known.iter().find(|definition| definition.name == one.name);
            let position = definition
                .map(|definition| argument(definition))
                .unwrap_or_default();
            self.value(position, &one.value);
        }
    }

    /// The parser has bounded how deep values are.
    fn value(&mut self, position: Position<'a>, value: &'a Node<Value>) {
        (self.visit)(position, value);
        match &**value {
            Value::Variable(variable) => self.part.usages.push(Usage {
                variable,
                position,
                at: value,
            }),
            Value::List(items) => {
                let item = Position {
                    ty: position.ty.filter(|ty| ty.is_list()).map(Type::item_type),
                    ..Position::default()
                };
                items.iter().for_each(|value| self.value(item, value));
            }
            Value::Object(fields) => {
                let input = position.ty.and_then(|ty| input(self.schema, ty));
                for (name, value) in fields {
                    self.value(field(input, name), value);
                }
            }
            _ => {}
        }
    }
}

/// The input object that is expected; a single one may stand for a list.
pub(super) fn input<'a>(schema: &'a Schema, ty: &Type) -> Option<&'a InputObjectType> {
    match schema.types.get(ty.inner_named_type())? {
        ExtendedType::InputObject(input) => Some(input),
        _ => None,
    }
}

fn field<'a>(input: Option<&'a InputObjectType>, name: &Name) -> Position<'a> {
    let Some((input, definition)) = input.and_then(|input| Some((input, input.fields.get(name)?))) else {
        return Position::default();
    };
    Position {
        one_of: input.directives.has("oneOf").then_some(input),
        ..argument(definition)
    }
}
