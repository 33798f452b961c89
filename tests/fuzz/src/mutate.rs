//! New inputs from old ones, by a seed.
use std::ops::Range;

/// A small generator of numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as usize % sides.max(1)
    }

    fn pick<'a>(&mut self, of: &'a [Vec<u8>]) -> &'a [u8] {
        &of[self.roll(of.len())]
    }
}

/// No input gets longer.
const LONGEST: usize = 16 << 10;

/// One of `corpus`, changed at a few places; the same for the same seed.
///
/// # Panics
/// If there is nothing to start from.
pub fn mutated(corpus: &[Vec<u8>], seed: u64) -> Vec<u8> {
    assert!(!corpus.is_empty(), "there is an input to start from");
    let dice = &mut Dice(seed);
    let mut input = dice.pick(corpus).to_vec();
    for _ in 0..=dice.roll(6) {
        change(&mut input, corpus, dice);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.roll(input.len() + 1);
    match dice.roll(9) {
        0 => drop(input.drain(some(input, dice))),
        1 => input.truncate(at),
        2 => input.insert(at, b"{}[]()\":,!@#$&|=\\.0 \n\0\xff"[dice.roll(23)]),
        3 if at < input.len() => input[at] ^= 1 << dice.roll(8),
        4 => {
            let other = dice.pick(corpus);
            let piece = other[some(other, dice)].to_vec();
            input.splice(at..at, piece);
        }
        5 => {
            let copy = input[some(input, dice)].to_vec();
            let most = if dice.roll(8) == 0 { 200 } else { 3 };
            let times = 1 + dice.roll(most);
            input.splice(at..at, copy.repeat(times));
        }
        _ => {
            // A word in place of another keeps most of the grammar: what is behind the parser is reached.
            let other = dice.pick(corpus);
            let piece = other[word(other, dice)].to_vec();
            let place = word(input, dice);
            input.splice(place, piece);
        }
    }
}

/// Some bytes of a text, mostly few.
fn some(text: &[u8], dice: &mut Dice) -> Range<usize> {
    let start = dice.roll(text.len() + 1);
    let most = if dice.roll(4) == 0 { text.len() } else { 24 };
    start..(start + dice.roll(most + 1)).min(text.len())
}

/// A word of a text, or a piece of punctuation.
fn word(text: &[u8], dice: &mut Dice) -> Range<usize> {
    let at = dice.roll(text.len());
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let behind = text[at.min(text.len())..]
        .iter()
        .take_while(|byte| is_word(byte))
        .count();
    let before = text[..at].iter().rev().take_while(|byte| is_word(byte)).count();
    at - before..(at + behind.max(1)).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, mutated};

    #[test]
    fn a_seed_gives_one_input_and_seeds_give_many() {
        let corpus = [b"type Query { a(x: Int): [T!] }".to_vec(), Vec::new()];
        let inputs: std::collections::HashSet<_> = (0..1000).map(|seed| mutated(&corpus, seed)).collect();
        assert!(inputs.len() > 500, "{}", inputs.len());
        assert!(inputs.iter().all(|input| input.len() <= LONGEST));
        assert_eq!(mutated(&corpus, 7), mutated(&corpus, 7));
    }
}
