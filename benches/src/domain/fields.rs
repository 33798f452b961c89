//! What each field of each type gives, and which subgraph has it.

use serde_json::{Map, Value};

use super::data;
use super::schema::Scope;

/// Something with fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Object {
    /// `Query`.
    Root,
    /// A person.
    User(usize),
    /// An opinion.
    Review(usize),
    /// A product, with what its representation told of it.
    Product {
        /// Which.
        index: usize,
        /// As told; the whole knows it anyway.
        price: Option<i64>,
        /// As told; the whole knows it anyway.
        weight: Option<i64>,
    },
}

/// What a field gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Nothing.
    Null,
    /// A string.
    Text(String),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// One object.
    One(Object),
    /// Several.
    Many(Vec<Option<Object>>),
    /// Nothing, and an error says why.
    Failed(&'static str),
}

/// A field that is not there: the whole request is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

/// Arguments of a field.
pub type Arguments = Map<String, Value>;

impl Object {
    /// Its type.
    pub fn typename(self) -> &'static str {
        match self {
            Object::Root => "Query",
            Object::User(_) => "User",
            Object::Review(_) => "Review",
            Object::Product { .. } => "Product",
        }
    }

    fn product(index: usize) -> Object {
        Object::Product {
            index,
            price: None,
            weight: None,
        }
    }

    /// The entity that a representation names, if there is one.
    pub fn of_representation(representation: &Value) -> Option<Object> {
        let text = |key: &str| representation.get(key)?.as_str();
        match text("__typename")? {
            "User" => data::user_by(text("id")?).map(Object::User),
            "Product" => Some(Object::Product {
                index: data::product_by(text("upc")?)?,
                price: representation.get("price").and_then(Value::as_i64),
                weight: representation.get("weight").and_then(Value::as_i64),
            }),
            "Review" => {
                let number: usize = text("id")?.parse().ok()?;
                (1..=data::reviews())
                    .contains(&number)
                    .then(|| Object::Review(number - 1))
            }
            _ => None,
        }
    }
}

/// What `field` of `object` gives when `scope` is asked.
pub fn field(scope: Scope, object: Object, field: &str, arguments: &Arguments) -> Result<Given, Unknown> {
    if field == "__typename" {
        return Ok(Given::Text(object.typename().to_owned()));
    }
    if !has(scope, object, field) {
        let (parent, subgraph) = (object.typename(), scope.name());
        return Err(Unknown(format!("{subgraph} has no field {field} on {parent}")));
    }
    Ok(match object {
        Object::Root => root(field, arguments),
        Object::User(index) => user(index, field),
        Object::Review(index) => review(index, field),
        Object::Product { index, price, weight } => match field {
            "shippingEstimate" if scope == Scope::Whole => {
                Given::Number(data::shipping(data::price(index), data::weight(index)))
            }
            "shippingEstimate" => match (price, weight) {
                (Some(price), Some(weight)) => Given::Number(data::shipping(price, weight)),
                _ => Given::Failed("price and weight are needed"),
            },
            _ => product(index, field),
        },
    })
}

fn has(scope: Scope, object: Object, field: &str) -> bool {
    let owners: &[Scope] = match (object, field) {
        (Object::Root, "me" | "user" | "users") => &[Scope::Accounts],
        (Object::Root, "topProducts" | "product") => &[Scope::Products],
        (Object::User(_), "id") => &[Scope::Accounts, Scope::Reviews],
        (Object::User(_), "name" | "birthday") => &[Scope::Accounts],
        (Object::User(_), "username") => &[Scope::Accounts, Scope::Reviews],
        (Object::User(_), "reviews") => &[Scope::Reviews],
        (Object::Review(_), "id" | "body" | "author" | "product") => &[Scope::Reviews],
        (Object::Product { .. }, "upc") => &[Scope::Products, Scope::Reviews, Scope::Inventory],
        (Object::Product { .. }, "name" | "price" | "weight") => &[Scope::Products],
        (Object::Product { .. }, "reviews") => &[Scope::Reviews],
        (Object::Product { .. }, "inStock" | "shippingEstimate" | "supplierNote") => &[Scope::Inventory],
        _ => return false,
    };
    scope == Scope::Whole || owners.contains(&scope)
}

fn root(field: &str, arguments: &Arguments) -> Given {
    let text = |key: &str| arguments.get(key).and_then(Value::as_str).unwrap_or_default();
    match field {
        "me" => Given::One(Object::User(0)),
        "user" => data::user_by(text("id")).map_or(Given::Null, |user| Given::One(Object::User(user))),
        "users" => Given::Many((0..data::LISTED).map(|user| Some(Object::User(user))).collect()),
        "product" => match data::product_by(text("upc")) {
            Some(product) => Given::One(Object::product(product)),
            None => Given::Null,
        },
        _ => {
            let first = arguments.get("first").map_or(Some(5), Value::as_u64).unwrap_or(0);
            let count = usize::try_from(first).unwrap_or(0).min(data::PRODUCTS);
            Given::Many((0..count).map(|product| Some(Object::product(product))).collect())
        }
    }
}

fn user(index: usize, field: &str) -> Given {
    match field {
        "id" => Given::Text((index + 1).to_string()),
        "name" => Given::Text(data::full_name(index)),
        "username" => Given::Text(data::username(index)),
        "birthday" => Given::Text(data::birthday(index)),
        _ => opinions(data::reviews_by(index)),
    }
}

fn review(index: usize, field: &str) -> Given {
    match field {
        "id" => Given::Text((index + 1).to_string()),
        "body" => Given::Text(data::body(index)),
        "author" => Given::One(Object::User(data::author(index))),
        _ => Given::One(Object::product(data::product(index))),
    }
}

fn product(index: usize, field: &str) -> Given {
    match field {
        "upc" => Given::Text(data::upc(index)),
        "name" => Given::Text(data::name(index)),
        "price" => Given::Number(data::price(index)),
        "weight" => Given::Number(data::weight(index)),
        "inStock" => Given::Flag(data::in_stock(index)),
        "supplierNote" => Given::Failed("the supplier does not answer"),
        _ => opinions(data::reviews_of(index)),
    }
}

fn opinions(reviews: Vec<usize>) -> Given {
    Given::Many(
        reviews
            .into_iter()
            .map(|review| Some(Object::Review(review)))
            .collect(),
    )
}
