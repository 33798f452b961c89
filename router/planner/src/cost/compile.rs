//! From an operation to its [`Estimate`].
use std::collections::HashMap;

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, Type, Value};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use indexmap::IndexMap;
use serde_json::Map;

use super::estimate::{Estimate, Given, Node, Part, Size, longest};
use super::{CostError, CostSettings, MOST, MUTATION, input};
use crate::operation::Operation;
use crate::plan::OperationKind;
use crate::supergraph::Supergraph;
use crate::supergraph::costs::{FieldCost, ListSize};

/// Lists of the objects below a field whose length its arguments say.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Above(usize);

struct Sized {
    /// Names of the fields it holds for; `None`: any list without a size of its own.
    fields: Option<Vec<String>>,
    sizes: Vec<Size>,
}

struct Compiler<'a> {
    sg: &'a Supergraph,
    operation: &'a Operation,
    settings: &'a CostSettings,
    nodes: Vec<Node>,
    above: Vec<Sized>,
    fragments: HashMap<(&'a Name, Option<Above>), Part>,
}

pub(super) fn compile(operation: &Operation, sg: &Supergraph, settings: &CostSettings) -> Estimate {
    let mut compiler = Compiler {
        sg,
        operation,
        settings,
        nodes: Vec::new(),
        above: Vec::new(),
        fragments: HashMap::new(),
    };
    let base = match operation.kind() {
        OperationKind::Mutation => MUTATION,
        OperationKind::Query | OperationKind::Subscription => 0.0,
    };
    let selected = compiler.selections(&operation.operation.selection_set, None);
    let root = compiler.sum(vec![Part::Fixed(base), selected]);
    Estimate {
        root,
        nodes: compiler.nodes,
    }
}

impl<'a> Compiler<'a> {
    fn node(&mut self, node: Node) -> Part {
        self.nodes.push(node);
        Part::Node(self.nodes.len() - 1)
    }

    fn sum(&mut self, parts: Vec<Part>) -> Part {
        let (fixed, nodes) = split(parts, |sum, part| sum + part);
        match nodes.len() {
            0 => Part::Fixed(fixed.clamp(0.0, MOST)),
            1 if fixed == 0.0 => Part::Node(nodes[0]),
            _ => self.node(Node::Sum(fixed, nodes)),
        }
    }

    fn largest(&mut self, parts: Vec<Part>) -> Part {
        let (fixed, nodes) = split(parts, f64::max);
        match nodes.len() {
            0 => Part::Fixed(fixed),
            _ => self.node(Node::Largest(fixed, nodes)),
        }
    }

    fn times(&mut self, sizes: Vec<Size>, part: Part) -> Part {
        let is_known = |size: &Size| {
            size.one.is_none() && size.given.iter().all(|given| matches!(given, Given::Number(_)))
        };
        match part {
            Part::Fixed(number) if sizes.iter().all(is_known) => {
                let longest = longest(&sizes, &Map::new()).unwrap_or(0.0);
                Part::Fixed((longest * number).clamp(0.0, MOST))
            }
            part => self.node(Node::Times(sizes, part)),
        }
    }

    /// A selection set: all that holds for every object, and of what holds for some types only, the dearest.
    fn selections(&mut self, set: &'a SelectionSet, above: Option<Above>) -> Part {
        let mut parts = Vec::with_capacity(set.selections.len());
        let mut by_type: IndexMap<&Name, Vec<Part>> = IndexMap::new();
        for selection in &set.selections {
            let (ty, part) = match selection {
                Selection::Field(field) => (&set.ty, self.field(&set.ty, field, above)),
                Selection::InlineFragment(inline) => (
                    &inline.selection_set.ty,
                    self.selections(&inline.selection_set, above),
                ),
                Selection::FragmentSpread(spread) => match self.fragment(&spread.fragment_name, above) {
                    Some(found) => found,
                    None => continue,
                },
            };
            let part = self.when(selection.directives(), part);
            let is_object = self.sg.api_schema().get_object(ty).is_some();
            match is_object && *ty != set.ty {
                true => by_type.entry(ty).or_default().push(part),
                false => parts.push(part),
            }
        }
        let of_types: Vec<Part> = by_type.into_values().map(|parts| self.sum(parts)).collect();
        parts.push(self.largest(of_types));
        self.sum(parts)
    }

