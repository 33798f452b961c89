//! Answers in parts: operations with `@defer` and `@stream`, and a client that puts the parts together, strictly.
use std::collections::BTreeMap;

use apollo_compiler::ast::{
    Argument, Definition, Directive, Document, InlineFragment, Selection, Value as Ast,
};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema, executable};
use baedal_executor::Format;
use serde_json::{Map, Value};

use crate::generate::Numbers;

/// The operation with some of its selections deferred; `None` if nothing is.
pub fn deferred(query: &str, numbers: &mut Numbers) -> Option<String> {
    let mut document = Document::parse(query, "query.graphql").ok()?;
    let mut deferring = Deferring { numbers, labels: 0 };
    for definition in &mut document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let operation = operation.make_mut();
                let plain = operation.operation_type == apollo_compiler::ast::OperationType::Query;
                deferring.selections(&mut operation.selection_set, plain);
            }
            Definition::FragmentDefinition(fragment) => {
                let fragment = fragment.make_mut();
                let plain = fragment.type_condition != "Mutation";
                deferring.selections(&mut fragment.selection_set, plain);
            }
            _ => {}
        }
    }
    (deferring.labels > 0).then(|| document.to_string())
}

/// The operation with some of its lists streamed.
pub fn streamed(schema: &Valid<Schema>, query: &str, numbers: &mut Numbers) -> Option<String> {
    let mut document = ExecutableDocument::parse(schema, query, "query.graphql").ok()?;
    let mut streaming = Streaming {
        numbers,
        by_name: BTreeMap::new(),
    };
    if let Some(operation) = &mut document.operations.anonymous {
        streaming.selections(&mut operation.make_mut().selection_set);
    }
    for fragment in document.fragments.values_mut() {
        streaming.selections(&mut fragment.make_mut().selection_set);
    }
    Some(document.to_string())
}

struct Streaming<'n> {
    numbers: &'n mut Numbers,
    /// What a list of this name in the answer has: fields that are merged have the same, or none of them has any. So there
    /// is no label, each of which may stand but once.
    by_name: BTreeMap<Name, Option<Node<Directive>>>,
}

impl Streaming<'_> {
    fn selections(&mut self, set: &mut executable::SelectionSet) {
        let root = set.ty == "Mutation";
        for selection in &mut set.selections {
            match selection {
                executable::Selection::Field(field) => {
                    let field = field.make_mut();
                    let list = field.ty().is_list() && !field.selection_set.selections.is_empty();
                    if list && !root {
                        let directive = self.directive(field.response_key());
                        field.directives.0.extend(directive);
                    }
                    self.selections(&mut field.selection_set);
                }
                executable::Selection::InlineFragment(fragment) => {
                    self.selections(&mut fragment.make_mut().selection_set);
                }
                executable::Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn directive(&mut self, name: &Name) -> Option<Node<Directive>> {
        if let Some(known) = self.by_name.get(name) {
            return known.clone();
        }
        let drawn = self.numbers.percent(50).then(|| {
            let count = i32::try_from(self.numbers.below(3)).unwrap_or_default();
            directive("stream", vec![("initialCount", Ast::Int(count.into()))])
        });
        self.by_name.insert(name.clone(), drawn.clone());
        drawn
    }
}

fn directive(name: &str, arguments: Vec<(&str, Ast)>) -> Node<Directive> {
    let named = |name| Name::new(name).expect("a name");
    let argument = |(name, value)| {
        Node::new(Argument {
            name: named(name),
            value: Node::new(value),
        })
    };
    Node::new(Directive {
        name: named(name),
        arguments: arguments.into_iter().map(argument).collect(),
    })
}

struct Deferring<'n> {
    numbers: &'n mut Numbers,
    labels: usize,
}

impl Deferring<'_> {
    /// `allowed`: it is not the root of a mutation.
    fn selections(&mut self, set: &mut Vec<Selection>, allowed: bool) {
        for selection in set.iter_mut() {
            match selection {
                Selection::Field(field) => self.selections(&mut field.make_mut().selection_set, true),
                Selection::InlineFragment(fragment) => {
                    let defer = self.draw(allowed, 50);
                    let fragment = fragment.make_mut();
                    fragment.directives.0.extend(defer);
                    self.selections(&mut fragment.selection_set, allowed);
                }
                Selection::FragmentSpread(spread) => {
                    let defer = self.draw(allowed, 50);
                    spread.make_mut().directives.0.extend(defer);
                }
            }
        }
        if let Some(defer) = self.draw(allowed, 25) {
            let at = self.numbers.below(set.len());
            let inner = set.split_off(at);
            set.push(Selection::InlineFragment(Node::new(InlineFragment {
                type_condition: None,
                directives: [defer].into_iter().collect(),
                selection_set: inner,
            })));
        }
    }

    fn draw(&mut self, allowed: bool, chance: usize) -> Option<Node<Directive>> {
        if !allowed || !self.numbers.percent(chance) {
            return None;
        }
        let label = format!("d{}", self.labels);
        self.labels += 1;
        let mut arguments = vec![("label", Ast::String(label))];
        if self.numbers.percent(10) {
            arguments.push(("if", Ast::Boolean(self.numbers.percent(50))));
        }
        Some(directive("defer", arguments))
    }
}

