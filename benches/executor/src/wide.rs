//! A graph of ever more subgraphs: the first has a list of entities, each has one field of theirs.
use std::fmt::Write as _;

use baedal_composition::{Subgraph, compose};
use baedal_planner::plan::{Entry, Fetch, Plan};
use baedal_planner::{Access, Operation, Settings, Supergraph, plan};
use bytes::Bytes;
use serde_json::Map;

const LINK: &str =
    r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])"#;
/// Entities of the list.
const ITEMS: usize = 10;

/// The graph.
pub struct Wide {
    /// The composed graph.
    pub supergraph: Supergraph,
    /// Asks each subgraph for its field.
    pub query: String,
}

impl Wide {
    /// A graph of so many subgraphs.
    ///
    /// # Panics
    /// If it does not compose, which is a defect here.
    pub fn new(subgraphs: usize) -> Wide {
        let subgraph = |number: usize| {
            let root = if number == 0 {
                "type Query { items: [Item!]! }"
            } else {
                ""
            };
            Subgraph {
                name: format!("g{number}"),
                url: format!("http://g{number}.invalid/graphql"),
                sdl: format!(
                    "{LINK}\n{root}\ntype Item @key(fields: \"id\") {{ id: ID! f{number}: String }}"
                ),
            }
        };
        let all: Vec<Subgraph> = (0..subgraphs).map(subgraph).collect();
        let composed = compose(&all).expect("the graph composes");
        let mut query = "{ items { id".to_owned();
        (0..subgraphs).for_each(|number| _ = write!(query, " f{number}"));
        Wide {
            supergraph: Supergraph::parse(&composed.supergraph_sdl).expect("what composes can be read"),
            query: query + " } }",
        }
    }

    /// The plan of its query.
    pub fn plan(&self) -> Plan {
        planned(&self.supergraph, &self.query)
    }

    /// What a subgraph answers to a fetch of that plan.
    pub fn answer(&self, fetch: &Fetch) -> Bytes {
        let number = &fetch.subgraph[1..];
        let item = |id: usize| match &fetch.entry {
            Entry::Root(_) => format!("{{\"id\":\"i{id}\",\"f{number}\":\"first\"}}"),
            _ => format!("{{\"f{number}\":\"value {number} of {id}\"}}"),
        };
        let items: Vec<String> = (0..ITEMS).map(item).collect();
        let name = match &fetch.entry {
            Entry::Root(_) => "items",
            _ => "_entities",
        };
        format!("{{\"data\":{{\"{name}\":[{}]}}}}", items.join(",")).into()
    }
}

/// The plan of an operation without variables.
///
/// # Panics
/// If there is none, which is a defect here.
pub fn planned(supergraph: &Supergraph, query: &str) -> Plan {
    let operation = Operation::parse(supergraph, query, None).expect("the operation is valid");
    let (settings, access) = (Settings::default(), Access::unrestricted());
    plan(supergraph, &operation, &Map::new(), &settings, &access).expect("the operation can be planned")
}
