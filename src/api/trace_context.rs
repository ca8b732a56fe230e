//! The `traceparent` header of W3C Trace Context: which trace a request belongs to.
//!
//! Only its hexadecimal numbers are taken over, never the text. `tracestate`, in which others may write what they
//! like, is not read.

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The id of a trace; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(pub u128);

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// Where a request stands in a trace that others began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span of the caller; never 0.
    pub parent: u64,
    /// Whether the caller keeps the trace.
    pub sampled: bool,
}

impl TraceContext {
    /// The context that the headers give; none where there is no header, more than one, or one that breaks the rules.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Self::parse(value.to_str().ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '-');
        let version = hexadecimal(parts.next()?, 2)?;
        let trace = hexadecimal(parts.next()?, 32)?;
        let parent = u64::try_from(hexadecimal(parts.next()?, 16)?).ok()?;
        let flags = hexadecimal(parts.next()?, 2)?;
        // Later versions may say more behind these four; this one may not, and 255 is no version.
        let more = parts.next().is_some();
        if version == 0xff || (version == 0 && more) || trace == 0 || parent == 0 {
            return None;
        }
        Some(Self { trace: TraceId(trace), parent, sampled: flags & 1 == 1 })
    }
}

/// A number of so many hexadecimal digits, in lower case as the standard asks.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let plain = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if plain { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_header_gives_its_numbers() {
        for (flags, sampled) in [("01", true), ("00", false), ("03", true), ("fe", false)] {
            let context = TraceContext::parse(&format!("00-{TRACE}-00f067aa0ba902b7-{flags}")).unwrap();
            assert_eq!(context.trace.to_string(), TRACE);
            assert_eq!(context.parent, 0x00f0_67aa_0ba9_02b7);
            assert_eq!(context.sampled, sampled, "{flags}");
        }
        assert!(TraceContext::parse(&format!("cc-{TRACE}-00f067aa0ba902b7-01-what-comes")).is_some());
    }

    #[test]
    fn a_header_that_breaks_the_rules_gives_nothing() {
        for wrong in [
            "".to_owned(),
            "canary".to_owned(),
            TRACE.to_owned(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-00f067aa0ba902b7-01", &TRACE[1..]),
            format!("00-{TRACE}0-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-+0f067aa0ba902b7-01"),
            format!("0-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-1"),
            format!(" 00-{TRACE}-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(TraceContext::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn two_headers_give_nothing() {
        let value = format!("00-{TRACE}-00f067aa0ba902b7-01").parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, value);
        assert!(TraceContext::of(&headers).is_some());
        headers.append(TRACEPARENT, headers.get(TRACEPARENT).unwrap().clone());
        assert_eq!(TraceContext::of(&headers), None);
    }
}
