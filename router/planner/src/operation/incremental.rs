//! What `@stream` may stand on, and labels of it and of `@defer`. (The compiler checks `@defer` by itself.)
//! <https://github.com/graphql/graphql-spec/pull/1110>, section 5.7
use std::collections::HashSet;

use apollo_compiler::ast::{Directive, DirectiveList, Value};
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

use super::{OperationError, RequestError, invalid};

/// Whether anything of the document may come later.
pub(super) fn is_incremental(document: &ExecutableDocument) -> bool {
    let mut found = false;
    each(document, &mut |_, selection| {
        found |= of(selection.directives()).next().is_some()
    });
    found
}

/// Refuses these directives where the specification does.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Result<(), OperationError> {
    let mut check = Check {
        document,
        labels: HashSet::new(),
        errors: Vec::new(),
    };
    let roots = &schema.schema_definition;
    let alone: Vec<&Name> = [&roots.mutation, &roots.subscription]
        .into_iter()
        .flatten()
        .map(|name| &name.name)
        .collect();
    each(document, &mut |set, selection| {
        for directive in of(selection.directives()) {
            check.label(directive);
            check.root(directive, alone.contains(&&set.ty).then_some(&set.ty));
            if let Selection::Field(field) = selection {
                check.list(directive, field);
            }
        }
    });
    for operation in document
        .operations
        .iter()
        .filter(|operation| operation.is_subscription())
    {
        check.subscription(operation);
    }
    match check.errors.is_empty() {
        true => Ok(()),
        false => Err(OperationError { errors: check.errors }),
    }
}

/// Each selection of the document, with the set it is in.
fn each<'a>(document: &'a ExecutableDocument, visit: &mut impl FnMut(&'a SelectionSet, &'a Selection)) {
    let operations = document
        .operations
        .iter()
        .map(|operation| &operation.selection_set);
    let fragments = document
        .fragments
        .values()
        .map(|fragment| &fragment.selection_set);
    let mut pending: Vec<&SelectionSet> = operations.chain(fragments).collect();
    while let Some(set) = pending.pop() {
        for selection in &set.selections {
            visit(set, selection);
            match selection {
                Selection::Field(field) => pending.push(&field.selection_set),
                Selection::InlineFragment(fragment) => pending.push(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

fn of(directives: &DirectiveList) -> impl Iterator<Item = &Node<Directive>> {
    directives
        .iter()
        .filter(|directive| directive.name == "defer" || directive.name == "stream")
}

struct Check<'a> {
    document: &'a ExecutableDocument,
    labels: HashSet<&'a str>,
    errors: Vec<RequestError>,
}

impl<'a> Check<'a> {
    /// Labels tell answers apart: they are fixed, and each is there once.
    fn label(&mut self, directive: &'a Node<Directive>) {
        match directive
            .specified_argument_by_name("label")
            .map(|label| &**label)
        {
            None | Some(Value::Null) => {}
            Some(Value::String(label)) => {
                if !self.labels.insert(label) {
                    self.report(directive, format!("the label \"{label}\" is used twice"));
                }
            }
            Some(_) => self.report(
                directive,
                "the label of @{} must be a string, and no variable".into(),
            ),
        }
    }

    /// The fields of a mutation run one after another, and a subscription has one.
    fn root(&mut self, directive: &Node<Directive>, root: Option<&Name>) {
        if let Some(ty) = root {
            self.report(
                directive,
                format!("@{{}} cannot be used on the root type \"{ty}\""),
            );
        }
    }

    fn list(&mut self, directive: &Node<Directive>, field: &Field) {
        if !field.ty().is_list() {
            let text = format!("@{{}} is for lists, and \"{}\" is none", field.name);
            self.report(directive, text);
        }
    }

    /// Each event is one answer.
    fn subscription(&mut self, operation: &'a Operation) {
        let document = self.document;
        let mut seen = HashSet::new();
        let mut pending = vec![&operation.selection_set];
        while let Some(set) = pending.pop() {
            for selection in &set.selections {
                for directive in of(selection.directives()).filter(|directive| is_fixed(directive)) {
                    let text = "@{} cannot be used in a subscription, unless with `if: false` or a variable";
                    self.report(directive, text.into());
                }
                match selection {
                    Selection::Field(field) => pending.push(&field.selection_set),
                    Selection::InlineFragment(fragment) => pending.push(&fragment.selection_set),
                    Selection::FragmentSpread(spread) => {
                        let fragment = document.fragments.get(&spread.fragment_name);
                        let fresh = fragment.filter(|_| seen.insert(&spread.fragment_name));
                        pending.extend(fresh.map(|fragment| &fragment.selection_set));
                    }
                }
            }
        }
    }

    /// `{}` in the text is the directive's name.
    fn report(&mut self, directive: &Node<Directive>, text: String) {
        let message = text.replace("{}", &directive.name);
        self.errors
            .push(invalid(self.document, directive.location(), message));
    }
}

/// Whether the directive applies whatever the variables are.
fn is_fixed(directive: &Directive) -> bool {
    let condition = directive.specified_argument_by_name("if").map(|value| &**value);
    !matches!(condition, Some(Value::Boolean(false) | Value::Variable(_)))
}
