//! What changes of the public schema mean for clients: one change at a time, then seen by given operations.

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use baedal_composition::compare::{Level, Usage, compare};

const BEFORE: &str = "
directive @cached(for: Int, tag: String) repeatable on FIELD | QUERY
type Query { products(first: Int = 10, by: Order): [Product!]! node(id: ID!): Node item: Item search(in: Filter): Int }
type Mutation { rate(stars: Int!): Int }
interface Node { id: ID! }
type Product implements Node { id: ID! name: String! price: Int old: Int @deprecated status: Status }
type Shop implements Node { id: ID! }
union Item = Product | Shop
enum Status { NEW SOLD }
enum Order { NAME PRICE }
input Filter { text: String! max: Int = 3 order: Order }
scalar Date
";

fn schema(sdl: &str) -> Valid<Schema> {
    Schema::parse_and_validate(sdl, "schema.graphql")
        .unwrap_or_else(|failed| panic!("{sdl}\n{}", failed.errors))
}

/// The changes after replacing text in the schema, without safe ones unless that is all.
fn changes(from: &str, to: &str) -> Vec<String> {
    assert!(BEFORE.contains(from), "{from}");
    let found = compare(&schema(BEFORE), &schema(&BEFORE.replacen(from, to, 1)));
    found
        .iter()
        .map(|change| format!("{:?} {} {}", change.level, change.code, change.coordinate))
        .collect()
}

#[test]
fn nothing_changes_between_a_schema_and_itself() {
    assert_eq!(compare(&schema(BEFORE), &schema(BEFORE)), []);
}

#[test]
fn each_change_has_its_level() {
    for (from, to, wanted) in [
        ("price: Int", "", "Breaking FIELD_REMOVED Product.price"),
        (
            "price: Int",
            "price: Int new: Int",
            "Safe FIELD_ADDED Product.new",
        ),
        (
            "price: Int",
            "price: String",
            "Breaking FIELD_TYPE_CHANGED Product.price",
        ),
        (
            "price: Int",
            "price: [Int]",
            "Breaking FIELD_TYPE_CHANGED Product.price",
        ),
        (
            "name: String!",
            "name: String",
            "Breaking FIELD_TYPE_CHANGED Product.name",
        ),
        (
            "price: Int",
            "price: Int!",
            "Safe FIELD_TYPE_CHANGED Product.price",
        ),
        (
            "[Product!]!",
            "[Product!]",
            "Breaking FIELD_TYPE_CHANGED Query.products",
        ),
        (
            "node(id: ID!): Node",
            "node(id: ID!): Product",
            "Dangerous FIELD_TYPE_CHANGED Query.node",
        ),
        (
            "price: Int",
            "price: Int @deprecated",
            "Safe FIELD_DEPRECATED Product.price",
        ),
        (
            "(first: Int = 10, by: Order)",
            "(first: Int = 10)",
            "Breaking ARGUMENT_REMOVED Query.products(by:)",
        ),
        (
            "by: Order)",
            "by: Order, x: Int)",
            "Safe OPTIONAL_ARGUMENT_ADDED Query.products(x:)",
        ),
        (
            "by: Order)",
            "by: Order, x: Int! = 1)",
            "Safe OPTIONAL_ARGUMENT_ADDED Query.products(x:)",
        ),
        (
            "by: Order)",
            "by: Order, x: Int!)",
            "Breaking REQUIRED_ARGUMENT_ADDED Query.products(x:)",
        ),
        (
            "by: Order)",
            "by: Order!)",
            "Breaking ARGUMENT_TYPE_CHANGED Query.products(by:)",
        ),
        (
            "stars: Int!",
            "stars: Int",
            "Safe ARGUMENT_TYPE_CHANGED Mutation.rate(stars:)",
        ),
        (
            "first: Int = 10",
            "first: Int = 20",
            "Dangerous ARGUMENT_DEFAULT_CHANGED Query.products(first:)",
        ),
        (
            "first: Int = 10",
            "first: Int",
            "Dangerous ARGUMENT_DEFAULT_CHANGED Query.products(first:)",
        ),
        (
            "text: String!",
            "text: String",
            "Safe INPUT_FIELD_TYPE_CHANGED Filter.text",
        ),
        ("text: String!", "", "Breaking INPUT_FIELD_REMOVED Filter.text"),
        (
            "order: Order }",
            "order: Order more: Int }",
            "Safe OPTIONAL_INPUT_FIELD_ADDED Filter.more",
        ),
        (
            "order: Order }",
            "order: Order more: Int! }",
            "Breaking REQUIRED_INPUT_FIELD_ADDED Filter.more",
        ),
        (
            "max: Int = 3",
            "max: Int = 4",
            "Dangerous INPUT_FIELD_DEFAULT_CHANGED Filter.max",
        ),
        ("NEW SOLD", "NEW", "Breaking ENUM_VALUE_REMOVED Status.SOLD"),
        (
            "NEW SOLD",
            "NEW SOLD GONE",
            "Dangerous ENUM_VALUE_ADDED Status.GONE",
        ),
        ("Product | Shop", "Product", "Breaking UNION_MEMBER_REMOVED Item"),
        (
            "Shop implements Node",
            "Shop",
            "Breaking IMPLEMENTATION_REMOVED Shop",
        ),
        ("scalar Date", "", "Breaking TYPE_REMOVED Date"),
        (
            "scalar Date",
            "enum Date { TODAY }",
            "Breaking TYPE_KIND_CHANGED Date",
        ),
        ("scalar Date", "scalar Date scalar Time", "Safe TYPE_ADDED Time"),
        (
            "type Mutation { rate(stars: Int!): Int }",
            "",
            "Breaking TYPE_REMOVED Mutation",
        ),
        (
            "FIELD | QUERY",
            "FIELD",
            "Breaking DIRECTIVE_LOCATION_REMOVED @cached",
        ),
        (
            "repeatable on",
            "on",
            "Breaking DIRECTIVE_REPEATABLE_REMOVED @cached",
        ),
        (
            "for: Int, tag",
            "for: Int!, tag",
            "Breaking ARGUMENT_TYPE_CHANGED @cached(for:)",
        ),
        (
            "tag: String)",
            "tag: String, by: Int!)",
            "Breaking REQUIRED_ARGUMENT_ADDED @cached(by:)",
        ),
    ] {
        assert_eq!(changes(from, to), [wanted], "{from} -> {to}");
    }
}

