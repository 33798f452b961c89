//! How long hostile operations take to plan or to be refused with the default budget:
//! `cargo run --release -p baedal-planner --example plan-cost [part of a name]`.
use std::fmt::Write as _;
use std::time::Duration;

use baedal_planner::{Access, Operation, Settings, Supergraph, plan};

/// Runs of each operation; the fastest counts.
const RUNS: usize = 5;

const PRELUDE: &str = include_str!("../tests/cases/prelude.graphql");

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:>9} {:>9} {:>8}  operation: outcome",
        "parse ms", "plan ms", "bytes"
    );
    for (name, supergraph, query) in operations() {
        if name.contains(&wanted) {
            measure(name, &supergraph, &query);
        }
    }
}

fn measure(name: &str, supergraph: &Supergraph, query: &str) {
    let (mut parsing, mut planning) = (Duration::MAX, Duration::MAX);
    let mut outcome = String::new();
    for _ in 0..RUNS {
        let start = worked();
        let operation = match Operation::parse(supergraph, query, None) {
            Ok(operation) => operation,
            Err(error) => {
                println!("{name}: not an operation: {:.200}", error.to_string());
                return;
            }
        };
        parsing = parsing.min(worked() - start);
        let (variables, settings) = (Default::default(), Settings::default());
        let start = worked();
        let found = plan(
            supergraph,
            &operation,
            &variables,
            &settings,
            &Access::unrestricted(),
        );
        planning = planning.min(worked() - start);
        outcome = match found {
            Ok(plan) => format!("{:?}", plan.figures()),
            Err(error) => error.code().to_owned(),
        };
    }
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{:>9.2} {:>9.2} {:>8}  {name}: {outcome}",
        ms(parsing),
        ms(planning),
        query.len()
    );
}

/// Time this thread has worked: other programs don't disturb it.
fn worked() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number comes first"))
}

fn operations() -> Vec<(&'static str, Supergraph, String)> {
    vec![
        ("10 000 leaves of one entity", shop(), leaves()),
        ("2 000 roots with a hop each", shop(), hops()),
        ("exponential fragments", shop(), exponential(40)),
        ("exponential fragments that fit", shop(), exponential(8)),
        ("one field, wide and equal fragments", shop(), equal_fragments()),
        ("45 entities deep", shop(), deep(45)),
        ("70 implementations, nested", interfaces(70), nested_interfaces(4)),
        (
            "70 implementations, deeper",
            interfaces(70),
            nested_interfaces(12),
        ),
        ("hundreds of type conditions", interfaces(70), conditions(300)),
        (
            "hundreds of nested type conditions",
            interfaces(70),
            nested_conditions(3),
        ),
        (
            "70 implementations with a hop each",
            split_interfaces(70),
            nested_interfaces(3),
        ),
        ("100 subgraphs, 100 fields", shared(100), shared_fields(1)),
        ("100 subgraphs, 5 000 fields", shared(100), shared_fields(50)),
        (
            "100 subgraphs, each with a field of its own",
            owned(100),
            owned_fields(1),
        ),
        (
            "100 subgraphs, each with a field of its own, nested",
            owned(100),
            owned_fields(6),
        ),
        ("a chain of 40 required fields", chain(40), "{ t { f39 } }".into()),
        ("a chain of 40 keys", keys(40), "{ t { f39 } }".into()),
    ]
}

fn supergraph(subgraphs: usize, body: &str) -> Supergraph {
    let graphs = (0..subgraphs).fold(String::new(), |mut out, n| {
        _ = writeln!(out, "  G{n} @join__graph(name: \"g{n}\", url: \"http://g{n}\")");
        out
    });
    let prelude = PRELUDE
        .replace("  mutation: Mutation\n", "")
        .replace("  subscription: Subscription\n", "");
    let sdl = format!("{prelude}\nenum join__Graph {{\n{graphs}}}\n{body}");
    Supergraph::parse(&sdl).unwrap_or_else(|e| panic!("{e}\n{sdl}"))
}

