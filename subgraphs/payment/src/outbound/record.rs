//! A payment as a table row, and back.

use sqlx::{Row, any::AnyRow};

use crate::{
    domain::{CustomerId, Millis, OrderId, Payment, State, Status, Won},
    ports::StoreError,
};

/// Column list shared by every statement that reads whole payments.
pub(super) const COLUMNS: &str = "order_id, customer_id, amount, status, requested_at, entered_at, approved_at, reference, reason, version";

/// The columns of a state.
pub(super) struct Columns {
    pub approved_at: Option<Millis>,
    pub reference: Option<String>,
    pub reason: Option<String>,
}

pub(super) fn columns(state: &State) -> Columns {
    let reference = match state {
        State::Approved { reference, .. } | State::RefundPending { reference, .. } => Some(reference.clone()),
        _ => None,
    };
    Columns {
        approved_at: state.approved_at(),
        reference,
        reason: state.reason().map(str::to_owned),
    }
}

pub(super) fn payment(row: &AnyRow) -> Result<Payment, StoreError> {
    let order: String = get(row, "order_id")?;
    let customer: Option<String> = get(row, "customer_id")?;
    Ok(Payment {
        customer: customer
            .map(|id| CustomerId::parse(&id))
            .transpose()
            .map_err(|_| broken(&order, "customer_id"))?,
        amount: Won::parse(get(row, "amount")?).map_err(|_| broken(&order, "amount"))?,
        state: state(row, &order)?,
        requested_at: get(row, "requested_at")?,
        version: u64::try_from(get::<i64>(row, "version")?).map_err(|_| broken(&order, "version"))?,
        order: OrderId::parse(&order).map_err(|_| broken(&order, "order_id"))?,
    })
}

fn state(row: &AnyRow, order: &str) -> Result<State, StoreError> {
    let status: String = get(row, "status")?;
    let entered: Millis = get(row, "entered_at")?;
    let approved: Option<Millis> = get(row, "approved_at")?;
    let reason = || Ok::<String, StoreError>(get::<Option<String>>(row, "reason")?.unwrap_or_default());
    let reference = || Ok::<String, StoreError>(get::<Option<String>>(row, "reference")?.unwrap_or_default());
    let approved_at = || approved.ok_or_else(|| broken(order, "approved_at"));
    Ok(
        match Status::named(&status).ok_or_else(|| broken(order, "status"))? {
            Status::Requested => State::Requested { since: entered },
            Status::Approved => State::Approved {
                at: entered,
                reference: reference()?,
            },
            Status::Declined => State::Declined {
                at: entered,
                reason: reason()?,
            },
            Status::Unknown => State::Unknown {
                since: entered,
                reason: reason()?,
            },
            Status::VoidPending => State::VoidPending {
                since: entered,
                reason: reason()?,
            },
            Status::Voided => State::Voided {
                at: entered,
                reason: reason()?,
            },
            Status::RefundPending => State::RefundPending {
                approved_at: approved_at()?,
                reference: reference()?,
                since: entered,
                reason: reason()?,
            },
            Status::Refunded => State::Refunded {
                approved_at: approved_at()?,
                at: entered,
                reason: reason()?,
            },
        },
    )
}

fn get<'r, T>(row: &'r AnyRow, column: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(column).map_err(|error| StoreError::Failed {
        message: error.to_string(),
        transient: false,
    })
}

fn broken(order: &str, column: &str) -> StoreError {
    StoreError::Failed {
        message: format!("the record of order {order} has an impossible {column}"),
        transient: false,
    }
}
