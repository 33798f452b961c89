//! Documents of the manifest are read, validated and planned before anyone asks for them: when they are loaded, and when
//! there is another schema. One that does not fit is told of, before a client meets it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::documents::Documents;
use super::manifest::Document;
use crate::draw;
use crate::engine::Engine;
use crate::errors::Refusal;
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::request::Request;

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks after the documents until the gateway closes.
pub async fn keep(gateway: Arc<Gateway>) {
    let Some(documents) = gateway.persisted.documents() else {
        return;
    };
    let mut swaps = gateway.swaps();
    loop {
        warm(&gateway, documents).await;
        loop {
            let changed = tokio::select! {
                () = gateway.closing.cancelled() => return,
                swapped = swaps.changed() => swapped.is_ok(),
                () = tokio::time::sleep(PAUSE) => look(&gateway).await,
            };
            if changed {
                break;
            }
        }
    }
}

/// Files are read where it may take a while.
async fn look(gateway: &Arc<Gateway>) -> bool {
    let shared = Arc::clone(gateway);
    let looking = tokio::task::spawn_blocking(move || {
        let documents = shared.persisted.documents();
        documents.is_some_and(Documents::look)
    });
    looking.await.unwrap_or(false)
}

async fn warm(gateway: &Gateway, documents: &Documents) {
    let Some(engine) = gateway.engine() else {
        return;
    };
    // Callers without a token see what most see, or as much as can be known of them ahead.
    let Ok(caller) = gateway.identity.of_value(None).await else {
        return;
    };
    let mut unfit = Vec::new();
    for document in documents.current().documents() {
        if let Err(refusal) = plan(&engine, &caller, document).await {
            let why = refusal.errors.first().map_or("", |error| error.message.as_str());
            let name = document.operation.as_deref().unwrap_or("anonymous");
            unfit.push(format!("{} ({name}): {why}", document.id));
        }
    }
    unfit.sort_unstable();
    documents.unfit(unfit);
}

async fn plan(engine: &Engine, caller: &Caller, document: &Document) -> Result<(), Refusal> {
    let request = Request {
        query: document.text.as_ref().to_owned(),
        operation_name: None,
        variables: Map::new(),
    };
    let read = engine.document(&request).await;
    let read = match read {
        // Which operation is meant, requests will say: here any will do.
        Err(refusal) if refusal.code == crate::errors::Code::OperationUnknown => return Ok(()),
        read => read?,
    };
    let conditions = read.operation.conditional_variables().iter();
    let coerced: Map<_, _> = conditions
        .map(|name| (name.clone(), Value::Bool(false)))
        .collect();
    let coerced = Arc::new(coerced);
    let program = engine.program(&read, &coerced, &caller.access, false, draw::percent);
    program.await.map(drop)
}
