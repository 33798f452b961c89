//! The subgraphs of the tests: accounts, products (with a subscription), reviews.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{
    ComplexObject, Context, EmptySubscription, Enum, Error, ErrorExtensions, ID, InputObject, Object, Result,
    SDLExportOptions, Schema, SimpleObject, Subscription,
};
use futures_util::Stream;

use super::subgraph::Subgraph;

/// What mutations did, in the order in which they ran.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<i32>>>);

impl Journal {
    pub fn read(&self) -> Vec<i32> {
        self.0.lock().expect("no test has panicked with it").clone()
    }

    async fn write(&self, step: i32, after_ms: u64) -> i32 {
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        self.0.lock().expect("no test has panicked with it").push(step);
        step
    }
}

#[derive(SimpleObject, Clone)]
pub struct User {
    id: ID,
    name: String,
    email: Option<String>,
}

fn users() -> Vec<User> {
    let user = |id: &str, name: &str, email: Option<&str>| User {
        id: id.into(),
        name: name.into(),
        email: email.map(str::to_owned),
    };
    vec![user("1", "Ada", Some("ada@example.com")), user("2", "Alan", None)]
}

pub struct AccountsQuery;

#[Object(name = "Query")]
impl AccountsQuery {
    async fn me(&self) -> Option<User> {
        users().into_iter().next()
    }

    async fn users(&self) -> Vec<User> {
        users()
    }

    #[graphql(entity)]
    async fn user_by_id(&self, id: ID) -> Option<User> {
        users().into_iter().find(|user| user.id == id)
    }
}

pub struct AccountsMutation;

#[Object(name = "Mutation")]
impl AccountsMutation {
    async fn accounts_step(
        &self,
        ctx: &Context<'_>,
        step: i32,
        #[graphql(default = 0)] after_ms: u64,
    ) -> i32 {
        ctx.data_unchecked::<Journal>().write(step, after_ms).await
    }
}

pub async fn accounts(journal: &Journal) -> Subgraph {
    let schema = Schema::build(AccountsQuery, AccountsMutation, EmptySubscription).enable_federation();
    let schema = schema.data(journal.clone()).finish();
    let sdl = schema.sdl_with_options(SDLExportOptions::new().federation());
    Subgraph::start("accounts", schema, sdl).await
}

#[derive(Enum, Copy, Clone, PartialEq, Eq)]
pub enum Size {
    Small,
    Large,
}

#[derive(SimpleObject, Clone)]
pub struct Product {
    upc: ID,
    name: String,
    price: i32,
    size: Size,
}

/// An event that says where the stream is.
#[derive(SimpleObject, Clone)]
pub struct Sale {
    cursor: String,
    product: Product,
}

#[derive(InputObject)]
pub struct ProductFilter {
    max_price: Option<i32>,
    #[graphql(default = 2)]
    limit: usize,
    sizes: Option<Vec<Size>>,
}

fn products_list() -> Vec<Product> {
    let product = |upc: &str, name: &str, price, size| Product {
        upc: upc.into(),
        name: name.into(),
        price,
        size,
    };
    vec![
        product("top-1", "Table", 899, Size::Large),
        product("top-2", "Couch", 1299, Size::Large),
        product("top-3", "Cup", 9, Size::Small),
    ]
}

pub struct ProductsQuery;

#[Object(name = "Query")]
impl ProductsQuery {
    async fn top_products(&self, #[graphql(default = 2)] first: usize) -> Vec<Product> {
        products_list().into_iter().take(first).collect()
    }

    async fn product(&self, upc: ID) -> Option<Product> {
        products_list().into_iter().find(|product| product.upc == upc)
    }

    async fn find(&self, filter: ProductFilter) -> Vec<Product> {
        let fits = |product: &Product| {
            filter.max_price.is_none_or(|max| product.price <= max)
                && filter
                    .sizes
                    .as_ref()
                    .is_none_or(|sizes| sizes.contains(&product.size))
        };
        products_list()
            .into_iter()
            .filter(fits)
            .take(filter.limit)
            .collect()
    }

    async fn refuse(&self) -> Result<Option<i32>> {
        Err(Error::new("this shelf is empty").extend_with(|_, extensions| {
            extensions.set("code", "EMPTY_SHELF");
            extensions.set("retryAfterMs", 250);
            extensions.set("stacktrace", "shelf.rs");
        }))
    }

    #[graphql(entity)]
    async fn product_by_upc(&self, upc: ID) -> Option<Product> {
        products_list().into_iter().find(|product| product.upc == upc)
    }
}

pub struct ProductsMutation;

#[Object(name = "Mutation")]
impl ProductsMutation {
    async fn products_step(
        &self,
        ctx: &Context<'_>,
        step: i32,
        #[graphql(default = 0)] after_ms: u64,
    ) -> i32 {
        ctx.data_unchecked::<Journal>().write(step, after_ms).await
    }

    async fn put_on_shelf(&self, upc: ID) -> Result<Product> {
        products_list()
            .into_iter()
            .find(|product| product.upc == upc)
            .ok_or_else(|| Error::new("no such product"))
    }
}

pub struct ProductsSubscription;

#[Subscription(name = "Subscription")]
impl ProductsSubscription {
    /// Every product once, from the one after the cursor, then the end.
    async fn sold(&self, after: Option<usize>) -> impl Stream<Item = Product> + use<> {
        futures_util::stream::iter(products_list().into_iter().skip(after.unwrap_or(0)))
    }

