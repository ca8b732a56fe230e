//! Which web pages of other origins may read answers: those on the list, compared letter by letter.
//!
//! Own code, because the headers must also stand on answers that the envelope makes when a request fails, and
//! `actix-cors` does not see those. No credentials: a key travels in a header that the page sets itself.

use actix_web::http::{
    Method,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};

/// What a page may send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, if-none-match, x-api-key, x-request-id");

/// What a page may read beyond the few headers that it always may.
const ANSWER_HEADERS: HeaderValue =
    HeaderValue::from_static("etag, link, ratelimit, ratelimit-policy, retry-after, x-request-id");

/// How long a browser may keep the permission, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The allowed origins.
#[derive(Debug)]
pub struct Cors(Vec<String>);

impl Cors {
    /// Allows these origins, each as a browser writes it.
    #[must_use]
    pub const fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Whether any origin is allowed, so that answers depend on it.
    pub const fn varies(&self) -> bool {
        !self.0.is_empty()
    }

    /// The request's origin, where it is allowed.
    fn allowed<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let mut given = headers.get_all(header::ORIGIN);
        let origin = given.next().filter(|_| given.next().is_none())?;
        self.0.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then_some(origin)
    }

    /// Headers of any answer to a request.
    pub fn answer(&self, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        let Some(origin) = self.allowed(headers) else { return Vec::new() };
        vec![
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS),
        ]
    }

    /// Headers of the answer to a preflight of an allowed origin; none for anything else.
    pub fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let asks = method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let origin = self.allowed(headers).filter(|_| asks)?;
        Some(vec![
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ])
    }
}
