//! One try: reading a record, and handing events to the handler.

use super::{HandleError, Handler};
use crate::envelope::Envelope;
use futures_util::FutureExt;
use std::{any::Any, panic::AssertUnwindSafe};

/// The envelope of a record; none where its type is not the handler's business; else why it cannot be read.
pub(super) fn read(handler: &dyn Handler, payload: &[u8]) -> Result<Option<Envelope>, String> {
    let envelope = Envelope::from_json(payload).map_err(|error| format!("not an event envelope: {error}"))?;
    match handler.version_of(&envelope.r#type) {
        None => Ok(None),
        Some(known) if (1..=known).contains(&envelope.version) => Ok(Some(envelope)),
        Some(known) => Err(format!(
            "version {} of {} is not known, the newest known is {known}",
            envelope.version, envelope.r#type
        )),
    }
}

/// Hands the batch to the handler once. A panic undoes its transaction like any failure, and would only come again.
pub(super) async fn apply(handler: &dyn Handler, batch: &[Envelope]) -> Result<(), HandleError> {
    match AssertUnwindSafe(handler.handle(batch)).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => Err(HandleError::Poison(format!(
            "the handler panicked: {}",
            words(panic.as_ref())
        ))),
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}
