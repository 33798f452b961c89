//! The lexical grammar of GraphQL, as far as it takes to put a text together again. What is no token is one by itself.
//!
//! <https://spec.graphql.org/September2025/#sec-Language.Source-Text.Lexical-Tokens>

/// A token, and the white space (with commas) before it. Comments are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As it was written.
    pub text: &'a str,
    /// What stands before it.
    pub space: String,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name.
    Name,
    /// A string, or a block string.
    Text,
    /// A number, a bracket, or any other sign.
    Other,
}

impl Token<'_> {
    /// Whether it is this sign.
    pub fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Other && self.text == sign
    }
}

/// All tokens of a text.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest, mut space) = (Vec::new(), text, String::new());
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
            rest = &rest[end..];
            continue;
        }
        if first.is_whitespace() || first == ',' || first == '\u{feff}' {
            // More than one empty line says nothing.
            if !(first == '\n' && space.matches('\n').count() > 1) {
                space.push(first);
            }
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (kind, length) = lexeme(rest, first);
        let (text, after) = rest.split_at(length);
        let space = std::mem::take(&mut space);
        tokens.push(Token { kind, text, space });
        rest = after;
    }
    tokens
}

fn lexeme(rest: &str, first: char) -> (Kind, usize) {
    let run = |is_part: fn(char) -> bool| rest.find(|one| !is_part(one)).unwrap_or(rest.len());
    match first {
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Name, run(|one| one.is_ascii_alphanumeric() || one == '_')),
        '0'..='9' | '-' => {
            let part = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '+' | '-');
            (Kind::Other, run(part))
        }
        '"' => (Kind::Text, text_length(rest)),
        '.' if rest.starts_with("...") => (Kind::Other, 3),
        other => (Kind::Other, other.len_utf8()),
    }
}

/// Of a string with its quotes; one that is not closed goes on to the end of its line, or of the text.
fn text_length(rest: &str) -> usize {
    if let Some(inner) = rest.strip_prefix("\"\"\"") {
        let mut from = 0;
        while let Some(found) = inner[from..].find("\"\"\"") {
            let end = from + found;
            if !inner[..end].ends_with('\\') {
                return end + 6;
            }
            from = end + 3;
        }
        return rest.len();
    }
    let mut escaped = false;
    for (at, one) in rest.char_indices().skip(1) {
        match one {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            '\n' | '\r' => return at,
            _ => {}
        }
    }
    rest.len()
}

/// What a string says, about: escapes but those of quotes and backslashes stay as they are.
pub fn content(token: &str) -> String {
    if let Some(block) = token.strip_prefix("\"\"\"") {
        let inner = block.strip_suffix("\"\"\"").unwrap_or(block);
        return inner.replace("\\\"\"\"", "\"\"\"").trim().to_owned();
    }
    let inner = token.strip_prefix('"').unwrap_or(token);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    inner.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// A string that says this.
pub fn quoted(content: &str) -> String {
    let escaped = content.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\r', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn a_text_is_taken_apart_and_comments_are_gone() {
        assert_eq!(
            texts("type A { b(c: Int = -1.5e3): [D!]! # why\n ...on E @f(g: \"h \\\" i\") }"),
            [
                "type",
                "A",
                "{",
                "b",
                "(",
                "c",
                ":",
                "Int",
                "=",
                "-1.5e3",
                ")",
                ":",
                "[",
                "D",
                "!",
                "]",
                "!",
                "...",
                "on",
                "E",
                "@",
                "f",
                "(",
                "g",
                ":",
                "\"h \\\" i\"",
                ")",
                "}"
            ]
        );
        assert_eq!(
            texts("\"\"\" a \\\"\"\" b \"\"\" c"),
            ["\"\"\" a \\\"\"\" b \"\"\"", "c"]
        );
        assert_eq!(texts("\"open\nb"), ["\"open", "b"]);
        assert_eq!(texts("\"\"\"open"), ["\"\"\"open"]);
    }

    #[test]
    fn what_a_string_says_is_said_again() {
        for text in ["plain", "with \"quotes\"", "back\\slash"] {
            assert_eq!(content(&quoted(text)), text);
        }
        assert_eq!(content("\"\"\"\n  block\n\"\"\""), "block");
    }
}
