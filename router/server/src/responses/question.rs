//! What a request to a subgraph asks: the whole of a query, or entities one by one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::ast::{Definition, Document, Field, OperationType, Selection};
use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use moka::Equivalent;
use moka::sync::Cache;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::graph::{Graph, Hint};

/// Bytes of query texts of one supergraph that are kept, with what was read of them.
const ROOM: u64 = 32 * 1024 * 1024;
/// What is read of a text, as a multiple of it.
const FACTOR: usize = 32;

/// A request as it goes to a subgraph.
#[derive(Deserialize)]
pub struct Asked<'a> {
    /// `query`, as JSON.
    #[serde(borrow)]
    pub query: &'a RawValue,
    /// `operationName`, as JSON.
    #[serde(borrow, rename = "operationName")]
    pub operation_name: Option<&'a RawValue>,
    /// Values of variables, as JSON.
    #[serde(borrow, default)]
    pub variables: IndexMap<Cow<'a, str>, &'a RawValue>,
}

/// What it asks.
pub enum Question {
    /// Root fields: its answer is kept as a whole.
    Whole(Whole),
    /// Entities: each is kept by itself.
    Entities(Vec<Group>),
}

/// Root fields.
pub struct Whole {
    /// What is selected.
    pub selections: Vec<Selection>,
    /// The same as text.
    pub text: String,
    /// What the schema says of how long it is fresh.
    pub terms: Terms,
}

/// One `_entities` field.
pub struct Group {
    /// Its key in the answer.
    pub response_key: String,
    /// The variable with its representations.
    pub variable: String,
    /// What is selected of the entities.
    pub selections: Vec<Selection>,
    /// The same as text.
    pub text: String,
    /// Variables that it uses, by name.
    pub variables: Vec<String>,
    /// What the schema says of how long entities are fresh: of any type.
    pub terms: Terms,
    /// Of types that a fragment at the top is on.
    pub of_types: HashMap<String, Terms>,
}

/// What `@cacheControl` says of a selection: the least of its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    least: Option<u64>,
    /// A root field or an object of which nothing is said.
    unsaid: bool,
    /// Something is one caller's own.
    pub private: bool,
    /// A hint may be another subgraph's: it shortens what is kept, but makes nothing public.
    anyones: bool,
}

impl Terms {
    /// How long it is fresh; `default` where nothing is said.
    pub fn lifetime(&self, default: Option<Duration>) -> Option<Duration> {
        match self.least.map(Duration::from_secs) {
            None => default,
            Some(least) if self.unsaid => Some(default.unwrap_or_default().min(least)),
            least => least,
        }
    }

    /// Whether all of it is said to be for everyone.
    pub fn public(&self) -> bool {
        self.least.is_some() && !self.unsaid && !self.private && !self.anyones
    }

    fn add(&mut self, hint: Hint, needs_one: bool) {
        self.private |= hint.private;
        self.anyones |= hint.anyones && hint.max_age.is_some();
        match hint.max_age {
            Some(age) => self.least = Some(self.least.map_or(age, |least| least.min(age))),
            None => self.unsaid |= needs_one && !hint.inherits,
        }
    }
}

impl Question {
    /// Reads what is asked; `None` if it is no query or cannot be read.
    pub fn read(graph: &Graph, asked: &Asked<'_>) -> Option<Question> {
        let text: String = serde_json::from_str(asked.query.get()).ok()?;
        let document = Document::parse(text, "fetch.graphql").ok()?;
        let [Definition::OperationDefinition(operation)] = &*document.definitions else {
            return None;
        };
        if operation.operation_type != OperationType::Query || !operation.directives.is_empty() {
            return None;
        }
        let selections = &operation.selection_set;
        let groups: Option<Vec<Group>> = selections.iter().map(|one| Group::read(graph, one)).collect();
        match groups {
            Some(groups) => Some(Question::Entities(groups)),
            None if selections.iter().any(asks_for_entities) => None,
            None => Some(Question::Whole(Whole::read(graph, selections))),
        }
    }
}

fn asks_for_entities(selection: &Selection) -> bool {
    selection
        .as_field()
        .is_some_and(|field| field.name == "_entities")
}

impl Whole {
    fn read(graph: &Graph, selections: &[Selection]) -> Whole {
        let mut terms = Terms::default();
        add_terms(graph, selections, graph.query(), &mut terms);
        Whole {
            selections: selections.to_vec(),
            text: text(selections),
            terms,
        }
    }
}

impl Group {
    fn read(graph: &Graph, selection: &Selection) -> Option<Group> {
        let field = selection.as_field().filter(|field| field.name == "_entities")?;
        let [argument] = &*field.arguments else {
            return None;
        };
        let variable = argument.value.as_variable()?.to_string();
        let mut of_types = HashMap::new();
        let mut terms = Terms::default();
        for one in &field.selection_set {
            let condition = one
                .as_inline_fragment()
                .and_then(|inline| inline.type_condition.as_ref());
            let Some(condition) = condition else {
                add_terms(graph, std::slice::from_ref(one), "", &mut terms);
                continue;
            };
            let of_type: &mut Terms = of_types.entry(condition.to_string()).or_default();
            for terms in [of_type, &mut terms] {
                terms.add(graph.type_hint(condition), true);
                add_terms(graph, std::slice::from_ref(one), condition, terms);
            }
        }
        let mut variables = Vec::new();
        add_variables(&field.selection_set, &mut variables);
        variables.sort_unstable();
        variables.dedup();
        Some(Group {
            response_key: field.response_name().to_string(),
            variable,
            selections: field.selection_set.clone(),
            text: text(&field.selection_set),
            variables,
            terms,
            of_types,
        })
    }

