//! Reading query parameters: unknown names, repeated names and bad values are all named at once.

use actix_web::{HttpRequest, web::Query};

use super::{
    fields::Faults,
    problem::{Problem, ProblemKind},
};

/// The longest text of a query parameter, in characters.
const LONGEST_TEXT: usize = 100;

/// The query of a request, read parameter by parameter.
pub struct Parameters {
    pairs: Vec<(String, String)>,
    faults: Faults,
}

impl Parameters {
    /// Takes the query of a request that may hold the `known` parameters, each once.
    ///
    /// # Errors
    /// A 400 problem when it is not readable at all.
    pub fn of(request: &HttpRequest, known: &[&'static str]) -> Result<Self, Problem> {
        let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|_| {
                Problem::new(
                    ProblemKind::MalformedPath,
                    "the query cannot be read; percent-encode it as UTF-8",
                )
            })?
            .into_inner();
        let mut faults = Faults::default();
        for (place, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let pointer = format!("?{}", super::problem::echo(name));
                faults.unknown_word(
                    &pointer,
                    "unknown_parameter",
                    "a parameter of this path",
                    name,
                    known.iter().copied(),
                );
            } else if pairs.iter().take(place).any(|(before, _)| before == name) {
                faults.add(&format!("?{name}"), "duplicate_parameter", "give this parameter once");
            }
        }
        Ok(Self { pairs, faults })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(written, _)| written == name).map(|(_, value)| value.as_str())
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let text = self.get(name)?.to_owned();
        if text.chars().count() > LONGEST_TEXT {
            self.faults.add(
                &format!("?{name}"),
                "too_long",
                format!("expected at most {LONGEST_TEXT} characters"),
            );
            return None;
        }
        Some(text)
    }

    /// One word of a list.
    pub fn word<T: Copy>(
        &mut self,
        name: &str,
        words: &[T],
        spelling: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.get(name)?.to_owned();
        let found = words.iter().copied().find(|word| spelling(*word) == text);
        if found.is_none() {
            let known = words.iter().map(|word| spelling(*word));
            self.faults.unknown_word(
                &format!("?{name}"),
                "unknown_value",
                "a value of this parameter",
                &text,
                known,
            );
        }
        found
    }

    /// The id of something in the catalogue.
    pub fn id<'a>(
        &mut self,
        name: &str,
        what: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Option<&'a str> {
        let text = self.get(name)?.to_owned();
        let known: Vec<&'a str> = known.collect();
        let found = known.iter().copied().find(|id| *id == text);
        if found.is_none() {
            self.faults.unknown_word(&format!("?{name}"), "unknown_value", what, &text, known);
        }
        found
    }

    /// `true` or `false`.
    pub fn truth(&mut self, name: &str) -> Option<bool> {
        self.word(name, &[true, false], |truth| if truth { "true" } else { "false" })
    }

    fn number(&mut self, name: &str, least: usize, most: usize) -> Option<usize> {
        let text = self.get(name)?.to_owned();
        // Digits alone: `+5` and ` 5` parse elsewhere and not here.
        let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits
            .then(|| text.parse::<usize>().ok())
            .flatten()
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.faults.add(
                &format!("?{name}"),
                "out_of_range",
                format!("expected a whole number from {least} to {most}"),
            );
        }
        number
    }

    /// `limit` and `offset`.
    pub fn page(&mut self) -> Page {
        Page {
            limit: self.number("limit", 1, Page::MOST).unwrap_or(Page::MOST),
            offset: self.number("offset", 0, 1_000_000).unwrap_or(0),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A 422 problem with every fault, where there is one.
    pub fn end(self) -> Result<(), Problem> {
        self.faults.end()
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many entries at most.
    pub limit: usize,
    /// How many to pass over first.
    pub offset: usize,
}

impl Page {
    /// The largest `limit`, and the default: every list of the catalogue fits.
    pub const MOST: usize = 1000;
}
