//! Every error a client can meet, as RFC 9457 problem details, and the page that explains it.
//!
//! One table, [`ProblemKind::row`], holds slug, title and status; nothing else in the program chooses a
//! status for an error. A problem never holds what a client sent beyond an id or a key that it spelt wrong.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// How many faults of one request are named. Beyond this a client learns nothing more, and finding them would
/// cost more than the request is worth.
pub const MOST_ERRORS: usize = 100;

/// How many characters of a word that a client spelt wrong are said back.
const LONGEST_ECHO: usize = 64;

/// A kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The body is not one JSON value, or holds a key twice, or is nested too deeply.
    MalformedJson,
    /// The path could not be read.
    MalformedPath,
    /// The request bears no key that is known, and one is needed.
    Unauthorized,
    /// No such path.
    UnknownRoute,
    /// A path with an id that names nothing.
    UnknownId,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The answer cannot be had in a form that `Accept` allows.
    NotAcceptable,
    /// The request did not arrive in time.
    RequestTimeout,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The body is not `application/json`, or is encoded.
    UnsupportedMediaType,
    /// The request was read, and parts of it make no sense.
    InvalidRequest,
    /// The client asked more often than it may.
    TooManyRequests,
    /// A fault of the service.
    InternalError,
    /// The service is about to stop.
    Draining,
    /// The service has more to do than it can.
    Overloaded,
    /// What came is not HTTP as it should be.
    MalformedHttp,
    /// The head of the request is longer than any may be.
    HeadTooLarge,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::MalformedJson,
        Self::MalformedPath,
        Self::Unauthorized,
        Self::UnknownRoute,
        Self::UnknownId,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidRequest,
        Self::TooManyRequests,
        Self::InternalError,
        Self::Draining,
        Self::Overloaded,
        Self::MalformedHttp,
        Self::HeadTooLarge,
    ];

    /// Slug, title and status.
    const fn row(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::MalformedJson => {
                ("malformed-json", "The body is not readable JSON", StatusCode::BAD_REQUEST)
            }
            Self::MalformedPath => ("malformed-path", "The path cannot be read", StatusCode::BAD_REQUEST),
            Self::Unauthorized => ("unauthorized", "A key is needed", StatusCode::UNAUTHORIZED),
            Self::UnknownRoute => ("unknown-route", "There is nothing at this path", StatusCode::NOT_FOUND),
            Self::UnknownId => ("unknown-id", "The id is not in the catalogue", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => {
                ("method-not-allowed", "The path does not take this method", StatusCode::METHOD_NOT_ALLOWED)
            }
            Self::NotAcceptable => {
                ("not-acceptable", "The answer is not available in that form", StatusCode::NOT_ACCEPTABLE)
            }
            Self::RequestTimeout => {
                ("request-timeout", "The request did not arrive in time", StatusCode::REQUEST_TIMEOUT)
            }
            Self::BodyTooLarge => ("body-too-large", "The body is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                "The body is not plain application/json",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::InvalidRequest => {
                ("invalid-request", "Parts of the request are not valid", StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::TooManyRequests => {
                ("too-many-requests", "The rate limit is reached", StatusCode::TOO_MANY_REQUESTS)
            }
            Self::InternalError => {
                ("internal-error", "The service failed to answer", StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Draining => ("draining", "The service is about to stop", StatusCode::SERVICE_UNAVAILABLE),
            Self::Overloaded => {
                ("overloaded", "The service has too much to do", StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::MalformedHttp => {
                ("malformed-http", "The request is not HTTP as it should be", StatusCode::BAD_REQUEST)
            }
            Self::HeadTooLarge => (
                "head-too-large",
                "The head of the request is too large",
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ),
        }
    }

    /// The stable code, also the last segment of the problem's `type`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.row().0
    }

    /// One line that is the same for every problem of this kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().2
    }

    /// What to do about it, for the page of this kind.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::MalformedJson => {
                "Send one JSON object: names and texts in double quotes, each name once, nothing after the closing \
                 brace. The detail names line and column."
            }
            Self::MalformedPath => "Percent-encode what is not a letter, digit, hyphen or slash; use UTF-8.",
            Self::Unauthorized => {
                "Send one key, as Authorization: Bearer KEY or as X-API-Key: KEY. Whoever runs the service gives keys \
                 out."
            }
            Self::UnknownRoute => "Compare the path with the list at /docs; paths have no trailing slash.",
            Self::UnknownId => {
                "List the ids with a GET on the collection; the problem names the nearest one."
            }
            Self::MethodNotAllowed => "Use one of the methods that the Allow header of the answer names.",
            Self::NotAcceptable => "Send Accept: application/json, or leave the header out.",
            Self::RequestTimeout => {
                "Send the request again, all of it at once. The limit is the setting server.request_timeout."
            }
            Self::BodyTooLarge => "Send fewer bytes. The limit is the setting server.body_limit.",
            Self::UnsupportedMediaType => {
                "Send the header Content-Type: application/json, in UTF-8 and without Content-Encoding. \
                 With curl: -H 'Content-Type: application/json'."
            }
            Self::InvalidRequest => {
                "Each entry of errors points to a place in the body or query and says what is wrong there. All \
                 faults are listed at once."
            }
            Self::TooManyRequests => {
                "Wait as many seconds as the Retry-After header says. RateLimit says with each answer how many \
                 requests are left."
            }
            Self::InternalError => {
                "Try again; if it stays, report the request id to whoever runs the service."
            }
            Self::Overloaded => {
                "Send the request again after the seconds that Retry-After says. Where it happens often, add workers \
                 or replicas; the limit is the setting server.max_queue_delay."
            }
            Self::MalformedHttp => {
                "Look at the request line, the headers and how the length of the body is said: one Content-Length or \
                 Transfer-Encoding: chunked, not both. Libraries for HTTP do this by themselves."
            }
            Self::HeadTooLarge => "Send fewer and shorter headers, and a shorter path and query.",
            Self::Draining => "Send requests to another replica; this one finishes what it has and stops.",
        }
    }

    /// The kind that a bare HTTP status of the framework stands for.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.status() == status)
            .unwrap_or(if status.is_server_error() { Self::InternalError } else { Self::MalformedPath })
    }
}

