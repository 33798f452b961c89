//! Makes fetches of wanted positions. One pass per file: [`order`] (levels, stages, merging),
//! [`units`] (entities of one place that are fetched together), [`known`] (entities that came before),
//! [`again`] (the query type below other objects), [`around`] (fragments with directives),
//! [`print`](mod@print) (query text and shapes, with aliases where a subgraph would refuse a response key).
mod again;
mod around;
mod context;
mod known;
mod order;
mod print;
mod text;
mod units;

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::executable;

use crate::plan::{
    ContextVariable, EntityGroup, Entry, Fetch, FetchId, Known, OperationKind, PathStep, Representation,
    RepresentationField, Shape, Target,
};
use crate::project::Interner;
use crate::supergraph::types::Types;
use crate::walk::{PlaceId, PosId, Sent, SentField, Walk};

use known::Given;
use order::Call;
use print::Printer;
use units::Unit;

/// The fetches of a walk.
pub(crate) struct Fetched {
    pub fetches: Vec<Fetch>,
    /// Which of them the head of a wanted position is in.
    pub of_head: BTreeMap<PosId, FetchId>,
}

/// All fetches of a walk, in an order in which each comes after what it waits for.
pub(crate) fn fetches(
    walk: &mut Walk<'_>,
    operation: &executable::Operation,
    kind: OperationKind,
    names: &mut Interner,
) -> Fetched {
    let calls = order::order(walk);
    let id_of: BTreeMap<PosId, FetchId> = calls
        .iter()
        .enumerate()
        .flat_map(|(id, call)| call.heads.iter().map(move |h| (*h, id)))
        .collect();
    let mut fetches: Vec<Fetch> = Vec::with_capacity(calls.len());
    // Calls become fetches in their order, except those that join an earlier one.
    let mut given = Given::new(walk, &calls);
    let (mut became, mut began): (Vec<FetchId>, Vec<usize>) = Default::default();
    for (id, call) in calls.iter().enumerate() {
        let after = order::after(walk, &calls, &id_of, id);
        let after: BTreeSet<FetchId> = after.into_iter().map(|call| became[call]).collect();
        let mut printer = Printer::new(walk.graph.model, call.sub);
        let mut fallback = None;
        let (query, kind, entry) = if call.level == 0 {
            root(walk, call, &mut printer, operation, kind, names)
        } else if again::is_query(walk, call.heads[0]) {
            again::query(walk, call, &mut printer, operation, names)
        } else {
            let (asked, apart) = entities(walk, call, &mut given, &mut printer, operation, names);
            fallback = apart;
            (asked.0, OperationKind::Query, Entry::Entities(asked.1))
        };
        let after = order::with_known(&fetches, after, &entry);
        let plain = Fetch {
            subgraph: walk.graph.model.subgraphs[call.sub.ix()].name.as_str().into(),
            after,
            kind,
            query: query.into(),
            operation_name: None,
            variables: printer.variables.iter().map(|v| v.as_str().into()).collect(),
            entry,
            fallback: None,
        };
        let fallback = fallback.map(|(query, groups)| Fetch {
            query: query.into(),
            entry: Entry::Entities(groups),
            ..plain.clone()
        });
        let fetch = Fetch {
            fallback: fallback.map(Box::new),
            ..plain
        };
        let together = |at: &usize| calls[began[*at]].is_beside(call);
        let twin = context::twin(&fetches, &fetch, together);
        if let Some(at) = twin.or_else(|| again::twin(&fetches, &fetch, together)) {
            became.push(at);
            context::join(&mut fetches[at], fetch);
        } else {
            became.push(fetches.len());
            began.push(id);
            given.note(walk, fetches.len(), call);
            fetches.push(fetch);
        }
    }
    let of_head = id_of.into_iter().map(|(head, call)| (head, became[call]));
    Fetched {
        of_head: of_head.collect(),
        fetches,
    }
}

/// How many steps follow one another, and how many fetches there are.
pub(crate) fn extent(walk: &Walk<'_>) -> (usize, usize) {
    let calls = order::order(walk);
    let steps: BTreeSet<(usize, u8)> = calls.iter().map(|call| (call.stage, call.level)).collect();
    (steps.len(), calls.len())
}

