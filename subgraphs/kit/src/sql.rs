//! A store on Postgres or SQLite through one SQL text: pool, transactions, migrations, outbox, inbox and dead letters.
//!
//! The text both understand: `$1` parameters, `BIGINT` and `TEXT` columns, `INSERT … ON CONFLICT`, `RETURNING`. SQLite
//! runs in WAL mode with `synchronous = FULL` (an acknowledged write survives a power cut) and every transaction begins
//! IMMEDIATE, so that none fails half-way because another wrote first; within a process writers queue instead of polling.

mod connect;
mod errors;
mod inbox;
mod letters;
mod migrate;
mod outbox;
mod tx;

pub(crate) use connect::hide_password;
pub use connect::{Db, Engine};
pub use errors::{SqlError, is_unique_violation};
pub use inbox::{SqlInbox, first_times};
pub use letters::SqlLetters;
pub use outbox::{SqlOutbox, put_outbox};
pub use tx::Tx;

/// How often [`Db::transaction`] tries.
const ATTEMPTS: u32 = 5;

/// Splits `total` rows into powers of two of at most `most`, so that multi-row statements have few texts and stay
/// prepared.
pub(crate) fn chunk_sizes(mut total: usize, most: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    let mut size = most.next_power_of_two();
    while total > 0 {
        while size > total || size > most {
            size /= 2;
        }
        sizes.push(size);
        total -= size;
    }
    sizes
}

/// `($1,$2),($3,$4)`: the parameters of `rows` rows of `width` columns, numbered from `from`.
pub(crate) fn rows_of_params(rows: usize, width: usize, from: usize) -> String {
    let row = |index: usize| {
        let first = from + index * width;
        let params: Vec<String> = (first..first + width).map(|n| format!("${n}")).collect();
        format!("({})", params.join(","))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_powers_of_two_and_add_up() {
        for total in 0..300 {
            let sizes = chunk_sizes(total, 64);
            assert_eq!(sizes.iter().sum::<usize>(), total);
            assert!(sizes.iter().all(|size| size.is_power_of_two() && *size <= 64));
        }
    }

    #[test]
    fn parameters_are_numbered_row_by_row() {
        assert_eq!(rows_of_params(2, 2, 3), "($3,$4),($5,$6)");
    }
}
