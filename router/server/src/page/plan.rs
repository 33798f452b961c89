//! How an operation would be answered, for the page's plan view: which subgraph is asked what, and when, for this caller.

use std::sync::Arc;

use baedal_planner::explain::{Explanation, Need, Role};
use baedal_planner::plan::{OperationKind, Plan};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use super::json;
use crate::errors::Refusal;
use crate::gateway::Gateway;
use crate::http::graphql::{self, Answer};
use crate::http::intake::{self, RequestBody};
use crate::pipeline::{self, Delivery};
use crate::request;
use crate::traffic::{Peer, Who};

#[derive(Serialize)]
struct Body<'a> {
    plan: View<'a>,
}

#[derive(Serialize)]
struct View<'a> {
    kind: OperationKind,
    fetches: Vec<Fetch<'a>>,
    /// Response paths that the caller may not see.
    withheld: &'a [String],
    /// As `baedal-router plan` prints it.
    text: String,
}

#[derive(Serialize)]
struct Fetch<'a> {
    id: usize,
    subgraph: &'a str,
    after: &'a [usize],
    query: &'a str,
    /// What it sends of what others brought.
    needs: Vec<String>,
}

/// Plans what a POST asks for as if to answer it: the same token, the same limits, but nothing is fetched.
pub async fn answer<B: RequestBody>(
    gateway: &Arc<Gateway>,
    peer: Option<Peer>,
    parts: &Parts,
    body: B,
) -> Result<Answer, Refusal> {
    let caller = graphql::enter(gateway, parts).await?;
    let client = gateway.traffic.client(peer, &parts.headers);
    let who = Who {
        caller: &caller,
        client: client.as_ref(),
    };
    gateway.traffic.admit(&who).await?;
    let body = intake::post_body(gateway, parts, body).await?;
    let _inside = gateway.traffic.enter().await?;
    let asked = request::from_json(&body, &gateway.config.limits)?;
    let (prepared, _) = pipeline::prepare_asked(gateway, who, asked, Delivery::Whole).await?;
    let (plan, explanation) = (prepared.program().plan(), prepared.explanation());
    let body = Body {
        plan: view(plan, &explanation),
    };
    let body = serde_json::to_vec(&body).expect("strings and numbers are JSON");
    Ok(json(StatusCode::OK, body))
}

fn view<'a>(plan: &'a Plan, explanation: &'a Explanation) -> View<'a> {
    let fetches = plan.fetches.iter().zip(&explanation.fetches);
    let fetches = fetches.map(|(fetch, explained)| Fetch {
        id: explained.id,
        subgraph: &fetch.subgraph,
        after: &fetch.after,
        query: &fetch.query,
        needs: explained.needs.iter().map(told).collect(),
    });
    View {
        kind: plan.kind,
        fetches: fetches.collect(),
        withheld: &explanation.withheld,
        text: plan.to_string(),
    }
}

/// `products.upc (@key of Product)`
fn told(need: &Need) -> String {
    let role = match &need.role {
        Role::Key(of) => format!("@key of {of}"),
        Role::Requires(fields) => format!("@requires of {}", fields.join(", ")),
        Role::Context(variable) => format!("${variable}"),
    };
    format!("{} ({role})", need.path)
}
