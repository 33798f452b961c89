//! The synchronous door: `baedal.payment.v1.PaymentService`.
//!
//! An approve runs in a task of its own: a caller that hangs up, or whose deadline passes, never leaves a charge half
//! recorded. The caller's `grpc-timeout` bounds how long the provider is waited for.

use std::time::{Duration, Instant};

use baedal_kit::{
    clock::{Clock, SystemClock},
    proof::{self, Key},
    telemetry::{Kind, Telemetry, TraceContext, trace},
};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::pace::Pace;
use crate::{
    app::{self, App, AppError},
    domain::{self, InvalidValue, OrderId},
    ports::StoreError,
};

/// The generated wire types.
#[allow(missing_docs, clippy::all)]
pub mod proto {
    tonic::include_proto!("baedal.payment.v1");
}

use proto::{
    ApproveRequest, GetRequest, Payment, PaymentStatus, RefundRequest, VoidRequest,
    payment_service_server::PaymentService,
};

/// The service over an application.
pub struct PaymentGrpc {
    app: App,
    pace: Pace,
    telemetry: Telemetry,
    /// By which callers prove that they may call.
    key: Option<Key>,
}

impl PaymentGrpc {
    /// Serves this application at this pace, to whoever calls.
    pub fn new(app: App, pace: Pace, telemetry: Telemetry) -> PaymentGrpc {
        PaymentGrpc {
            app,
            pace,
            telemetry,
            key: None,
        }
    }

    /// Serves only those who have the key, if there is one.
    pub fn guarded(mut self, key: Option<Key>) -> PaymentGrpc {
        self.key = key;
        self
    }

    /// Lets in who proves that this call is a service's.
    fn admit(&self, method: &str, order: &str, metadata: &MetadataMap) -> Result<(), Status> {
        let Some(key) = &self.key else { return Ok(()) };
        let mut proofs = metadata.get_all(proof::HEADER).iter();
        let proof = match (proofs.next(), proofs.next()) {
            (Some(only), None) => only.to_str().ok(),
            _ => None,
        };
        let what = format!("{method} {order}");
        key.check(proof, "payment", &what, SystemClock.now_ms())
            .map_err(|refused| {
                tracing::warn!(method, %refused, "a gRPC call is refused");
                Status::unauthenticated("this call needs the proof of a service")
            })
    }

    /// Answers a call in the caller's trace, and tells how it went.
    async fn told<T>(
        &self,
        method: &'static str,
        metadata: &MetadataMap,
        answering: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<Response<T>, Status> {
        let parent = metadata
            .get(TraceContext::HEADER)
            .and_then(|value| value.to_str().ok());
        let parent = parent.and_then(TraceContext::parse);
        let (mut span, start) = (self.telemetry.begin(method, Kind::Server, parent), Instant::now());
        let answer = trace::within(self.telemetry.tracer(), span.context(), answering).await;
        if let Err(status) = &answer {
            span.fail(format!("{:?}", status.code()));
        }
        self.telemetry.called(method, answer.is_ok(), start.elapsed());
        answer
    }
}

#[tonic::async_trait]
impl PaymentService for PaymentGrpc {
    async fn approve(&self, request: Request<ApproveRequest>) -> Result<Response<Payment>, Status> {
        let begun = tokio::time::Instant::now();
        let (metadata, _, asked) = request.into_parts();
        let due = begun + self.pace.of(&asked.order_id);
        let app = self.app.clone();
        let answering = async {
            self.admit("Approve", &asked.order_id, &metadata)?;
            let patience = deadline(&metadata)?;
            let command = app::terms(&asked.order_id, &asked.customer_id, asked.amount).map_err(invalid)?;
            let answer = tokio::spawn(trace::carried(
                async move { app.approve(command, patience).await },
            ));
            let answer = answer.await;
            if matches!(answer, Ok(Ok(_))) {
                tokio::time::sleep_until(due).await;
            }
            approved(answer)
        };
        self.told("PaymentService/Approve", &metadata, answering).await
    }

