//! Turns what a reader says of a value into a sentence: the unknown key and the nearest known one, and words for people.

/// What is wrong at `section` (with dots; empty at the top).
pub fn sentence(told: &str, section: &str) -> String {
    if let Some((key, known)) = named(told, "unknown field `") {
        return format!("unknown key `{key}` {}; {}", place(section), cure(key, &known));
    }
    let told = if let Some((value, known)) = named(told, "unknown variant `") {
        format!("unknown value `{value}`; {}", cure(value, &known))
    } else if let Some(key) = told.strip_prefix("missing field ") {
        format!("the key {key} is missing")
    } else {
        plain(told)
    };
    match section {
        "" => told,
        section => format!("`{section}`: {told}"),
    }
}

fn place(section: &str) -> String {
    match section {
        "" => "at the top level".to_owned(),
        section => format!("in `{section}`"),
    }
}

/// ``unknown field `x`, expected one of `p`, `q` ``: the name, and those that were expected.
fn named<'a>(told: &'a str, before: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (name, expected) = told.strip_prefix(before)?.split_once('`')?;
    Some((name, expected.split('`').skip(1).step_by(2).collect()))
}

/// The key that is unknown by this message.
pub fn unknown_key(told: &str) -> Option<&str> {
    named(told, "unknown field `").map(|(key, _)| key)
}

fn cure(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// `invalid type: string "x", expected usize` in words for people.
fn plain(told: &str) -> String {
    let Some((found, expected)) = told.rsplit_once(", expected ") else {
        return told.to_owned();
    };
    let expected = match expected {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number",
        "a nonzero u32" | "a nonzero usize" | "a nonzero u64" => "a whole number, 1 or more",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list: [a, b]",
        "a map" => "keys and values",
        "a string" => "a text (in quotes, if it looks like something else)",
        section if section.starts_with("struct ") => "a section with keys",
        other => other,
    };
    let found = found.replacen("invalid type: ", "found ", 1);
    let found = found.replacen("invalid value: ", "found ", 1);
    format!("{found}, expected {expected}")
}

/// The known name that differs least, if it differs little, or goes on where this one ends.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let begun = |known: &&&str| name.len() > 2 && known.starts_with(name);
    if let Some(longer) = known.iter().find(begun) {
        return Some(longer);
    }
    let limit = (name.chars().count() / 3).max(2);
    let measured = known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate));
    measured
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_only_when_it_is_near() {
        assert_eq!(nearest("lisen", &["listen", "limits", "path"]), Some("listen"));
        assert_eq!(
            nearest("polInterval", &["poll_interval", "file"]),
            Some("poll_interval")
        );
        assert_eq!(nearest("zzz", &["listen", "path"]), None);
        assert_eq!(nearest("jwks", &["issuer", "jwks_url"]), Some("jwks_url"));
    }

    #[test]
    fn messages_of_the_reader_are_sentences() {
        for (told, section, wanted) in [
            (
                "unknown field `dept`, expected one of `depth`, `tokens`",
                "limits",
                "unknown key `dept` in `limits`; did you mean `depth`?",
            ),
            (
                "unknown field `zzz`, expected `url`",
                "",
                "unknown key `zzz` at the top level; known here: url",
            ),
            (
                "unknown variant `ssе`, expected one of `sse`, `multipart`",
                "subgraphs.a.subscription_protocol",
                "`subgraphs.a.subscription_protocol`: unknown value `ssе`; did you mean `sse`?",
            ),
            (
                "missing field `audience`",
                "auth.issuers[0]",
                "`auth.issuers[0]`: the key `audience` is missing",
            ),
            (
                "invalid type: string \"x\", expected usize",
                "limits.depth",
                "`limits.depth`: found string \"x\", expected a whole number",
            ),
        ] {
            assert_eq!(sentence(told, section), wanted);
        }
    }
}
