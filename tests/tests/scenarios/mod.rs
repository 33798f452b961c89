//! The acceptance scenarios of the event-storming sample, each followed by the ledger audit.
mod consumers;
mod load;
mod short;
mod t1_decoupled;
mod t2_no_payment_no_order;
