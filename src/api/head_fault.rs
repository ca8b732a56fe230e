//! Answers to heads that no request could be made of, so that no middleware ever sees them: as bytes, with the problem,
//! the headers and the count that every other answer has.

use actix_web::body::MessageBody;
use uuid::Uuid;

use super::{
    envelope::finish,
    metrics::Metrics,
    problem::{Problem, ProblemKind},
};

/// What is wrong with a head that no request could be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeadFault {
    /// It did not come in time.
    Late,
    /// It is not HTTP as it should be.
    Malformed,
    /// It is longer than any may be.
    TooLarge,
}

impl HeadFault {
    /// Each of them.
    pub(super) const ALL: [Self; 3] = [Self::Late, Self::Malformed, Self::TooLarge];

    /// The word for it in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
        }
    }

    fn problem(self) -> Problem {
        let (kind, detail) = match self {
            Self::Late => (ProblemKind::RequestTimeout, "the head of the request did not arrive in time"),
            Self::Malformed => {
                (ProblemKind::MalformedHttp, "the request cannot be told from what stands around it")
            }
            Self::TooLarge => {
                (ProblemKind::HeadTooLarge, "the head of the request is too long or has too many headers")
            }
        };
        Problem::new(kind, detail)
    }
}

/// Answers heads that no request could be made of, and counts them.
#[derive(Debug, Clone)]
pub struct HeadRefusals {
    metrics: Metrics,
    hsts_seconds: u32,
}

impl HeadRefusals {
    /// Counts in these metrics; `hsts_seconds` is for how long browsers are told to use HTTPS alone, 0 for not telling
    /// them.
    #[must_use]
    pub const fn new(metrics: Metrics, hsts_seconds: u32) -> Self {
        Self { metrics, hsts_seconds }
    }

    /// The answer, as bytes: nothing else answers such a head. The connection has to end with it.
    #[must_use]
    pub fn answer(&self, fault: HeadFault) -> Vec<u8> {
        let id = Uuid::now_v7().to_string();
        let problem = fault.problem();
        // It leaves no line as a request does.
        let status = problem.kind.status().as_u16();
        tracing::info!(http.status = status, request_id = id, "refused before it was a request");
        self.metrics.head_refused(fault);
        let mut response = problem.response(&id);
        finish(response.headers_mut(), &id, self.hsts_seconds);
        let (response, body) = response.into_parts();
        let body = body.try_into_bytes().unwrap_or_default();
        let mut bytes = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
        for (name, value) in response.headers() {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend(format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len()).bytes());
        bytes.extend(body);
        bytes
    }
}
