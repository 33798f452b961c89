//! From an [`Asked`] to a [`Request`]: documents that clients name instead of sending them.
//!
//! * A name in the manifest of `persisted_documents` is a document that the operator knows ([`documents`]).
//! * A hash that a client has sent once together with its query is an automatic persisted query ([`apq`]).
//!
//! A name comes as `extensions.persistedQuery` (Apollo's protocol, version 1), as `documentId` (GraphQL over HTTP,
//! appendix A), or as Relay's `doc_id`. A request whose document is there, with no name, costs nothing here.

mod apq;
mod documents;
mod hash;
mod manifest;
mod name;
mod warm;

pub use documents::Documents;
pub use warm::keep;

use std::sync::Arc;

use baedal_telemetry::Registry;

use self::apq::Apq;
use self::hash::Hash;
use self::name::{Form, Name};
use crate::config::Config;
use crate::errors::{Code, Refusal};
use crate::request::{Asked, Request};
use crate::valkey::Valkey;

/// What clients persist, or have persisted.
pub struct Persisted {
    apq: Option<Apq>,
    documents: Option<Documents>,
}

/// A request, and what is to be kept of it once it has turned out to be a good one.
pub struct Found {
    /// The request.
    pub request: Request,
    fresh: Option<Hash>,
}

impl From<Request> for Found {
    fn from(request: Request) -> Found {
        Found { request, fresh: None }
    }
}

impl Persisted {
    /// Nothing is known yet but the manifest, and that only from [`Documents::look`] on.
    pub fn new(config: &Config, valkey: Option<&Arc<Valkey>>, registry: &Registry) -> Persisted {
        let apq = config.apq.enabled && !config.persisted_documents.only;
        Persisted {
            apq: apq.then(|| Apq::new(&config.apq, valkey, registry)),
            documents: Documents::of(&config.persisted_documents, registry),
        }
    }

    /// The documents of the manifest, if there is one.
    pub fn documents(&self) -> Option<&Documents> {
        self.documents.as_ref()
    }

    /// A request that needs nothing of this room.
    pub fn plain(&self, mut asked: Asked) -> Result<Request, Box<Asked>> {
        let free = asked.named.is_none() && self.documents.as_ref().is_none_or(Documents::takes_all);
        match asked.query.take() {
            Some(query) if free => Ok(asked.with(query)),
            query => {
                asked.query = query;
                Err(Box::new(asked))
            }
        }
    }

    /// The request that is meant.
    pub async fn find(&self, mut asked: Asked) -> Result<Found, Refusal> {
        let query = asked.query.take();
        let Some(named) = asked.named.take() else {
            let query =
                query.ok_or_else(|| Refusal::new(Code::BadRequest, "the member `query` is missing"))?;
            self.let_in(&asked, &query)?;
            return Ok(asked.with(query).into());
        };
        let name = Name::of(&named)?;
        if let Some((text, only)) = self.documents.as_ref().and_then(|documents| documents.get(&name)) {
            if query.is_some_and(|query| *query != *text) {
                return Err(mismatch());
            }
            // So its plan is found, whether the client says it or not.
            asked.operation_name = asked
                .operation_name
                .filter(|name| Some(name.as_str()) != only.as_deref());
            return Ok(asked.with(text.as_ref().to_owned()).into());
        }
        let (query, fresh) = match (query, &self.apq, &name.hash) {
            (Some(query), Some(apq), Some(hash)) if *hash == Hash::of(&query) => {
                let fresh = (!apq.knows(hash)).then_some(*hash);
                (query, fresh)
            }
            (Some(_), Some(_), _) => return Err(mismatch()),
            // Nobody keeps it, so that its name does not matter.
            (Some(query), None, _) => (query, None),
            (None, Some(apq), Some(hash)) => (apq.get(hash).await.ok_or_else(unknown_hash)?, None),
            (None, apq, _) => return Err(self.unknown(&name, apq.is_some())),
        };
        self.let_in(&asked, &query)?;
        Ok(Found {
            request: asked.with(query),
            fresh,
        })
    }

    /// The request was a good one.
    pub fn keep(&self, found: Found) -> Request {
        if let (Some(apq), Some(hash)) = (&self.apq, found.fresh) {
            apq.keep(hash, &found.request.query);
        }
        found.request
    }

    /// Whether a document that was not named may be used.
    fn let_in(&self, asked: &Asked, query: &str) -> Result<(), Refusal> {
        match &self.documents {
            Some(documents) => documents.let_in(asked.operation_name.as_deref(), query),
            None => Ok(()),
        }
    }

    /// A client of automatic persisted queries is told in its protocol to send the query. Where it may not, it is not.
    fn unknown(&self, name: &Name, hashes: bool) -> Refusal {
        let only = self.documents.as_ref().is_some_and(Documents::only);
        match (only, name.form) {
            (false, Form::PersistedQuery) if hashes => unknown_hash(),
            (false, Form::PersistedQuery) => {
                Refusal::new(Code::PersistedQueryNotSupported, "PersistedQueryNotSupported")
            }
            _ => {
                let text = "no document of this gateway has this id (persisted_documents.manifest)";
                Refusal::new(Code::PersistedDocumentNotFound, text)
            }
        }
    }
}

/// Clients look for this very message, or for its code.
fn unknown_hash() -> Refusal {
    Refusal::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound")
}

fn mismatch() -> Refusal {
    let text = "the query is not the one that its hash or id names";
    Refusal::new(Code::PersistedQueryMismatch, text)
}
