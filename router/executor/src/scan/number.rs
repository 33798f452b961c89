//! Numbers: RFC 8259, section 6, <https://www.rfc-editor.org/rfc/rfc8259#section-6>.
use super::{Form, Scanned, Scanner};

/// How many of eight bytes are digits before the first that is none.
#[inline(always)]
fn leading_digits(chunk: [u8; 8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    let value = u64::from_le_bytes(chunk) ^ (ONES * 0x30);
    // A carry only reaches bytes above one that is no digit itself.
    let other = (value.wrapping_add(ONES * 0x76) | value) & (ONES * 0x80);
    other.trailing_zeros() as usize / 8
}

impl<'b> Scanner<'b> {
    /// How many digits follow, and what is behind them.
    #[inline(always)]
    fn digits(self) -> (usize, Scanner<'b>) {
        if let Some(chunk) = self.rest.first_chunk::<8>() {
            let count = leading_digits(*chunk);
            if count < 8 {
                return (count, self.skip(count));
            }
        }
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count, self.skip(count))
    }

    /// A number, which begins here with `-` or a digit.
    #[inline(always)]
    pub(super) fn number(self) -> Scanned<(Form, Scanner<'b>)> {
        let negative = self.first() == Some(b'-');
        let start = if negative { self.skip(1) } else { self };
        let (count, end) = start.digits();
        if count == 0 || (count > 1 && start.first() == Some(b'0')) {
            return start.malformed();
        }
        if matches!(end.first(), Some(b'.' | b'e' | b'E')) {
            return self.fraction(count, end);
        }
        let form = match count {
            0..10 => Form::Int,
            10 if is_int(start.until(end), negative) => Form::Int,
            _ if count > 300 => finite(self.until(end), Form::Integer),
            _ => Form::Integer,
        };
        Ok((form, end))
    }

    /// What follows the `whole` digits before a `.` or an exponent, where `number` begins.
    fn fraction(self, whole: usize, mut end: Scanner<'b>) -> Scanned<(Form, Scanner<'b>)> {
        let mut huge = whole > 300;
        if let [b'.', rest @ ..] = end.rest {
            let (count, behind) = Scanner { rest }.digits();
            if count == 0 {
                return behind.malformed();
            }
            end = behind;
        }
        if let [b'e' | b'E', rest @ ..] = end.rest {
            let digits = match rest {
                [b'+' | b'-', rest @ ..] => Scanner { rest },
                _ => Scanner { rest },
            };
            let (count, behind) = digits.digits();
            if count == 0 {
                return behind.malformed();
            }
            (end, huge) = (behind, true);
        }
        let form = if huge {
            finite(self.until(end), Form::Float)
        } else {
            Form::Float
        };
        Ok((form, end))
    }
}

/// Whether ten digits are an integer of 32 bits.
fn is_int(digits: &[u8], negative: bool) -> bool {
    let value = digits
        .iter()
        .fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
    value <= i64::from(i32::MAX) + i64::from(negative)
}

/// `form`, if a number is in the range of doubles.
fn finite(text: &[u8], form: Form) -> Form {
    let text = std::str::from_utf8(text).unwrap_or_default();
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        form
    } else {
        Form::Unfit
    }
}
