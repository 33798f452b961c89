//! The data: the same on every run, and all of it computed from the index of an object.

/// Products there are.
pub const PRODUCTS: usize = 1000;
/// People there are.
pub const USERS: usize = 40;
/// People that `users` lists; only they have opinions about the first products.
pub const LISTED: usize = 6;
/// The products they know.
const KNOWN: usize = 9;
/// Who (of those listed) wrote about which of the known products.
const OPINIONS: [(usize, usize); 23] = [
    (0, 0),
    (1, 0),
    (2, 1),
    (3, 1),
    (4, 2),
    (5, 3),
    (0, 4),
    (1, 5),
    (2, 6),
    (3, 7),
    (4, 8),
    (5, 0),
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (4, 5),
    (5, 6),
    (0, 7),
    (1, 8),
    (2, 0),
    (3, 2),
    (4, 4),
];

const ADJECTIVES: [&str; 8] = [
    "Sturdy", "Quiet", "Folding", "Copper", "Northern", "Plain", "Heavy", "Small",
];
const NOUNS: [&str; 7] = ["table", "lamp", "kettle", "chair", "bookcase", "clock", "blanket"];
const FIRST: [&str; 8] = ["Ada", "Bela", "Chidi", "Dara", "Emre", "Fumi", "Goran", "Hana"];
const LAST: [&str; 5] = ["Moss", "Okafor", "Lind", "Varga", "Seo"];
const VERDICTS: [&str; 5] = [
    "Arrived in one piece and does what it says; I would buy \"it\" again",
    "Too large for the room, but the colour is right and it holds",
    "Broke after a week. The shop was kind about it, so two stars",
    "My neighbour wants one too; what more is there to say",
    "Good, though the manual seems to be about something else",
];

/// Opinions there are: those of the people listed, then one about each other product.
pub fn reviews() -> usize {
    OPINIONS.len() + PRODUCTS - KNOWN
}

/// Who wrote an opinion.
pub fn author(review: usize) -> usize {
    match OPINIONS.get(review) {
        Some((user, _)) => *user,
        None => LISTED + review % (USERS - LISTED),
    }
}

/// What an opinion is about.
pub fn product(review: usize) -> usize {
    match OPINIONS.get(review) {
        Some((_, product)) => *product,
        None => review - OPINIONS.len() + KNOWN,
    }
}

/// Its text.
pub fn body(review: usize) -> String {
    format!("{} ({})", VERDICTS[review % VERDICTS.len()], review + 1)
}

/// The opinions of a person.
pub fn reviews_by(user: usize) -> Vec<usize> {
    (0..reviews()).filter(|review| author(*review) == user).collect()
}

/// The opinions about a product.
pub fn reviews_of(wanted: usize) -> Vec<usize> {
    (0..reviews())
        .filter(|review| product(*review) == wanted)
        .collect()
}

/// A product's key.
pub fn upc(product: usize) -> String {
    format!("upc-{product:04}")
}

/// The product with a key.
pub fn product_by(upc: &str) -> Option<usize> {
    let number: usize = upc.strip_prefix("upc-")?.parse().ok()?;
    (number < PRODUCTS).then_some(number)
}

/// A product's name.
pub fn name(product: usize) -> String {
    format!(
        "{} {}",
        ADJECTIVES[product % ADJECTIVES.len()],
        NOUNS[product % NOUNS.len()]
    )
}

/// In cents.
pub fn price(product: usize) -> i64 {
    199 + (product as i64 * 377) % 1900
}

/// In grams.
pub fn weight(product: usize) -> i64 {
    100 + (product as i64 * 911) % 4000
}

/// Whether it can be had.
pub fn in_stock(product: usize) -> bool {
    product % 3 != 1
}

/// What sending costs: needs what the subgraph of products knows.
pub fn shipping(price: i64, weight: i64) -> i64 {
    if price > 1000 { 0 } else { weight / 2 }
}

/// The person with an id.
pub fn user_by(id: &str) -> Option<usize> {
    let number: usize = id.parse().ok()?;
    (1..=USERS).contains(&number).then(|| number - 1)
}

/// A person's name.
pub fn full_name(user: usize) -> String {
    format!("{} {}", FIRST[user % FIRST.len()], LAST[user % LAST.len()])
}

/// What a person is called here.
pub fn username(user: usize) -> String {
    format!("@{}{}", FIRST[user % FIRST.len()].to_lowercase(), user + 1)
}

/// A day.
pub fn birthday(user: usize) -> String {
    format!(
        "19{:02}-{:02}-{:02}",
        50 + user % 50,
        1 + user % 12,
        1 + user % 28
    )
}
