//! One helper that touches the API, and one for the time of work.
use std::time::Duration;

use baedal_planner::{Access, Operation, Plan, PlanError, Settings, Supergraph, plan};

pub use crate::case_files::{case, cases, folders, operations, sdl, supergraph, variables_of};

pub fn plan_with(sg: &Supergraph, text: &str, access: &Access) -> Result<Plan, PlanError> {
    let operation = Operation::parse(sg, text, None).expect("the operation is valid");
    let variables = operation
        .coerce_variables(sg, &variables_of(text))
        .expect("the variables fit");
    plan(sg, &operation, &variables, &Settings::default(), access)
}

pub fn plan_of(sg: &Supergraph, text: &str) -> Plan {
    plan_with(sg, text, &Access::unrestricted()).expect("there is a plan")
}

/// Does some work, which may take so many seconds of this thread's processor time: what else the machine does is no matter.
pub fn bounded<T>(what: &str, seconds: u64, work: impl FnOnce() -> T) -> T {
    let before = worked();
    let done = work();
    let took = worked() - before;
    assert!(took < Duration::from_secs(seconds), "{what} took {took:?}");
    done
}

/// Processor time of this thread.
fn worked() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number comes first"))
}
