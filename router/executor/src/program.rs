//! A plan compiled for running: everything that is the same for each request is made once.
use std::sync::Arc;

use baedal_planner::plan::{self, FetchId, Incremental, OperationKind, Plan, Slot};
use bytes::Bytes;

use crate::context::ContextVariable;
use crate::known::Known;
use crate::places::{Places, WriterId};
use crate::projection::Projection;
use crate::represent::Representation;
use crate::shape::Shape;
use crate::size;
use crate::types::{TypeTable, quoted};
use crate::walk::Step;

/// A plan, ready to be executed any number of times, by any number of tasks at once.
#[derive(Debug)]
pub struct Program {
    plan: Arc<Plan>,
    bytes: usize,
    pub(crate) types: TypeTable,
    pub(crate) fetches: Vec<Fetch>,
    pub(crate) answer: Projection,
}

#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) subgraph: Box<str>,
    pub(crate) kind: OperationKind,
    /// How many fetches it waits for.
    pub(crate) waits: usize,
    /// The fetches that wait for it.
    pub(crate) dependents: Vec<FetchId>,
    pub(crate) body: Body,
    pub(crate) entry: Entry,
    /// What its `data` may hold.
    pub(crate) shape: Shape,
    /// What is sent for entities that this leaves out because something is missing.
    pub(crate) fallback: Option<Box<Fetch>>,
}

/// How a request body begins.
#[derive(Debug)]
pub(crate) enum Body {
    /// It is always the same.
    Fixed(Bytes),
    /// `{"query":…,"variables":{`, then the client's variables (name, and `"name":`), then representations.
    Open {
        head: Box<[u8]>,
        variables: Vec<(Box<str>, Box<[u8]>)>,
    },
}

#[derive(Debug)]
pub(crate) enum Entry {
    Root,
    /// In the order of the fields of the fetch's shape.
    Entities(Vec<Group>),
    /// Objects of the query type: what came, as a whole, is for each of them.
    Queries(Group),
}

#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) response_key: Box<str>,
    /// `"variable":`
    pub(crate) variable: Box<[u8]>,
    pub(crate) targets: Vec<Target>,
    /// Keys that are sent and come back: where they differ it is another entity that came.
    pub(crate) echo: Vec<Slot>,
    /// Variables with values of enclosing objects; with any, it is the only group of its fetch.
    pub(crate) context: Vec<ContextVariable>,
    pub(crate) known: Vec<Known>,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) path: Vec<Step>,
    pub(crate) representations: Vec<Representation>,
}

impl Program {
    /// Compiles a plan.
    pub fn compile(plan: Arc<Plan>) -> Program {
        let types = TypeTable::new(&plan.types);
        let mut places = Places::of(&plan);
        let mut writer = WriterId(0);
        let mut fetches: Vec<Fetch> = Vec::with_capacity(plan.fetches.len());
        for (id, fetch) in plan.fetches.iter().enumerate() {
            let mut after: Vec<FetchId> = fetch.after.iter().copied().filter(|&other| other < id).collect();
            after.sort_unstable();
            after.dedup();
            for &other in &after {
                fetches[other].dependents.push(id);
            }
            fetches.push(Fetch::compile(
                fetch,
                after.len(),
                &types,
                &mut places,
                &mut writer,
            ));
        }
        let answer = Projection::compile(&plan.answer);
        Program {
            bytes: size::of_program(&plan),
            plan,
            types,
            fetches,
            answer,
        }
    }

    /// About how many bytes of memory it takes, its plan included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What of its answer may come later.
    pub fn incremental(&self) -> Option<&Incremental> {
        self.plan.incremental.as_ref()
    }

    /// The plan it was compiled from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Fetch {
    /// The entities whose fields take arguments from the context: the fetch is called once for each set of values.
    pub(crate) fn contextual(&self) -> Option<&Group> {
        match &self.entry {
            Entry::Entities(groups) => groups.iter().find(|group| !group.context.is_empty()),
            Entry::Root | Entry::Queries(_) => None,
        }
    }

