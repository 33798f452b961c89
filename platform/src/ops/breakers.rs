//! Circuit breakers.
use anyhow::Result;
use serde_json::{Value, json};

use super::client::Gateway;
use super::services::with_errors;
use super::{Found, table};

const CIRCUIT: &str = "{ paymentCircuit { state opened halfOpened closed rejected } }";

/// Order's circuit to payment (of the replica that answers), and what the gateway says of its own to the subgraphs.
pub(super) async fn show(gateway: &Gateway, json: bool) -> Result<Found> {
    let answer = gateway.ask(CIRCUIT, json!({})).await?;
    let circuit = &answer.data["paymentCircuit"];
    let subgraphs = subgraphs(gateway.readiness().await.as_ref());
    let open = subgraphs.iter().any(|(_, state)| is_open(state));
    let found = Found::attention(open || circuit.is_null() || is_open(text(&circuit["state"])));
    if json {
        let of_subgraphs: serde_json::Map<String, Value> = subgraphs
            .into_iter()
            .map(|(name, state)| (name, json!(state)))
            .collect();
        let shown = with_errors(circuit, &answer.errors);
        println!("{:#}", json!({ "payment": shown, "subgraphs": of_subgraphs }));
        return Ok(found);
    }
    let mut rows = vec![match circuit.is_null() {
        true => vec![
            "order → payment".to_owned(),
            table::short(&answer.errors.join("; "), 100),
        ],
        false => vec![
            "order → payment".to_owned(),
            text(&circuit["state"]).to_lowercase(),
            format!(
                "opened {} times, {} calls rejected",
                circuit["opened"], circuit["rejected"]
            ),
        ],
    }];
    rows.extend(
        subgraphs
            .into_iter()
            .map(|(name, state)| vec![format!("gateway → {name}"), state]),
    );
    table::print(&["BREAKER", "STATE", ""], &rows);
    Ok(found)
}

fn is_open(state: &str) -> bool {
    !state.eq_ignore_ascii_case("closed")
}

/// The breakers in the gateway's readiness, by subgraph.
fn subgraphs(readiness: Option<&Value>) -> Vec<(String, String)> {
    let breakers = readiness.and_then(|ready| ready["breakers"].as_object());
    breakers
        .into_iter()
        .flatten()
        .map(|(name, state)| (name.clone(), text(state).to_owned()))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("unknown")
}
