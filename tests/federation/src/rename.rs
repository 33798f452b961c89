//! The same case with other names of its subgraphs. Nothing may depend on their order.
use std::collections::BTreeMap;

use crate::case::{Case, Operation};

impl Case {
    /// The case with names that sort the other way round.
    pub fn renamed(&self) -> Case {
        let count = self.subgraphs.len();
        let names: BTreeMap<&str, String> = self
            .subgraphs
            .keys()
            .enumerate()
            .map(|(index, name)| (name.as_str(), format!("x{:02}{name}", count - index)))
            .collect();
        let sdl = |sdl: &String| {
            let from = |name: &str| format!("@override(from: \"{name}\"");
            names
                .iter()
                .fold(sdl.clone(), |sdl, (old, new)| sdl.replace(&from(old), &from(new)))
        };
        let operations = self.operations.iter().map(|operation| Operation {
            calls: operation.calls.as_ref().map(|calls| rename(calls, &names)),
            faults: rename(&operation.faults, &names),
            ..operation.clone()
        });
        Case {
            subgraphs: rename(&self.subgraphs, &names)
                .into_iter()
                .map(|(name, text)| (name, sdl(&text)))
                .collect(),
            data: rename(&self.data, &names),
            operations: operations.collect(),
            // A file names the subgraphs as they were.
            foreign: None,
            labels: self.labels.clone(),
            whole: self.whole.clone(),
        }
    }
}

fn rename<T: Clone>(map: &BTreeMap<String, T>, names: &BTreeMap<&str, String>) -> BTreeMap<String, T> {
    let new = |name: &String| names.get(name.as_str()).unwrap_or(name).clone();
    map.iter()
        .map(|(name, value)| (new(name), value.clone()))
        .collect()
}
