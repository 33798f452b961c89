//! What the documents tell people to type is tried.
//!
//! A block ```` ```console ```` is run: each line `$ …` by a shell, in a folder of the document's own (the files of
//! `tests/docs/DOCUMENT/`), in order, and what it prints must be what is shown. A block that cannot be, says why:
//! ```` ```console no-run: why ````; the command lines in it must still be ones that the binary understands.

use std::path::{Path, PathBuf};
use std::process::Command;

use baedal_router::cli::Cli;
use clap::Parser;

/// Why a block is not run. Anything else is no reason.
const REASONS: [&str; 2] = ["it serves until it is stopped", "it asks a gateway that serves"];

/// A block of a document.
#[derive(Debug)]
struct Block {
    /// The document and the line.
    place: String,
    /// What stands after the fence.
    info: String,
    lines: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The gateway's documents, and the READMEs.
fn documents() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("docs/gateway")).expect("the documents");
    let mut all: Vec<PathBuf> = folder.map(|entry| entry.expect("readable").path()).collect();
    all.retain(|file| file.extension().is_some_and(|end| end == "md"));
    all.sort();
    all.extend(["README.md", "README.ko.md"].map(|name| root().join(name)));
    all
}

fn blocks(document: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(document).expect("readable");
    let name = document.file_name().expect("a name").to_string_lossy();
    let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                open = Some(Block {
                    place: format!("{name}:{}", number + 1),
                    info: info.trim().to_owned(),
                    lines: Vec::new(),
                });
            }
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    blocks
}

impl Block {
    /// Commands, each with what is shown to be printed.
    fn commands(&self) -> Vec<(String, String)> {
        let mut commands: Vec<(String, String)> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), String::new())),
                (None, Some((command, _))) if command.ends_with('\\') => {
                    command.pop();
                    command.push_str(line.trim());
                }
                (None, Some((_, printed))) => printed.push_str(&format!("{line}\n")),
                (None, None) => panic!("{}: it does not begin with `$ `", self.place),
            }
        }
        commands
    }

    fn reason(&self) -> Option<&str> {
        self.info.strip_prefix("console no-run: ")
    }
}

/// The words of a command line after `baedal-router`, as far as it is that program's.
fn arguments(command: &str) -> Option<Vec<String>> {
    let (_, rest) = command.split_once("baedal-router ")?;
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for one in rest.chars() {
        match (one, quote) {
            (one, Some(open)) if one == open => quote = None,
            (one, Some(_)) => word.push(one),
            ('\'' | '"', None) => quote = Some(one),
            ('|' | '>' | '&' | ';' | '#', None) => break,
            (' ', None) => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            (one, None) => word.push(one),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    Some(words)
}

fn run(folder: &Path, command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_baedal-router"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        binary.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", &format!("( {command} ) 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        .env("RUST_LOG", "error")
        .output()
        .expect("there is a shell");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The document's files, in a folder that may be written to.
fn folder_of(document: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let files = document.file_stem().expect("a name");
    let files = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/docs")
        .join(files);
    if files.is_dir() {
        copy(&files, folder.path());
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let place = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => {
                std::fs::create_dir(&place).expect("created");
                copy(&entry.path(), &place);
            }
            false => drop(std::fs::copy(entry.path(), place).expect("copied")),
        }
    }
}

#[test]
fn commands_do_what_is_shown() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for document in documents() {
        let folder = folder_of(&document);
        for block in blocks(&document).iter().filter(|block| block.info == "console") {
            for (command, shown) in block.commands() {
                let printed = run(folder.path(), &command);
                if printed != shown {
                    wrong.push(format!(
                        "{}: $ {command}\n{printed}--- is shown as\n{shown}",
                        block.place
                    ));
                }
                tried += 1;
            }
        }
    }
    assert!(tried >= 7, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn commands_that_are_not_run_say_why_and_are_understood() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for document in documents() {
        for block in blocks(&document) {
            if block.info.starts_with("console") && block.info != "console" {
                let reason = block.reason();
                if !reason.is_some_and(|reason| REASONS.contains(&reason)) {
                    wrong.push(format!("{}: `{}` is no reason", block.place, block.info));
                }
            }
            // One line is one command, with `\` at its end or without.
            let text = block.lines.join("\n").replace("\\\n", " ");
            let is_shell = block.info.starts_with("console") || block.info == "sh";
            for line in text.lines().filter(|_| is_shell) {
                let Some(words) = arguments(line.trim_start_matches("$ ")) else {
                    continue;
                };
                if line.contains("cargo ") || line.starts_with("baedal-router:") {
                    continue;
                }
                let all = ["baedal-router".to_owned()].into_iter().chain(words);
                if let Err(error) = Cli::try_parse_from(all) {
                    wrong.push(format!("{}: {line}\n{error}", block.place));
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 9, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A block without a name, or one of a shell, would not be tried.
#[test]
fn the_gateways_documents_show_commands_as_consoles() {
    let gateways = documents().into_iter().filter(|file| {
        !file.ends_with("README.md") || file.parent().is_some_and(|folder| folder.ends_with("gateway"))
    });
    for document in gateways.filter(|file| !file.ends_with("README.ko.md")) {
        for block in blocks(&document) {
            let is_named = !["", "sh", "bash", "shell"].contains(&block.info.as_str());
            assert!(is_named, "{}: write ```console, or what it is", block.place);
        }
    }
}

#[test]
fn development_commands_of_the_readmes_are_there() {
    let source = std::fs::read_to_string(root().join("xtask/src/main.rs")).expect("readable");
    let mut seen = 0;
    for name in ["README.md", "README.ko.md"] {
        for block in blocks(&root().join(name)) {
            for line in block.lines {
                let Some((_, rest)) = line.split_once("cargo xtask ") else {
                    continue;
                };
                let word = rest.split_whitespace().next().unwrap_or_default();
                let mut variant = word.to_owned();
                variant[..1].make_ascii_uppercase();
                let known = [
                    format!("    {variant},"),
                    format!("    {variant}("),
                    format!("    {variant} {{"),
                ];
                assert!(known.iter().any(|known| source.contains(known)), "{name}: {line}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}
