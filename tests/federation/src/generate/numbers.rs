//! Numbers that depend on a seed alone, on every platform and with every version of any library.

/// A [SplitMix64](https://prng.di.unimi.it/splitmix64.c) generator.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of a seed.
    pub fn seeded(seed: u64) -> Numbers {
        Numbers(seed)
    }

    /// A sequence of its own for part `number` of what `seed` stands for.
    pub fn part(seed: u64, number: u64) -> Numbers {
        let mut mixed = Numbers(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        Numbers(mixed.draw())
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..limit`; 0 when there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.draw() >> 33) as usize % limit.max(1)
    }

    /// One of `from..=to`.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len())).cloned()
    }

    /// Some of these, at least one if there are any, in their order.
    pub fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        let sure = self.below(of.len());
        let chosen = of.iter().enumerate();
        let chosen = chosen.filter(|(index, _)| *index == sure || self.percent(40));
        chosen.map(|(_, one)| one.clone()).collect()
    }
}
