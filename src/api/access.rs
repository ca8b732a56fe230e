//! Who may ask, how often, and from which web pages: decided for every request before anything of it is read.
//!
//! The envelope asks [`Access::admit`] and puts the headers of the [`Admission`] on whatever answer follows, so that
//! they also stand on problems, time-outs and panics.

use actix_web::{
    dev::ServiceRequest,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{
    client_address::{client_address, network_of},
    cors::Cors,
    problem::{Problem, ProblemKind},
    rate_limit::{Client, Rate, RateLimit},
};

/// What a client has to send.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"coxa\"");

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The longest key that is looked at, in bytes; longer ones are none of ours.
const LONGEST_KEY: usize = 256;

/// What is open to everyone, keys or not. Whatever is not named here needs a key, also what does not exist: a path
/// that is written in an unforeseen way is then refused and not let through.
const OPEN: [&str; 7] = ["/", "/livez", "/readyz", "/version", "/docs", "/openapi.json", "/openapi.yaml"];
const OPEN_FOLDERS: [&str; 2] = ["/docs/", "/problems/"];

/// What orchestrators ask all the time: never limited.
const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// Who may ask.
#[derive(Debug, Default)]
pub struct AccessRules {
    /// SHA-256 of each key; where there is none, anyone may ask.
    pub keys: Vec<[u8; 32]>,
    /// How often one client may ask; none for no limit.
    pub rate: Option<Rate>,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins of web pages that may read answers.
    pub allowed_origins: Vec<String>,
}

/// Decides who may ask.
pub struct Access {
    keys: Vec<[u8; 32]>,
    limit: Option<RateLimit>,
    trusted_proxies: Vec<IpNet>,
    cors: Cors,
}

/// What was decided on a request.
pub(super) struct Admission {
    /// Whether it goes on.
    pub verdict: Verdict,
    headers: Vec<(HeaderName, HeaderValue)>,
    varies_by_origin: bool,
    /// Whether the answer is for the bearer of a key alone, so that no shared cache may keep it.
    private: bool,
}

/// Whether a request goes on.
pub(super) enum Verdict {
    /// It does.
    Admitted,
    /// It was a browser's question whether a page may ask, and it may.
    Preflight,
    /// It does not.
    Refused(Problem),
}

impl Access {
    /// Applies rules.
    #[must_use]
    pub fn new(rules: AccessRules) -> Self {
        Self {
            keys: rules.keys,
            limit: rules.rate.and_then(RateLimit::new),
            trusted_proxies: rules.trusted_proxies,
            cors: Cors::new(rules.allowed_origins),
        }
    }

    /// Decides on a request by its head alone, and counts it.
    pub(super) fn admit(&self, request: &ServiceRequest) -> Admission {
        let (path, headers) = (request.path(), request.headers());
        let mut admission = Admission {
            verdict: Verdict::Admitted,
            headers: self.cors.answer(headers),
            varies_by_origin: self.cors.varies(),
            private: !self.keys.is_empty() && !is_open(path),
        };
        if let Some(permission) = self.cors.preflight(request.method(), headers) {
            admission.headers = permission;
            admission.verdict = Verdict::Preflight;
            return admission;
        }
        let key = if self.keys.is_empty() { Ok(None) } else { self.key_of(headers).map(Some) };
        let key = match key {
            Ok(key) => key,
            Err(reason) if admission.private => {
                admission.headers.push((header::WWW_AUTHENTICATE, CHALLENGE));
                admission.verdict = Verdict::Refused(Problem::new(ProblemKind::Unauthorized, reason));
                return admission;
            }
            Err(_) => None,
        };
        if let Some(limit) = self.limit.as_ref().filter(|_| !is_probe(path)) {
            let decision = limit.check(key.map_or_else(|| self.network_of(request), Client::Key));
            admission.headers.extend(decision.headers);
            if let Some(wait) = decision.retry_after {
                let detail = format!("the limit is {}; ask again in {wait} s", limit.words());
                admission.verdict = Verdict::Refused(Problem::new(ProblemKind::TooManyRequests, detail));
            }
        }
        admission
    }

    fn network_of(&self, request: &ServiceRequest) -> Client {
        request.peer_addr().map_or(Client::Others, |peer| {
            Client::Network(network_of(client_address(peer.ip(), request.headers(), &self.trusted_proxies)))
        })
    }

    /// The place of the key that a request bears, or why it bears none that is known.
    fn key_of(&self, headers: &HeaderMap) -> Result<u64, &'static str> {
        let single = |name: HeaderName| {
            let mut given = headers.get_all(&name);
            let value = given.next();
            if given.next().is_some() {
                Err("send one key, once")
            } else {
                Ok(value.map(HeaderValue::as_bytes))
            }
        };
        let bearer = single(header::AUTHORIZATION)?
            .map(|value| bearer(value).ok_or("send the key as Authorization: Bearer KEY"))
            .transpose()?;
        let key = match (bearer, single(API_KEY)?) {
            (None, None) => return Err("send a key: Authorization: Bearer KEY, or X-API-Key: KEY"),
            (Some(one), Some(other)) if one != other => {
                return Err("Authorization and X-API-Key hold different keys; send one");
            }
            (Some(key), _) | (None, Some(key)) => key,
        };
        self.place_of(key).ok_or("the key is not known")
    }

    /// Compares with every key, whether or not one fits: the time tells neither which nor how nearly.
    fn place_of(&self, key: &[u8]) -> Option<u64> {
        if key.len() > LONGEST_KEY {
            return None;
        }
        let digest = Sha256::digest(key);
        let (mut found, mut place) = (Choice::from(0), 0_u64);
        for (number, known) in (0_u64..).zip(&self.keys) {
            let same = known.as_slice().ct_eq(digest.as_slice());
            place.conditional_assign(&number, same);
            found |= same;
        }
        bool::from(found).then_some(place)
    }
}

impl Admission {
    /// Puts what was decided on the answer.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        if self.varies_by_origin {
            let vary = match headers.get(header::VARY).and_then(|value| value.to_str().ok()) {
                Some(vary) => HeaderValue::from_str(&format!("{vary}, origin")),
                None => Ok(HeaderValue::from_static("origin")),
            };
            if let Ok(vary) = vary {
                headers.insert(header::VARY, vary);
            }
        }
        let kept = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let kept = kept.and_then(|value| value.strip_prefix("public"));
        if let Some(rest) = kept.filter(|_| self.private)
            && let Ok(value) = HeaderValue::from_str(&format!("private{rest}"))
        {
            headers.insert(header::CACHE_CONTROL, value);
        }
    }
}

/// Whether a path is open to everyone, keys or not.
pub(super) fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || OPEN_FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// Whether a path is never limited.
pub(super) fn is_probe(path: &str) -> bool {
    PROBES.contains(&path)
}

/// The token of a bearer; the scheme's name may be in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token.trim_ascii())
}