fn joins(subgraphs: impl Iterator<Item = usize>, key: &str) -> String {
    let key = if key.is_empty() {
        String::new()
    } else {
        format!(", key: \"{key}\"")
    };
    subgraphs
        .map(|n| format!("@join__type(graph: G{n}{key}) "))
        .collect()
}

fn shop() -> Supergraph {
    let (two, users) = (joins(0..2, ""), joins(0..2, "id"));
    supergraph(
        2,
        &format!(
            "type Query {two} {{ me: User @join__field(graph: G0) user(id: ID): User @join__field(graph: G0) }}
             type User {users} {{ id: ID! name: String @join__field(graph: G0) reviews: [Review] @join__field(graph: G1) }}
             type Review @join__type(graph: G1) {{ body: String author: User }}"
        ),
    )
}

fn leaves() -> String {
    let fields: String = (0..10_000).map(|n| format!("f{n}: name ")).collect();
    format!("{{ me {{ {fields} }} }}")
}

fn hops() -> String {
    let fields: String = (0..2_000)
        .map(|n| format!("u{n}: user(id: {n}) {{ name reviews {{ body }} }} "))
        .collect();
    format!("{{ {fields} }}")
}

fn exponential(depth: usize) -> String {
    let mut query = String::from("{ me { ...f0 } }");
    for n in 0..depth {
        let next = n + 1;
        _ = write!(
            query,
            " fragment f{n} on User {{ reviews {{ a{n}: author {{ ...f{next} }} b{n}: author {{ ...f{next} }} }} }}"
        );
    }
    _ = write!(query, " fragment f{depth} on User {{ name }}");
    query
}

fn equal_fragments() -> String {
    let fields: String = (0..3_000)
        .map(|_| "reviews { author { name reviews { body } } } ")
        .collect();
    format!("{{ me {{ {fields} }} }}")
}

fn deep(depth: usize) -> String {
    let (open, close) = ("reviews { author { name ".repeat(depth), "} }".repeat(depth));
    format!("{{ me {{ {open} {close} }} }}")
}

/// `implementations` types of one interface; all in one subgraph, `other` and `deep` in a second.
fn interfaces(implementations: usize) -> Supergraph {
    let two = joins(0..2, "id");
    let types: String = (0..implementations)
        .map(|n| {
            format!(
                "type T{n} implements Node {two} @join__implements(graph: G0, interface: \"Node\") @join__implements(graph: G1, interface: \"Node\")
                 {{ id: ID! name: String @join__field(graph: G0) next: Node @join__field(graph: G0) other: String @join__field(graph: G1) own{n}: Int @join__field(graph: G0) }}\n"
            )
        })
        .collect();
    supergraph(
        2,
        &format!(
            "type Query {} {{ nodes: [Node] @join__field(graph: G0) }}
             interface Node {two} {{ id: ID! name: String @join__field(graph: G0) next: Node @join__field(graph: G0) other: String @join__field(graph: G1) }}\n{types}",
            joins(0..2, "")
        ),
    )
}

/// The same, and each type's fields are in another of ten subgraphs.
fn split_interfaces(implementations: usize) -> Supergraph {
    let types: String = (0..implementations)
        .map(|n| {
            let owner = 1 + n % 10;
            let owned = format!("@join__field(graph: G{owner})");
            format!(
                "type T{n} implements Node @join__type(graph: G0, key: \"id\") @join__type(graph: G{owner}, key: \"id\") @join__implements(graph: G0, interface: \"Node\")
                 {{ id: ID! name: String @join__field(graph: G0) next: Node @join__field(graph: G0) other: String {owned} own{n}: Int {owned} }}\n"
            )
        })
        .collect();
    supergraph(
        11,
        &format!(
            "type Query {} {{ nodes: [Node] @join__field(graph: G0) }}
             interface Node @join__type(graph: G0) {{ id: ID! name: String next: Node }}\n{types}",
            joins(0..11, "")
        ),
    )
}

fn nested_interfaces(depth: usize) -> String {
    let own: String = (0..70)
        .map(|n| format!("... on T{n} {{ own{n} other }} "))
        .collect();
    let mut inner = String::from("id name");
    for _ in 0..depth {
        inner = format!("id name {own} next {{ {inner} }}");
    }
    format!("{{ nodes {{ {inner} }} }}")
}

