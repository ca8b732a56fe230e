//! Answers as bytes: those that can be kept, each with its strong entity tag and its encodings made once, and those
//! that no one may keep.

use std::{fmt::Write as _, io::Write as _, sync::OnceLock};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, EntityTag, Header, IfNoneMatch},
    web::Bytes,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// How long a client may keep an answer of the catalogue without asking again.
const CACHE_CONTROL: &str = "public, max-age=300";

/// Below this size an encoding costs more than it saves.
const SMALLEST_ENCODED: usize = 1024;

/// Encodings that are offered, the preferred first.
const OFFERED: [ContentEncoding; 3] = [ContentEncoding::Brotli, ContentEncoding::Zstd, ContentEncoding::Gzip];

/// An answer with its entity tag.
#[derive(Debug)]
pub struct Representation {
    body: Bytes,
    tag: String,
    content_type: &'static str,
    encoded: [OnceLock<Option<Bytes>>; OFFERED.len()],
}

impl Representation {
    /// Renders a value as JSON.
    #[must_use]
    pub fn json<T: Serialize>(value: &T) -> Self {
        Self::new(to_bytes(value), "application/json")
    }

    /// Takes bytes as they are.
    #[must_use]
    pub fn new(body: Bytes, content_type: &'static str) -> Self {
        let tag = Sha256::digest(&body).iter().take(12).fold(String::new(), |mut tag, byte| {
            // Writing to a String cannot fail.
            let _ = write!(tag, "{byte:02x}");
            tag
        });
        Self { body, tag, content_type, encoded: [const { OnceLock::new() }; OFFERED.len()] }
    }

    /// The answer to a request: 304 where the client has it, else 200 in the best encoding.
    #[must_use]
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let (encoding, body) = self.best(request);
        let tag = match encoding {
            Some(encoding) => format!("{}-{}", self.tag, encoding.as_str()),
            None => self.tag.clone(),
        };
        let mut response =
            if self.is_held(request) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            .insert_header(header::ETag(EntityTag::new_strong(tag)))
            .insert_header((header::CACHE_CONTROL, CACHE_CONTROL))
            .insert_header((header::VARY, "accept-encoding"));
        if self.is_held(request) {
            return response.finish();
        }
        if let Some(encoding) = encoding {
            response.insert_header(encoding);
        }
        response.content_type(self.content_type).body(body)
    }

    /// Whether the client named this answer, in whatever encoding, as one that it has.
    fn is_held(&self, request: &HttpRequest) -> bool {
        match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| {
                let name = tag.tag();
                name == self.tag
                    || OFFERED.iter().any(|encoding| {
                        name.strip_prefix(&self.tag).and_then(|rest| rest.strip_prefix('-'))
                            == Some(encoding.as_str())
                    })
            }),
            Err(_) => false,
        }
    }

    fn best(&self, request: &HttpRequest) -> (Option<ContentEncoding>, Bytes) {
        let plain = (None, self.body.clone());
        let Some(encoding) = negotiate(request, self.body.len()) else { return plain };
        let kept = OFFERED
            .iter()
            .position(|offered| *offered == encoding)
            .and_then(|place| self.encoded.get(place))
            .and_then(|place| place.get_or_init(|| encode(&self.body, encoding)).clone());
        match kept {
            Some(body) => (Some(encoding), body),
            None => plain,
        }
    }
}

/// An answer that no one may keep, in the best encoding: what a person's own answers came to.
pub fn fresh(request: &HttpRequest, answer: Bytes) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept-encoding"))
        .content_type("application/json");
    let encoded =
        negotiate(request, answer.len()).and_then(|encoding| Some((encoding, encode(&answer, encoding)?)));
    match encoded {
        Some((encoding, bytes)) => response.insert_header(encoding).body(bytes),
        None => response.body(answer),
    }
}

/// The bytes of a wire type.
pub fn to_bytes<T: Serialize>(answer: &T) -> Bytes {
    // The wire types hold texts, finite numbers, lists and objects with text keys: serialising cannot fail.
    serde_json::to_vec(answer).unwrap_or_default().into()
}

/// The encoding to use for an answer of this size, or none for plain bytes.
///
/// A request is never refused over its `Accept-Encoding`: where nothing fits, the bytes go plain.
#[must_use]
fn negotiate(request: &HttpRequest, size: usize) -> Option<ContentEncoding> {
    if size < SMALLEST_ENCODED || !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return None;
    }
    let accepted = AcceptEncoding::parse(request).ok()?;
    let offered: Vec<Encoding> =
        OFFERED.iter().map(|encoding| Encoding::Known(*encoding)).chain([Encoding::identity()]).collect();
    match accepted.negotiate(offered.iter())? {
        Encoding::Known(encoding) if OFFERED.contains(&encoding) => Some(encoding),
        Encoding::Known(_) | Encoding::Unknown(_) => None,
    }
}

/// Bytes in an encoding; none where it does not make them smaller.
#[must_use]
fn encode(body: &[u8], encoding: ContentEncoding) -> Option<Bytes> {
    // Levels that shrink a hundred kilobytes within milliseconds.
    let mut encoded = Vec::with_capacity(body.len() / 3);
    let written = if encoding == ContentEncoding::Brotli {
        let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
        brotli::BrotliCompress(&mut &*body, &mut encoded, &parameters).map(|_| ())
    } else if encoding == ContentEncoding::Zstd {
        zstd::stream::copy_encode(body, &mut encoded, 6)
    } else {
        let mut encoder = flate2::write::GzEncoder::new(&mut encoded, flate2::Compression::new(6));
        encoder.write_all(body).and_then(|()| encoder.finish().map(|_| ()))
    };
    (written.is_ok() && encoded.len() < body.len()).then(|| encoded.into())
}

/// Whether the `Accept` header of a request lets `application/json` pass.
#[must_use]
pub fn accepts_json<M: HttpMessage>(message: &M) -> bool {
    if !message.headers().contains_key(header::ACCEPT) {
        return true;
    }
    let Ok(accept) = header::Accept::parse(message) else { return true };
    accept.0.is_empty()
        || accept.0.iter().any(|item| {
            let wanted = item.quality > header::Quality::ZERO;
            let range = (item.item.type_().as_str(), item.item.subtype().as_str());
            wanted && matches!(range, ("*", "*") | ("application", "*" | "json" | "problem"))
        })
}
