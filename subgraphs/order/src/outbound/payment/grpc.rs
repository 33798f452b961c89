//! The call itself: `baedal.payment.v1.PaymentService/Approve`.

use std::time::Duration;

use async_trait::async_trait;
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint, Error},
};

use crate::ports::Charge;

/// The generated wire types.
#[allow(missing_docs, clippy::all)]
pub mod proto {
    tonic::include_proto!("baedal.payment.v1");
}

use proto::{ApproveRequest, Payment, PaymentStatus, payment_service_client::PaymentServiceClient};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_millis(300);

/// How often an idle connection is probed, and how long a probe may take: a peer that vanished is noticed.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(2));

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

/// The call over one HTTP/2 connection, made when first needed and made again when lost.
#[derive(Clone)]
pub struct GrpcCall {
    client: PaymentServiceClient<Channel>,
}

impl GrpcCall {
    /// To this address, e.g. `http://127.0.0.1:4022`. Payment need not be there yet.
    pub fn new(url: &str) -> Result<GrpcCall, Error> {
        let endpoint = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .keep_alive_while_idle(true);
        Ok(GrpcCall {
            client: PaymentServiceClient::new(endpoint.connect_lazy()),
        })
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
        match self.client.clone().approve(request).await {
            Ok(answer) => read(answer.into_inner(), charge),
            Err(status) => failed(&status),
        }
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