    /// What is said of entities of a type.
    pub fn terms_of(&self, ty: &str) -> Terms {
        self.of_types.get(ty).copied().unwrap_or(self.terms)
    }
}

fn text(selections: &[Selection]) -> String {
    let texts = selections
        .iter()
        .map(|one| one.serialize().no_indent().to_string());
    texts.collect::<Vec<_>>().join(" ")
}

fn add_terms(graph: &Graph, selections: &[Selection], parent: &str, terms: &mut Terms) {
    for selection in selections {
        match selection {
            Selection::Field(field) => add_field(graph, field, parent, terms),
            Selection::InlineFragment(inline) => {
                let condition = inline
                    .type_condition
                    .as_ref()
                    .map_or(parent, |name| name.as_str());
                terms.add(graph.type_hint(condition), false);
                add_terms(graph, &inline.selection_set, condition, terms);
            }
            // A fetch has none; what is unknown is unsaid.
            Selection::FragmentSpread(_) => terms.unsaid = true,
        }
    }
}

fn add_field(graph: &Graph, field: &Field, parent: &str, terms: &mut Terms) {
    if field.name.starts_with("__") {
        return;
    }
    let is_object = !field.selection_set.is_empty();
    let needs_one = is_object || parent == graph.query();
    let Some(definition) = graph.field(parent, &field.name) else {
        terms.unsaid |= needs_one;
        return add_terms(graph, &field.selection_set, "", terms);
    };
    let (own, ty) = (
        graph.field_hint(parent, definition),
        definition.ty.inner_named_type(),
    );
    let of_type = if is_object {
        graph.type_hint(ty)
    } else {
        Hint::default()
    };
    let hint = Hint {
        max_age: own.max_age.or(of_type.max_age.filter(|_| !own.inherits)),
        private: own.private || of_type.private,
        anyones: match own.max_age {
            Some(_) => own.anyones,
            None => of_type.anyones,
        },
        inherits: own.inherits || (of_type.inherits && own.max_age.is_none()),
    };
    terms.add(hint, needs_one);
    add_terms(graph, &field.selection_set, ty, terms);
}

/// Names of variables in arguments and directives.
fn add_variables(selections: &[Selection], names: &mut Vec<String>) {
    for selection in selections {
        let (arguments, directives, inner) = match selection {
            Selection::Field(field) => (&*field.arguments, &field.directives, &*field.selection_set),
            Selection::InlineFragment(inline) => (&[][..], &inline.directives, &*inline.selection_set),
            Selection::FragmentSpread(spread) => (&[][..], &spread.directives, &[][..]),
        };
        let of_directives = directives.iter().flat_map(|directive| &directive.arguments);
        for argument in arguments.iter().chain(of_directives) {
            add_values(&argument.value, names);
        }
        add_variables(inner, names);
    }
}

fn add_values(value: &apollo_compiler::ast::Value, names: &mut Vec<String>) {
    use apollo_compiler::ast::Value;
    match value {
        Value::Variable(name) => names.push(name.to_string()),
        Value::List(items) => items.iter().for_each(|item| add_values(item, names)),
        Value::Object(members) => members.iter().for_each(|(_, member)| add_values(member, names)),
        _ => {}
    }
}

/// What was read of query texts, for each subgraph.
pub struct Questions(Cache<QuestionKey, Option<Arc<Question>>, DefaultHashBuilder>);

#[derive(PartialEq, Eq, Hash)]
struct QuestionKey {
    subgraph: String,
    query: String,
}

/// The same without copies, to look it up.
#[derive(Hash)]
struct Wanted<'a> {
    subgraph: &'a str,
    query: &'a str,
}

impl Equivalent<QuestionKey> for Wanted<'_> {
    fn equivalent(&self, key: &QuestionKey) -> bool {
        self.subgraph == key.subgraph && self.query == key.query
    }
}

impl Default for Questions {
    fn default() -> Questions {
        let weigh = |key: &QuestionKey, _: &Option<Arc<Question>>| {
            u32::try_from(key.query.len() * FACTOR + FACTOR).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(ROOM).weigher(weigh);
        Questions(cache.build_with_hasher(DefaultHashBuilder::default()))
    }
}

impl Questions {
    /// What was read of a text, or is now.
    pub fn get(
        &self,
        subgraph: &str,
        query: &str,
        read: impl FnOnce() -> Option<Question>,
    ) -> Option<Arc<Question>> {
        if let Some(known) = self.0.get(&Wanted { subgraph, query }) {
            return known;
        }
        let question = read().map(Arc::new);
        let key = QuestionKey {
            subgraph: subgraph.to_owned(),
            query: query.to_owned(),
        };
        self.0.insert(key, question.clone());
        question
    }
}
