//! Links of the documents lead somewhere, and the two READMEs say the same.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// Every document that is kept: below docs, examples and deploy, and beside the READMEs.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let skipped = name.starts_with('.') || ["target", "node_modules", "data"].contains(&&*name);
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a document is UTF-8")
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Where the links of a line lead.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let after = line.split("](").skip(1);
    after.filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
}

/// A heading as an anchor: lower case, words joined by hyphens, marks left out.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// The anchors of a document; a heading that comes again is numbered.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for heading in prose(text).filter(|line| line.starts_with('#')) {
        let plain = anchor(heading);
        let free = (1..).map(|number| format!("{plain}-{number}"));
        let name = std::iter::once(plain.clone())
            .chain(free)
            .find(|name| !all.contains(name));
        all.extend(name);
    }
    all
}

/// What is wrong with a link of `from`.
fn broken(from: &Path, link: &str) -> Option<String> {
    let elsewhere = link.contains("://") || link.starts_with("mailto:");
    if elsewhere {
        return None;
    }
    let (path, wanted) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => from.to_path_buf(),
        path => from.parent().expect("a document is in a folder").join(path),
    };
    if !target.exists() {
        return Some(format!("{}: {link}: there is no such file", from.display()));
    }
    let leads = wanted.is_empty()
        || target.extension().is_none_or(|end| end != "md")
        || anchors(&read(&target)).contains(wanted);
    (!leads).then(|| format!("{}: {link}: there is no such heading", from.display()))
}

#[test]
fn links_of_documents_lead_somewhere() {
    let documents = documents();
    assert!(documents.len() > 20, "only {} documents", documents.len());
    let mut wrong = Vec::new();
    for document in &documents {
        let text = read(document);
        wrong.extend(
            prose(&text)
                .flat_map(links)
                .filter_map(|link| broken(document, link)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The fenced blocks of a document, in their order.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```").skip(1).step_by(2).collect()
}

#[test]
fn both_readmes_have_the_same_commands() {
    let (english, korean) = (
        read(&root().join("README.md")),
        read(&root().join("README.ko.md")),
    );
    assert_eq!(blocks(&english), blocks(&korean));
    let targets = |text: &str| {
        text.lines()
            .flat_map(links)
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let (mut ours, mut theirs) = (targets(&english), targets(&korean));
    ours.remove("README.ko.md");
    theirs.remove("README.md");
    assert_eq!(ours, theirs, "the READMEs link to different pages");
}
