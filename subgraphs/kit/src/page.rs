//! Pages of a list: [Relay connections](https://relay.dev/graphql/connections.htm), forward only, with opaque cursors.

use crate::error::{INVALID_INPUT, coded};
use async_graphql::{
    Error, OutputType,
    connection::{Connection, CursorType, Edge, EmptyFields},
};
use std::{convert::Infallible, fmt::Write};

/// Rows of a page when the client does not say.
pub const DEFAULT_FIRST: usize = 20;
/// Most rows of a page.
pub const MAX_FIRST: usize = 100;

/// A checked request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many rows to answer; fetch one more, to know whether there is a next page.
    pub limit: usize,
    /// The cursor text after which to begin, as it was given to [`Page::connection`].
    pub after: Option<String>,
}

/// A cursor: hexadecimal of the text that finds the row again, so that clients do not read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

impl CursorType for Cursor {
    type Error = Infallible;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        Ok(Cursor(text.to_owned()))
    }

    fn encode_cursor(&self) -> String {
        self.0.clone()
    }
}

impl Page {
    /// Checks the `first` and `after` arguments of a connection field.
    pub fn read(first: Option<i32>, after: Option<String>) -> Result<Page, Error> {
        let limit = match first {
            None => DEFAULT_FIRST,
            Some(first) => usize::try_from(first)
                .ok()
                .filter(|first| (1..=MAX_FIRST).contains(first))
                .ok_or_else(|| {
                    coded(
                        INVALID_INPUT,
                        format!("first must be 1 to {MAX_FIRST}, not {first}"),
                    )
                })?,
        };
        let after = after
            .map(|cursor| {
                decode(&cursor).ok_or_else(|| coded(INVALID_INPUT, "after is not a cursor of this list"))
            })
            .transpose()?;
        Ok(Page { limit, after })
    }

    /// The connection of up to `limit + 1` rows that were fetched for this page.
    pub fn connection<N: OutputType>(
        &self,
        rows: Vec<N>,
        cursor: impl Fn(&N) -> String,
    ) -> Connection<Cursor, N, EmptyFields, EmptyFields> {
        let more = rows.len() > self.limit;
        let mut connection = Connection::new(self.after.is_some(), more);
        connection.edges.extend(
            rows.into_iter()
                .take(self.limit)
                .map(|node| Edge::new(Cursor(encode(&cursor(&node))), node)),
        );
        connection
    }
}

/// The opaque form of a cursor text.
pub fn encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len() * 2), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
            hex
        })
}

/// The text of an opaque cursor, or nothing if it is none.
pub fn decode(cursor: &str) -> Option<String> {
    if cursor.len() > 512 || !cursor.len().is_multiple_of(2) || !cursor.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..cursor.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&cursor[at..at + 2], 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}
