//! From a file to a [`Config`].

use std::path::{Path, PathBuf};

use super::{Config, expand::expand, explain::explain};

/// Why a configuration cannot be used: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", file.display())]
    Unreadable {
        /// Its path.
        file: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An error inside the named file.
    #[error("{}:{error}", file.display())]
    InFile {
        /// Its path.
        file: PathBuf,
        /// What is wrong in it.
        error: Box<ConfigError>,
    },
    /// Not YAML, an unknown key, or a value of the wrong kind.
    #[error("{line}:{column}: {why}")]
    Yaml {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The explanation.
        why: String,
    },
    /// A `${…}` that cannot be expanded.
    #[error("{line}:{column}: {why}")]
    Reference {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The explanation.
        why: String,
    },
    /// A value that cannot work.
    #[error("configuration key `{key}` {why}")]
    Value {
        /// The key, with dots.
        key: String,
        /// What is wrong and what would be right.
        why: String,
    },
    /// Neither a supergraph nor a subgraph is named.
    #[error(
        "no graph to serve: give --supergraph FILE, or --subgraph NAME=URL for each subgraph, \
         or set `supergraph.file` or `subgraphs` in the file given with --config"
    )]
    NoGraph,
}

impl ConfigError {
    /// A value that cannot work.
    pub fn value(key: &str, why: &str) -> ConfigError {
        ConfigError::Value {
            key: key.to_owned(),
            why: why.to_owned(),
        }
    }
}

/// Reads a configuration file. Relative paths in it are relative to its folder.
pub fn read(file: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
        file: file.to_owned(),
        source,
    })?;
    let in_file = |error| ConfigError::InFile {
        file: file.to_owned(),
        error: Box::new(error),
    };
    let mut config = parse(&text, &|name| std::env::var(name).ok()).map_err(in_file)?;
    config.root_at(file.parent().unwrap_or(Path::new("")));
    config.followed = Some(file.to_owned());
    Ok(config)
}

/// Reads the text of a configuration file; `lookup` reads the environment.
pub fn parse(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let expanded = expand(text, lookup)?;
    if expanded
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(Config::default());
    }
    serde_norway::from_str(&expanded).map_err(|error| explain(&error))
}

impl Config {
    fn root_at(&mut self, folder: &Path) {
        let root = |path: &mut Option<PathBuf>| {
            if let Some(path) = path {
                *path = folder.join(&*path);
            }
        };
        root(&mut self.supergraph.file);
        root(&mut self.supergraph.state_dir);
        self.subgraphs
            .values_mut()
            .for_each(|subgraph| root(&mut subgraph.sdl));
    }
}
