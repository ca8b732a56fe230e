//! Taking the bytes of a JSON body off the wire.

use std::{future::Future, ops::Deref, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt;

use super::{
    exchange::Exchange,
    problem::{Problem, ProblemKind},
};

/// How large a body may be, in bytes; a setting, shared by all handlers.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// The bytes of a body that says it is plain `application/json`.
#[derive(Debug)]
pub struct JsonBody(Bytes);

impl Deref for JsonBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl FromRequest for JsonBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().map_or(32 * 1024, |limit| limit.0);
        let checked = check_head(request, limit);
        let exchange = request.conn_data::<Exchange>().cloned();
        let mut payload = payload.take();
        Box::pin(async move {
            let declared = checked?;
            let mut body = BytesMut::new();
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|error| unreadable(&error))?;
                if body.len() + chunk.len() > limit {
                    return Err(too_large(limit));
                }
                if body.is_empty() {
                    // Once, because a body that grows leaves smaller ones behind; and not for a promise alone.
                    body.reserve(declared);
                }
                body.extend_from_slice(&chunk);
            }
            if let Some(exchange) = exchange {
                exchange.body_ended();
            }
            Ok(Self(body.freeze()))
        })
    }
}

/// Refuses by the head alone what need not be read; the length that it declares for the rest, 0 for none.
fn check_head(request: &HttpRequest, limit: usize) -> Result<usize, Problem> {
    let unsupported = |detail: &str| Err(Problem::new(ProblemKind::UnsupportedMediaType, detail));
    let media_type = request.mime_type().ok().flatten();
    let json = media_type.as_ref().is_some_and(|media_type| {
        media_type.type_() == "application"
            && media_type.subtype() == "json"
            && media_type.suffix().is_none()
            && media_type
                .params()
                .all(|(name, value)| name == "charset" && value.as_str().eq_ignore_ascii_case("utf-8"))
    });
    if !json {
        return unsupported(
            "send the body as UTF-8 JSON with the header Content-Type: application/json (curl: -H 'Content-Type: application/json')",
        );
    }
    let encoded = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return unsupported("send the body as it is: Content-Encoding is not supported for requests");
    }
    let declared: Option<u64> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match usize::try_from(declared.unwrap_or_default()) {
        Ok(declared) if declared <= limit => Ok(declared),
        _ => Err(too_large(limit)),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(ProblemKind::BodyTooLarge, format!("the body may have at most {limit} bytes"))
}

fn unreadable(error: &PayloadError) -> Problem {
    if matches!(error, PayloadError::Overflow) {
        return Problem::new(ProblemKind::BodyTooLarge, "the body is too large");
    }
    Problem::new(ProblemKind::MalformedJson, "the body broke off before its end")
}