    fn compile(
        fetch: &plan::Fetch,
        waits: usize,
        types: &TypeTable,
        places: &mut Places,
        writer: &mut WriterId,
    ) -> Fetch {
        let (entry, shape) = entry(fetch, types, places, writer);
        let fallback = fetch.fallback.as_deref();
        // It writes what the fetch itself would have written, and never in the same objects: it is nobody to `places`.
        let fallback = fallback.map(|one| Fetch::compile(one, 0, types, places, &mut WriterId::unknown()));
        Fetch {
            fallback: fallback.map(Box::new),
            subgraph: fetch.subgraph.clone(),
            kind: fetch.kind,
            waits,
            dependents: Vec::new(),
            body: Body::compile(fetch),
            entry,
            shape,
        }
    }
}

/// Where the data of a fetch goes, and what it may hold.
fn entry(
    fetch: &plan::Fetch,
    types: &TypeTable,
    places: &mut Places,
    writer: &mut WriterId,
) -> (Entry, Shape) {
    let mut next_writer = || {
        let current = *writer;
        writer.0 += 1;
        current
    };
    match &fetch.entry {
        plan::Entry::Root(shape) => (
            Entry::Root,
            Shape::compile(shape, places, &[Places::ROOT], next_writer()),
        ),
        plan::Entry::Entities(groups) => {
            let shapes = groups.iter().map(|group| {
                let at: Vec<_> = group
                    .targets
                    .iter()
                    .map(|target| places.walk(&target.path))
                    .collect();
                (
                    group.response_key.clone(),
                    Shape::compile(&group.shape, places, &at, next_writer()),
                )
            });
            let shape = Shape::envelope(shapes);
            (
                Entry::Entities(groups.iter().map(|group| Group::compile(group, types)).collect()),
                shape,
            )
        }
        plan::Entry::Queries(group) => {
            let at = group.targets.iter().map(|target| places.walk(&target.path));
            let at: Vec<_> = at.collect();
            (
                Entry::Queries(Group::of_queries(group, types)),
                Shape::compile(&group.shape, places, &at, next_writer()),
            )
        }
    }
}

impl Body {
    fn compile(fetch: &plan::Fetch) -> Body {
        let mut head = [b"{\"query\":", &*quoted(&fetch.query)].concat();
        if let Some(name) = &fetch.operation_name {
            head.extend_from_slice(b",\"operationName\":");
            head.extend_from_slice(&quoted(name));
        }
        if fetch.variables.is_empty() && !matches!(fetch.entry, plan::Entry::Entities(_)) {
            head.push(b'}');
            return Body::Fixed(head.into());
        }
        head.extend_from_slice(b",\"variables\":{");
        let variables = fetch
            .variables
            .iter()
            .map(|name| (name.clone(), member_key(name)));
        Body::Open {
            head: head.into(),
            variables: variables.collect(),
        }
    }
}

impl Group {
    fn of_queries(group: &plan::QueryGroup, types: &TypeTable) -> Group {
        let targets = group.targets.iter().map(|target| Target::compile(target, types));
        Group {
            targets: targets.collect(),
            ..Group::default()
        }
    }

    fn compile(group: &plan::EntityGroup, types: &TypeTable) -> Group {
        let target = |target: &plan::Target| Target::compile(target, types);
        Group {
            response_key: group.response_key.clone(),
            variable: member_key(&group.variable),
            targets: group.targets.iter().map(target).collect(),
            echo: echo(group),
            context: group.context.iter().map(ContextVariable::compile).collect(),
            known: group
                .known
                .iter()
                .map(|known| Known::compile(known, types))
                .collect(),
        }
    }
}

impl Target {
    pub(crate) fn compile(target: &plan::Target, types: &TypeTable) -> Target {
        let representations = target.representations.iter();
        Target {
            path: target.path.iter().map(Step::compile).collect(),
            representations: representations
                .map(|one| Representation::compile(one, types))
                .collect(),
        }
    }
}

/// The slots of key leaves that the answer repeats.
fn echo(group: &plan::EntityGroup) -> Vec<Slot> {
    let sent = group
        .targets
        .iter()
        .flat_map(|target| &target.representations)
        .flat_map(|one| &one.fields);
    let mut keys: Vec<Slot> = sent
        .filter(|field| !field.nullable && field.fields.is_none())
        .map(|field| field.slot)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| {
        group
            .shape
            .fields
            .iter()
            .any(|field| field.keep == plan::Keep::Leaf(*key))
    });
    keys
}

pub(crate) fn member_key(name: &str) -> Box<[u8]> {
    [&*quoted(name), b":"].concat().into()
}
