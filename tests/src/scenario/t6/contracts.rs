//! A change of a schema or an event that would break somebody is found by the contract tests.
use anyhow::{Context, Result};
use baedal_composition::compose;

use crate::contract;
use crate::scenario::Verdict;

/// Makes such changes, and demands that each is found; and that nothing is found without them.
pub fn stop_what_breaks(verdict: &mut Verdict) -> Result<()> {
    let whole = broken_by(|_| {})?;
    verdict.check(
        "clients' operations fit the schema",
        format!("{} do not", whole.len()),
        whole.is_empty(),
    );
    let broken = broken_by(|sdl| *sdl = sdl.replace("\ttotal: Int!\n", "\tsum: Int!\n"))?;
    let told = format!("{} operations would break", broken.len());
    verdict.check("a renamed field of a schema is found", told, !broken.is_empty());
    let mut event = baedal_events::all()
        .into_iter()
        .find(|entry| entry.r#type == "Delivered")
        .context("there is an event Delivered")?;
    let recorded = event.example.clone();
    let whole = contract::breaks(&event, &recorded);
    verdict.check(
        "a recorded event is still read",
        whole.clone().unwrap_or_default(),
        whole.is_none(),
    );
    if let Some(fields) = event.example.as_object_mut() {
        fields.remove("storeId");
    }
    let broken = contract::breaks(&event, &recorded);
    verdict.check(
        "a field taken out of an event is found",
        broken.clone().unwrap_or_default(),
        broken.is_some(),
    );
    Ok(())
}

/// The operations of clients that a change of order's schema would break.
fn broken_by(change: impl Fn(&mut String)) -> Result<Vec<String>> {
    let mut subgraphs = contract::subgraphs();
    for subgraph in subgraphs.iter_mut().filter(|subgraph| subgraph.name == "order") {
        change(&mut subgraph.sdl);
    }
    let composed = compose(&subgraphs).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    contract::broken_operations(&composed.supergraph_sdl)
}
