//! `${env.NAME}` and `${env.NAME:-default}` in the text of a configuration file.
//!
//! Expansion happens in the text, so that places in later messages stay true; a value with a line break, which would
//! shift them (and could add keys), is refused. Comment lines are left alone.

use super::load::Problem;

/// Expands every reference; `lookup` reads the environment.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Vec<Problem>> {
    let (mut out, mut problems) = (String::with_capacity(text.len()), Vec::new());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_start().starts_with('#') {
            out.push_str(line);
        } else if let Err(problem) = expand_line(line, index + 1, lookup, &mut out) {
            problems.push(problem);
        }
    }
    match problems.is_empty() {
        true => Ok(out),
        false => Err(problems),
    }
}

fn expand_line(
    line: &str,
    number: usize,
    lookup: &dyn Fn(&str) -> Option<String>,
    out: &mut String,
) -> Result<(), Problem> {
    let mut rest = line;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let column = line.len() - rest.len() + start + 1;
        let wrong = |why: String| Problem::at(number, column, why);
        let end = rest[start..]
            .find('}')
            .ok_or_else(|| wrong("`${` without `}`".to_owned()))?
            + start;
        out.push_str(&value_of(&rest[start + 2..end], lookup).map_err(wrong)?);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(())
}

fn value_of(reference: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let Some(name) = name.strip_prefix("env.").filter(|name| !name.is_empty()) else {
        return Err(format!(
            "`${{{reference}}}` is not a reference; write ${{env.NAME}} or ${{env.NAME:-default}}"
        ));
    };
    match (lookup(name).filter(|value| !value.is_empty()), default) {
        (Some(value), _) if value.contains(['\n', '\r']) => {
            Err(format!("the environment variable {name} holds a line break"))
        }
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!(
            "the environment variable {name} is not set; set it, or give a default: ${{env.{name}:-default}}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "PORT" => Some("4100".to_owned()),
            "EMPTY" => Some(String::new()),
            "BAD" => Some("a\nadmin: true".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn references_are_replaced_where_they_stand() {
        let text = "# ${env.NOT_READ}\nlisten: 127.0.0.1:${env.PORT}\npath: ${env.EMPTY:-/g}/${env.X:-b}\n";
        let expanded = expand(text, &environment).expect("expands");
        assert_eq!(
            expanded,
            "# ${env.NOT_READ}\nlisten: 127.0.0.1:4100\npath: /g/b\n"
        );
    }

    #[test]
    fn what_cannot_be_replaced_is_named_with_its_place() {
        for (text, wanted) in [
            (
                "a: 1\nlisten: ${env.NONE}",
                "2:9: the environment variable NONE is not set",
            ),
            ("a: ${PORT}", "1:4: `${PORT}` is not a reference"),
            ("a: ${env.PORT", "1:4: `${` without `}`"),
            (
                "a: ${env.BAD}",
                "1:4: the environment variable BAD holds a line break",
            ),
        ] {
            let message = expand(text, &environment).expect_err(text)[0].to_string();
            assert!(message.contains(wanted), "{message}");
        }
        let all = expand("${env.A}\n# ${env.B}\n\n${env.C}\n", &environment).expect_err("two are not set");
        let lines: Vec<usize> = all.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 4]);
    }
}
