//! How much introspection would answer, counted before it is done: types lead to fields, and these to types again, so that a
//! short query can ask for more than memory holds.
//!
//! What a selection says of a type is counted once for each pair of them, so that the time is linear in the schema for each
//! selection of the operation.
use std::collections::HashMap;
use std::rc::Rc;

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

use super::Operation;
use crate::supergraph::Supergraph;

impl Operation {
    /// Values in the answers to its fields `__schema` and `__type`. It is not counted on above `most`.
    pub fn introspected_values(&self, sg: &Supergraph, most: u64) -> u64 {
        if !self.introspects() {
            return 0;
        }
        let mut weigher = Weigher {
            sg,
            schema: sg.api_schema(),
            operation: self,
            most,
            flat: HashMap::new(),
            types: HashMap::new(),
        };
        let roots = weigher.flat(&self.operation.selection_set);
        weigher.sum(roots.iter(), |weigher, field| match field.name.as_str() {
            "__schema" => weigher.schema(&field.selection_set),
            "__type" => weigher.dearest(&field.selection_set),
            _ => 0,
        })
    }
}

struct Weigher<'a> {
    sg: &'a Supergraph,
    schema: &'a Schema,
    operation: &'a Operation,
    most: u64,
    /// The fields of selections, by address, with fragments expanded.
    flat: HashMap<usize, Rc<[&'a Field]>>,
    /// What a selection asks of a type.
    types: HashMap<(usize, &'a Name), u64>,
}

fn address(set: &SelectionSet) -> usize {
    std::ptr::from_ref(set).addr()
}

impl<'a> Weigher<'a> {
    /// The sum, at least as far as it is of interest.
    fn sum<T>(&mut self, all: impl Iterator<Item = T>, mut each: impl FnMut(&mut Self, T) -> u64) -> u64 {
        let mut sum = 0u64;
        for one in all {
            sum = sum.saturating_add(each(self, one));
            if sum > self.most {
                break;
            }
        }
        sum
    }

    fn flat(&mut self, set: &'a SelectionSet) -> Rc<[&'a Field]> {
        if let Some(known) = self.flat.get(&address(set)) {
            return Rc::clone(known);
        }
        let mut fields = Vec::new();
        let mut pending = vec![set];
        while let Some(next) = pending.pop() {
            for selection in &next.selections {
                match selection {
                    Selection::Field(field) => fields.push(&**field),
                    Selection::InlineFragment(inline) => pending.push(&inline.selection_set),
                    Selection::FragmentSpread(spread) => {
                        let fragments = &self.operation.document.fragments;
                        pending.extend(fragments.get(&spread.fragment_name).map(|f| &f.selection_set));
                    }
                }
            }
        }
        let fields: Rc<[&Field]> = fields.into();
        self.flat.insert(address(set), Rc::clone(&fields));
        fields
    }

    /// `__Schema`
    fn schema(&mut self, set: &'a SelectionSet) -> u64 {
        let (fields, schema) = (self.flat(set), self.schema);
        1 + self.sum(fields.iter(), |weigher, field| {
            let set = &field.selection_set;
            match field.name.as_str() {
                "types" => weigher.sum(schema.types.keys(), |weigher, name| weigher.named(name, set)),
                "queryType" | "mutationType" | "subscriptionType" => weigher.dearest(set),
                "directives" => weigher.sum(schema.directive_definitions.values(), |weigher, directive| {
                    weigher.directive(&directive.arguments, set)
                }),
                _ => 1,
            }
        })
    }

    /// The type for which a selection asks most.
    fn dearest(&mut self, set: &'a SelectionSet) -> u64 {
        let schema = self.schema;
        let each = schema.types.keys().map(|name| self.named(name, set));
        each.max().unwrap_or(0)
    }

    /// `__Directive`
    fn directive(&mut self, arguments: &'a [Node<InputValueDefinition>], set: &'a SelectionSet) -> u64 {
        let fields = self.flat(set);
        1 + self.sum(fields.iter(), |weigher, field| match field.name.as_str() {
            "args" => weigher.inputs(arguments.iter(), &field.selection_set),
            _ => 1,
        })
    }

    /// `__Type` of a type with a name.
    fn named(&mut self, name: &'a Name, set: &'a SelectionSet) -> u64 {
        let key = (address(set), name);
        if let Some(known) = self.types.get(&key) {
            return *known;
        }
        let fields = self.flat(set);
        let values = 1 + self.sum(fields.iter(), |weigher, field| weigher.of_type(name, field));
        self.types.insert(key, values);
        values
    }

    fn of_type(&mut self, name: &'a Name, field: &'a Field) -> u64 {
        let (schema, sg) = (self.schema, self.sg);
        let set = &field.selection_set;
        match (field.name.as_str(), schema.types.get(name)) {
            ("fields", Some(ExtendedType::Object(def))) => {
                self.sum(def.fields.values(), |weigher, def| weigher.field(def, set))
            }
            ("fields", Some(ExtendedType::Interface(def))) => {
                self.sum(def.fields.values(), |weigher, def| weigher.field(def, set))
            }
            ("interfaces", Some(ExtendedType::Object(def))) => self
                .sum(def.implements_interfaces.iter(), |weigher, name| {
                    weigher.named(&name.name, set)
                }),
            ("interfaces", Some(ExtendedType::Interface(def))) => self
                .sum(def.implements_interfaces.iter(), |weigher, name| {
                    weigher.named(&name.name, set)
                }),
            ("possibleTypes", Some(ExtendedType::Interface(_))) => match sg.implementers.get(name) {
                Some(found) => self.sum(found.objects.iter(), |weigher, name| weigher.named(name, set)),
                None => 1,
            },
            ("possibleTypes", Some(ExtendedType::Union(def))) => {
                self.sum(def.members.iter(), |weigher, name| weigher.named(&name.name, set))
            }
            ("enumValues", Some(ExtendedType::Enum(def))) => {
                let each = 1 + self.flat(set).len() as u64;
                each.saturating_mul(def.values.len() as u64)
            }
            ("inputFields", Some(ExtendedType::InputObject(def))) => {
                let fields = def.fields.values().map(|field| &field.node);
                self.inputs(fields, set)
            }
            _ => 1,
        }
    }

    /// `__Field`
    fn field(&mut self, definition: &'a FieldDefinition, set: &'a SelectionSet) -> u64 {
        let fields = self.flat(set);
        1 + self.sum(fields.iter(), |weigher, field| match field.name.as_str() {
            "args" => weigher.inputs(definition.arguments.iter(), &field.selection_set),
            "type" => weigher.wrapped(&definition.ty, true, &field.selection_set),
            _ => 1,
        })
    }

    /// `__InputValue`s
    fn inputs(
        &mut self,
        definitions: impl Iterator<Item = &'a Node<InputValueDefinition>>,
        set: &'a SelectionSet,
    ) -> u64 {
        let fields = self.flat(set);
        self.sum(definitions, |weigher, definition| {
            1 + weigher.sum(fields.iter(), |weigher, field| match field.name.as_str() {
                "type" => weigher.wrapped(&definition.ty, true, &field.selection_set),
                _ => 1,
            })
        })
    }

    /// `__Type` of a type that may be a list, and (if that is still `outer`) not null.
    fn wrapped(&mut self, ty: &'a Type, outer: bool, set: &'a SelectionSet) -> u64 {
        let (inner, still) = match ty {
            Type::Named(name) => return self.named(name, set),
            Type::NonNullNamed(name) if !outer => return self.named(name, set),
            Type::NonNullNamed(_) => (ty, false),
            Type::NonNullList(_) if outer => (ty, false),
            Type::List(item) | Type::NonNullList(item) => (&**item, true),
        };
        let fields = self.flat(set);
        1 + self.sum(fields.iter(), |weigher, field| match field.name.as_str() {
            "ofType" => weigher.wrapped(inner, still, &field.selection_set),
            _ => 1,
        })
    }
}
