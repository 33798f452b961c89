//! The graph: three subgraphs, composed and planned by the real stages.
use std::sync::Arc;

use baedal_composition::{Subgraph, compose};
use baedal_executor::Program;
use baedal_planner::{Access, Operation, Settings, Supergraph, plan};
use serde_json::Map;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.3",
    import: ["@key", "@external", "@requires"])"#;

const REVIEWS: &str = r#"
type Query { reviews: [Review!]! }
type Review @key(fields: "id") {
  id: ID! body: String rating: Int! at: String! helpful: Float verified: Boolean! author: User! product: Product!
}
type User @key(fields: "id") { id: ID! name: String username: String }
type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }
"#;

const PRODUCTS: &str = r#"
type Query { products: [Item!]! }
type Item @key(fields: "upc") { upc: String! label: String price: Int weight: Int }
"#;

const STOCK: &str = r#"
type Item @key(fields: "upc") {
  upc: String! price: Int @external weight: Int @external
  inStock: Boolean! shelf: String! shippingEstimate: Int @requires(fields: "price weight") store: Store!
}
type Store { name: String! street: String! }
"#;

/// One fetch, and all of it goes to the client.
pub const READ: &str = "{ reviews { id body rating at helpful verified author { id name username } \
                        product { upc name price weight } } }";

/// A root fetch, and one for entities; the client sees fields of both.
pub const MERGE: &str = "{ products { upc label inStock shelf shippingEstimate store { name street } } }";

/// The program of an operation on this graph.
///
/// # Panics
/// If the graph or the operation is wrong, which is a defect here.
pub fn program(operation: &str) -> Program {
    let subgraphs = [("reviews", REVIEWS), ("products", PRODUCTS), ("stock", STOCK)];
    let subgraphs = subgraphs.map(|(name, sdl)| Subgraph {
        name: name.into(),
        url: format!("http://{name}.invalid/graphql"),
        sdl: format!("{LINK}\n{sdl}"),
    });
    let composed = compose(&subgraphs).expect("the graph composes");
    let supergraph = Supergraph::parse(&composed.supergraph_sdl).expect("what composes can be read");
    let operation = Operation::parse(&supergraph, operation, None).expect("the operation is valid");
    let plan = plan(
        &supergraph,
        &operation,
        &Map::new(),
        &Settings::default(),
        &Access::unrestricted(),
    );
    Program::compile(Arc::new(plan.expect("the operation can be planned")))
}
