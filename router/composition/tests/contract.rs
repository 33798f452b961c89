//! Contracts: what a variant by tags shows, over composed and foreign supergraphs.

use super::support::{cases, subgraph, subgraphs};
use apollo_compiler::Schema;
use baedal_composition::compose;
use baedal_composition::contract::{Contract, apply};
use std::collections::BTreeSet;

const SDL: &str = "
extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\", \"@tag\", \"@inaccessible\"])

type Query {
  products(first: Int, debug: Boolean @tag(name: \"internal\"), order: Order = COST): [Product] @tag(name: \"public\")
  account: Account @tag(name: \"partner\")
  node: Node @tag(name: \"public\")
  audit(level: Int! @tag(name: \"internal\")): Int
  search(in: Filter): Item
}

type Mutation {
  wipe: Int @tag(name: \"internal\")
}

interface Node @tag(name: \"public\") {
  id: ID!
}

type Product implements Node @key(fields: \"id\") {
  id: ID!
  name: String @tag(name: \"public\")
  cost: Int @tag(name: \"internal\")
  margin: Margin
}

type Account implements Node @tag(name: \"partner\") {
  id: ID!
  balance: Int
}

type Margin @tag(name: \"internal\") {
  percent: Int
}

union Item = Product | Margin

enum Order {
  NAME
  COST @tag(name: \"internal\")
}

input Filter {
  text: String
  secret: Secret
}

input Secret {
  code: Int! @tag(name: \"internal\")
  other: Int
}

type Unused {
  x: Int
}
";

fn contract(include: &[&str], exclude: &[&str]) -> Contract {
    let set = |tags: &[&str]| {
        tags.iter()
            .map(|tag| (*tag).to_owned())
            .collect::<BTreeSet<String>>()
    };
    Contract {
        include: set(include),
        exclude: set(exclude),
    }
}

/// What is left for clients, as `Type.field`, `Enum.VALUE`, `Type.field(arg:)`.
fn shown(include: &[&str], exclude: &[&str]) -> Vec<String> {
    let composed = compose(&[subgraph("a", SDL)]).expect("composes");
    let contracted = apply(&composed.supergraph_sdl, &contract(include, exclude)).expect("something is left");
    visible(&contracted.supergraph_sdl)
}

fn visible(sdl: &str) -> Vec<String> {
    use apollo_compiler::schema::ExtendedType as T;
    let schema = Schema::parse_and_validate(sdl, "supergraph.graphql").expect("a valid schema");
    let mut all = Vec::new();
    for (name, ty) in schema
        .types
        .iter()
        .filter(|(name, ty)| !ty.is_built_in() && !name.contains("__"))
    {
        if ty.directives().has("inaccessible") {
            continue;
        }
        let fields = match ty {
            T::Object(ty) => &ty.fields,
            T::Interface(ty) => &ty.fields,
            T::Enum(ty) => {
                let values = ty
                    .values
                    .iter()
                    .filter(|(_, value)| !value.directives.has("inaccessible"));
                all.extend(values.map(|(value, _)| format!("{name}.{value}")));
                continue;
            }
            T::InputObject(ty) => {
                let fields = ty
                    .fields
                    .iter()
                    .filter(|(_, field)| !field.directives.has("inaccessible"));
                all.extend(fields.map(|(field, _)| format!("{name}.{field}")));
                continue;
            }
            _ => {
                all.push(name.to_string());
                continue;
            }
        };
        for (field, definition) in fields
            .iter()
            .filter(|(_, field)| !field.directives.has("inaccessible"))
        {
            all.push(format!("{name}.{field}"));
            let args = definition
                .arguments
                .iter()
                .filter(|arg| !arg.directives.has("inaccessible"));
            all.extend(args.map(|arg| format!("{name}.{field}({}:)", arg.name)));
        }
    }
    all.sort();
    all
}

#[test]
fn exclusion_takes_all_that_cannot_be_used_without_it() {
    let wanted = [
        "Account.balance",
        "Account.id",
        "Filter.text",
        "Item",
        "Node.id",
        "Product.id",
        "Product.name",
        "Query.account",
        "Query.node",
        "Query.products",
        "Query.products(first:)",
        "Query.search",
        "Query.search(in:)",
    ];
    assert_eq!(shown(&[], &["internal"]), wanted);
}

#[test]
fn inclusion_shows_tagged_fields_and_what_they_lead_to() {
    let wanted = [
        "Account.id",
        "Node.id",
        "Order.COST",
        "Order.NAME",
        "Product.id",
        "Product.name",
        "Query.node",
        "Query.products",
        "Query.products(debug:)",
        "Query.products(first:)",
        "Query.products(order:)",
    ];
    assert_eq!(shown(&["public"], &[]), wanted);
}

#[test]
fn exclusion_wins_over_inclusion() {
    let wanted = [
        "Node.id",
        "Product.id",
        "Product.name",
        "Query.node",
        "Query.products",
        "Query.products(first:)",
    ];
    assert_eq!(shown(&["public"], &["internal", "partner"]), wanted);
}

#[test]
fn an_unknown_tag_is_told_and_an_empty_variant_refused() {
    let composed = compose(&[subgraph("a", SDL)]).expect("composes");
    let contracted = apply(&composed.supergraph_sdl, &contract(&[], &["interna"])).unwrap();
    assert_eq!(contracted.unknown_tags, ["interna"]);
    let refused = apply(&composed.supergraph_sdl, &contract(&["nothing"], &[])).unwrap_err();
    assert_eq!(refused.code, "QUERY_ROOT_TYPE_INACCESSIBLE");
    assert!(apply("not a schema {", &contract(&[], &[])).is_err());
}

/// A supergraph that calls the directives otherwise.
#[test]
fn foreign_names_are_understood() {
    let sdl = "
schema
  @link(url: \"https://specs.apollo.dev/link/v1.0\")
  @link(url: \"https://specs.apollo.dev/join/v0.3\", for: EXECUTION)
  @link(url: \"https://specs.apollo.dev/tag/v0.3\", import: [{ name: \"@tag\", as: \"@label\" }])
  @link(url: \"https://specs.apollo.dev/inaccessible/v0.2\", as: \"hidden\", for: SECURITY)
{ query: Query }
type Query { a: Int @label(name: \"x\") b: Int }
";
    let contracted = apply(sdl, &contract(&[], &["x"])).unwrap();
    assert!(
        contracted
            .supergraph_sdl
            .contains("a: Int @label(name: \"x\") @hidden"),
        "{}",
        contracted.supergraph_sdl
    );
    assert!(!contracted.supergraph_sdl.contains("@inaccessible"));
}

/// Whatever a case's tags are, a variant of it is a valid schema, and the empty contract only hides what is unreachable.
#[test]
fn variants_of_all_cases_are_valid() {
    let mut variants = 0;
    for folder in cases() {
        let Ok(composed) = compose(&subgraphs(&folder)) else {
            continue;
        };
        for (include, exclude) in [
            (&[][..], &[][..]),
            (&[], &["internal"]),
            (&["public"], &[]),
            (&[], &["a", "b", "x"]),
        ] {
            let Ok(contracted) = apply(&composed.supergraph_sdl, &contract(include, exclude)) else {
                continue;
            };
            Schema::parse_and_validate(&contracted.supergraph_sdl, "supergraph.graphql").unwrap();
            let again = apply(&contracted.supergraph_sdl, &contract(include, exclude)).unwrap();
            assert_eq!(
                again.supergraph_sdl,
                contracted.supergraph_sdl,
                "{}",
                folder.display()
            );
            variants += 1;
        }
    }
    assert!(variants > 150);
}
