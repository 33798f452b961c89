//! `@cost` and `@listSize`: what a supergraph says about the price of its fields.
//! <https://ibm.github.io/graphql-specs/cost-spec.html>, <https://specs.apollo.dev/cost/v0.1/>
//!
//! Three forms are read: the directives of the linked specification under whatever names they have here, the same as
//! `@join__directive(name:, args:)`, and, in a document that links nothing for them, directives called `@cost` and
//! `@listSize`.
use apollo_compiler::ast::{Argument, Directive, Type, Value};
use apollo_compiler::schema::{ExtendedType, FieldDefinition, InputValueDefinition};
use apollo_compiler::{Name, Node, Schema};
use hashbrown::HashMap;

use super::links::Links;

/// Prices that differ from the usual ones.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    types: HashMap<Name, f64>,
    /// By type, then by field; input objects are among the types.
    fields: HashMap<Name, HashMap<Name, FieldCost>>,
}

/// What is said about one field.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FieldCost {
    /// `@cost(weight:)`
    pub weight: Option<f64>,
    /// `@listSize`; several on a field of an interface whose types differ.
    pub lists: Vec<ListSize>,
    /// `@cost` of arguments.
    pub arguments: HashMap<Name, f64>,
}

/// One `@listSize`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListSize {
    pub assumed: Option<f64>,
    pub slicing: Vec<String>,
    pub sized: Vec<String>,
    /// Exactly one of the slicing arguments must be given.
    pub one: bool,
}

impl Costs {
    pub fn field(&self, ty: &str, field: &str) -> Option<&FieldCost> {
        self.fields.get(ty)?.get(field)
    }

    /// The weight of a type, if something is said about it.
    pub fn ty(&self, name: &str) -> Option<f64> {
        self.types.get(name).copied()
    }
}

/// Reads all of them.
pub(crate) fn costs(schema: &Schema, links: &Links) -> Costs {
    let reader = Reader { links };
    let mut costs = Costs::default();
    for (name, ty) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        let directives = ty.directives().iter().map(|directive| &**directive);
        if let Some(weight) = reader.weight(directives) {
            costs.types.insert(name.clone(), weight);
        }
        let fields = reader.fields(ty);
        if !fields.is_empty() {
            costs.fields.insert(name.clone(), fields);
        }
    }
    if !costs.types.is_empty() || !costs.fields.is_empty() {
        abstract_types(schema, &mut costs);
    }
    costs
}

struct Reader<'a> {
    links: &'a Links,
}

impl Reader<'_> {
    fn fields(&self, ty: &ExtendedType) -> HashMap<Name, FieldCost> {
        let known =
            |(name, cost): (&Name, FieldCost)| (cost != FieldCost::default()).then(|| (name.clone(), cost));
        match ty {
            ExtendedType::Object(def) => {
                let fields = def.fields.iter().map(|(name, field)| (name, self.output(field)));
                fields.filter_map(known).collect()
            }
            ExtendedType::Interface(def) => {
                let fields = def.fields.iter().map(|(name, field)| (name, self.output(field)));
                fields.filter_map(known).collect()
            }
            ExtendedType::InputObject(def) => {
                let fields = def.fields.iter().map(|(name, field)| (name, self.input(field)));
                fields.filter_map(known).collect()
            }
            _ => HashMap::new(),
        }
    }

    fn output(&self, field: &FieldDefinition) -> FieldCost {
        let weight = |argument: &Node<InputValueDefinition>| {
            let weight = self.weight(argument.directives.iter())?;
            Some((argument.name.clone(), weight))
        };
        FieldCost {
            weight: self.weight(field.directives.iter()),
            lists: self.lists(&field.directives),
            arguments: field.arguments.iter().filter_map(weight).collect(),
        }
    }

    fn input(&self, field: &InputValueDefinition) -> FieldCost {
        FieldCost {
            weight: self.weight(field.directives.iter()),
            ..FieldCost::default()
        }
    }

    /// The largest `@cost(weight:)`.
    fn weight<'d>(&self, directives: impl Iterator<Item = &'d Node<Directive>>) -> Option<f64> {
        let weights = directives.filter_map(|directive| {
            let applied = self.applied(directive, "cost")?;
            let weight = applied.get("weight")?;
            // The specification of IBM writes numbers as strings.
            let number = weight
                .to_f64()
                .or_else(|| weight.as_str().and_then(|text| text.parse().ok()));
            number.filter(|weight| weight.is_finite())
        });
        weights.reduce(f64::max)
    }

    fn lists(&self, directives: &[Node<Directive>]) -> Vec<ListSize> {
        let list = |directive: &Node<Directive>| {
            let applied = self.applied(directive, "listSize")?;
            let names = |argument: &str| applied.get(argument).map_or_else(Vec::new, names);
            let assumed = applied.get("assumedSize").and_then(Value::to_f64);
            let one = applied
                .get("requireOneSlicingArgument")
                .and_then(Value::to_bool)
                .unwrap_or(true);
            let slicing = names("slicingArguments");
            Some(ListSize {
                assumed: assumed.filter(|size| *size >= 0.0),
                one: one && !slicing.is_empty(),
                slicing,
                sized: names("sizedFields"),
            })
        };
        directives.iter().filter_map(list).collect()
    }

    /// The arguments of a directive, if it is this one.
    fn applied<'d>(&self, directive: &'d Directive, name: &str) -> Option<Applied<'d>> {
        if self.links.cost(&directive.name) == Some(name) {
            return Some(Applied::Plain(&directive.arguments));
        }
        if directive.name.strip_prefix(self.links.join.as_str()) != Some("__directive") {
            return None;
        }
        let given = directive.specified_argument_by_name("name")?.as_str()?;
        let element = given.rsplit_once("__").map_or(given, |(_, element)| element);
        match directive.specified_argument_by_name("args").map(|args| &**args) {
            Some(Value::Object(args)) if element == name => Some(Applied::Joined(args)),
            None if element == name => Some(Applied::Joined(&[])),
            _ => None,
        }
    }
}