/// What is wrong at one place of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// What sort of fault, stable for programs.
    pub code: &'static str,
    /// What is wrong and what was due, for people.
    pub detail: String,
    /// What may have been meant, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
}

/// An error answer: RFC 9457 problem details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What sort of error.
    pub kind: ProblemKind,
    /// What happened this time.
    pub detail: String,
    /// Every fault of the request, in order of place.
    pub errors: Vec<FieldError>,
    /// Methods that the path takes, for 405.
    pub allow: Option<String>,
}

impl Problem {
    /// A problem without entries.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), allow: None }
    }

    /// A request that was read and has faults.
    #[must_use]
    pub fn invalid(mut errors: Vec<FieldError>) -> Self {
        errors.sort();
        // Stable: faults of one place keep the order of their codes.
        errors.sort_by_cached_key(|error| place(&error.pointer));
        let count = errors.len();
        let detail = format!("{count} fault{} in the request; see errors", if count == 1 { "" } else { "s" });
        Self { kind: ProblemKind::InvalidRequest, detail, errors, allow: None }
    }

    /// The body of the answer, for the request with this id.
    #[must_use]
    pub fn body(&self, request_id: &str) -> ProblemBody {
        ProblemBody {
            r#type: format!("/problems/{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            instance: format!("urn:coxa:request:{request_id}"),
            code: self.kind.slug(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        }
    }

    /// The answer, for the request with this id.
    #[must_use]
    pub fn response(&self, request_id: &str) -> HttpResponse {
        self.response_with(self.text(request_id))
    }

    fn text(&self, request_id: &str) -> String {
        // Strings and numbers alone: serialising cannot fail.
        serde_json::to_string(&self.body(request_id)).unwrap_or_default()
    }

    fn response_with(&self, body: String) -> HttpResponse {
        let mut response = HttpResponse::build(self.kind.status());
        response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        if let Some(allow) = &self.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if self.kind == ProblemKind::Overloaded {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from_static("1")));
        }
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON)));
        response.body(body)
    }
}

/// A problem that is told often in a short time: rendered once but for the id of the request.
#[derive(Debug)]
pub struct ReadyProblem {
    problem: Problem,
    /// What stands around the id.
    texts: Vec<String>,
}

impl ReadyProblem {
    /// Renders a problem.
    #[must_use]
    pub fn new(problem: Problem) -> Self {
        // No text of ours holds it.
        const ID: &str = "{request_id}";
        let texts = problem.text(ID).split(ID).map(ToOwned::to_owned).collect();
        Self { problem, texts }
    }

    /// The answer, for the request with this id, which needs no escapes.
    #[must_use]
    pub fn response(&self, request_id: &str) -> HttpResponse {
        self.problem.response_with(self.texts.join(request_id))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.title())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    /// Only reached outside the service's own middleware, which knows the request's id.
    fn error_response(&self) -> HttpResponse {
        self.response("unknown")
    }
}

/// An error answer, as RFC 9457 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Address of a page of this service that explains the kind of problem.
    #[schema(format = "uri-reference")]
    pub r#type: String,
    /// The kind of problem in one line.
    pub title: &'static str,
    /// The HTTP status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Names this occurrence; ends with the request id.
    #[schema(format = "uri-reference")]
    pub instance: String,
    /// The kind of problem as a stable code.
    pub code: &'static str,
    /// The id of the request, as in the `X-Request-Id` header.
    pub request_id: String,
    /// Every fault of the request, in order of place; left out where no place is at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// The order of places: names by letters, entries of a list by number, so that the tenth follows the ninth.
fn place(pointer: &str) -> Vec<(Option<u32>, String)> {
    pointer.split('/').map(|segment| (segment.parse().ok(), segment.to_owned())).collect()
}

/// A word that a client sent, short enough and plain enough to be said back.
#[must_use]
pub fn echo(word: &str) -> String {
    let short: String = word.chars().filter(|letter| !letter.is_control()).take(LONGEST_ECHO).collect();
    if short.len() < word.len() { format!("{short}...") } else { short }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;

    use super::*;

    #[test]
    fn a_problem_that_is_ready_is_told_as_any_other() {
        let problem = Problem::new(ProblemKind::Overloaded, "wait a second");
        let ready = ReadyProblem::new(problem.clone());
        for id in ["a", "01a20926-3050-7426-90a6-41d1dd825066"] {
            let (one, other) = (problem.response(id), ready.response(id));
            assert_eq!(one.status(), other.status());
            let headers = |response: &HttpResponse| {
                let mut headers: Vec<String> =
                    response.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
                headers.sort();
                headers
            };
            assert_eq!(headers(&one), headers(&other));
            let body = other.into_body().try_into_bytes().unwrap();
            assert_eq!(one.into_body().try_into_bytes().unwrap(), body);
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["request_id"], id);
        }
    }
}
