//! Tokens and nesting of a query text, counted by its lexical grammar (GraphQL specification, section 2.1).

use crate::config::LimitsConfig;
use crate::errors::{Code, Refusal};

/// What is ignored between tokens (each comma, each comment, each run of white space) counts for the reader, too: there may
/// be so many of them for each token that there may be.
const IGNORED_PER_TOKEN: usize = 4;

/// Refuses a text with too many tokens, or with brackets nested too high for a recursive reader.
pub fn check_text(text: &str, limits: &LimitsConfig) -> Result<(), Refusal> {
    let (mut tokens, mut ignored, mut height) = (0usize, 0usize, 0usize);
    let mut rest = text.as_bytes();
    while let [first, ..] = rest {
        let (length, is_token) = lexeme(rest);
        match first {
            b'{' | b'[' | b'(' => height += 1,
            b'}' | b']' | b')' => height = height.saturating_sub(1),
            _ => {}
        }
        tokens += usize::from(is_token);
        ignored += usize::from(!is_token);
        if height > limits.height {
            return Err(too_high(limits.height));
        }
        if tokens > limits.tokens || ignored / IGNORED_PER_TOKEN > limits.tokens {
            return Err(Refusal::new(
                Code::TooManyTokens,
                format!("the query has more than {} tokens (limits.tokens)", limits.tokens),
            ));
        }
        rest = &rest[length..];
    }
    Ok(())
}

/// The refusal of something nested too high.
pub fn too_high(limit: usize) -> Refusal {
    Refusal::new(
        Code::TooHigh,
        format!("the query is nested higher than {limit} levels (limits.height)"),
    )
}

/// Length of the next lexeme, and whether it is a token (or ignored: white space, commas, comments).
fn lexeme(text: &[u8]) -> (usize, bool) {
    let run = |in_run: fn(u8) -> bool| text.iter().position(|byte| !in_run(*byte)).unwrap_or(text.len());
    match text[0] {
        b',' => (1, false),
        b' ' | b'\t' | b'\n' | b'\r' => (run(|byte| b" \t\n\r".contains(&byte)), false),
        b'#' => (run(|byte| !b"\n\r".contains(&byte)), false),
        b'"' if text.starts_with(b"\"\"\"") => (block_string(text), true),
        b'"' => (string(text), true),
        b'.' => (run(|byte| byte == b'.').min(3), true),
        b'-' | b'0'..=b'9' => (run(|byte| is_word(byte) || b"+-.".contains(&byte)), true),
        byte if is_word(byte) => (run(is_word), true),
        _ => (1, true),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    text.len()
}

fn block_string(text: &[u8]) -> usize {
    let mut at = 3;
    while at < text.len() {
        if text[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if text[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, tokens: usize, height: usize) -> Result<(), Code> {
        let limits = LimitsConfig {
            tokens,
            height,
            ..LimitsConfig::default()
        };
        check_text(text, &limits).map_err(|refusal| refusal.code)
    }

    #[test]
    fn tokens_are_those_of_the_specification() {
        for (text, tokens) in [
            ("{ a }", 3),
            ("{a,b,,,c}", 5),
            ("# a b c d\n{a}", 3),
            ("{a(x:\"} ] ) \\\" b\")}", 8),
            ("{a(x:\"\"\"} \\\"\"\" \" \"\"\")}", 8),
            ("{...F}fragment F on T{a}", 11),
            ("{a(x:-1.5e3)}", 8),
            ("query($v:[Int!]=[1]){a(v:$v)}", 23),
        ] {
            assert_eq!(check(text, tokens, 9), Ok(()), "{text}");
            assert_eq!(check(text, tokens - 1, 9), Err(Code::TooManyTokens), "{text}");
        }
    }

    #[test]
    fn what_is_ignored_is_not_endless_either() {
        assert_eq!(check(&format!("{{a{}}}", ",".repeat(12)), 3, 9), Ok(()));
        for many in [",", "#\n", "\n,"] {
            let text = format!("{{a{}}}", many.repeat(20));
            assert_eq!(check(&text, 3, 9), Err(Code::TooManyTokens), "{text}");
        }
        assert_eq!(check(&format!("{{a{}}}", " ".repeat(1_000)), 3, 9), Ok(()));
    }

    #[test]
    fn height_counts_every_bracket_outside_of_strings() {
        assert_eq!(check("{a(x:[[1]]){b}}", 99, 4), Ok(()));
        assert_eq!(check("{a(x:[[1]]){b}}", 99, 3), Err(Code::TooHigh));
        assert_eq!(check("{a(x:\"{{{{{{\")}", 99, 2), Ok(()));
        assert_eq!(check(&"{a".repeat(100_000), 1_000_000, 200), Err(Code::TooHigh));
    }

    #[test]
    fn an_unfinished_string_ends_the_count_without_a_panic() {
        for text in ["{a(x:\"", "{a(x:\"\\", "\"\"\"", "\"\"\"\\\"\"\"", "\"", "...."] {
            assert_eq!(check(text, 99, 9), Ok(()), "{text}");
        }
    }
}
