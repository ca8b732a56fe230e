//! What every answer has: a request id, safe headers, problem bodies for errors. What is learnt of a request beside
//! that is in `observation.rs`.
//!
//! One middleware around everything, so that nothing slips past it: panics and errors of the framework leave
//! as problems like all others. It copies what it needs before it passes the request on; keeping a clone of
//! the request across that call makes actix panic on every request.

use std::{panic::AssertUnwindSafe, sync::LazyLock, time::Duration};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ResponseHead, ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use uuid::Uuid;

use super::{
    access::{Access, Verdict},
    exchange::{Backlog, Exchange, Taken},
    observation::Observation,
    problem::{PROBLEM_JSON, Problem, ProblemKind, ReadyProblem},
    representation::accepts_json,
};

/// The header that carries the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the envelope is set to.
#[derive(Debug, Clone, Copy)]
pub struct EnvelopeSettings {
    /// How long a request may take, body included.
    pub request_timeout: Duration,
    /// For how many seconds browsers are told to use HTTPS alone; 0 for not telling them.
    pub hsts_seconds: u32,
}

/// Wraps a request and its answer.
pub(super) async fn envelope<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<BoxBody, B>>, Error> {
    detach(request.headers_mut());
    let observation = Observation::begin(&request);
    let id = request_id(request.headers());
    let settings = request
        .app_data::<web::Data<EnvelopeSettings>>()
        .map(|settings| *settings.get_ref())
        .unwrap_or(EnvelopeSettings { request_timeout: Duration::from_secs(10), hsts_seconds: 0 });
    let exchange = request.conn_data::<Exchange>().cloned();
    if exchange.as_ref().is_some_and(Exchange::is_ending) {
        // actix hands on requests that came together with one that ends the connection. It is closed in a moment.
        return std::future::pending().await;
    }
    let has_body = has_body(request.headers());
    let last = request.head().connection_type() == ConnectionType::Close;
    let taken = exchange.map(|exchange| exchange.take(is_chunked(request.headers()), last));
    let is_last = || taken.as_ref().is_some_and(Taken::is_last);
    // Decided by the head, before anything of the body is read.
    let admission = request.app_data::<web::Data<Access>>().map(|access| access.admit(&request));
    let finish = |headers: &mut HeaderMap| {
        finish(headers, &id, settings.hsts_seconds);
        if let Some(admission) = &admission {
            admission.apply(headers);
        }
    };
    let early = match admission.as_ref().map(|admission| &admission.verdict) {
        Some(Verdict::Refused(problem)) => Some(problem.response(&id)),
        Some(Verdict::Preflight) => Some(HttpResponse::NoContent().finish()),
        // Without rules of access nothing is let through.
        None => {
            Some(Problem::new(ProblemKind::InternalError, "the service failed on this request").response(&id))
        }
        Some(Verdict::Admitted) if is_overloaded(&request) => {
            observation.shed();
            Some(SHED.response(&id))
        }
        Some(Verdict::Admitted) => {
            (speaks_json_alone(request.path()) && !accepts_json(&request)).then(|| {
                let detail = "this path answers in application/json alone";
                Problem::new(ProblemKind::NotAcceptable, detail).response(&id)
            })
        }
    };
    if let Some(mut response) = early {
        if has_body {
            // Lets actix look at a body that came with its head, so that the connection can be kept.
            tokio::task::yield_now().await;
        }
        finish(response.headers_mut());
        // Whoever was not let in is not listened to any longer.
        let refused =
            admission.as_ref().is_some_and(|admission| matches!(admission.verdict, Verdict::Refused(_)));
        if refused
            && has_body
            && let Some(taken) = &taken
        {
            taken.end();
        }
        if is_last() {
            close(response.head_mut());
        }
        observation.end(response.status(), &id);
        return Ok(request.into_response(response).map_into_left_body());
    }
    let answer = AssertUnwindSafe(tokio::time::timeout(settings.request_timeout, next.call(request)));
    let problem = match answer.catch_unwind().await {
        Ok(Ok(Ok(mut answer))) => match foreign_problem(&answer) {
            None => {
                finish(answer.headers_mut());
                if is_last() {
                    close(answer.response_mut().head_mut());
                }
                observation.end(answer.status(), &id);
                return Ok(answer.map_into_right_body());
            }
            Some(problem) => problem,
        },
        Ok(Ok(Err(error))) => of_error(&error),
        Ok(Err(_)) => {
            Problem::new(ProblemKind::RequestTimeout, "the request did not arrive and finish in time")
        }
        Err(_) => {
            observation.panicked();
            panicked()
        }
    };
    let mut response = problem.response(&id);
    finish(response.headers_mut());
    // What is left of the request on this connection cannot be trusted.
    let broken = matches!(
        problem.kind,
        ProblemKind::RequestTimeout | ProblemKind::BodyTooLarge | ProblemKind::InternalError
    );
    if broken && let Some(taken) = &taken {
        taken.end();
    }
    if broken || is_last() {
        close(response.head_mut());
    }
    observation.end(response.status(), &id);
    Err(InternalError::from_response("", response).into())
}