/// Arguments of a directive.
enum Applied<'a> {
    Plain(&'a [Node<Argument>]),
    Joined(&'a [(Name, Node<Value>)]),
}

impl<'a> Applied<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        match self {
            Applied::Plain(arguments) => arguments
                .iter()
                .find(|argument| argument.name == name)
                .map(|argument| &*argument.value),
            Applied::Joined(arguments) => arguments
                .iter()
                .find(|(argument, _)| argument == name)
                .map(|(_, value)| &**value),
        }
    }
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        other => other.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// What may be any of several types costs what the dearest of them does.
fn abstract_types(schema: &Schema, costs: &mut Costs) {
    let implementers = schema.implementers_map();
    for (name, ty) in &schema.types {
        let members: Vec<&Name> = match ty {
            ExtendedType::Interface(_) => match implementers.get(name) {
                Some(found) => found.objects.iter().collect(),
                None => continue,
            },
            ExtendedType::Union(def) => def.members.iter().map(|member| &member.name).collect(),
            _ => continue,
        };
        let said = members.iter().filter_map(|member| costs.ty(member));
        if let Some(most) = said.reduce(f64::max) {
            let usual = members.iter().any(|member| costs.ty(member).is_none());
            let weight = if usual { most.max(1.0) } else { most };
            costs.types.insert(name.clone(), weight);
        }
        if let ExtendedType::Interface(def) = ty {
            for (field, definition) in &def.fields {
                let merged = merged(schema, costs, name, field, definition, &members);
                if merged != FieldCost::default() {
                    let fields = costs.fields.entry(name.clone()).or_default();
                    fields.insert(field.clone(), merged);
                }
            }
        }
    }
}

fn merged(
    schema: &Schema,
    costs: &Costs,
    interface: &Name,
    field: &Name,
    definition: &FieldDefinition,
    members: &[&Name],
) -> FieldCost {
    let mut merged = costs.field(interface, field).cloned().unwrap_or_default();
    let of_type = costs.usual(schema, &definition.ty);
    let others = members
        .iter()
        .map(|member| costs.field(member, field))
        .collect::<Vec<_>>();
    if others.iter().flatten().any(|cost| cost.weight.is_some()) {
        let weights = others
            .iter()
            .map(|cost| cost.and_then(|cost| cost.weight).unwrap_or(of_type));
        merged.weight = weights.chain(merged.weight).reduce(f64::max);
    }
    for cost in others.into_iter().flatten() {
        for list in &cost.lists {
            if !merged.lists.contains(list) {
                merged.lists.push(list.clone());
            }
        }
        for (argument, weight) in &cost.arguments {
            let known = merged.arguments.entry(argument.clone()).or_insert(*weight);
            *known = known.max(*weight);
        }
    }
    merged
}

impl Costs {
    /// The weight of a value of a type: what is said about it, else 1 for objects of any kind and 0 for leaves.
    pub fn usual(&self, schema: &Schema, ty: &Type) -> f64 {
        let name = ty.inner_named_type();
        self.ty(name).unwrap_or_else(|| match schema.types.get(name) {
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)) | None => 0.0,
            Some(_) => 1.0,
        })
    }
}
