//! Pieces of JSON known when a plan is compiled, mostly keys: fast to compare with and fast to write.

/// A piece of JSON text.
#[derive(Debug)]
pub(crate) struct Literal {
    text: Box<[u8]>,
    /// The first 16 bytes as a little-endian number, zeros after a shorter text.
    head: u128,
    /// Which bits of `head` count.
    mask: u128,
}

/// As many bytes as are compared and written at once.
const WIDTH: usize = 16;

impl Literal {
    pub(crate) fn new(parts: &[&[u8]]) -> Literal {
        let text: Box<[u8]> = parts.concat().into();
        let (mut bytes, mut mask) = ([0; WIDTH], [0; WIDTH]);
        let short = text.len().min(WIDTH);
        bytes[..short].copy_from_slice(&text[..short]);
        mask[..short].fill(0xff);
        Literal {
            text,
            head: u128::from_le_bytes(bytes),
            mask: u128::from_le_bytes(mask),
        }
    }

    /// `"name":` after some other text.
    pub(crate) fn key(before: &str, name: &str) -> Literal {
        Literal::new(&[before.as_bytes(), &*crate::types::quoted(name), b":"])
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether `bytes` begin with it.
    #[inline(always)]
    pub(crate) fn begins(&self, bytes: &[u8]) -> bool {
        match bytes.first_chunk::<WIDTH>() {
            Some(chunk) => {
                u128::from_le_bytes(*chunk) & self.mask == self.head
                    && (self.text.len() <= WIDTH || self.continues(bytes))
            }
            None => bytes.starts_with(&self.text),
        }
    }

    /// Whether the text from the 17th byte on is in `bytes`, whose first 16 are right.
    #[inline]
    fn continues(&self, bytes: &[u8]) -> bool {
        let len = self.text.len();
        let last = |of: &[u8]| of.get(len - WIDTH..len)?.first_chunk().copied();
        if len <= 2 * WIDTH {
            let (one, other): (Option<[u8; WIDTH]>, _) = (last(bytes), last(&self.text));
            one.map(u128::from_le_bytes) == other.map(u128::from_le_bytes)
        } else {
            bytes.starts_with(&self.text)
        }
    }

    /// Appends it to `out`.
    #[inline(always)]
    pub(crate) fn append(&self, out: &mut Vec<u8>) {
        if self.text.len() <= WIDTH {
            // A copy of fixed length is a few instructions, one of any length a call.
            out.extend_from_slice(&self.head.to_le_bytes());
            out.truncate(out.len() - WIDTH + self.text.len());
        } else {
            out.extend_from_slice(&self.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Literal;

    #[test]
    fn compares_and_writes_texts_of_any_length() {
        for len in 0..70 {
            let text: Vec<u8> = (0..len).map(|at| b'a' + at % 23).collect();
            let literal = Literal::new(&[&text]);
            let mut out = vec![b'x'];
            literal.append(&mut out);
            assert_eq!(out, [b"x", &*text].concat());
            for more in ["", "y", &"z".repeat(40)] {
                assert!(literal.begins(&[&*text, more.as_bytes()].concat()), "{len}");
            }
            for wrong in 0..text.len() {
                let mut other = [&*text, &b"z".repeat(40)].concat();
                other[wrong] = b'!';
                assert!(!literal.begins(&other), "{len} {wrong}");
                assert!(!literal.begins(&text[..wrong]), "{len} {wrong}");
            }
        }
    }
}
