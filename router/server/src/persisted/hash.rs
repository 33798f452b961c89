//! The SHA-256 of a query text.

use sha2::{Digest, Sha256};

/// A hash, in 64 lower-case hexadecimal digits where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of a text.
    pub fn of(text: &str) -> Hash {
        Hash(Sha256::digest(text.as_bytes()).into())
    }

    /// A hash as it is written (digits in either case).
    pub fn read(text: &str) -> Option<Hash> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Hash(bytes))
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Hash::of("").to_string(), empty);
        assert_eq!(Hash::read(empty), Some(Hash::of("")));
        assert_eq!(Hash::read(&empty.to_uppercase()), Some(Hash::of("")));
        for bad in ["", &empty[1..], &empty.replace('e', "g"), &"é".repeat(32)] {
            assert_eq!(Hash::read(bad), None, "{bad}");
        }
    }
}
