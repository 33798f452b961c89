//! The largest request that is answered. Everything here is linear in the bytes received, and comes before anything
//! whose cost could be more than that: JSON before it is read, text before it is parsed, the document before it is
//! validated and planned.

mod document;
mod json;
mod text;

pub use document::check_document;
pub use json::check_json;
pub use text::check_text;
