//! Generates an operation over a schema.
//!
//! Most are valid; that two fields of one response name can't be merged is for the validator to see.
use std::fmt::Write as _;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value, json};

use super::numbers::Numbers;

/// An operation and its variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// GraphQL text, with one operation.
    pub query: String,
    /// Values of variables.
    pub variables: Map<String, Value>,
}

/// An operation of a root type.
pub fn operation(schema: &Schema, mutation: bool, numbers: Numbers) -> Request {
    let mut writer = Writer {
        schema,
        numbers,
        budget: 45,
        complete: false,
        variables: Vec::new(),
        values: Map::new(),
        fragments: Vec::new(),
    };
    let depth = writer.numbers.between(2, 6);
    let (word, root) = if mutation {
        ("mutation", "Mutation")
    } else {
        ("query", "Query")
    };
    let selection = writer.selection(root, depth);
    let mut query = word.to_owned();
    if !writer.variables.is_empty() {
        _ = write!(query, "({})", writer.variables.join(", "));
    }
    query.push_str(&selection);
    for (name, on, selection) in &writer.fragments {
        _ = write!(query, "\nfragment {name} on {on}{selection}");
    }
    Request {
        query,
        variables: writer.values,
    }
}

struct Writer<'s> {
    schema: &'s Schema,
    numbers: Numbers,
    /// How many fields may still be written.
    budget: usize,
    /// Whether input objects hold all members that have a default. The validator's crate does not apply these
    /// to the default of a variable.
    complete: bool,
    /// Definitions.
    variables: Vec<String>,
    values: Map<String, Value>,
    /// Name, type condition, selection.
    fragments: Vec<(String, String, String)>,
}