/// What a client has after all parts, or which rule they break. `well`: nothing fails; what fails in one fragment may be
/// null there, and not in another that selects it too.
///
/// # Errors
/// A part that does not fit what came before.
pub fn merged(pieces: &[Value], format: Format, well: bool) -> Result<Merged, String> {
    let (last, others) = pieces.split_last().ok_or("nothing came")?;
    for piece in others {
        rule(
            piece["hasNext"] == true,
            "`hasNext` is false before the end",
            piece,
        )?;
    }
    rule(last["hasNext"] == false, "`hasNext` is true at the end", last)?;
    let first = &pieces[0];
    rule(first.get("data").is_some(), "the first has no `data`", first)?;
    let mut merged = Merged {
        data: first["data"].clone(),
        errors: list(&first["errors"]).to_vec(),
        ..Merged::default()
    };
    merged.announce(first)?;
    for piece in &pieces[1..] {
        rule(piece.get("data").is_none(), "`data` comes once", piece)?;
        merged.errors.extend_from_slice(list(&piece["errors"]));
        match format {
            Format::Pending => merged.pending(piece)?,
            Format::Whole => merged.whole(piece, well)?,
        }
    }
    rule(
        merged.open.is_empty(),
        "fragments are announced and never completed",
        last,
    )?;
    Ok(merged)
}

/// What a client has.
#[derive(Debug, Default)]
pub struct Merged {
    /// All data.
    pub data: Value,
    /// All errors.
    pub errors: Vec<Value>,
    /// Fragments that came to nothing.
    pub failed: usize,
    /// Fragments that came.
    pub fragments: usize,
    /// Announced fragments: their paths.
    open: BTreeMap<String, Vec<Value>>,
    ids: Vec<String>,
}

impl Merged {
    fn announce(&mut self, piece: &Value) -> Result<(), String> {
        for pending in list(&piece["pending"]) {
            let id = pending["id"].as_str().ok_or("an id is a string")?.to_owned();
            rule(!self.ids.contains(&id), "an id is used twice", piece)?;
            let path = list(&pending["path"]).to_vec();
            let there = at(&mut self.data, &path).is_some_and(|value| value.is_object() || value.is_array());
            rule(there, "a fragment is announced where nothing is", piece)?;
            self.ids.push(id.clone());
            self.open.insert(id, path);
        }
        Ok(())
    }

