//! Nesting and number of values of a JSON text, counted without building anything.

use crate::config::LimitsConfig;
use crate::errors::{Code, Refusal};

/// Refuses JSON that is nested too deep or holds too many values. Whether it *is* JSON is the reader's question.
pub fn check_json(text: &[u8], limits: &LimitsConfig) -> Result<(), Refusal> {
    let (mut depth, mut values) = (0usize, 1usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                if depth > limits.json_depth {
                    return Err(too_deep(limits.json_depth));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
    }
    if values > limits.json_values {
        let message = format!(
            "the request holds more than {} values (limits.json_values)",
            limits.json_values
        );
        return Err(Refusal::new(Code::JsonTooManyValues, message));
    }
    Ok(())
}

/// Leaves the iterator behind the quote that ends the string.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(at) = memchr::memchr2(b'"', b'\\', bytes.as_slice()) {
        match bytes.nth(at) {
            Some(b'\\') => drop(bytes.next()),
            _ => return,
        }
    }
    *bytes = [].iter();
}

fn too_deep(limit: usize) -> Refusal {
    Refusal::new(
        Code::JsonTooDeep,
        format!("the request is nested deeper than {limit} lists and objects (limits.json_depth)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), Code> {
        let limits = LimitsConfig {
            json_depth: 3,
            json_values: 8,
            ..LimitsConfig::default()
        };
        check_json(text.as_bytes(), &limits).map_err(|refusal| refusal.code)
    }

    #[test]
    fn nesting_and_values_are_counted_outside_of_strings() {
        assert_eq!(check(r#"{"a":[[1,2,3]]}"#), Ok(()));
        assert_eq!(check(r#"{"a":"[[[[[[,,,,,,,,\"[[[["}"#), Ok(()));
        assert_eq!(check(r#"{"a":[[[1]]]}"#), Err(Code::JsonTooDeep));
        assert_eq!(check("[1,2,3,4,5,6,7,8,9]"), Err(Code::JsonTooManyValues));
    }
}
