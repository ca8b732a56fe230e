//! What every answer has: a request id, safe headers, problem bodies for errors. What is learnt of a request beside
//! that is in `observation.rs`.
//!
//! One middleware around everything, so that nothing slips past it: panics and errors of the framework leave
//! as problems like all others. It copies what it needs before it passes the request on; keeping a clone of
//! the request across that call makes actix panic on every request.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use futures_util::FutureExt;
use uuid::Uuid;

use super::{
    observation::Observation,
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
}

/// Wraps a request and its answer.
pub(super) async fn envelope<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<BoxBody, B>>, Error> {
    let observation = Observation::begin(&request);
    let id = request_id(request.headers());
    let settings = request
        .app_data::<web::Data<EnvelopeSettings>>()
        .map(|settings| *settings.get_ref())
        .unwrap_or(EnvelopeSettings { request_timeout: Duration::from_secs(10) });
    if speaks_json_alone(request.path()) && !accepts_json(&request) {
        let problem = Problem::new(ProblemKind::NotAcceptable, "this path answers in application/json alone");
        let response = finished(problem.response(&id), &id);
        observation.end(response.status(), &id);
        return Ok(request.into_response(response).map_into_left_body());
    }
    let answer = AssertUnwindSafe(tokio::time::timeout(settings.request_timeout, next.call(request)));
    let problem = match answer.catch_unwind().await {
        Ok(Ok(Ok(mut answer))) => match foreign_problem(&answer) {
            None => {
                finish(answer.headers_mut(), &id);
                observation.end(answer.status(), &id);
                return Ok(answer.map_into_right_body());
            }
            Some(problem) => problem,
        },
        Ok(Ok(Err(error))) => of_error(&error),
        Ok(Err(_)) => {
            Problem::new(ProblemKind::RequestTimeout, "the request did not arrive and finish in time")
        }
        // The panic's message may hold what a client sent: it goes nowhere.
        Err(_) => {
            observation.panicked();
            Problem::new(
                ProblemKind::InternalError,
                "the service failed on this request; others are not affected",
            )
        }
    };
    let mut response = finished(problem.response(&id), &id);
    if matches!(
        problem.kind,
        ProblemKind::RequestTimeout | ProblemKind::BodyTooLarge | ProblemKind::InternalError
    ) {
        // What is left of the request on this connection cannot be trusted.
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    observation.end(response.status(), &id);
    Err(InternalError::from_response("", response).into())
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

fn finished(mut response: HttpResponse, id: &str) -> HttpResponse {
    finish(response.headers_mut(), id);
    response
}

fn finish(headers: &mut HeaderMap, id: &str) {
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
}