    /// A fragment costs the same wherever it is spread below the same sizes.
    fn fragment(&mut self, name: &Name, above: Option<Above>) -> Option<(&'a Name, Part)> {
        let fragment = self.operation.document.fragments.get(name)?;
        let key = (&fragment.name, above);
        let part = match self.fragments.get(&key) {
            Some(part) => *part,
            None => {
                let part = self.selections(&fragment.selection_set, above);
                self.fragments.insert(key, part);
                part
            }
        };
        Some((&fragment.selection_set.ty, part))
    }

    fn field(&mut self, parent: &Name, field: &'a Field, above: Option<Above>) -> Part {
        // Introspection is answered here, and has its own limit.
        if field.name.starts_with("__") {
            return Part::default();
        }
        let schema = self.sg.api_schema();
        let ty = &field.definition.ty;
        let said = self.sg.costs.field(parent, &field.name);
        let weight = said
            .and_then(|said| said.weight)
            .unwrap_or_else(|| self.sg.costs.usual(schema, ty));
        let (own, below) = self.sizes(parent, field, said, above);
        let selected = self.selections(&field.selection_set, below);
        let mut part = self.sum(vec![Part::Fixed(weight), selected]);
        // Lists in lists.
        let mut inner = ty.item_type();
        while ty.is_list() && inner.is_list() {
            part = self.times(vec![self.unsaid()], part);
            inner = inner.item_type();
        }
        if ty.is_list() {
            part = self.times(own, part);
        }
        let mut parts = vec![part];
        for argument in &field.arguments {
            if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                let weight = said.and_then(|said| said.arguments.get(&argument.name).copied());
                self.input(&argument.value, &definition.ty, weight, &mut parts);
            }
        }
        self.sum(parts)
    }

    /// A list of which nothing is known.
    fn unsaid(&self) -> Size {
        Size {
            given: Vec::new(),
            otherwise: f64::from(self.settings.list_size),
            one: None,
        }
    }

    /// How long the list of a field is, and what it says about lists below it.
    fn sizes(
        &mut self,
        parent: &Name,
        field: &Field,
        said: Option<&FieldCost>,
        above: Option<Above>,
    ) -> (Vec<Size>, Option<Above>) {
        let lists = said.map_or(&[][..], |said| said.lists.as_slice());
        let usual = lists.is_empty().then(|| self.convention(field)).flatten();
        let (below, here): (Vec<&ListSize>, Vec<&ListSize>) =
            lists.iter().partition(|list| !list.sized.is_empty());
        let said = |list: &&ListSize| self.said(parent, field, list);
        if !field.definition.ty.is_list() {
            let (names, sizes) = match usual {
                Some(usual) => (None, vec![usual]),
                None => (Some(names(&below)), below.iter().map(said).collect()),
            };
            return (Vec::new(), self.above(names, sizes));
        }
        let mut own: Vec<Size> = here.iter().map(said).collect();
        let promised = above.and_then(|Above(at)| self.promised(at, field, usual.is_some()));
        let sizes = below.iter().map(said).collect();
        own = promised.unwrap_or(own);
        own.extend(usual.filter(|_| own.is_empty()));
        if own.is_empty() {
            own.push(self.unsaid());
        }
        (own, self.above(Some(names(&below)), sizes))
    }

    fn above(&mut self, fields: Option<Vec<String>>, sizes: Vec<Size>) -> Option<Above> {
        if sizes.is_empty() {
            return None;
        }
        self.above.push(Sized { fields, sizes });
        Some(Above(self.above.len() - 1))
    }

    /// Sizes that the field above promises for this one.
    fn promised(&self, at: usize, field: &Field, has_own: bool) -> Option<Vec<Size>> {
        let sized = &self.above[at];
        let meant = match &sized.fields {
            Some(names) => names.iter().any(|name| field.name == name.as_str()),
            None => !has_own,
        };
        meant.then(|| sized.sizes.clone())
    }

    /// As `@listSize` says.
    fn said(&self, parent: &Name, field: &Field, list: &ListSize) -> Size {
        let given = list
            .slicing
            .iter()
            .filter_map(|path| self.given(field, path))
            .collect();
        let error = || CostError::Slicing {
            field: format!("{parent}.{}", field.name),
            arguments: list.slicing.clone(),
        };
        Size {
            given,
            otherwise: list.assumed.unwrap_or(f64::from(self.settings.list_size)),
            one: list.one.then(|| Box::new(error())),
        }
    }

    /// As the names of a field's arguments suggest.
    fn convention(&self, field: &Field) -> Option<Size> {
        let names = &self.settings.slicing_arguments;
        let slices = |name: &&String| {
            let definition = field.definition.argument_by_name(name);
            definition.is_some_and(|definition| {
                !definition.ty.is_list() && definition.ty.inner_named_type() == "Int"
            })
        };
        let meant: Vec<&String> = names.iter().filter(slices).collect();
        (!meant.is_empty()).then(|| Size {
            given: meant.iter().filter_map(|name| self.given(field, name)).collect(),
            otherwise: f64::from(self.settings.list_size),
            one: None,
        })
    }

    /// The size that an argument (or a field of one, as `input.first`) gives.
    fn given(&self, field: &Field, path: &str) -> Option<Given> {
        let mut steps = path.split('.');
        let name = steps.next()?;
        let steps: Vec<&str> = steps.collect();
        let definition = field.definition.argument_by_name(name)?;
        let default = definition.default_value.as_deref();
        let otherwise = default.and_then(|value| input::at(value, &steps).0?.to_f64());
        let argument = field.arguments.iter().find(|argument| argument.name == name);
        let Some(argument) = argument else {
            return otherwise.map(Given::Number);
        };
        match input::at(&argument.value, &steps) {
            (Some(Value::Variable(variable)), depth) => {
                let rest = steps[depth..].iter().map(|step| (*step).to_owned()).collect();
                let otherwise = otherwise.filter(|_| depth == 0);
                Some(Given::Variable(variable.to_string(), rest, otherwise))
            }
            (Some(value), _) => value.to_f64().map(Given::Number),
            (None, _) => None,
        }
    }

    /// Under `@skip` and `@include`.
    fn when(&mut self, directives: &DirectiveList, part: Part) -> Part {
        let mut conditions = Vec::new();
        for directive in directives.iter() {
            let wanted = match directive.name.as_str() {
                "skip" => false,
                "include" => true,
                _ => continue,
            };
            match directive.specified_argument_by_name("if").map(|value| &**value) {
                Some(Value::Boolean(value)) if *value != wanted => return Part::default(),
                Some(Value::Variable(name)) => conditions.push((name.to_string(), wanted)),
                _ => {}
            }
        }
        match part {
            Part::Fixed(0.0) => part,
            _ if conditions.is_empty() => part,
            _ => self.node(Node::When(conditions, part)),
        }
    }

    /// What an argument costs, or a part of one.
    fn input(&mut self, value: &Value, ty: &Type, weight: Option<f64>, parts: &mut Vec<Part>) {
        let usual = |sg: &Supergraph| weight.unwrap_or_else(|| sg.costs.usual(sg.api_schema(), ty));
        match value {
            Value::Null => {}
            Value::Variable(name) => {
                if !input::is_free(self.sg, ty, weight) {
                    let node = self.node(Node::Input(name.to_string(), ty.clone(), weight));
                    parts.push(node);
                }
            }
            Value::List(items) => {
                for item in items {
                    self.input(item, ty.item_type(), weight, parts);
                }
            }
            Value::Object(fields) => {
                parts.push(Part::Fixed(usual(self.sg)));
                for (name, value) in fields {
                    if let Some((ty, weight)) = input::input_field(self.sg, ty, name) {
                        self.input(value, ty, weight, parts);
                    }
                }
            }
            _ => parts.push(Part::Fixed(usual(self.sg))),
        }
    }
}

fn names(lists: &[&ListSize]) -> Vec<String> {
    lists.iter().flat_map(|list| list.sized.iter().cloned()).collect()
}

/// The fixed parts together, and the nodes among them.
fn split(parts: Vec<Part>, together: impl Fn(f64, f64) -> f64) -> (f64, Vec<usize>) {
    let mut nodes = Vec::new();
    let fixed = parts.into_iter().fold(0.0, |fixed, part| match part {
        Part::Fixed(number) => together(fixed, number),
        Part::Node(at) => {
            nodes.push(at);
            fixed
        }
    });
    (fixed, nodes)
}
