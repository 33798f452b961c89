//! A value as a [`Config`], or everything that is wrong with it.
//!
//! The types are the only judge, and a judge stops at the first fault. So what is at fault is taken out of the value and
//! the rest is judged again, until nothing is wrong any more. A fault at a place, or above a place, that something was
//! taken out of comes of that, and is not told.

use serde_json::Value;

use super::explain;
use super::place::{Path, Step};
use super::{Config, ConfigError};

/// Faults told at most.
const MOST: usize = 100;

/// How much is asked of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// That it can be read.
    Read,
    /// That it can work, too.
    Checked,
}

/// Something wrong at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key.
    pub path: Path,
    /// What is wrong, and what would be right.
    pub why: String,
}

/// The configuration, or all faults of it.
pub fn config(mut value: Value, how: How) -> Result<Config, Vec<Fault>> {
    let (mut told, mut mended): (Vec<Fault>, Vec<Path>) = (Vec::new(), Vec::new());
    while told.len() < MOST {
        let faults = match attempt(&value, how) {
            Ok(config) if told.is_empty() => return Ok(config),
            Ok(_) => break,
            Err(faults) => faults,
        };
        let before = mended.len();
        for fault in faults {
            let path = original(&fault.path, &mended);
            let follows = mended.iter().any(|mended| mended.0.starts_with(&path.0));
            // Taken out last, so that indices of the others stay true.
            if let Some(count) = take_out(&mut value, &fault.path) {
                mended.push(path.first(count));
            }
            if !follows {
                told.push(fault.at(path));
            }
        }
        if mended.len() == before {
            break;
        }
    }
    Err(told)
}

/// A fault of what is left of the value, with its path in that.
struct Found {
    path: Path,
    told: Told,
}

enum Told {
    /// What the reader says, and how many steps of the path are the section it speaks of.
    Reader(String, usize),
    /// What a check says.
    Check(String),
}

impl Found {
    /// In words, with the path it had before anything was taken out.
    fn at(self, path: Path) -> Fault {
        let why = match self.told {
            Told::Reader(told, steps) => explain::sentence(&told, &path.first(steps).to_string()),
            Told::Check(told) => told,
        };
        Fault { path, why }
    }
}

fn attempt(value: &Value, how: How) -> Result<Config, Vec<Found>> {
    let config: Config = serde_path_to_error::deserialize(value).map_err(|error| vec![unreadable(&error)])?;
    let faults = match how {
        How::Read => Vec::new(),
        How::Checked => config.faults(),
    };
    match faults.is_empty() {
        true => Ok(config),
        false => Err(faults.iter().map(|error| unusable(error, value)).collect()),
    }
}

fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> Found {
    use serde_path_to_error::Segment;
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { variant } => Some(Step::Key(variant.clone())),
        Segment::Unknown => None,
    };
    let mut path = Path(error.path().iter().filter_map(step).collect());
    let told = error.inner().to_string();
    let mut section = path.0.len();
    if let Some(unknown) = explain::unknown_key(&told) {
        let key = Step::Key(unknown.to_owned());
        match path.0.last() == Some(&key) {
            true => section -= 1,
            false => path.0.push(key),
        }
    }
    let told = Told::Reader(told, section);
    Found { path, told }
}

fn unusable(error: &ConfigError, value: &Value) -> Found {
    let path = match error {
        ConfigError::Value { key, .. } => Path::parse(key, value),
        _ => Path::default(),
    };
    Found {
        path,
        told: Told::Check(error.to_string()),
    }
}

/// The path before anything was taken out of lists.
fn original(path: &Path, mended: &[Path]) -> Path {
    let mut steps: Vec<Step> = Vec::new();
    for step in &path.0 {
        let step = match step {
            Step::Index(index) => Step::Index(index_before(*index, &steps, mended)),
            key => key.clone(),
        };
        steps.push(step);
    }
    Path(steps)
}

fn index_before(index: usize, list: &[Step], mended: &[Path]) -> usize {
    let gone = |path: &Path| match path.0.split_last() {
        Some((Step::Index(index), above)) if above == list => Some(*index),
        _ => None,
    };
    let mut gone: Vec<usize> = mended.iter().filter_map(gone).collect();
    gone.sort_unstable();
    gone.into_iter()
        .fold(index, |index, gone| if gone <= index { index + 1 } else { index })
}

/// Takes the value at the path out, or what there is on the way to it; how many steps that was.
fn take_out(value: &mut Value, path: &Path) -> Option<usize> {
    let depth = path.depth_in(value);
    let (last, above) = path.0[..depth].split_last()?;
    let parent = above.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    })?;
    match (parent, last) {
        (Value::Object(map), Step::Key(key)) => drop(map.remove(key)?),
        (Value::Array(list), Step::Index(index)) => drop(list.remove(*index)),
        _ => return None,
    }
    Some(depth)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(value: Value) -> Vec<String> {
        let faults = config(value, How::Checked).expect_err("it is wrong");
        faults.into_iter().map(|fault| fault.why).collect()
    }

    #[test]
    fn every_fault_is_told_once() {
        let told = faults(json!({
            "lisen": "127.0.0.1:1",
            "path": "g",
            "limits": {"dept": 3, "aliases": "many", "height": 1000},
            "subgraphs": {"a": {"url": "http://a.example/", "timeout": "soon"}, "b": {}},
            "cors": {"origins": ["*"]},
        }));
        let wanted = [
            "`lisen`",
            "`dept`",
            "`limits.aliases`",
            "`subgraphs.a.timeout`",
            "`path`",
            "`subgraphs.b.url`",
            "`limits.height`",
            "`cors.origins`",
        ];
        for key in wanted {
            assert_eq!(
                told.iter().filter(|why| why.contains(key)).count(),
                1,
                "{key}: {told:#?}"
            );
        }
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
    }

    #[test]
    fn entries_of_a_list_have_the_numbers_they_had() {
        let told = faults(json!({
            "subgraphs": {"a": {"url": "http://a.example/"}},
            "auth": {"issuers": [
                {"issuer": "https://a.example", "audience": "x"},
                {"issuer": "https://b.example"},
                {"audience": "x"},
                {"issuer": "https://d.example", "audience": "x", "jwks": 1},
            ]},
        }));
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(
            told[0].contains("`auth.issuers[1]`") && told[0].contains("`audience`"),
            "{told:#?}"
        );
        assert!(
            told[1].contains("`auth.issuers[2]`") && told[1].contains("`issuer`"),
            "{told:#?}"
        );
        assert!(
            told[2].contains("`auth.issuers[3]`") && told[2].contains("`jwks_url`"),
            "{told:#?}"
        );
    }

    #[test]
    fn what_comes_of_a_fault_is_not_told() {
        let told = faults(json!({"subgraphs": {"a": {"url": 7}}}));
        assert_eq!(told.len(), 1, "no word of a graph that is missing: {told:#?}");
        let told = faults(json!({}));
        assert!(
            told.len() == 1 && told[0].contains("no graph to serve"),
            "{told:#?}"
        );
        let told = faults(json!([]));
        assert_eq!(told.len(), 1, "{told:#?}");
    }
}
