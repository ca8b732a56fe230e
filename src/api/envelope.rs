//! What every answer has: a request id, safe headers, problem bodies for errors, a line in the access log.
//!
//! One middleware around everything, so that nothing slips past it: panics and errors of the framework leave
//! as problems like all others. It copies what it needs before it passes the request on; keeping a clone of
//! the request across that call makes actix panic on every request.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpResponse,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use uuid::Uuid;

use super::{
    access::{Access, Verdict},
    problem::{PROBLEM_JSON, Problem, ProblemKind},
    representation::accepts_json,
};

/// The header that carries the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the envelope is set to.
#[derive(Debug, Clone, Copy)]
pub struct EnvelopeSettings {
    /// How long a request may take, body included.
    pub request_timeout: Duration,
    /// Whether each request leaves a line in the log.
    pub access_log: bool,
    /// For how many seconds browsers are told to use HTTPS alone; 0 for not telling them.
    pub hsts_seconds: u32,
}

/// Wraps a request and its answer.
pub(super) async fn envelope<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<BoxBody, B>>, Error> {
    let begin = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let pattern = request.match_pattern();
    let settings =
        request.app_data::<web::Data<EnvelopeSettings>>().map(|settings| *settings.get_ref()).unwrap_or(
            EnvelopeSettings { request_timeout: Duration::from_secs(10), access_log: false, hsts_seconds: 0 },
        );
    // Decided by the head, before anything of the body is read.
    let admission = request.app_data::<web::Data<Access>>().map(|access| access.admit(&request));
    let finish = |headers: &mut HeaderMap| {
        finish(headers, &id, settings.hsts_seconds);
        if let Some(admission) = &admission {
            admission.apply(headers);
        }
    };
    let log = |status: StatusCode| {
        if settings.access_log {
            access_log(&method, pattern.as_deref(), status, begin, &id);
        }
    };
    let early = match admission.as_ref().map(|admission| &admission.verdict) {
        Some(Verdict::Refused(problem)) => Some(problem.response(&id)),
        Some(Verdict::Preflight) => Some(HttpResponse::NoContent().finish()),
        // Without rules of access nothing is let through.
        None => {
            Some(Problem::new(ProblemKind::InternalError, "the service failed on this request").response(&id))
        }
        Some(Verdict::Admitted) => {
            (speaks_json_alone(request.path()) && !accepts_json(&request)).then(|| {
                let detail = "this path answers in application/json alone";
                Problem::new(ProblemKind::NotAcceptable, detail).response(&id)
            })
        }
    };
    if let Some(mut response) = early {
        finish(response.headers_mut());
        log(response.status());
        let (request, unread) = request.into_parts();
        let response = response.map_body(|_, answer| Unread::answered(answer, unread).boxed());
        return Ok(ServiceResponse::new(request, response).map_into_left_body());
    }
    let answer = AssertUnwindSafe(tokio::time::timeout(settings.request_timeout, next.call(request)));
    let problem = match answer.catch_unwind().await {
        Ok(Ok(Ok(mut answer))) => match foreign_problem(&answer) {
            None => {
                finish(answer.headers_mut());
                log(answer.status());
                return Ok(answer.map_into_right_body());
            }
            Some(problem) => problem,
        },
        Ok(Ok(Err(error))) => of_error(&error),
        Ok(Err(_)) => {
            Problem::new(ProblemKind::RequestTimeout, "the request did not arrive and finish in time")
        }
        // The panic's message may hold what a client sent: it goes nowhere.
        Err(_) => Problem::new(
            ProblemKind::InternalError,
            "the service failed on this request; others are not affected",
        ),
    };
    let mut response = problem.response(&id);
    finish(response.headers_mut());
    if matches!(
        problem.kind,
        ProblemKind::RequestTimeout | ProblemKind::BodyTooLarge | ProblemKind::InternalError
    ) {
        // What is left of the request on this connection cannot be trusted.
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    log(response.status());
    Err(InternalError::from_response("", response).into())
}

/// An answer to a request whose body nobody reads.
///
/// While it holds on to that body, actix closes the connection once the answer is sent. A chunked body that is let go
/// it would instead throw away for as long as the client keeps sending.
struct Unread {
    answer: web::Bytes,
    _body: Payload,
}

impl Unread {
    fn answered(answer: BoxBody, body: Payload) -> Self {
        // Answers that are made here are in memory: taking their bytes cannot fail.
        Self { answer: answer.try_into_bytes().unwrap_or_default(), _body: body }
    }
}

impl MessageBody for Unread {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, Infallible>>> {
        let answer = std::mem::take(&mut self.get_mut().answer);
        Poll::Ready((!answer.is_empty()).then_some(Ok(answer)))
    }
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

fn finish(headers: &mut HeaderMap, id: &str, hsts_seconds: u32) {
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

/// One line a request. The route's pattern stands for its path: ids, queries and bodies never reach a log.
fn access_log(method: &Method, pattern: Option<&str>, status: StatusCode, begin: Instant, id: &str) {
    // A method that no route takes may be any text that a client sent.
    let method = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]
        .into_iter()
        .find(|known| known == method)
        .map_or_else(|| "other".to_owned(), |known| known.to_string());
    tracing::info!(
        http.method = method,
        http.route = pattern.unwrap_or("none"),
        http.status = status.as_u16(),
        duration_us = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX),
        request_id = id,
        "request"
    );
}
