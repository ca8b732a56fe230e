//! The second stage of reading a body: a tree to typed values, naming every fault with its place.

use super::{
    json::{Json, push_segment},
    problem::{FieldError, MOST_ERRORS, Problem, echo},
};
use crate::catalogue::nearest;

/// Collects the faults of one request.
#[derive(Debug, Default)]
pub struct Faults {
    errors: Vec<FieldError>,
}

impl Faults {
    /// Notes a fault.
    pub fn add(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        self.add_with(pointer, code, detail, Vec::new());
    }

    /// Notes a fault with what may have been meant.
    pub fn add_with(
        &mut self,
        pointer: &str,
        code: &'static str,
        detail: impl Into<String>,
        suggestions: Vec<String>,
    ) {
        if !self.is_full() {
            self.errors.push(FieldError {
                pointer: pointer.to_owned(),
                code,
                detail: detail.into(),
                suggestions,
            });
        }
    }

    const fn is_full(&self) -> bool {
        self.errors.len() >= MOST_ERRORS
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A 422 problem with every fault, where there is one.
    pub fn end(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }

    /// Notes a value of the wrong sort.
    pub fn wrong_type(&mut self, pointer: &str, expected: &str, found: &Json<'_>) {
        let advice = match found {
            Json::Null => "; leave the field out where it is not known",
            Json::Text(text) if text.parse::<f64>().is_ok() => "; send a number without quotes",
            Json::Truth(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => "",
        };
        self.add(pointer, "wrong_type", format!("expected {expected}, found {}{advice}", found.sort()));
    }

    /// Notes a word that is not one of a list.
    pub fn unknown_word<'a>(
        &mut self,
        pointer: &str,
        code: &'static str,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        if self.is_full() {
            return;
        }
        let known: Vec<&str> = known.into_iter().collect();
        let meant = nearest(word, known.iter().copied());
        let remedy = match meant {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None if known.len() <= 20 => format!("; it is one of: {}", known.join(", ")),
            None => String::new(),
        };
        let detail = format!("`{}` is not {what}{remedy}", echo(word));
        self.add_with(pointer, code, detail, meant.map(ToOwned::to_owned).into_iter().collect());
    }
}

/// An object of a request, read field by field.
pub struct Fields<'a, 'j> {
    pointer: String,
    entries: &'a [(std::borrow::Cow<'j, str>, Json<'j>)],
}

impl<'a, 'j> Fields<'a, 'j> {
    /// Takes a value as an object that may hold the `known` fields and no others.
    pub fn of(value: &'a Json<'j>, pointer: &str, known: &[&str], faults: &mut Faults) -> Option<Self> {
        let Json::Object(entries) = value else {
            faults.wrong_type(pointer, "an object", value);
            return None;
        };
        for (key, _) in entries {
            if !known.contains(&key.as_ref()) {
                let mut place = pointer.to_owned();
                push_segment(&mut place, &echo(key));
                faults.unknown_word(
                    &place,
                    "unknown_field",
                    "a field of this object",
                    key,
                    known.iter().copied(),
                );
            }
        }
        Some(Self { pointer: pointer.to_owned(), entries })
    }

    /// A field and its place, if it is there.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<(String, &'a Json<'j>)> {
        let (_, value) = self.entries.iter().find(|(name, _)| name == key)?;
        let mut pointer = self.pointer.clone();
        push_segment(&mut pointer, key);
        Some((pointer, value))
    }

    /// A whole number from `least` to `most`; `30.0` is a whole number, as JSON Schema says.
    pub fn whole_number(&self, key: &str, least: u32, most: u32, faults: &mut Faults) -> Option<u32> {
        let (pointer, value) = self.get(key)?;
        let Json::Number(number) = value else {
            faults.wrong_type(&pointer, "a whole number", value);
            return None;
        };
        let (low, high) = (f64::from(least), f64::from(most));
        if number.fract().abs() > 0.0 || !(low..=high).contains(number) {
            faults.add(&pointer, "out_of_range", format!("expected a whole number from {least} to {most}"));
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and within u32, checked above"
        )]
        Some(*number as u32)
    }

    /// A number from `least` to `most`.
    pub fn number(&self, key: &str, least: f64, most: f64, faults: &mut Faults) -> Option<f64> {
        let (pointer, value) = self.get(key)?;
        let Json::Number(number) = value else {
            faults.wrong_type(&pointer, "a number", value);
            return None;
        };
        if !(least..=most).contains(number) {
            faults.add(&pointer, "out_of_range", format!("expected a number from {least} to {most}"));
            return None;
        }
        Some(*number)
    }

    /// `true` or `false`.
    pub fn truth(&self, key: &str, faults: &mut Faults) -> Option<bool> {
        let (pointer, value) = self.get(key)?;
        if let Json::Truth(truth) = value {
            Some(*truth)
        } else {
            faults.wrong_type(&pointer, "true or false", value);
            None
        }
    }

    /// One word of a list.
    pub fn word<T: Copy>(
        &self,
        key: &str,
        words: &[T],
        spelling: impl Fn(T) -> &'static str,
        faults: &mut Faults,
    ) -> Option<T> {
        let (pointer, value) = self.get(key)?;
        let Json::Text(text) = value else {
            faults.wrong_type(&pointer, "a text", value);
            return None;
        };
        let found = words.iter().copied().find(|word| spelling(*word) == text.as_ref());
        if found.is_none() {
            let known = words.iter().map(|word| spelling(*word));
            faults.unknown_word(&pointer, "unknown_value", "a value of this field", text, known);
        }
        found
    }

    /// A list of texts with their places, at most `most` of them.
    pub fn texts(&self, key: &str, most: usize, faults: &mut Faults) -> Vec<(String, &'a str)> {
        let Some((pointer, value)) = self.get(key) else { return Vec::new() };
        let Json::List(items) = value else {
            faults.wrong_type(&pointer, "a list of texts", value);
            return Vec::new();
        };
        if items.len() > most {
            faults.add(&pointer, "too_many_items", format!("expected at most {most} entries"));
            return Vec::new();
        }
        let mut texts = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let pointer = format!("{pointer}/{place}");
            if let Json::Text(text) = item {
                texts.push((pointer, text.as_ref()));
            } else {
                faults.wrong_type(&pointer, "a text", item);
            }
        }
        texts
    }
}
