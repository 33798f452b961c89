//! Chance: the only place where the gateway draws lots.

/// A random number from 0 to 1.
pub fn share() -> f64 {
    percent() / 100.0
}

/// A random number in 0..100. A system without randomness draws 100, which is in no share below all.
pub fn percent() -> f64 {
    // The upper 53 bits, which a float holds exactly.
    let share = |bits: u64| (bits >> 11) as f64 / (1_u64 << 53) as f64;
    getrandom::u64().map_or(100.0, |bits| share(bits) * 100.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn draws_differ_and_are_percents() {
        let draws: Vec<f64> = (0..100).map(|_| super::percent()).collect();
        assert!(draws.iter().all(|draw| (0.0..100.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw < 50.0) && draws.iter().any(|draw| *draw >= 50.0));
    }
}
