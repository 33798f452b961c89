//! The words and rules of the store context (상점): what a store sells, and what becomes of each order it is given.
//!
//! Pure: a transition consumes a state and returns the next one with the events it caused, or refuses.
//! Nothing here knows of storage, transport or serialization.

mod shop;
mod ticket;

pub use shop::{Details, MAX_MENU_ITEMS, MenuItem, Store, StoreEvent};
pub use ticket::{Asked, Intake, Line, Paid, Placed, Status, StoreOrder, Ticket, TicketEvent};

/// Why a command was refused; the state is then unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The state machine has no such transition.
    #[error("{command} is not possible while the {subject} is {from}")]
    InvalidTransition {
        /// What was to be moved: `order` or `store`.
        subject: &'static str,
        /// The command as the API names it.
        command: &'static str,
        /// The state it was in.
        from: &'static str,
    },
    /// An argument breaks a rule; the text says which.
    #[error("{0}")]
    InvalidInput(String),
}

/// The new state and the events that led to it.
pub type Decided<S, E> = Result<(S, Vec<E>), Refused>;

/// A text of the domain: trimmed, not empty, at most `max` characters.
fn text(what: &str, value: &str, max: usize) -> Result<String, Refused> {
    let value = value.trim();
    let length = value.chars().count();
    if length == 0 || length > max {
        return Err(Refused::InvalidInput(format!(
            "{what} must have 1 to {max} characters, it has {length}"
        )));
    }
    if value.chars().any(char::is_control) {
        return Err(Refused::InvalidInput(format!(
            "{what} must not contain control characters"
        )));
    }
    Ok(value.to_owned())
}
