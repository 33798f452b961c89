//! Several files as one configuration: each says what is different in it.
//!
//! Maps are merged key by key; everything else (a text, a number, a list) is replaced by what comes later, and a key
//! without a value goes back to its default. The command line comes last.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::diagnose::{self, Fault, How};
use super::load::{ConfigError, Problem};
use super::{Config, expand, schema, yaml};

/// The files of a configuration, the last of which has the last word but for the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Layers {
    files: Vec<PathBuf>,
    /// What the command line says, as a file would.
    flags: Value,
}

impl Layers {
    /// Of these files.
    pub fn of(files: Vec<PathBuf>) -> Layers {
        let flags = Value::Null;
        Layers { files, flags }
    }

    /// With the command line on top of them.
    pub fn with_flags(files: Vec<PathBuf>, flags: Value) -> Layers {
        Layers { files, flags }
    }

    /// The files.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// What the files say now.
    pub fn texts(&self) -> Result<Vec<String>, ConfigError> {
        let read = |file: &PathBuf| {
            std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
                file: file.clone(),
                source,
            })
        };
        self.files.iter().map(read).collect()
    }

    /// The configuration that they make, which can work and is followed; or all that is wrong with it.
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.load_texts(&self.texts()?)
    }

    /// The same, of texts that are read already.
    pub fn load_texts(&self, texts: &[String]) -> Result<Config, ConfigError> {
        let mut config = self.assemble(texts, How::Checked)?;
        config.followed = (!self.files.is_empty()).then(|| self.clone());
        Ok(config)
    }

    pub(super) fn assemble(&self, texts: &[String], how: How) -> Result<Config, ConfigError> {
        let environment = |name: &str| std::env::var(name).ok();
        let (mut layers, mut problems) = (Vec::new(), Vec::new());
        for (file, text) in self.files.iter().zip(texts) {
            match Layer::new(Some(file), text, &environment) {
                Ok(layer) => layers.push(layer),
                Err(wrong) => problems.extend(wrong),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError::Problems(problems));
        }
        assemble(&layers, &self.flags, how)
    }
}

/// One text.
pub(super) struct Layer {
    file: Option<PathBuf>,
    /// With the environment in it.
    text: String,
    value: Value,
}

impl Layer {
    /// Expanded and read; paths are relative to the file's folder.
    pub(super) fn new(
        file: Option<&Path>,
        text: &str,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Layer, Vec<Problem>> {
        let here = |problem: Problem| Problem {
            file: file.map(Path::to_owned),
            ..problem
        };
        let text = expand::expand(text, lookup)
            .map_err(|problems| problems.into_iter().map(here).collect::<Vec<_>>())?;
        let mut value = yaml::value(&text).map_err(|problem| vec![here(problem)])?;
        if let Some(folder) = file.and_then(Path::parent) {
            schema::root_at(&mut value, folder);
        }
        Ok(Layer {
            file: file.map(Path::to_owned),
            text,
            value,
        })
    }

    /// Where the fault is in this text.
    fn place(&self, fault: &Fault) -> Problem {
        let depth = fault.path.depth_in(&self.value);
        let (line, column) = match depth {
            0 => (0, 0),
            depth => fault.path.first(depth).locate(&self.text).unwrap_or((1, 1)),
        };
        Problem {
            file: self.file.clone(),
            line,
            column,
            why: fault.why.clone(),
        }
    }
}

/// One configuration of all layers, and of what the command line says.
pub(super) fn assemble(layers: &[Layer], flags: &Value, how: How) -> Result<Config, ConfigError> {
    let mut merged = Value::Object(serde_json::Map::new());
    layers.iter().for_each(|layer| merge(&mut merged, &layer.value));
    if !flags.is_null() {
        merge(&mut merged, flags);
    }
    schema::without_nulls(&mut merged);
    diagnose::config(merged, how).map_err(|faults| {
        let told = faults.iter().map(|fault| told(layers, flags, fault));
        ConfigError::Problems(told.collect())
    })
}

/// The fault where it was written: in the last of the texts that go down to it as far as any.
fn told(layers: &[Layer], flags: &Value, fault: &Fault) -> Problem {
    let deepest = layers
        .iter()
        .max_by_key(|layer| fault.path.depth_in(&layer.value));
    let on_the_command_line = fault.path.depth_in(flags);
    match deepest {
        Some(layer)
            if !fault.path.0.is_empty()
                && fault.path.depth_in(&layer.value) >= on_the_command_line.max(1) =>
        {
            layer.place(fault)
        }
        _ => Problem::at(0, 0, fault.why.clone()),
    }
}

fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(known) => merge(known, value),
                    None => drop(base.insert(key.clone(), value.clone())),
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_are_merged_and_everything_else_is_replaced() {
        let mut base = json!({"a": {"x": 1, "list": [1, 2]}, "b": "one", "gone": {"y": 2}});
        merge(
            &mut base,
            &json!({"a": {"list": [3], "z": 4}, "b": {"c": 1}, "gone": null}),
        );
        assert_eq!(
            base,
            json!({"a": {"x": 1, "list": [3], "z": 4}, "b": {"c": 1}, "gone": null})
        );
    }
}