impl Writer<'_> {
    fn selection(&mut self, ty: &str, depth: usize) -> String {
        let mut out = String::from(" {");
        let before = out.len();
        for _ in 0..self.numbers.between(1, 4) {
            if let Some(part) = self.part(ty, depth) {
                _ = write!(out, " {part}");
            }
        }
        if out.len() == before {
            out.push_str(" __typename");
        }
        out.push_str(" }");
        out
    }

    fn part(&mut self, ty: &str, depth: usize) -> Option<String> {
        self.budget = self.budget.checked_sub(1)?;
        match self.numbers.below(20) {
            0 => {
                let alias = ["", "", "x1: "][self.numbers.below(3)];
                Some(format!("{alias}__typename{}", self.condition()))
            }
            1..4 if depth > 0 => Some(self.inline(ty, depth)),
            4..6 if depth > 0 => self.spread(ty, depth),
            _ => match self.fields(ty) {
                fields if fields.is_empty() && depth > 0 => Some(self.inline(ty, depth)),
                fields => self.field(ty, &fields, depth),
            },
        }
    }

    fn fields(&self, ty: &str) -> Vec<FieldDefinition> {
        match self.schema.types.get(ty) {
            Some(ExtendedType::Object(it)) => it.fields.values().map(|field| (***field).clone()).collect(),
            Some(ExtendedType::Interface(it)) => it.fields.values().map(|field| (***field).clone()).collect(),
            _ => Vec::new(),
        }
    }

    fn field(&mut self, parent: &str, fields: &[FieldDefinition], depth: usize) -> Option<String> {
        let field = self.numbers.pick(fields)?;
        let named = field.ty.inner_named_type().to_string();
        let composite = self.is_composite(&named);
        if composite && depth == 0 {
            return None;
        }
        let alias = match self.numbers.below(12) {
            0 => "x1: ".to_owned(),
            1 => format!("x{}: ", self.numbers.below(4)),
            2 => format!("{}_{}: ", parent.to_lowercase(), field.name),
            3 => self
                .numbers
                .pick(fields)
                .map_or(String::new(), |other| format!("{}: ", other.name)),
            _ => String::new(),
        };
        let arguments = self.arguments(&field);
        let directives = [self.directive(), self.condition()].concat();
        let mut out = format!("{alias}{}{arguments}{directives}", field.name);
        if composite {
            out.push_str(&self.selection(&named, depth - 1));
        }
        Some(out)
    }

    fn is_composite(&self, name: &str) -> bool {
        let ty = self.schema.types.get(name);
        ty.is_some_and(|ty| ty.is_object() || ty.is_interface() || ty.is_union())
    }

    fn inline(&mut self, ty: &str, depth: usize) -> String {
        if self.numbers.percent(10) {
            return format!("...{}{}", self.condition(), self.selection(ty, depth - 1));
        }
        let on = self.overlapping(ty);
        let condition = self.condition();
        format!("... on {on}{condition}{}", self.selection(&on, depth - 1))
    }

    fn spread(&mut self, ty: &str, depth: usize) -> Option<String> {
        let known = self.fragments.iter().filter(|(_, on, _)| self.overlap(on, ty));
        let known: Vec<String> = known.map(|(name, _, _)| name.clone()).collect();
        if !known.is_empty() && self.numbers.percent(50) {
            let name = self.numbers.pick(&known)?;
            return Some(format!("...{name}{}", self.condition()));
        }
        let on = self.overlapping(ty);
        let selection = self.selection(&on, depth - 1);
        let name = format!("F{}", self.fragments.len());
        self.fragments.push((name.clone(), on, selection));
        Some(format!("...{name}{}", self.condition()))
    }

    fn possible(&self, ty: &str) -> Vec<String> {
        match self.schema.types.get(ty) {
            Some(ExtendedType::Union(it)) => {
                it.members.iter().map(|member| member.name.to_string()).collect()
            }
            Some(ExtendedType::Interface(_)) => {
                let objects = self.schema.types.values().filter_map(|ty| ty.as_object());
                let implements =
                    objects.filter(|object| object.implements_interfaces.iter().any(|one| one.name == ty));
                implements.map(|object| object.name.to_string()).collect()
            }
            _ => vec![ty.to_owned()],
        }
    }

    fn overlap(&self, one: &str, other: &str) -> bool {
        let others = self.possible(other);
        self.possible(one).iter().any(|name| others.contains(name))
    }

    fn overlapping(&mut self, ty: &str) -> String {
        let all = self.schema.types.keys().map(ToString::to_string);
        let all: Vec<String> = all
            .filter(|name| self.is_composite(name) && !name.starts_with("__") && self.overlap(name, ty))
            .collect();
        self.numbers.pick(&all).unwrap_or_else(|| ty.to_owned())
    }

    /// The schema's own directive.
    fn directive(&mut self) -> String {
        if !self.schema.directive_definitions.contains_key("mark") || !self.numbers.percent(20) {
            return String::new();
        }
        let small = self.numbers.below(3);
        match self.numbers.below(3) {
            0 => " @mark".to_owned(),
            1 => format!(" @mark(n: {small})"),
            _ => {
                let name = self.variable("Int", json!(small), "7");
                format!(" @mark(s: \"y\") @mark(n: ${name})")
            }
        }
    }

    fn condition(&mut self) -> String {
        if !self.numbers.percent(8) {
            return String::new();
        }
        let word = ["skip", "include"][self.numbers.below(2)];
        let value = self.numbers.percent(50);
        if self.numbers.percent(30) {
            return format!(" @{word}(if: {value})");
        }
        let name = self.variable("Boolean!", json!(value), "true");
        format!(" @{word}(if: ${name})")
    }

    /// A new variable, with a value or with a default.
    fn variable(&mut self, ty: &str, value: Value, default: &str) -> String {
        let name = format!("v{}", self.variables.len());
        match self.numbers.below(3) {
            0 => self.variables.push(format!("${name}: {ty} = {default}")),
            with_default => {
                let text = if with_default == 1 {
                    format!(" = {default}")
                } else {
                    String::new()
                };
                self.variables.push(format!("${name}: {ty}{text}"));
                self.values.insert(name.clone(), value);
            }
        }
        name
    }

    fn arguments(&mut self, field: &FieldDefinition) -> String {
        let mut all = Vec::new();
        for argument in &field.arguments {
            if argument.is_required() || self.numbers.percent(60) {
                let value = self.argument(argument);
                all.push(format!("{}: {value}", argument.name));
            }
        }
        if all.is_empty() {
            String::new()
        } else {
            format!("({})", all.join(", "))
        }
    }

    fn argument(&mut self, argument: &InputValueDefinition) -> String {
        if self.numbers.percent(50) {
            return self.value(&argument.ty, true).0;
        }
        // A variable without any value: as if the argument were not there.
        if !argument.ty.is_non_null() && self.numbers.percent(15) {
            let name = format!("v{}", self.variables.len());
            self.variables.push(format!("${name}: {}", argument.ty));
            return format!("${name}");
        }
        let value = self.value(&argument.ty, false).1;
        self.complete = true;
        let default = self.value(&argument.ty, false).0;
        self.complete = false;
        let name = self.variable(&argument.ty.to_string(), value, &default);
        format!("${name}")
    }

    /// A value as a literal and as JSON.
    fn value(&mut self, ty: &Type, variables: bool) -> (String, Value) {
        if !ty.is_non_null() && self.numbers.percent(15) {
            return ("null".to_owned(), Value::Null);
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                let length = self.numbers.below(3);
                let items: Vec<(String, Value)> = (0..length).map(|_| self.value(item, variables)).collect();
                let texts: Vec<&str> = items.iter().map(|(text, _)| text.as_str()).collect();
                let text = format!("[{}]", texts.join(", "));
                (text, items.into_iter().map(|(_, value)| value).collect())
            }
            Type::Named(name) | Type::NonNullNamed(name) => self.named(name, variables),
        }
    }

    fn named(&mut self, name: &str, variables: bool) -> (String, Value) {
        let small = self.numbers.below(100);
        let plain = |value: Value| (value.to_string(), value);
        match self.schema.types.get(name) {
            Some(ExtendedType::Enum(it)) => {
                let values: Vec<String> = it.values.keys().map(ToString::to_string).collect();
                let value = self.numbers.pick(&values).unwrap_or_default();
                (value.clone(), value.into())
            }
            Some(ExtendedType::InputObject(it)) => {
                let (mut texts, mut values) = (Vec::new(), Map::new());
                for member in it.fields.values() {
                    let whole = self.complete && member.default_value.is_some();
                    if member.is_required() || whole || self.numbers.percent(60) {
                        let (text, value) = self.member(member, variables);
                        texts.push(format!("{}: {text}", member.name));
                        values.insert(member.name.to_string(), value);
                    }
                }
                (format!("{{{}}}", texts.join(", ")), values.into())
            }
            _ => match name {
                "Int" => plain(json!(small)),
                "Float" => plain(json!(small as f64 / 4.0)),
                "Boolean" => plain(json!(small.is_multiple_of(2))),
                _ => plain(json!(format!("s{small}"))),
            },
        }
    }

    /// A member of an input object's literal may be a variable.
    fn member(&mut self, member: &InputValueDefinition, variables: bool) -> (String, Value) {
        if variables && self.numbers.percent(20) {
            let (text, value) = self.value(&member.ty, false);
            let name = self.variable(&member.ty.to_string(), value, &text);
            return (format!("${name}"), Value::Null);
        }
        self.value(&member.ty, variables)
    }
}