    fn pending(&mut self, piece: &Value) -> Result<(), String> {
        // What is announced in this message may be within what it brings.
        for one in list(&piece["incremental"]) {
            let id = one["id"].as_str().unwrap_or_default();
            let path = self.open.get(id).cloned().or_else(|| announced(piece, id));
            let path = path.ok_or_else(|| format!("nothing is announced as {id}: {piece}"))?;
            let path = [path, list(&one["subPath"]).to_vec()].concat();
            self.errors.extend_from_slice(list(&one["errors"]));
            let target =
                at(&mut self.data, &path).ok_or_else(|| format!("nothing is at {path:?}: {piece}"))?;
            match (target, one.get("items")) {
                (Value::Array(items), Some(more)) => items.extend_from_slice(list(more)),
                (Value::Object(fields), None) => {
                    for (key, value) in one["data"].as_object().into_iter().flatten() {
                        rule(!fields.contains_key(key), "a field comes twice", piece)?;
                        fields.insert(key.clone(), value.clone());
                    }
                }
                _ => return Err(format!("data of another kind is at {path:?}: {piece}")),
            }
        }
        self.announce(piece)?;
        for completed in list(&piece["completed"]) {
            let id = completed["id"].as_str().unwrap_or_default();
            rule(
                self.open.remove(id).is_some(),
                "what was not announced is completed",
                piece,
            )?;
            let errors = list(&completed["errors"]);
            self.errors.extend_from_slice(errors);
            self.fragments += 1;
            self.failed += usize::from(completed.get("errors").is_some());
        }
        Ok(())
    }

    fn whole(&mut self, piece: &Value, well: bool) -> Result<(), String> {
        rule(
            piece.get("pending").is_none(),
            "`pending` is not of this format",
            piece,
        )?;
        for one in list(&piece["incremental"]) {
            self.errors.extend_from_slice(list(&one["errors"]));
            let path = list(&one["path"]);
            self.fragments += 1;
            if let Some(items) = one.get("items") {
                let (index, path) = path.split_last().ok_or("a streamed list has a path")?;
                let Some(Value::Array(known)) = at(&mut self.data, path) else {
                    return Err(format!("no list is at {path:?}: {piece}"));
                };
                rule(
                    *index == known.len(),
                    "items do not go on where the list is",
                    piece,
                )?;
                known.extend_from_slice(list(items));
                continue;
            }
            let target =
                at(&mut self.data, path).ok_or_else(|| format!("nothing is at {path:?}: {piece}"))?;
            match &one["data"] {
                Value::Object(fields) => {
                    join(target, fields, well).map_err(|why| format!("{why}: {piece}"))?
                }
                Value::Null => self.failed += 1,
                _ => return Err(format!("a fragment is an object: {piece}")),
            }
        }
        Ok(())
    }
}

fn announced(piece: &Value, id: &str) -> Option<Vec<Value>> {
    let pending = list(&piece["pending"]).iter().find(|one| one["id"] == id)?;
    Some(list(&pending["path"]).to_vec())
}

/// What comes again is the same.
fn join(into: &mut Value, fields: &Map<String, Value>, well: bool) -> Result<(), String> {
    let Value::Object(known) = into else {
        return Err(format!("{into} is no object"));
    };
    for (key, value) in fields {
        match (known.get_mut(key), value) {
            (None, value) => {
                known.insert(key.clone(), value.clone());
            }
            (Some(known), value) => same(known, value, well)?,
        }
    }
    Ok(())
}

fn same(known: &mut Value, value: &Value, well: bool) -> Result<(), String> {
    match (known, value) {
        (_, Value::Null) if !well => Ok(()),
        (known @ Value::Null, value) if !well => {
            *known = value.clone();
            Ok(())
        }
        (known @ Value::Object(_), Value::Object(fields)) => join(known, fields, well),
        (Value::Array(known), Value::Array(items)) if known.len() == items.len() => known
            .iter_mut()
            .zip(items)
            .try_for_each(|(known, item)| same(known, item, well)),
        (known, value) if known == value => Ok(()),
        (known, value) => Err(format!("{value} is not {known}")),
    }
}

fn at<'v>(value: &'v mut Value, path: &[Value]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Value::String(key) => value.get_mut(key),
        step => value.get_mut(usize::try_from(step.as_u64()?).ok()?),
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn rule(holds: bool, rule: &str, piece: &Value) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("{rule}: {piece}"))
    }
}

/// Whether all that a whole answer has is in another, which may have more: of a null the other may have what is not
/// null, since what is wrong in a deferred fragment ends there.
pub fn covers(whole: &Value, other: &Value) -> bool {
    match (whole, other) {
        (Value::Null, _) => true,
        (Value::Object(one), Value::Object(other)) => one
            .iter()
            .all(|(key, value)| other.get(key).is_some_and(|other| covers(value, other))),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| covers(one, other))
        }
        (one, other) => one == other,
    }
}