/// Gives each header memory of its own. As it came, it is a part of what the connection read at once, body included, and
/// actix keeps heads of past requests for those to come: a flood of bodies would stay for as long as they do.
fn detach(headers: &mut HeaderMap) {
    headers.retain(|_, value| {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
        true
    });
}

/// Whether a request came to a worker that is too far behind. What tells about the service itself is answered always.
fn is_overloaded(request: &ServiceRequest) -> bool {
    let backlog = request.app_data::<Option<Backlog>>().and_then(Option::as_ref);
    request.path().starts_with("/v1/") && backlog.is_some_and(Backlog::is_too_long)
}

/// The answer to a request that is turned away. Those that are answered wait for those that are not, so it has to be cheap.
static SHED: LazyLock<ReadyProblem> = LazyLock::new(|| {
    ReadyProblem::new(Problem::new(
        ProblemKind::Overloaded,
        "the service has too much to do; send the request again in a second",
    ))
});

/// The answer to a request whose handler panicked. The panic's message may hold what a client sent: it goes nowhere.
fn panicked() -> Problem {
    Problem::new(ProblemKind::InternalError, "the service failed on this request; others are not affected")
}

fn close(head: &mut ResponseHead) {
    head.set_connection_type(ConnectionType::Close);
}

/// Whether a request has a body, or says so.
fn has_body(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_LENGTH);
    is_chunked(headers) || declared.is_some_and(|length| length.as_bytes() != b"0")
}

/// Whether the body of a request comes in chunks. actix refuses any other coding.
fn is_chunked(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
}

/// The id that the client gave, where it is plain, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(plain)
        .map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned)
}

/// Whether a path answers in JSON and nothing else.
fn speaks_json_alone(path: &str) -> bool {
    path.starts_with("/v1/") || matches!(path, "/" | "/livez" | "/readyz" | "/version" | "/openapi.json")
}

/// The problem behind an error of a handler or of the framework.
fn of_error(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    let kind = ProblemKind::of_status(error.as_response_error().status_code());
    Problem::new(kind, kind.remedy())
}

/// The problem that should stand in place of an error answer that the framework made.
fn foreign_problem<B>(answer: &ServiceResponse<B>) -> Option<Problem> {
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error {
        return None;
    }
    // A problem of a handler was rendered without the request's id; it is rendered anew.
    if let Some(problem) = answer.response().error().and_then(|error| error.as_error::<Problem>()) {
        return Some(problem.clone());
    }
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|value| value.as_bytes() == PROBLEM_JSON.as_bytes()) {
        return None;
    }
    let kind = ProblemKind::of_status(status);
    let mut problem = Problem::new(kind, kind.remedy());
    problem.allow =
        answer.headers().get(header::ALLOW).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    Some(problem)
}

/// Gives an answer the headers that every answer has.
pub(super) fn finish(headers: &mut HeaderMap, id: &str, hsts_seconds: u32) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        header::LINK,
        HeaderValue::from_static("</openapi.json>; rel=\"service-desc\", </docs>; rel=\"service-doc\""),
    );
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if hsts_seconds > 0
        && let Ok(value) = HeaderValue::from_str(&format!("max-age={hsts_seconds}"))
    {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
}
