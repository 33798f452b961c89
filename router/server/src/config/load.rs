//! From files to a [`Config`], or to everything that is wrong with them.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::layers::{Layer, Layers, assemble};
use super::{Config, diagnose};

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
    /// Everything that is wrong in the files.
    #[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
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
         or set `supergraph.file`, `supergraph.url` or `subgraphs` in the file given with --config"
    )]
    NoGraph,
}

/// Something wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file; `None` for a text that is in none.
    pub file: Option<PathBuf>,
    /// Line, from 1; 0 where there is no place to point to.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(out, "{}:", file.display())?;
        }
        match (self.line, &self.file) {
            (0, None) => {}
            (0, Some(_)) => out.write_str(" ")?,
            (line, _) => write!(out, "{line}:{}: ", self.column)?,
        }
        out.write_str(&self.why)
    }
}

impl Problem {
    /// At a place of a text.
    pub fn at(line: usize, column: usize, why: impl Into<String>) -> Problem {
        Problem {
            file: None,
            line,
            column,
            why: why.into(),
        }
    }
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

/// Reads a configuration file, which is followed while it is served. Relative paths in it are relative to its folder.
/// Whether it can work is for [`Config::check`] to say.
pub fn read(file: &Path) -> Result<Config, ConfigError> {
    let layers = Layers::of(vec![file.to_owned()]);
    let mut config = layers.assemble(&layers.texts()?, diagnose::How::Read)?;
    config.followed = Some(layers);
    Ok(config)
}

/// Reads the text of a configuration file; `lookup` reads the environment.
pub fn parse(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let layer = Layer::new(None, text, lookup).map_err(ConfigError::Problems)?;
    assemble(&[layer], &Value::Null, diagnose::How::Read)
}