fn root(
    walk: &Walk<'_>,
    call: &Call,
    printer: &mut Printer<'_>,
    operation: &executable::Operation,
    kind: OperationKind,
    names: &mut Interner,
) -> (String, OperationKind, Entry) {
    let (texts, shape) = printer.level(walk, &call.heads, names);
    let body = call
        .heads
        .iter()
        .map(|h| texts[h].as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let query = text::operation(kind, &[], &mut printer.variables, operation, &body);
    let query = query + &printer.fragments.take();
    (query, kind, Entry::Root(shape))
}

struct Printed {
    text: String,
    shape: Shape,
    targets: Vec<Target>,
    /// Variables filled from the context, as they are declared.
    declared: Vec<String>,
    context: Vec<ContextVariable>,
    known: Vec<Known>,
}

impl Printed {
    /// With those of one text and shape together.
    fn add_to(self, groups: &mut Vec<Printed>) {
        let same = groups
            .iter_mut()
            .find(|g| g.text == self.text && g.shape == self.shape);
        let Some(same) = same else {
            return groups.push(self);
        };
        same.targets.extend(self.targets);
        let fresh = self.known.into_iter();
        let fresh: Vec<Known> = fresh.filter(|k| !same.known.contains(k)).collect();
        same.known.extend(fresh);
    }
}

/// The query of an entity fetch, and its groups.
type Entities = (String, Vec<EntityGroup>);

fn entities<'a>(
    walk: &mut Walk<'a>,
    call: &Call,
    given: &mut Given,
    printer: &mut Printer<'a>,
    operation: &executable::Operation,
    names: &mut Interner,
) -> (Entities, Option<Entities>) {
    let units = units::units(walk, &call.heads);
    let fallback = fallback(walk, &units, printer, operation, names);
    let mut groups: Vec<Printed> = Vec::new();
    for unit in &units {
        units::join(walk, unit);
        let filled = context::variables(unit, groups.len(), operation);
        let declared = context::declared(&filled);
        printer.filled = (!filled.is_empty()).then_some((unit.position, filled));
        let (mut texts, shape) = printer.level(walk, &[unit.position], names);
        let printed = Printed {
            text: texts.remove(&unit.position).unwrap_or_default(),
            shape,
            targets: vec![target(walk, unit, names)],
            known: given.find(walk, call, unit, names),
            declared,
            context: context::filled(walk, unit, printer, names),
        };
        printed.add_to(&mut groups);
    }
    (assemble(groups, printer, operation), fallback)
}

/// What is asked of entities for which not all that a unit sends is there: each representation asks for its own.
fn fallback<'a>(
    walk: &Walk<'a>,
    units: &[Unit<'a>],
    printer: &mut Printer<'_>,
    operation: &executable::Operation,
    names: &mut Interner,
) -> Option<Entities> {
    let mut groups: Vec<Printed> = Vec::new();
    for unit in units {
        let parts = units::parts(walk, unit);
        for part in parts
            .iter()
            .filter(|part| parts.len() > 1 && part.context.is_empty())
        {
            let (texts, shape) = printer.level(walk, &part.heads, names);
            let texts: Vec<&str> = part.heads.iter().map(|head| texts[head].as_str()).collect();
            let printed = Printed {
                text: texts.join(" "),
                shape,
                targets: vec![target(walk, part, names)],
                known: Vec::new(),
                declared: Vec::new(),
                context: Vec::new(),
            };
            printed.add_to(&mut groups);
        }
    }
    (!groups.is_empty()).then(|| assemble(groups, printer, operation))
}

fn assemble(groups: Vec<Printed>, printer: &mut Printer<'_>, operation: &executable::Operation) -> Entities {
    let base = text::free_variable("representations", operation);
    let many = groups.len() > 1;
    let (mut body, mut declared, mut out) = (Vec::new(), Vec::new(), Vec::new());
    for (n, group) in groups.into_iter().enumerate() {
        let (key, variable) = if many {
            (format!("e{n}"), format!("{base}_{n}"))
        } else {
            ("_entities".into(), base.clone())
        };
        let alias = if many { format!("{key}:") } else { String::new() };
        body.push(format!(
            "{alias}_entities(representations:${variable}){{{}}}",
            group.text
        ));
        declared.push(format!("${variable}:[_Any!]!"));
        declared.extend(group.declared);
        let (response_key, variable) = (key.into(), variable.into());
        out.push(EntityGroup {
            response_key,
            variable,
            targets: group.targets,
            shape: group.shape,
            context: group.context,
            known: group.known,
        });
    }
    let kind = OperationKind::Query;
    let query = text::operation(
        kind,
        &declared,
        &mut printer.variables,
        operation,
        &body.join(" "),
    );
    (query + &printer.fragments.take(), out)
}

fn target(walk: &Walk<'_>, unit: &Unit<'_>, names: &mut Interner) -> Target {
    let representations = unit
        .sent
        .iter()
        .map(|sent| representation(walk, sent, names))
        .collect();
    Target {
        path: path(walk, unit.place, names),
        representations,
    }
}

fn path(walk: &Walk<'_>, place: PlaceId, names: &mut Interner) -> Vec<PathStep> {
    let mut steps = Vec::new();
    let (mut at, mut on) = (place, None);
    while let Some(parent) = walk.places[at].parent {
        let here = &walk.places[at];
        steps.push(PathStep {
            slot: names.slot(&here.slot),
            on,
        });
        let restricts = !walk.is_all(parent, &here.parent_on);
        on = restricts.then(|| names.types(walk.graph.model, &here.parent_on));
        at = parent;
    }
    steps.reverse();
    steps
}

fn representation(walk: &Walk<'_>, sent: &Sent, names: &mut Interner) -> Representation {
    let model = walk.graph.model;
    Representation {
        on: (!sent.any).then(|| names.types(model, &sent.on)),
        typename: model.ty(sent.typename).name.as_str().into(),
        fields: sent.fields.iter().map(|f| member(walk, f, names)).collect(),
    }
}

fn member(walk: &Walk<'_>, field: &SentField, names: &mut Interner) -> RepresentationField {
    let types = |on: &Types, names: &mut Interner| names.types(walk.graph.model, on);
    RepresentationField {
        name: field.name.as_str().into(),
        slot: names.slot(&field.slot),
        on: field.on.as_ref().map(|on| types(on, names)),
        fields: field
            .fields
            .as_ref()
            .map(|fields| fields.iter().map(|f| member(walk, f, names)).collect()),
        nullable: field.nullable,
    }
}
