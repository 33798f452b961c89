//! Who takes the files of an operation. They are passed on as they come and never held, so that one call must take them
//! all, and it must be one that waits for nothing.

use std::collections::BTreeSet;

use baedal_planner::plan::{Fetch, Plan};

use crate::errors::{Code, Refusal};

/// The fetch that takes the files in these variables; `None` if no fetch does.
pub fn taker(plan: &Plan, variables: &BTreeSet<String>) -> Result<Option<usize>, Refusal> {
    let takes = |fetch: &&Fetch| fetch.variables.iter().any(|name| variables.contains(&**name));
    let mut takers = plan.fetches.iter().enumerate().filter(|(_, fetch)| takes(fetch));
    let Some((taker, fetch)) = takers.next() else {
        return Ok(None);
    };
    if let Some((_, other)) = takers.next() {
        let text = format!(
            "the files are wanted by two calls (of '{}' and '{}'), and they are passed on only once; send them apart",
            fetch.subgraph, other.subgraph
        );
        return Err(not_streamed(text));
    }
    if !fetch.after.is_empty() {
        let text = format!(
            "the subgraph '{}' takes the files only after another call, and they cannot wait; ask for it first, or in a \
             request of its own",
            fetch.subgraph
        );
        return Err(not_streamed(text));
    }
    Ok(Some(taker))
}

fn not_streamed(text: String) -> Refusal {
    Refusal::new(Code::UploadNotStreamable, text)
}
