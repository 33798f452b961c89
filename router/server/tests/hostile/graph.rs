//! A graph with much to choose from: an interface of many types, all of them spread over many subgraphs.

use std::fmt::Write;
use std::net::SocketAddr;

const SUBGRAPHS: usize = 8;
const TYPES: usize = 20;

const LINK: &str =
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"])\n";

const ROOT: &str = "
type Query {
  probe: Int
  node: Node
  nodes(first: Int): [Node]
  find(by: Search, many: [Search!], tags: [Tag!], ids: [Int], text: String, on: Boolean): [Node]
  user: User
  users: [User]
  echo(text: String, number: Float, flag: Boolean): String
}
type Mutation { put(n: Int): Int }
type Subscription { tick: Int }
enum Tag { A B C }
input Search { deep: Search many: [Search!] text: String tag: Tag n: Int }
union Any = User | T0 | T1
";

fn sdl(number: usize) -> String {
    let mut sdl = LINK.to_owned();
    let first = number == 0;
    if first {
        sdl.push_str(ROOT);
        sdl.push_str("interface Node { id: ID! child: Node children: [Node] size(unit: Int): Int }\n");
        sdl.push_str(
            "type User @key(fields: \"id\") { id: ID! name(n: Int): String friend(n: Int): User friends: [User] any: Any }\n",
        );
    } else {
        sdl.push_str("interface Node { id: ID! }\n");
        let _ = writeln!(
            sdl,
            "type User @key(fields: \"id\") {{ id: ID! a{number}: Int link{number}: User }}"
        );
    }
    for ty in 0..TYPES {
        let fields = match first {
            true => "child: Node children: [Node] size(unit: Int): Int".to_owned(),
            false => format!("g{number}: Int next{number}: Node"),
        };
        let _ = writeln!(
            sdl,
            "type T{ty} implements Node @key(fields: \"id\") {{ id: ID! {fields} }}"
        );
    }
    sdl
}

/// The supergraph; every subgraph is at this address.
pub fn supergraph(addr: SocketAddr) -> String {
    let subgraph = |number: usize| baedal_composition::Subgraph {
        name: format!("s{number}"),
        url: format!("http://{addr}/graphql"),
        sdl: sdl(number),
    };
    let subgraphs: Vec<_> = (0..SUBGRAPHS).map(subgraph).collect();
    let composed = baedal_composition::compose(&subgraphs);
    composed
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .supergraph_sdl
}

/// How many subgraphs there are.
pub fn subgraphs() -> usize {
    SUBGRAPHS
}

/// How many types `Node` has.
pub fn types() -> usize {
    TYPES
}
