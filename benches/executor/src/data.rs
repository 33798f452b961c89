//! What the subgraphs answer. The same bytes in each run.
use std::fmt::Write;

use bytes::Bytes;

/// How the bodies of reviews are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A few words: keys and short values are most of the bytes.
    Records,
    /// Some hundred letters, half of them Korean, with line breaks and quotes.
    Texts,
}

const WORDS: [&str; 12] = [
    "noodles", "arrived", "warm", "and", "the", "courier", "was", "kind", "though", "soup", "spilled",
    "again",
];
const KOREAN: [&str; 8] = [
    "국물이",
    "정말",
    "맛있어요",
    "배달이",
    "빨라서",
    "좋았습니다",
    "다음에도",
    "주문할게요",
];

/// A small generator of numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as usize % sides
    }

    fn text(&mut self, kind: Kind) -> String {
        let (words, korean) = match kind {
            Kind::Records => (3 + self.roll(5), 0),
            Kind::Texts => (30 + self.roll(40), 30 + self.roll(40)),
        };
        let mut text = String::new();
        for word in 0..words + korean {
            let words: &[&str] = if word < words { &WORDS } else { &KOREAN };
            text += words[self.roll(words.len())];
            text += if word % 24 == 23 { ".\\n" } else { " " };
        }
        if kind == Kind::Texts {
            text + "\\\"!\\\""
        } else {
            text
        }
    }
}

/// The answer to [`READ`](crate::graph::READ), about `bytes` long.
pub fn reviews(kind: Kind, bytes: usize) -> Bytes {
    let dice = &mut Dice(1);
    let mut out = String::from("{\"data\":{\"reviews\":[");
    let mut id = 0;
    while out.len() < bytes {
        id += 1;
        let comma = if id > 1 { "," } else { "" };
        let body = dice.text(kind);
        let (user, product) = (dice.roll(500), dice.roll(300));
        write!(
            out,
            "{comma}{{\"id\":\"r{id}\",\"body\":\"{body}\",\"rating\":{},\"at\":\"2026-{:02}-{:02}T12:{:02}:00Z\",\
             \"helpful\":0.{},\"verified\":{},\"author\":{{\"id\":\"u{user}\",\"name\":\"User {user}\",\"username\":\"@user{user}\"}},\
             \"product\":{{\"upc\":\"p{product}\",\"name\":\"Product {product}\",\"price\":{},\"weight\":{}}}}}",
            1 + dice.roll(5),
            1 + dice.roll(12),
            1 + dice.roll(28),
            dice.roll(60),
            dice.roll(1000),
            dice.roll(3) > 0,
            100 + dice.roll(9000),
            10 + dice.roll(900),
        )
        .expect("a string takes any text");
    }
    (out + "]}}").into()
}

/// The answers to the two fetches of [`MERGE`](crate::graph::MERGE).
pub fn items(count: usize) -> (Bytes, Bytes) {
    let dice = &mut Dice(2);
    let mut products = Vec::new();
    let mut entities = Vec::new();
    for upc in 0..count {
        let (price, weight) = (100 + dice.roll(9000), 10 + dice.roll(900));
        products.push(format!(
            "{{\"upc\":\"p{upc}\",\"label\":\"Product {upc}\",\"__typename\":\"Item\",\"price\":{price},\"weight\":{weight}}}"
        ));
        entities.push(format!(
            "{{\"__typename\":\"Item\",\"inStock\":{},\"shelf\":\"{}-{}\",\"shippingEstimate\":{},\"store\":{{\"name\":\"Store {}\",\"street\":\"Street {}\"}}}}",
            dice.roll(2) > 0,
            dice.roll(40),
            dice.roll(90),
            price / 2 + weight,
            dice.roll(9),
            dice.roll(200),
        ));
    }
    let products = format!("{{\"data\":{{\"products\":[{}]}}}}", products.join(","));
    let entities = format!("{{\"data\":{{\"_entities\":[{}]}}}}", entities.join(","));
    (products.into(), entities.into())
}