    async fn void(&self, request: Request<VoidRequest>) -> Result<Response<Payment>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let answering = async {
            self.admit("Void", &asked.order_id, &metadata)?;
            let order = OrderId::parse(&asked.order_id).map_err(invalid)?;
            answer(self.app.void(&order, asked.reason).await)
        };
        self.told("PaymentService/Void", &metadata, answering).await
    }

    async fn refund(&self, request: Request<RefundRequest>) -> Result<Response<Payment>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let answering = async {
            self.admit("Refund", &asked.order_id, &metadata)?;
            let order = OrderId::parse(&asked.order_id).map_err(invalid)?;
            answer(self.app.refund(&order, asked.reason).await)
        };
        self.told("PaymentService/Refund", &metadata, answering).await
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Payment>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let answering = async {
            self.admit("Get", &asked.order_id, &metadata)?;
            let order = OrderId::parse(&asked.order_id).map_err(invalid)?;
            answer(self.app.get(&order).await)
        };
        self.told("PaymentService/Get", &metadata, answering).await
    }
}

fn approved(
    ended: Result<Result<domain::Payment, AppError>, tokio::task::JoinError>,
) -> Result<Response<Payment>, Status> {
    let payment = ended
        .map_err(|_| Status::internal("the approve did not finish"))?
        .map_err(refused)?;
    match payment.state.status() {
        domain::Status::Unknown | domain::Status::Requested => Err(Status::deadline_exceeded(
            "the provider has not answered; the payment is being reconciled",
        )),
        _ => Ok(Response::new(message(&payment))),
    }
}

fn answer(result: Result<domain::Payment, AppError>) -> Result<Response<Payment>, Status> {
    result
        .map(|payment| Response::new(message(&payment)))
        .map_err(refused)
}

fn message(payment: &domain::Payment) -> Payment {
    Payment {
        order_id: payment.order.as_str().to_owned(),
        amount: payment.amount.get(),
        status: status(payment.state.status()).into(),
        reason: payment.state.reason().unwrap_or_default().to_owned(),
    }
}

fn status(status: domain::Status) -> PaymentStatus {
    match status {
        domain::Status::Requested => PaymentStatus::Requested,
        domain::Status::Approved => PaymentStatus::Approved,
        domain::Status::Declined => PaymentStatus::Declined,
        domain::Status::Unknown => PaymentStatus::Unknown,
        domain::Status::VoidPending => PaymentStatus::VoidPending,
        domain::Status::Voided => PaymentStatus::Voided,
        domain::Status::RefundPending => PaymentStatus::RefundPending,
        domain::Status::Refunded => PaymentStatus::Refunded,
    }
}

fn invalid(error: InvalidValue) -> Status {
    Status::invalid_argument(error.to_string())
}

fn refused(error: AppError) -> Status {
    match error {
        AppError::InvalidTransition(refused) => Status::failed_precondition(refused.to_string()),
        AppError::OtherTerms(_) => Status::already_exists(error.to_string()),
        AppError::NotFound(_) => Status::not_found(error.to_string()),
        AppError::Store(StoreError::Conflict | StoreError::Seen(_)) => {
            Status::aborted("contended, try again")
        }
        AppError::Store(StoreError::Failed { message, .. }) => {
            tracing::error!(message, "the payment store failed");
            Status::unavailable("the payment store does not answer")
        }
    }
}

/// The caller's deadline: at most eight digits and a unit.
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests>
fn deadline(metadata: &MetadataMap) -> Result<Option<Duration>, Status> {
    let Some(value) = metadata.get("grpc-timeout") else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(parse_timeout)
        .map(Some)
        .ok_or_else(|| Status::invalid_argument("grpc-timeout is malformed"))
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_digits_and_a_unit() {
        assert_eq!(parse_timeout("610m"), Some(Duration::from_millis(610)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        assert_eq!(
            parse_timeout("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        for bad in ["", "m", "610", "-1m", "123456789m", "1x", "1é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
