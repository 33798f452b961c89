//! Strings: RFC 8259, section 7, <https://www.rfc-editor.org/rfc/rfc8259#section-7>.
use wide::u8x32;

use super::{Scanned, Scanner};

/// Bit by bit, which bytes end a plain run of a string: `"`, `\` or a control character.
#[inline(always)]
fn special(chunk: &[u8; 32]) -> u32 {
    let chunk = u8x32::from(*chunk);
    let quote = chunk.simd_eq(u8x32::splat(b'"'));
    let backslash = chunk.simd_eq(u8x32::splat(b'\\'));
    let control = chunk.min(u8x32::splat(0x1f)).simd_eq(chunk);
    (quote | backslash | control).to_bitmask()
}

impl<'b> Scanner<'b> {
    /// Behind the string that begins here. `fit` becomes false if it is [`Form::Unfit`].
    #[inline(always)]
    pub(crate) fn string(self, fit: &mut bool) -> Scanned<Scanner<'b>> {
        let inside = self.skip(1);
        let Some(chunk) = inside.rest.first_chunk::<32>() else {
            return inside.long_string(fit);
        };
        let at = special(chunk).trailing_zeros() as usize;
        if at < 32 && chunk[at] == b'"' {
            return Ok(inside.skip(at + 1));
        }
        inside.skip(at).long_string(fit)
    }

    /// Behind the string that `self` is in.
    #[inline(never)]
    fn long_string(self, fit: &mut bool) -> Scanned<Scanner<'b>> {
        let mut inside = self;
        loop {
            while let Some(chunk) = inside.rest.first_chunk::<32>() {
                let stop = special(chunk);
                inside = inside.skip(stop.trailing_zeros() as usize);
                if stop != 0 {
                    break;
                }
            }
            inside = match inside.rest {
                [b'"', rest @ ..] => return Ok(Scanner { rest }),
                [b'\\', ..] => inside.escape(fit)?,
                [0x20..=0xff, rest @ ..] => Scanner { rest },
                _ => return inside.malformed(),
            }
        }
    }

    #[inline]
    fn escape(self, fit: &mut bool) -> Scanned<Scanner<'b>> {
        match self.rest.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(self.skip(2)),
            Some(b'u') => self.surrogates(fit),
            _ => self.malformed(),
        }
    }

    /// `\uXXXX`, or two of them that belong together.
    fn surrogates(self, fit: &mut bool) -> Scanned<Scanner<'b>> {
        let (unit, next) = self.code_unit()?;
        if !(0xD800..0xE000).contains(&unit) {
            return Ok(next);
        }
        if unit < 0xDC00 && next.rest.starts_with(b"\\u") {
            let (low, behind) = next.code_unit()?;
            if (0xDC00..0xE000).contains(&low) {
                return Ok(behind);
            }
        }
        *fit = false;
        Ok(next)
    }

    /// The UTF-16 unit of a `\uXXXX`.
    fn code_unit(self) -> Scanned<(u32, Scanner<'b>)> {
        let Some(digits) = self.rest.get(2..6) else {
            return self.malformed();
        };
        let add = |unit, digit: &u8| Some(unit * 16 + char::from(*digit).to_digit(16)?);
        match digits.iter().try_fold(0, add) {
            Some(unit) => Ok((unit, self.skip(6))),
            None => self.malformed(),
        }
    }
}
