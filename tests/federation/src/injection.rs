//! Faults in subgraph calls: the answer is what the null rules make of what is left.
use std::collections::BTreeSet;

use baedal_executor::Inputs;
use baedal_planner::Plan;
use serde_json::{Value, json};

use crate::reference::{Completed, Node, complete, gather, is_supported, told};
use crate::world::{Call, Disturbance, Outcome, World};

/// What happens to one call.
#[derive(Clone, Debug, PartialEq)]
pub enum Injected {
    /// No answer in time, or no connection.
    Unreachable,
    /// `errors`, and no data.
    Error,
    /// `errors`, and `data: null`.
    ErrorAndNull,
    /// `data: null` without a word.
    SilentNull,
    /// The value at this path of `data` is null, with an error.
    NullWithError(Vec<Value>),
    /// The value at this path of `data` is null, because it is.
    Null(Vec<Value>),
}

impl Injected {
    /// What becomes of the call.
    pub fn disturb(&self, call: &Call) -> Disturbance {
        let body = match self {
            Injected::Unreachable => return Disturbance::Fail,
            Injected::Error => json!({ "errors": [{ "message": "broken" }] }),
            Injected::ErrorAndNull => json!({ "data": null, "errors": [{ "message": "broken" }] }),
            Injected::SilentNull => json!({ "data": null }),
            Injected::Null(path) => nulled(call, path),
            Injected::NullWithError(path) => {
                let mut body = nulled(call, path);
                body["errors"] = json!([{ "message": "broken", "path": path }]);
                body
            }
        };
        Disturbance::Answer(body.to_string())
    }
}

fn nulled(call: &Call, path: &[Value]) -> Value {
    let body = call.response.as_deref().unwrap_or_default();
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut at = &mut body["data"];
    for step in path {
        at = match step {
            Value::String(key) => &mut at[key.as_str()],
            step => &mut at[usize::try_from(step.as_u64().unwrap_or_default()).unwrap_or_default()],
        };
    }
    *at = Value::Null;
    body
}

/// A fault that had another effect than it must have.
#[derive(Clone, Debug)]
pub struct Misjudged {
    /// Index of the plan's fetch.
    pub fetch: usize,
    /// What happened to it.
    pub injected: Injected,
    /// What is wrong with the answer.
    pub what: String,
}

/// How many faults were injected, and those with a wrong effect.
#[derive(Debug, Default)]
pub struct Injections {
    /// All.
    pub injected: usize,
    /// Those that changed the answer.
    pub effective: usize,
    /// Those with a wrong effect.
    pub misjudged: Vec<Misjudged>,
}

/// Injects each fault into each call of a plan, `nulls` of them into values of each call's answer.
pub fn inject(world: &World, plan: &Plan, inputs: &Inputs, nulls: usize) -> Injections {
    let mut injections = Injections::default();
    if !is_supported(plan) {
        return injections;
    }
    let whole = world.run(plan, inputs, |_| Disturbance::None);
    for call in &whole.calls {
        for injected in faults(world, call, nulls) {
            let outcome = world.run(plan, inputs, |one| {
                if one.fetch == call.fetch {
                    injected.disturb(one)
                } else {
                    Disturbance::None
                }
            });
            injections.injected += 1;
            injections.effective += usize::from(outcome.data != whole.data);
            if let Err(what) = judge(plan, &whole, &outcome) {
                injections.misjudged.push(Misjudged {
                    fetch: call.fetch,
                    injected,
                    what,
                });
            }
        }
    }
    injections
}

fn faults(world: &World, call: &Call, nulls: usize) -> Vec<Injected> {
    let mut all = vec![
        Injected::Unreachable,
        Injected::Error,
        Injected::ErrorAndNull,
        Injected::SilentNull,
    ];
    let places = world.nullable(call);
    // Spread over the answer, so that not all are in its first object.
    let step = places.len().div_ceil(nulls.max(1)).max(1);
    for place in places.into_iter().step_by(step) {
        all.push(Injected::Null(place.clone()));
        all.push(Injected::NullWithError(place));
    }
    all
}

/// Whether an answer is what the null rules make of it; `whole` is that without a fault.
///
/// # Errors
/// What is wrong with it.
pub fn judge(plan: &Plan, whole: &Outcome, outcome: &Outcome) -> Result<(), String> {
    let gathered = gather(plan, &outcome.calls)?;
    let Node::Object(root) = &gathered.root else {
        return Err("the root is no object".to_owned());
    };
    let Completed { data, violations } = complete(plan, root);
    let answered = parsed(&outcome.data);
    let before = parsed(&whole.data);
    if data != answered {
        return Err(format!("expected {data}\ngot      {answered}"));
    }
    let errors: Vec<Vec<Value>> = outcome.errors.iter().map(path).collect();
    let related = |place: &[Value]| errors.iter().any(|error| is_related(error, place));
    if let Some(place) = violations.iter().find(|place| !related(place)) {
        return Err(format!(
            "no error for null in a non-null place at {}",
            json!(place)
        ));
    }
    losses(&before, &answered)?;
    let expected = outcome.calls.iter().flat_map(|call| told(plan, &gathered, call));
    let expected: Vec<Vec<Value>> = expected.collect();
    if let Some(missing) = expected.iter().find(|path| !errors.contains(path)) {
        return Err(format!("no error at {} in {}", json!(missing), json!(errors)));
    }
    let is_due = |error: &&Vec<Value>| expected.contains(error) || violations.contains(error);
    if let Some(stray) = errors.iter().find(|error| !is_due(error)) {
        return Err(format!(
            "an error at {}, expected at {}",
            json!(stray),
            json!(expected)
        ));
    }
    match errors.iter().find(|error| !leads_somewhere(&answered, error)) {
        Some(error) => Err(format!("the answer has no place {}", json!(error))),
        None => Ok(()),
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("the executor writes JSON")
}

fn path(error: &Value) -> Vec<Value> {
    error["path"].as_array().cloned().unwrap_or_default()
}

/// Whether an error is at a place, above it or below it.
fn is_related(error: &[Value], place: &[Value]) -> bool {
    let shared = error.len().min(place.len());
    error[..shared] == place[..shared]
}

/// What was there is there, or null in its place. Anything else that differs is wrong.
fn losses(before: &Value, after: &Value) -> Result<(), String> {
    match (before, after) {
        (before, after) if before == after => Ok(()),
        (_, Value::Null) => Ok(()),
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            let mut pairs = before.iter().zip(after);
            pairs.try_for_each(|(before, after)| losses(before, after))
        }
        (Value::Object(before), Value::Object(after)) => {
            let known: BTreeSet<&String> = before.keys().collect();
            if let Some(new) = after.keys().find(|key| !known.contains(key)) {
                return Err(format!("{new} is new"));
            }
            after
                .iter()
                .try_for_each(|(key, after)| losses(&before[key], after))
        }
        (before, after) => Err(format!("{before} became {after}")),
    }
}

/// Whether a path exists in the answer, or ends in a null.
fn leads_somewhere(data: &Value, path: &[Value]) -> bool {
    let Some((step, rest)) = path.split_first() else {
        return true;
    };
    let next = match (data, step) {
        (Value::Null, _) => return true,
        (Value::Object(fields), Value::String(key)) => fields.get(key),
        (Value::Array(items), step) => step
            .as_u64()
            .and_then(|index| items.get(usize::try_from(index).ok()?)),
        _ => None,
    };
    next.is_some_and(|next| leads_somewhere(next, rest))
}
