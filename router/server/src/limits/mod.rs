//! The largest request that is answered. Everything here is linear in the bytes received, and comes before anything
//! whose cost could be more than that: JSON before it is read, text before it is parsed, the document before it is
//! validated and planned.

mod cost;
mod document;
mod introspection;
mod json;
mod text;

pub use cost::check_cost;
pub use document::check_document;
pub use introspection::check_introspection;
pub use json::{check_json, check_variables};
pub use text::check_text;