    /// A product every few milliseconds, for ever.
    async fn ticker(&self, #[graphql(default = 10)] every_ms: u64) -> impl Stream<Item = Product> + use<> {
        futures_util::stream::unfold(0usize, move |tick| async move {
            tokio::time::sleep(Duration::from_millis(every_ms)).await;
            Some((products_list()[tick % 3].clone(), tick + 1))
        })
    }

    /// Numbered sales, for ever: from the one after the cursor, or from the first.
    async fn sales(
        &self,
        after: Option<String>,
        #[graphql(default = 10)] every_ms: u64,
    ) -> impl Stream<Item = Sale> + use<> {
        let first = after.and_then(|cursor| cursor.parse().ok()).unwrap_or(0usize);
        futures_util::stream::unfold(first, move |number| async move {
            tokio::time::sleep(Duration::from_millis(every_ms)).await;
            let product = products_list()[number % 3].clone();
            let cursor = (number + 1).to_string();
            Some((Sale { cursor, product }, number + 1))
        })
    }

    /// An error as its only event.
    async fn broken(&self) -> impl Stream<Item = Result<Product>> + use<> {
        futures_util::stream::iter([Err(Error::new("the till is jammed"))])
    }
}

pub async fn products(journal: &Journal) -> Subgraph {
    let (schema, sdl) = products_schema(journal);
    Subgraph::start("products", schema, sdl).await
}

pub type ProductsSchema = Schema<ProductsQuery, ProductsMutation, ProductsSubscription>;

pub fn products_schema(journal: &Journal) -> (ProductsSchema, String) {
    let schema = Schema::build(ProductsQuery, ProductsMutation, ProductsSubscription)
        .enable_federation()
        .enable_subscription_in_federation();
    let schema = schema.data(journal.clone()).finish();
    let sdl = schema.sdl_with_options(SDLExportOptions::new().federation());
    (schema, sdl)
}

mod reviewed {
    use super::*;

    #[derive(SimpleObject, Clone)]
    #[graphql(complex)]
    pub struct Review {
        pub id: ID,
        pub body: String,
        #[graphql(skip)]
        pub author_id: &'static str,
        #[graphql(skip)]
        pub product_upc: &'static str,
    }

    #[derive(SimpleObject, Clone)]
    #[graphql(complex)]
    pub struct User {
        pub id: ID,
    }

    #[derive(SimpleObject, Clone)]
    #[graphql(complex)]
    pub struct Product {
        pub upc: ID,
    }

    pub fn reviews() -> Vec<Review> {
        let review = |id: &str, body: &str, author_id, product_upc| Review {
            id: id.into(),
            body: body.into(),
            author_id,
            product_upc,
        };
        vec![
            review("r1", "Love it", "1", "top-1"),
            review("r2", "Too expensive", "1", "top-2"),
            review("r3", "Could be better", "2", "top-1"),
        ]
    }

    #[ComplexObject]
    impl Review {
        async fn author(&self) -> User {
            User {
                id: self.author_id.into(),
            }
        }

        async fn product(&self) -> Product {
            Product {
                upc: self.product_upc.into(),
            }
        }
    }

    #[ComplexObject]
    impl User {
        async fn reviews(&self) -> Vec<Review> {
            reviews()
                .into_iter()
                .filter(|review| review.author_id == *self.id)
                .collect()
        }
    }

    #[ComplexObject]
    impl Product {
        async fn reviews(&self, first: Option<usize>) -> Vec<Review> {
            let of_this = reviews()
                .into_iter()
                .filter(|review| review.product_upc == *self.upc);
            of_this.take(first.unwrap_or(usize::MAX)).collect()
        }

        /// Fails for the couch.
        async fn stars(&self) -> Result<i32> {
            if *self.upc == "top-2" {
                Err(Error::new("not rated"))
            } else {
                Ok(4)
            }
        }

        /// Fails for the couch, where null is allowed.
        async fn rank(&self) -> Result<Option<i32>> {
            if *self.upc == "top-2" {
                Err(Error::new("not ranked"))
            } else {
                Ok(Some(1))
            }
        }
    }
}

pub struct ReviewsQuery;

#[Object(name = "Query")]
impl ReviewsQuery {
    async fn latest_reviews(&self) -> Vec<reviewed::Review> {
        reviewed::reviews()
    }

    #[graphql(entity)]
    async fn review_by_id(&self, id: ID) -> Option<reviewed::Review> {
        reviewed::reviews().into_iter().find(|review| review.id == id)
    }

    #[graphql(entity)]
    async fn user_of_reviews(&self, id: ID) -> reviewed::User {
        reviewed::User { id }
    }

    #[graphql(entity)]
    async fn product_of_reviews(&self, upc: ID) -> reviewed::Product {
        reviewed::Product { upc }
    }
}

pub struct ReviewsMutation;

#[Object(name = "Mutation")]
impl ReviewsMutation {
    async fn reviews_step(&self, ctx: &Context<'_>, step: i32, #[graphql(default = 0)] after_ms: u64) -> i32 {
        ctx.data_unchecked::<Journal>().write(step, after_ms).await
    }
}

pub async fn reviews(journal: &Journal) -> Subgraph {
    let schema = Schema::build(ReviewsQuery, ReviewsMutation, EmptySubscription).enable_federation();
    let schema = schema.data(journal.clone()).finish();
    let sdl = schema.sdl_with_options(SDLExportOptions::new().federation());
    Subgraph::start("reviews", schema, sdl).await
}
