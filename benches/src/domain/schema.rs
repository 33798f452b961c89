//! The four schemas.

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// People.
    Accounts,
    /// Products.
    Products,
    /// Opinions of people about products.
    Reviews,
    /// What is in stock, and what sending it costs.
    Inventory,
    /// One server that knows all.
    Whole,
}

impl Scope {
    /// The subgraphs.
    pub const SUBGRAPHS: [Scope; 4] = [Scope::Accounts, Scope::Products, Scope::Reviews, Scope::Inventory];

    /// The subgraph's name.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Accounts => "accounts",
            Scope::Products => "products",
            Scope::Reviews => "reviews",
            Scope::Inventory => "inventory",
            Scope::Whole => "whole",
        }
    }
}

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.3",
  import: ["@key", "@shareable", "@external", "@requires", "@provides"])
"#;

const ACCOUNTS: &str = r#"
type Query { me: User user(id: ID!): User users: [User] }
type User @key(fields: "id") { id: ID! name: String username: String @shareable birthday: String }
"#;

const PRODUCTS: &str = r#"
type Query { topProducts(first: Int = 5): [Product] product(upc: String!): Product }
type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }
"#;

const REVIEWS: &str = r#"
type Review @key(fields: "id") { id: ID! body: String author: User @provides(fields: "username") product: Product }
type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
type Product @key(fields: "upc") { upc: String! reviews: [Review] }
"#;

const INVENTORY: &str = r#"
type Product @key(fields: "upc") {
  upc: String!
  price: Int @external
  weight: Int @external
  inStock: Boolean
  shippingEstimate: Int @requires(fields: "price weight")
  supplierNote: String
}
"#;

/// The SDL of a subgraph.
pub fn sdl(scope: Scope) -> String {
    let types = match scope {
        Scope::Accounts => ACCOUNTS,
        Scope::Products => PRODUCTS,
        Scope::Reviews => REVIEWS,
        Scope::Inventory => INVENTORY,
        Scope::Whole => unreachable!("the whole is composed, not written"),
    };
    format!("{LINK}{types}")
}
