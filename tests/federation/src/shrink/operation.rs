//! Smaller operations.
use std::collections::BTreeSet;

use apollo_compiler::ast::{
    Argument, Definition, Directive, Document, Field, FragmentDefinition, InlineFragment, Selection, Value,
};
use apollo_compiler::{Name, Node};

use crate::generate::Request;

/// The operation made smaller by one step, of which there are so many; none: no such step.
pub fn smaller(request: &Request, step: usize) -> Option<Request> {
    let mut document = Document::parse(&request.query, "operation.graphql").ok()?;
    let fragments: Vec<Node<FragmentDefinition>> = document
        .definitions
        .iter()
        .filter_map(Definition::as_fragment_definition)
        .cloned()
        .collect();
    let mut edit = Edit {
        left: step,
        done: false,
        fragments,
    };
    for definition in &mut document.definitions {
        match definition {
            Definition::OperationDefinition(it) => edit.selections(&mut it.make_mut().selection_set),
            Definition::FragmentDefinition(it) => edit.selections(&mut it.make_mut().selection_set),
            _ => {}
        }
    }
    edit.done.then(|| tidy(document, request))
}

/// One edit of a document.
struct Edit {
    left: usize,
    done: bool,
    fragments: Vec<Node<FragmentDefinition>>,
}

impl Edit {
    /// Whether the next possible edit is the one to make.
    fn is_next(&mut self) -> bool {
        if self.done {
            return false;
        }
        self.done = self.left == 0;
        self.left = self.left.saturating_sub(1);
        self.done
    }

    fn selections(&mut self, set: &mut Vec<Selection>) {
        for index in 0..set.len() {
            if set.len() > 1 && self.is_next() {
                set.remove(index);
            } else if let Some(instead) = self.unwrapped(&set[index]) {
                set.splice(index..=index, instead);
            } else {
                self.inside(&mut set[index]);
            }
            if self.done {
                return;
            }
        }
    }

    /// What can stand in place of a fragment.
    fn unwrapped(&mut self, selection: &Selection) -> Option<Vec<Selection>> {
        match selection {
            Selection::InlineFragment(it) => self.is_next().then(|| it.selection_set.clone()),
            Selection::FragmentSpread(it) if self.is_next() => {
                let name = &it.fragment_name;
                let found = self.fragments.iter().find(|fragment| fragment.name == *name)?;
                Some(vec![Selection::InlineFragment(Node::new(InlineFragment {
                    type_condition: Some(found.type_condition.clone()),
                    directives: it.directives.clone(),
                    selection_set: found.selection_set.clone(),
                }))])
            }
            Selection::Field(it)
                if it.selection_set.iter().any(|one| *one != typename()) && self.is_next() =>
            {
                let mut field = (**it).clone();
                field.selection_set = vec![typename()];
                Some(vec![Selection::Field(Node::new(field))])
            }
            _ => None,
        }
    }

    fn inside(&mut self, selection: &mut Selection) {
        match selection {
            Selection::Field(it) => self.field(it.make_mut()),
            Selection::InlineFragment(it) => {
                let it = it.make_mut();
                if !it.directives.is_empty() && self.is_next() {
                    it.directives.0.clear();
                }
                self.selections(&mut it.selection_set);
            }
            Selection::FragmentSpread(it) => {
                if !it.directives.is_empty() && self.is_next() {
                    it.make_mut().directives.0.clear();
                }
            }
        }
    }

    fn field(&mut self, field: &mut Field) {
        if !field.directives.is_empty() && self.is_next() {
            field.directives.0.clear();
        }
        if field.alias.is_some() && self.is_next() {
            field.alias = None;
        }
        if !field.arguments.is_empty() && self.is_next() {
            field.arguments.clear();
        }
        self.selections(&mut field.selection_set);
    }
}

fn typename() -> Selection {
    Selection::Field(Node::new(Field {
        alias: None,
        name: Name::new_static_unchecked("__typename"),
        arguments: Vec::new(),
        directives: Default::default(),
        selection_set: Vec::new(),
    }))
}

/// Without fragments and variables that nothing uses.
fn tidy(mut document: Document, request: &Request) -> Request {
    let used = Used::of(&document);
    document.definitions.retain(|definition| match definition {
        Definition::FragmentDefinition(it) => used.fragments.contains(&it.name),
        _ => true,
    });
    for definition in &mut document.definitions {
        if let Definition::OperationDefinition(it) = definition {
            it.make_mut()
                .variables
                .retain(|variable| used.variables.contains(&variable.name));
        }
    }
    let variables = request.variables.iter();
    let variables = variables.filter(|(name, _)| used.variables.iter().any(|used| used == name.as_str()));
    Request {
        query: document.serialize().no_indent().to_string(),
        variables: variables
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

/// What an operation uses, through its fragments.
#[derive(Default)]
struct Used {
    fragments: BTreeSet<Name>,
    variables: BTreeSet<Name>,
}

impl Used {
    fn of(document: &Document) -> Used {
        let mut used = Used::default();
        for definition in &document.definitions {
            if let Definition::OperationDefinition(it) = definition {
                used.selections(document, &it.selection_set);
            }
        }
        used
    }

    fn selections(&mut self, document: &Document, set: &[Selection]) {
        for selection in set {
            match selection {
                Selection::Field(it) => {
                    self.arguments(&it.arguments);
                    self.directives(&it.directives);
                    self.selections(document, &it.selection_set);
                }
                Selection::InlineFragment(it) => {
                    self.directives(&it.directives);
                    self.selections(document, &it.selection_set);
                }
                Selection::FragmentSpread(it) => {
                    self.directives(&it.directives);
                    if self.fragments.insert(it.fragment_name.clone()) {
                        let all = document.definitions.iter();
                        let mut all = all.filter_map(Definition::as_fragment_definition);
                        if let Some(found) = all.find(|fragment| fragment.name == it.fragment_name) {
                            self.selections(document, &found.selection_set);
                        }
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &[Node<Directive>]) {
        directives
            .iter()
            .for_each(|directive| self.arguments(&directive.arguments));
    }

    fn arguments(&mut self, arguments: &[Node<Argument>]) {
        arguments.iter().for_each(|argument| self.value(&argument.value));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Variable(name) => drop(self.variables.insert(name.clone())),
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(members) => members.iter().for_each(|(_, value)| self.value(value)),
            _ => {}
        }
    }
}
