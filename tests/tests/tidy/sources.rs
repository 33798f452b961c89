//! Sizes and words of source files.
use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// Rust files below `folder`, without build output.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let hidden =
                name.to_string_lossy().starts_with('.') || name == "target" || name == "node_modules";
            if path.is_dir() && !hidden {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn is_test(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "benches")
        || path.file_name().is_some_and(|name| name == "tests.rs")
}

fn product() -> Vec<(PathBuf, String)> {
    let files = rust_files(&root()).into_iter().filter(|path| {
        let inside = path.strip_prefix(root()).expect("below the root");
        !is_test(inside)
    });
    files
        .map(|path| {
            (
                path.clone(),
                fs::read_to_string(&path).expect("a source file is UTF-8"),
            )
        })
        .collect()
}

/// The lines of a file before its unit tests.
fn code(text: &str) -> Vec<&str> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .collect()
}

#[test]
fn files_stay_under_four_hundred_lines() {
    let long: Vec<String> = product()
        .iter()
        .map(|(path, text)| (path, code(text).len()))
        .filter(|(_, lines)| *lines > FILE_LINES)
        .map(|(path, lines)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn functions_stay_under_seventy_lines() {
    let mut long = Vec::new();
    for (path, text) in product() {
        for (line, lines) in functions(&code(&text)) {
            if lines > FUNCTION_LINES {
                long.push(format!("{}:{line} has {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// First line and length of each function: from `fn` to the closing brace of the same indentation.
fn functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (index, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let starts =
            line.trim_start().split(' ').take(4).any(|word| word == "fn") && !line.trim_end().ends_with(';');
        if starts {
            open = Some((index, indent));
        } else if line.trim_end() == format!("{}}}", " ".repeat(indent))
            && let Some((start, at)) = open
            && at == indent
        {
            found.push((start + 1, index - start + 1));
            open = None;
        }
    }
    found
}

#[test]
fn nothing_is_left_half_done() {
    let words = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("allow(dead", "_code)"),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("#[ig", "nore"),
    ];
    let mut found = Vec::new();
    for path in rust_files(&root()) {
        let text = fs::read_to_string(&path).expect("a source file is UTF-8");
        let hits = words.iter().filter(|word| text.contains(**word));
        found.extend(hits.map(|word| format!("`{word}` stands in {}", path.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn long_functions_are_seen() {
    let body = "    x;\n".repeat(80);
    let text = format!("impl A {{\n    fn short() {{\n    }}\n}}\nasync fn long() {{\n{body}}}\n");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(functions(&lines), vec![(2, 2), (5, 82)]);
}
