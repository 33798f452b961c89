//! The call itself: `baedal.payment.v1.PaymentService/Approve`.

mod lines;

use std::time::Duration;

use async_trait::async_trait;
use baedal_kit::{
    clock::{Clock, SystemClock},
    proof::{self, Key},
    telemetry::{Kind, TraceContext, trace},
};
use tonic::{Code, Request, Status};

pub use lines::AddressError;
use lines::Lines;

use crate::ports::Charge;

/// The generated wire types.
#[allow(missing_docs, clippy::all)]
pub mod proto {
    tonic::include_proto!("baedal.payment.v1");
}

use proto::{ApproveRequest, Payment, PaymentStatus};

/// One call to payment, unguarded.
#[async_trait]
pub trait Call: Send + Sync {
    /// Asks once; `deadline` travels with the call.
    async fn approve(&self, charge: &Charge, deadline: Duration) -> Answer;
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Charged.
    Approved,
    /// Not charged.
    Declined(String),
    /// Payment works, but did not take the question.
    Refused(String),
    /// Payment does not work.
    Failed(String),
}

/// The call over several HTTP/2 connections, asked in turn.
pub struct GrpcCall {
    lines: Lines,
    key: Option<Key>,
}

impl GrpcCall {
    /// To these addresses (`http://127.0.0.1:4022`, several with commas), by so many connections to each. Payment need
    /// not be there yet.
    pub fn new(urls: &str, connections: usize) -> Result<GrpcCall, AddressError> {
        Ok(GrpcCall {
            lines: Lines::new(urls, connections)?,
            key: None,
        })
    }

    /// Proves by this key, if there is one, that it may call.
    pub fn with_key(mut self, key: Option<Key>) -> GrpcCall {
        self.key = key;
        self
    }
}

#[async_trait]
impl Call for GrpcCall {
    async fn approve(&self, charge: &Charge, deadline: Duration) -> Answer {
        let mut request = Request::new(ApproveRequest {
            order_id: charge.order.as_str().to_owned(),
            customer_id: charge.customer.as_str().to_owned(),
            amount: charge.amount.get(),
        });
        request.set_timeout(deadline);
        let span = trace::child("PaymentService/Approve", Kind::Client);
        if let Some(value) = span
            .as_ref()
            .and_then(|span| span.context().to_string().parse().ok())
        {
            request.metadata_mut().insert(TraceContext::HEADER, value);
        }
        if let Some(key) = &self.key {
            let what = format!("Approve {}", charge.order.as_str());
            let proof = key.prove("payment", &what, SystemClock.now_ms());
            let proof = proof.parse().expect("a proof is letters, digits and dots");
            request.metadata_mut().insert(proof::HEADER, proof);
        }
        let Ok(line) = self.lines.pick() else {
            return Answer::Failed("no connection to payment works".to_owned());
        };
        let answered = line.client().approve(request).await;
        let answer = match answered {
            Ok(answer) => read(answer.into_inner(), charge),
            Err(status) => failed(&status),
        };
        line.finish(super::judge(&answer));
        answer
    }
}

fn read(payment: Payment, charge: &Charge) -> Answer {
    match payment.status() {
        PaymentStatus::Approved
            if payment.order_id == charge.order.as_str() && payment.amount == charge.amount.get() =>
        {
            Answer::Approved
        }
        PaymentStatus::Declined => Answer::Declined(payment.reason),
        PaymentStatus::Approved => Answer::Failed("payment answered for something else".to_owned()),
        status => Answer::Refused(format!("the payment is {}", status.as_str_name())),
    }
}

fn failed(status: &Status) -> Answer {
    let reason = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::InvalidArgument | Code::AlreadyExists | Code::FailedPrecondition | Code::NotFound => {
            Answer::Refused(reason)
        }
        _ => Answer::Failed(reason),
    }
}