#[test]
fn a_default_that_goes_from_a_required_argument_breaks() {
    let before = schema("type Query { a(x: Int! = 1): Int }");
    let found = compare(&before, &schema("type Query { a(x: Int!): Int }"));
    assert_eq!(found[0].level, Level::Breaking);
}

#[test]
fn new_members_and_implementations_may_surprise() {
    let more = "union Item = Product | Shop | Tool type Tool implements Node { id: ID! }";
    let wanted = [
        "Dangerous UNION_MEMBER_ADDED Item",
        "Dangerous IMPLEMENTATION_ADDED Tool",
        "Safe TYPE_ADDED Tool",
    ];
    assert_eq!(changes("union Item = Product | Shop", more), wanted);
}

#[test]
fn one_of_narrows_what_clients_may_give() {
    let before =
        schema("directive @oneOf on INPUT_OBJECT type Query { a(in: In): Int } input In { x: Int y: Int }");
    let after =
        "directive @oneOf on INPUT_OBJECT type Query { a(in: In): Int } input In @oneOf { x: Int y: Int }";
    let found = compare(&before, &schema(after));
    assert_eq!(found[0].code, "INPUT_OBJECT_BECAME_ONE_OF");
    assert_eq!(found[0].level, Level::Breaking);
}

/// A change that breaks in general breaks none of these operations, or just the one named.
#[test]
fn operations_say_which_changes_count() {
    let document = "
        query Names($in: Filter) { products(first: 3) { ...P } search(in: $in) }
        fragment P on Product { name @cached(for: 1) }
        query Items { item { ... on Shop { id } } }
        query Sorted { products(by: NAME) { status } }
        query Found { search(in: {text: \"x\"}) }
    ";
    for (from, to, by) in [
        ("price: Int", "", &[][..]),
        ("name: String!", "", &["Names"]),
        ("by: Order)", "by: Order, x: Int!)", &["Names", "Sorted"]),
        (
            "by: Order): [Product!]!",
            "by: [Order]): [Product!]!",
            &["Sorted"],
        ),
        ("NAME PRICE", "NAME", &["Names"]),
        ("NAME PRICE", "PRICE", &["Names", "Sorted"]),
        ("NEW SOLD", "NEW SOLD GONE", &["Sorted"]),
        ("Product | Shop", "Product", &["Items"]),
        ("Product | Shop", "Shop", &[]),
        ("text: String!", "", &["Found", "Names"]),
        ("max: Int = 3", "", &["Names"]),
        ("order: Order }", "order: Order more: Int! }", &["Found", "Names"]),
        ("repeatable on", "on", &["Names"]),
        ("tag: String)", ")", &[]),
        ("for: Int,", "", &["Names"]),
        ("type Mutation { rate(stars: Int!): Int }", "", &[]),
    ] {
        let before = schema(BEFORE);
        let mut usage = Usage::default();
        usage.add(&before, "app.graphql", document).unwrap();
        let found = compare(&before, &schema(&BEFORE.replacen(from, to, 1)));
        assert!(!found.is_empty(), "{from}");
        let mut noticed: Vec<String> = usage
            .noticed(found)
            .into_iter()
            .flat_map(|change| change.operations)
            .collect();
        noticed.sort();
        noticed.dedup();
        let wanted: Vec<String> = by.iter().map(|name| format!("app.graphql: {name}")).collect();
        assert_eq!(noticed, wanted, "{from} -> {to}");
    }
}

#[test]
fn operations_of_another_schema_are_refused() {
    let error = Usage::default()
        .add(&schema(BEFORE), "old.graphql", "{ gone }")
        .unwrap_err();
    assert!(error.to_string().contains("old.graphql"), "{error}");
}
