//! Nesting and number of values of a JSON text, counted without building anything.

use crate::config::LimitsConfig;
use crate::errors::{Code, Refusal};

/// Refuses JSON that is nested too deep or holds too many values. Whether it *is* JSON is the reader's question.
pub fn check_json(text: &[u8], limits: &LimitsConfig) -> Result<(), Refusal> {
    let values = values(text, limits.json_depth).ok_or_else(|| {
        let limit = limits.json_depth;
        let message =
            format!("the request is nested deeper than {limit} lists and objects (limits.json_depth)");
        Refusal::new(Code::JsonTooDeep, message)
    })?;
    if values > limits.json_values {
        let limit = limits.json_values;
        let message = format!("the request holds more than {limit} values (limits.json_values)");
        return Err(Refusal::new(Code::JsonTooManyValues, message));
    }
    Ok(())
}

/// The same of the text of `variables`, which has limits of its own.
pub fn check_variables(text: &str, limits: &LimitsConfig) -> Result<(), Refusal> {
    if text.len() > limits.variables_bytes {
        let limit = limits.variables_bytes;
        let message = format!("the variables are larger than {limit} bytes (limits.variables_bytes)");
        return Err(Refusal::new(Code::VariablesTooLarge, message));
    }
    // A short text cannot be too much of anything.
    if text.len() <= limits.variables_depth.min(limits.variables_values) {
        return Ok(());
    }
    let values = values(text.as_bytes(), limits.variables_depth).ok_or_else(|| {
        let limit = limits.variables_depth;
        let message = format!("the variables are nested deeper than {limit} (limits.variables_depth)");
        Refusal::new(Code::VariablesTooDeep, message)
    })?;
    if values > limits.variables_values {
        let limit = limits.variables_values;
        let message = format!("the variables hold more than {limit} values (limits.variables_values)");
        return Err(Refusal::new(Code::VariablesTooManyValues, message));
    }
    Ok(())
}

/// How many values a JSON text holds; `None` if it is nested deeper than `most`.
fn values(text: &[u8], most: usize) -> Option<usize> {
    let (mut depth, mut values) = (0usize, 1usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                if depth > most {
                    return None;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
    }
    Some(values)
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

    #[test]
    fn variables_have_limits_of_their_own() {
        let limits = LimitsConfig {
            variables_bytes: 30,
            variables_depth: 2,
            variables_values: 6,
            ..LimitsConfig::default()
        };
        let check = |text: &str| check_variables(text, &limits).map_err(|refusal| refusal.code);
        assert_eq!(check("{}"), Ok(()));
        assert_eq!(check(r#"{"a":[1,2,3]}"#), Ok(()));
        assert_eq!(check(r#"{"a":[1,2,3,4,5]}"#), Err(Code::VariablesTooManyValues));
        assert_eq!(check(r#"{"a":[[1]]}"#), Err(Code::VariablesTooDeep));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(30));
        assert_eq!(check(&long), Err(Code::VariablesTooLarge));
    }
}
