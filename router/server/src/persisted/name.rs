//! How a client names a document.

use serde_json::Value;

use super::hash::Hash;
use crate::errors::{Code, Refusal};
use crate::request::Named;

/// The longest id.
const LONGEST: usize = 512;
/// What an id that is a hash begins with (GraphQL over HTTP, appendix A).
const SHA256: &str = "sha256:";

/// Where the name was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `extensions.persistedQuery`.
    PersistedQuery,
    /// `documentId`.
    DocumentId,
}

/// A name of a document.
#[derive(Debug, PartialEq)]
pub struct Name {
    /// As manifests have it: without the prefix.
    pub id: String,
    /// If it is one.
    pub hash: Option<Hash>,
    /// Where it was.
    pub form: Form,
}

impl Name {
    /// The name of a request.
    pub fn of(named: &Named) -> Result<Name, Refusal> {
        let by_query = named.persisted_query.as_ref().map(persisted_query).transpose()?;
        let (id, form) = match (by_query, &named.document_id) {
            (Some(hash), None) => (hash, Form::PersistedQuery),
            (None, Some(id)) => (id.as_str(), Form::DocumentId),
            (Some(hash), Some(id)) if plain(id) == plain(hash) => (hash, Form::PersistedQuery),
            _ => {
                return Err(invalid(
                    "it is named twice: `extensions.persistedQuery` and `documentId` differ",
                ));
            }
        };
        let id = plain(id);
        if id.is_empty() || id.len() > LONGEST {
            return Err(invalid("an id has 1 to 512 bytes"));
        }
        Ok(Name {
            hash: Hash::read(id),
            id: id.to_owned(),
            form,
        })
    }
}

/// An id without what says that it is a hash.
pub fn plain(id: &str) -> &str {
    id.strip_prefix(SHA256).unwrap_or(id)
}

/// `{version: 1, sha256Hash}`.
fn persisted_query(value: &Value) -> Result<&str, Refusal> {
    if value["version"] != 1 {
        return Err(invalid("`extensions.persistedQuery.version` must be 1"));
    }
    let hash = value["sha256Hash"].as_str();
    hash.ok_or_else(|| invalid("`extensions.persistedQuery.sha256Hash` must be a string"))
}

fn invalid(why: &str) -> Refusal {
    Refusal::new(Code::PersistedQueryInvalid, why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(persisted_query: Option<Value>, document_id: Option<&str>) -> Result<Name, Code> {
        let named = Named {
            persisted_query,
            document_id: document_id.map(str::to_owned),
        };
        Name::of(&named).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_name_is_read_in_each_form() {
        let hash = Hash::of("x").to_string();
        let extension = json!({"version": 1, "sha256Hash": hash});
        let prefixed = format!("sha256:{hash}");
        for (persisted_query, id, form) in [
            (Some(extension.clone()), None, Form::PersistedQuery),
            (None, Some(prefixed.as_str()), Form::DocumentId),
            (None, Some(hash.as_str()), Form::DocumentId),
            (Some(extension), Some(prefixed.as_str()), Form::PersistedQuery),
        ] {
            let wanted = Name {
                id: hash.clone(),
                hash: Some(Hash::of("x")),
                form,
            };
            assert_eq!(name(persisted_query, id), Ok(wanted));
        }
        assert_eq!(name(None, Some("x-me:7")).map(|name| name.hash), Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = "x".repeat(LONGEST + 1);
        for (persisted_query, id) in [
            (Some(json!(1)), None),
            (Some(json!({"sha256Hash": "x"})), None),
            (Some(json!({"version": 2, "sha256Hash": "x"})), None),
            (Some(json!({"version": "1", "sha256Hash": "x"})), None),
            (Some(json!({"version": 1, "sha256Hash": 7})), None),
            (Some(json!({"version": 1, "sha256Hash": ""})), None),
            (Some(json!({"version": 1, "sha256Hash": "x"})), Some("y")),
            (None, Some("")),
            (None, Some(long.as_str())),
        ] {
            let told = format!("{persisted_query:?} {id:?}");
            assert_eq!(
                name(persisted_query, id),
                Err(Code::PersistedQueryInvalid),
                "{told}"
            );
        }
    }
}
