//! Turns a reader's error into a sentence with a place, the unknown key, and the nearest known one.

use super::ConfigError;

/// The error of the YAML reader, explained.
pub fn explain(error: &serde_norway::Error) -> ConfigError {
    let text = error.to_string();
    let (line, column) = error
        .location()
        .map_or((1, 1), |place| (place.line(), place.column()));
    let told = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let why = unknown_key(&told).unwrap_or(told);
    ConfigError::Yaml { line, column, why }
}

/// ``a.b: unknown field `x`, expected one of `p`, `q` `` as a sentence.
fn unknown_key(told: &str) -> Option<String> {
    let (before, after) = told.split_once("unknown field `")?;
    let (key, expected) = after.split_once('`')?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let section = before.trim_end_matches([' ', ':']);
    let place = if section.is_empty() {
        "at the top level".to_owned()
    } else {
        format!("in `{section}`")
    };
    let cure = match nearest(key, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Some(format!("unknown key `{key}` {place}; {cure}"))
}

/// The known name that differs least, if it differs little.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
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
    }
}
