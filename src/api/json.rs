//! The first stage of reading a body: bytes to a tree that keeps every key, so that all faults can be named.
//!
//! `serde` stops at its first error, takes an array for an object and keeps the last of two equal keys. This
//! tree does none of that: what is not JSON, nests too deeply or says a key twice is refused here; what the
//! values mean is read from the tree by the second stage, which names every fault at once.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::problem::{FieldError, MOST_ERRORS, Problem, ProblemKind, echo};

/// How deep a body may nest; a request needs five levels.
const DEEPEST: usize = 8;

/// A JSON value with its keys in order and none lost.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Truth(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// An object.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl Json<'_> {
    /// What sort of value it is, in words.
    #[must_use]
    pub const fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Truth(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads one JSON value from bytes.
///
/// # Errors
/// A 400 problem that names line and column, or the place of a key that is said twice.
pub fn read(bytes: &[u8]) -> Result<Json<'_>, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let tree = Level(0)
        .deserialize(&mut deserializer)
        .and_then(|tree| deserializer.end().map(|()| tree))
        .map_err(|error| malformed(bytes, &error))?;
    let mut twice = Vec::new();
    repeated_keys(&tree, &mut String::new(), &mut twice);
    if twice.is_empty() {
        Ok(tree)
    } else {
        let mut problem =
            Problem::new(ProblemKind::MalformedJson, "a key is given more than once in the same object");
        problem.errors = twice;
        Err(problem)
    }
}

fn malformed(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    if bytes.is_empty() {
        return Problem::new(
            ProblemKind::MalformedJson,
            "the body is empty; send a JSON object, at least {}",
        );
    }
    let hint = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'\'') => {
            "; JSON needs double quotes, and this begins with a single one (on Windows, escape them)"
        }
        Some(0xEF) => "; the body begins with a byte order mark, which JSON does not allow",
        _ if what.starts_with("key must be a string") => "; JSON needs double quotes around names",
        _ => "",
    };
    let (line, column) = (error.line(), error.column());
    Problem::new(ProblemKind::MalformedJson, format!("line {line}, column {column}: {what}{hint}"))
}

fn repeated_keys(tree: &Json<'_>, pointer: &mut String, found: &mut Vec<FieldError>) {
    let here = pointer.len();
    match tree {
        Json::Null | Json::Truth(_) | Json::Number(_) | Json::Text(_) => {}
        Json::List(items) => {
            for (place, item) in items.iter().enumerate() {
                push_segment(pointer, &place.to_string());
                repeated_keys(item, pointer, found);
                pointer.truncate(here);
            }
        }
        Json::Object(fields) => {
            for (place, (key, value)) in fields.iter().enumerate() {
                if found.len() >= MOST_ERRORS {
                    return;
                }
                push_segment(pointer, key);
                if fields.iter().take(place).any(|(before, _)| before == key) {
                    found.push(FieldError {
                        pointer: echo(pointer),
                        code: "duplicate_key",
                        detail: "this key stands in the same object more than once; say it once".into(),
                        suggestions: Vec::new(),
                    });
                }
                repeated_keys(value, pointer, found);
                pointer.truncate(here);
            }
        }
    }
}

/// Adds a segment to a JSON pointer, escaped as RFC 6901 asks.
pub fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for letter in segment.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Reads a value that stands so many levels deep.
#[derive(Clone, Copy)]
struct Level(usize);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Level {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.0 < DEEPEST {
            Ok(Self(self.0 + 1))
        } else {
            Err(E::custom(format_args!("nested more than {DEEPEST} levels deep")))
        }
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Truth(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number of a request needs more than 53 bits")]
    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number of a request needs more than 53 bits")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let inner = self.inner()?;
        let mut fields = Vec::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            fields.push((key, entries.next_value_seed(inner)?));
        }
        Ok(Json::Object(fields))
    }
}

/// Reads a key, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_said_twice_are_named_at_any_depth_and_in_any_spelling() {
        let problem = read(br#"{"age":1,"ag\u0065":2,"options":{"limit":1,"limit":2}}"#).unwrap_err();
        let pointers: Vec<&str> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/age", "/options/limit"]);
        assert_eq!(problem.kind, ProblemKind::MalformedJson);
    }

    #[test]
    fn what_is_not_json_says_where() {
        for (body, hint) in [
            (&b""[..], "empty"),
            (b"{'age':30}", "double quotes"),
            (b"'{\"age\":30}'", "double quotes"),
            (b"\xEF\xBB\xBF{}", "byte order mark"),
            (b"{} x", "trailing"),
            (b"[[[[[[[[[1]]]]]]]]]", "levels"),
            (b"1e400", "range"),
            (b"{\"a\":\"\xff\"}", "unicode"),
            (b"{\"a\":\"\\ud800\"}", "line 1"),
            (b"NaN", "line 1"),
        ] {
            let problem = read(body).unwrap_err();
            assert!(problem.detail.contains(hint), "{}: {}", String::from_utf8_lossy(body), problem.detail);
        }
        assert!(read(b"[[[[[[[[1]]]]]]]]").is_ok());
    }
}
