//! What is asked.

use serde_json::{Value, json};

/// One of the three sizes, and the bytes of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Size {
    /// One subgraph, one object.
    Small,
    /// Nine products with stock, opinions and their authors.
    Medium,
    /// People, their opinions of products, others' opinions of these, and so on; and the same from the products' side.
    Big,
}

const SMALL: &str = "query Small { me { id name username } }";

const MEDIUM: &str = "query Medium {
  topProducts(first: 9) {
    upc name price weight inStock shippingEstimate
    reviews { id body author { id username name birthday } }
  }
}";

const BIG: &str = "query Big {
  users {
    ...Person
    reviews { ...Opinion product { ...Item reviews { ...Opinion author {
      ...Person reviews { ...Opinion product { ...Item } }
    } } } }
  }
  topProducts(first: 9) {
    ...Item
    reviews { ...Opinion author { ...Person reviews { ...Opinion product { ...Item } } } }
  }
}
fragment Person on User { id username name }
fragment Opinion on Review { id body }
fragment Item on Product { upc name price weight inStock shippingEstimate }";

impl Size {
    /// All of them.
    pub const ALL: [Size; 3] = [Size::Small, Size::Medium, Size::Big];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Size::Small => "small",
            Size::Medium => "medium",
            Size::Big => "big",
        }
    }

    /// The operation.
    pub fn query(self) -> &'static str {
        match self {
            Size::Small => SMALL,
            Size::Medium => MEDIUM,
            Size::Big => BIG,
        }
    }

    /// The JSON body of the request.
    pub fn body(self) -> Vec<u8> {
        request(self.query(), json!({}))
    }
}

/// Traffic that is not the same request again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Varied {
    /// Every request is an operation that was never seen before.
    Distinct,
    /// One operation, and other values of its variables each time.
    Variables,
    /// A thousand entities from each of two subgraphs.
    Thousand,
    /// Fields that always fail.
    Errors,
}

/// How many different requests of a kind are sent in turn (a power of two).
pub const DIFFERENT: usize = 4096;

impl Varied {
    /// All of them.
    pub const ALL: [Varied; 4] = [
        Varied::Distinct,
        Varied::Variables,
        Varied::Thousand,
        Varied::Errors,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Varied::Distinct => "distinct operations",
            Varied::Variables => "variables",
            Varied::Thousand => "1 000 entities",
            Varied::Errors => "errors",
        }
    }

    /// The bodies that are sent in turn.
    pub fn bodies(self) -> Vec<Vec<u8>> {
        match self {
            Varied::Distinct => (0..16)
                .map(|number| request(&distinct(number), json!({})))
                .collect(),
            Varied::Variables => {
                let query = "query Item($upc: String!, $with: Boolean = true) {
                  product(upc: $upc) { name inStock shippingEstimate reviews @include(if: $with) { body } }
                }";
                let body = |number| {
                    request(
                        query,
                        json!({"upc": format!("upc-{:04}", number % 1000), "with": number % 2 == 0}),
                    )
                };
                (0..DIFFERENT).map(body).collect()
            }
            Varied::Thousand => vec![request(
                "{ topProducts(first: 1000) { upc name inStock shippingEstimate reviews { id body } } }",
                json!({}),
            )],
            Varied::Errors => vec![request(
                "{ topProducts { upc name supplierNote reviews { body } } }",
                json!({}),
            )],
        }
    }
}

/// The body of a request; without variables there is no such member.
pub fn request(query: &str, variables: Value) -> Vec<u8> {
    let body = match variables
        .as_object()
        .is_some_and(|variables| variables.is_empty())
    {
        true => json!({"query": query}),
        false => json!({"query": query, "variables": variables}),
    };
    body.to_string().into_bytes()
}

fn distinct(number: usize) -> String {
    format!(
        "query D00000000 {{ a{number}: topProducts(first: {}) {{ upc name inStock reviews {{ b{number}: body author {{ name }} }} }} }}",
        1 + number % 5
    )
}
