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

/// The circuits in the gateway's readiness, by subgraph.
fn subgraphs(readiness: Option<&Value>) -> Vec<(String, String)> {
    let subgraphs = readiness.and_then(|ready| ready["subgraphs"].as_array());
    subgraphs
        .into_iter()
        .flatten()
        .map(|subgraph| {
            (
                text(&subgraph["subgraph"]).to_owned(),
                text(&subgraph["circuit"]).to_owned(),
            )
        })
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circuits_are_read_as_the_gateway_tells_them() {
        let ready = json!({"status": "degraded", "subgraphs": [
            {"subgraph": "order", "circuit": "closed", "opened": 0},
            {"subgraph": "store", "circuit": "half_open", "opened": 3},
        ]});
        let found = subgraphs(Some(&ready));
        let pair = |name: &str, state: &str| (name.to_owned(), state.to_owned());
        assert_eq!(found, [pair("order", "closed"), pair("store", "half_open")]);
        assert!(!is_open("closed") && is_open("half_open") && is_open("open"));
        assert!(subgraphs(None).is_empty() && subgraphs(Some(&json!({}))).is_empty());
    }
}