fn conditions(count: usize) -> String {
    let all: String = (0..count)
        .map(|n| format!("... on T{} {{ a{n}: name other next {{ id other }} }} ", n % 70))
        .collect();
    format!("{{ nodes {{ {all} }} }}")
}

fn nested_conditions(depth: usize) -> String {
    let mut inner = String::from("id");
    for level in 0..depth {
        inner = (0..12)
            .map(|n| {
                format!(
                    "... on T{} {{ n{level}_{n}: next {{ {inner} other }} }} ",
                    n * 3 + level
                )
            })
            .collect();
    }
    format!("{{ nodes {{ {inner} }} }}")
}

/// Every subgraph can answer every field.
fn shared(subgraphs: usize) -> Supergraph {
    let fields: String = (0..50).map(|n| format!("  f{n}: Int\n  t{n}: T\n")).collect();
    supergraph(
        subgraphs,
        &format!(
            "type Query {} {{ t: T }}\ntype T {} {{\n  id: ID!\n{fields}}}\n",
            joins(0..subgraphs, ""),
            joins(0..subgraphs, "id")
        ),
    )
}

fn shared_fields(times: usize) -> String {
    let inner: String = (0..50 * times)
        .map(|n| format!("a{n}: f{} b{n}: t{} {{ f0 }} ", n % 50, n % 50))
        .collect();
    format!("{{ t {{ {inner} }} }}")
}

/// Every subgraph has a field of its own, and the entity.
fn owned(subgraphs: usize) -> Supergraph {
    let fields: String = (0..subgraphs)
        .map(|n| format!("  f{n}: Int @join__field(graph: G{n})\n  t{n}: T @join__field(graph: G{n})\n"))
        .collect();
    supergraph(
        subgraphs,
        &format!(
            "type Query {} {{ t: T }}\ntype T {} {{\n  id: ID!\n{fields}}}\n",
            joins(0..subgraphs, ""),
            joins(0..subgraphs, "id")
        ),
    )
}

fn owned_fields(depth: usize) -> String {
    let fields: String = (0..100).map(|n| format!("f{n} ")).collect();
    let mut inner = fields.clone();
    for level in 1..depth {
        inner = format!("{fields} t{} {{ {inner} }}", level * 7);
    }
    format!("{{ t {{ {inner} }} }}")
}

/// Each field requires the one before, which is another subgraph's.
fn chain(length: usize) -> Supergraph {
    let fields: String = (0..length)
        .map(|n| match n {
            0 => "  f0: Int @join__field(graph: G0)\n".to_owned(),
            _ => format!(
                "  f{n}: Int @join__field(graph: G{n}, requires: \"f{0}\") @join__field(graph: G{0})\n",
                n - 1
            )
            .replacen(&format!(" @join__field(graph: G{})\n", n - 1), "\n", 1),
        })
        .collect();
    supergraph(
        length,
        &format!(
            "type Query {} {{ t: T @join__field(graph: G0) }}\ntype T {} {{\n  id: ID!\n{fields}}}\n",
            joins(0..length, ""),
            joins(0..length, "id")
        ),
    )
}

/// Each subgraph is entered by the key that the one before it has.
fn keys(length: usize) -> Supergraph {
    let types: String = (0..length)
        .map(|n| format!("@join__type(graph: G{n}, key: \"k{n}\") "))
        .collect();
    let fields: String = (0..length)
        .map(|n| {
            let next = n + 1;
            let other = if next < length {
                format!("@join__field(graph: G{next})")
            } else {
                String::new()
            };
            format!(
                "  f{n}: Int @join__field(graph: G{n})\n  k{next}: ID @join__field(graph: G{n}) {other}\n"
            )
        })
        .collect();
    supergraph(
        length,
        &format!(
            "type Query {} {{ t: T @join__field(graph: G0) }}\ntype T {types} {{\n  k0: ID @join__field(graph: G0)\n{fields}}}\n",
            joins(0..length, "")
        ),
    )
}
