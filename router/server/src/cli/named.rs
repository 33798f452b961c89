//! `NAME=URL_OR_FILE` of `--subgraph`.

use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// A subgraph on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// Where a subgraph, or its SDL, is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A running subgraph.
    Live(Url),
    /// An SDL file.
    File(PathBuf),
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Named, String> {
        let wrong = "write NAME=URL or NAME=FILE, for example products=http://127.0.0.1:4101/graphql";
        let (name, place) = text.split_once('=').ok_or(wrong)?;
        if name.is_empty() || place.is_empty() {
            return Err(wrong.to_owned());
        }
        Ok(Named {
            name: name.to_owned(),
            place: read_place(place)?,
        })
    }
}

fn read_place(text: &str) -> Result<Place, String> {
    let scheme = text
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        None => Ok(Place::File(text.into())),
        Some("http" | "https") => Url::parse(text)
            .map(Place::Live)
            .map_err(|error| format!("`{text}` is not a URL: {error}")),
        Some("file") => match Url::parse(text).map(|url| url.to_file_path()) {
            Ok(Ok(path)) => Ok(Place::File(path)),
            _ => Err(format!(
                "`{text}` names no file; write file:///absolute/path, or just the path"
            )),
        },
        Some(other) => Err(format!(
            "`{other}://` is not supported; use http://, https:// or a file"
        )),
    }
}

/// Refuses a name given twice.
pub fn check_names(subgraphs: &[Named]) -> Result<(), String> {
    for (index, subgraph) in subgraphs.iter().enumerate() {
        if subgraphs[..index]
            .iter()
            .any(|earlier| earlier.name == subgraph.name)
        {
            return Err(format!(
                "the subgraph name `{}` is given twice; every subgraph needs a name of its own",
                subgraph.name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_files_are_told_apart() {
        let live = Place::Live("http://h:1/g?a=b".parse().expect("a URL"));
        assert_eq!(
            "a=http://h:1/g?a=b".parse(),
            Ok(Named {
                name: "a".into(),
                place: live
            })
        );
        assert_eq!(
            "a=b/c.graphql".parse(),
            Ok(Named {
                name: "a".into(),
                place: Place::File("b/c.graphql".into())
            })
        );
        assert_eq!(
            "a=file:///b/c".parse(),
            Ok(Named {
                name: "a".into(),
                place: Place::File("/b/c".into())
            })
        );
        for wrong in ["a", "=b", "a=", "a=ftp://x/y", "a=http://"] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong}");
        }
    }
}
