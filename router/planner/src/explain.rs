//! Says of each fetch of a plan why it is there, what it needs and what it yields.
//!
//! Worked out from the finished plan: what it needs is in its representations and contextual variables, what
//! it yields is in its shape, and why it is there is who uses that: the client, or the needs of other fetches.
mod display;
mod needs;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::{Entry, Fetch, FetchId, Keep, Named, Plan, Projection, Shape, Slot, Source, Target};
use crate::supergraph::Supergraph;
use needs::needs;

/// Why each fetch of a plan is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// In the order of the plan.
    pub fetches: Vec<ExplainedFetch>,
    /// Response paths that authorization took away.
    pub withheld: Vec<String>,
}

/// Why a fetch is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedFetch {
    /// Its number in the plan.
    pub id: FetchId,
    /// Whom it asks.
    pub subgraph: Box<str>,
    /// Which fetches must be done before.
    pub after: Vec<FetchId>,
    /// What it sends of what others have brought.
    pub needs: Vec<Need>,
    /// What it brings.
    pub yields: Vec<Yield>,
}

/// A value that a fetch sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Where the value is: response keys, or names of the gateway's own, from the root.
    pub path: String,
    /// What it is sent as.
    pub role: Role,
    /// The fetches that bring it.
    pub from: Vec<FetchId>,
}

/// What a value is sent as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Part of a `@key` of this type, by which its entities are entered.
    Key(Box<str>),
    /// Input of the `@requires` of these fields, as `Type.field`.
    Requires(Vec<String>),
    /// Value of this variable, from the context (`@fromContext`).
    Context(Box<str>),
}

/// A value that a fetch brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Yield {
    /// Response keys, or names of the gateway's own, from the root.
    pub path: String,
    /// Who uses it.
    pub uses: Vec<Use>,
}

/// Who uses a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// The client selects it.
    Answer,
    /// It tells that there is an object, or of which type it is.
    Type,
    /// Another fetch sends it.
    Fetch {
        /// That fetch.
        id: FetchId,
        /// As what.
        role: Role,
    },
}

/// A place in the request's tree.
type Path = Vec<Slot>;

/// Explains a plan that was made for this supergraph.
pub fn explain(sg: &Supergraph, plan: &Plan) -> Explanation {
    let mut brought: BTreeMap<Path, Vec<FetchId>> = BTreeMap::new();
    let yields: Vec<Vec<(Path, bool)>> = plan.fetches.iter().map(yields).collect();
    for (id, yields) in yields.iter().enumerate() {
        for (path, _) in yields {
            brought.entry(path.clone()).or_default().push(id);
        }
    }
    let needs: Vec<_> = plan.fetches.iter().map(|fetch| needs(&sg.model, fetch)).collect();
    let mut used: BTreeMap<Path, Vec<Use>> = BTreeMap::new();
    answer(&plan.answer, &mut Vec::new(), &mut used);
    for (id, needs) in needs.iter().enumerate() {
        for (path, role) in needs {
            let role = role.clone();
            used.entry(path.clone())
                .or_default()
                .push(Use::Fetch { id, role });
        }
    }
    let name = |path: &Path| {
        path.iter()
            .map(|s| &*plan.slots[s.0 as usize])
            .collect::<Vec<_>>()
            .join(".")
    };
    let fetches = plan.fetches.iter().enumerate().zip(needs).zip(yields);
    let explained = fetches.map(|(((id, fetch), needs), yields)| ExplainedFetch {
        id,
        subgraph: fetch.subgraph.clone(),
        after: fetch.after.clone(),
        needs: needs
            .into_iter()
            .map(|(path, role)| need(id, &path, role, &brought, name(&path)))
            .collect(),
        yields: yields
            .iter()
            .map(|(path, typename)| given(id, path, *typename, &used, name(path)))
            .collect(),
    });
    Explanation {
        fetches: explained.collect(),
        withheld: plan.errors.iter().map(|error| error.path.join(".")).collect(),
    }
}

fn need(id: FetchId, path: &Path, role: Role, brought: &BTreeMap<Path, Vec<FetchId>>, name: String) -> Need {
    let from = brought.get(path).into_iter().flatten();
    Need {
        path: name,
        role,
        from: from.copied().filter(|other| *other < id).collect(),
    }
}

fn given(id: FetchId, path: &Path, typename: bool, used: &BTreeMap<Path, Vec<Use>>, name: String) -> Yield {
    if typename {
        let path = if name.is_empty() {
            "__typename".into()
        } else {
            format!("{name}.__typename")
        };
        return Yield {
            path,
            uses: vec![Use::Type],
        };
    }
    let later = |one: &&Use| !matches!(one, Use::Fetch { id: other, .. } if *other <= id);
    let mut uses: Vec<Use> = used
        .get(path)
        .into_iter()
        .flatten()
        .filter(later)
        .cloned()
        .collect();
    uses.sort();
    uses.dedup();
    Yield { path: name, uses }
}

/// Paths of the leaves a fetch brings; `true` for a runtime type.
fn yields(fetch: &Fetch) -> Vec<(Path, bool)> {
    let mut found = Vec::new();
    match &fetch.entry {
        Entry::Root(shape) => leaves(shape, &mut Vec::new(), &mut found),
        Entry::Entities(groups) => {
            for group in groups {
                below(&group.targets, &group.shape, &mut found);
            }
        }
        Entry::Queries(group) => below(&group.targets, &group.shape, &mut found),
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|one| seen.insert(one.clone()));
    found
}

fn below(targets: &[Target], shape: &Shape, found: &mut Vec<(Path, bool)>) {
    for target in targets {
        let mut path = target.path.iter().map(|step| step.slot).collect();
        leaves(shape, &mut path, found);
    }
}

fn leaves(shape: &Shape, path: &mut Path, found: &mut Vec<(Path, bool)>) {
    if shape.fields.is_empty() {
        found.push((path.clone(), true));
    }
    for field in &shape.fields {
        match &field.keep {
            Keep::Typename => found.push((path.clone(), true)),
            Keep::Leaf(slot) => {
                path.push(*slot);
                found.push((path.clone(), false));
                path.pop();
            }
            Keep::Object(slot, inner) => {
                path.push(*slot);
                leaves(inner, path, found);
                path.pop();
            }
        }
    }
}

/// What the client selects.
fn answer(projection: &Projection, path: &mut Path, used: &mut BTreeMap<Path, Vec<Use>>) {
    for field in &projection.fields {
        let Source::Field(slot, ty) = &field.source else {
            continue;
        };
        path.push(*slot);
        match &ty.named {
            Named::Object { projection, .. } => answer(projection, path, used),
            _ => used.entry(path.clone()).or_default().push(Use::Answer),
        }
        path.pop();
    }
}
