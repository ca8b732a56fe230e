//! One entry from its TOML, with every fault of its form rather than the first.
//!
//! serde stops at the first value that does not fit. Here that value is noted, a stand-in takes its place and
//! the rest is read too. An entry with a stand-in in it is never given out.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::{Table, Value};

use super::{id::FindingId, nearest::nearest};

/// A value that does not fit where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Where in the entry, for instance `background.probability`; empty for the entry itself.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub remedy: String,
}

/// Reads an entry. It is given out unless a value is missing or wrong; a key that is not known is noted and
/// passed over, or read as the key that was meant.
pub fn form<T: DeserializeOwned>(value: &Value) -> (Option<T>, Vec<Misfit>) {
    let mut noted = Noted::default();
    empty_texts(value, &mut Vec::new(), &mut noted.misfits);
    // Most entries are sound, and telling where one is not costs more than reading it.
    if let Ok(entry) = T::deserialize(value.clone()) {
        return (Some(entry), noted.finish());
    }
    let mut value = value.clone();
    // Every round mends one value; the bound is for what cannot be mended after all.
    for _ in 0..1000 {
        let Refusal { path, message } = match attempt::<T>(&value) {
            Ok(entry) => return (noted.stood_in.is_empty().then_some(entry), noted.finish()),
            Err(refusal) => refusal,
        };
        let mended = if let Some((unknown, known)) = words_of(&message, "unknown field ") {
            let table = table_of(&path, &unknown);
            let taken = take_out(&mut value, table, &unknown, &known);
            let mended = taken.is_some();
            noted.unknown_key(table, &unknown, known, taken.flatten());
            mended
        } else if let Some((key, _)) = words_of(&message, "missing field ") {
            let whole = [path.as_slice(), &[Part::Key(key.clone())]].concat();
            let shape = stand_in::<T>(&mut value, &whole);
            noted.missing(&path, whole, &key, shape.as_ref());
            shape.is_some()
        } else {
            let misfit = wrong(&path, at(&value, &path), &message);
            let mended = stand_in::<T>(&mut value, &path).is_some() || leave_out(&mut value, &path);
            noted.wrong(path, misfit);
            mended
        };
        if !mended {
            break;
        }
    }
    (None, noted.finish())
}

/// What was found so far.
#[derive(Default)]
struct Noted {
    misfits: Vec<Misfit>,
    /// Where something stands in for a value, and the place of its fault in `misfits`.
    stood_in: Vec<(Vec<Part>, Option<usize>)>,
    /// Unknown keys without a near one: by table, with the keys that it has.
    unknown: Vec<(Vec<Part>, Vec<String>, Vec<String>)>,
}

impl Noted {
    fn unknown_key(&mut self, table: &[Part], unknown: &str, known: Vec<String>, meant: Option<String>) {
        if let Some(meant) = meant {
            self.misfits.push(Misfit {
                place: written(table),
                problem: format!("unknown key `{unknown}`"),
                remedy: format!("did you mean `{meant}`?"),
            });
        } else if let Some((_, unknowns, _)) = self.unknown.iter_mut().find(|(path, ..)| path == table) {
            unknowns.push(format!("`{unknown}`"));
        } else {
            self.unknown.push((table.to_vec(), vec![format!("`{unknown}`")], known));
        }
    }

    fn missing(&mut self, table: &[Part], whole: Vec<Part>, key: &str, shape: Option<&Shape>) {
        let stand_in = self.stood_in.iter().find(|(path, _)| path == table);
        let left_out = self.stood_in.iter().any(|(path, _)| *path == whole);
        // What a stand-in lacks is no fault of the curator.
        let silent = left_out || stand_in.is_some();
        if let Some(misfit) = stand_in.and_then(|(_, misfit)| self.misfits.get_mut((*misfit)?)) {
            let comma = if misfit.remedy.contains('=') { ", " } else { " with " };
            misfit.remedy.push_str(&format!("{comma}`{key} = ...`"));
        }
        if silent {
            self.stood_in.push((whole, None));
        } else {
            self.stood_in.push((whole, Some(self.misfits.len())));
            self.misfits.push(missing(table, key, shape));
        }
    }

    fn wrong(&mut self, path: Vec<Part>, misfit: Misfit) {
        // An empty text is named already.
        if self.misfits.iter().any(|known| known.place == misfit.place) {
            self.stood_in.push((path, None));
        } else {
            self.stood_in.push((path, Some(self.misfits.len())));
            self.misfits.push(misfit);
        }
    }

    fn finish(mut self) -> Vec<Misfit> {
        for (table, unknown, known) in self.unknown {
            let (keys, remedy) = if unknown.len() == 1 {
                ("unknown key", "remove it")
            } else {
                ("unknown keys", "remove them, or put the header of their own table above them")
            };
            self.misfits.push(Misfit {
                place: written(&table),
                problem: format!("{keys} {}", unknown.join(", ")),
                remedy: format!("{remedy}; the keys here are: {}", known.join(", ")),
            });
        }
        self.misfits
    }
}

/// Texts that say nothing. Only the locator of a source may be empty: not every source has one.
fn empty_texts(value: &Value, path: &mut Vec<Part>, misfits: &mut Vec<Misfit>) {
    let mut within = |part: Part, inner: &Value| {
        path.push(part);
        empty_texts(inner, path, misfits);
        path.pop();
    };
    match value {
        Value::Table(table) => table.iter().for_each(|(key, inner)| within(Part::Key(key.clone()), inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| within(Part::Item(index), inner));
        }
        Value::String(text)
            if text.trim().is_empty() && path.last() != Some(&Part::Key("locator".into())) =>
        {
            misfits.push(Misfit {
                place: written(path),
                problem: "the text is empty".into(),
                remedy: "write it, or take it out where it need not be given".into(),
            });
        }
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// One part of the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    Item(usize),
}

struct Refusal {
    path: Vec<Part>,
    message: String,
}

fn attempt<T: DeserializeOwned>(value: &Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(value.clone()).map_err(|error| Refusal {
        path: error
            .path()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Seq { index } => Some(Part::Item(*index)),
                Segment::Map { key } | Segment::Enum { variant: key } => Some(Part::Key(key.clone())),
                Segment::Unknown => None,
            })
            .collect(),
        message: error.inner().message().trim_end().to_owned(),
    })
}

/// A shape that a value can have, in the order in which they are tried.
#[derive(Debug, Clone)]
enum Shape {
    Text,
    Number,
    WholeNumber,
    Truth,
    List,
    TwoNumbers,
    Table,
    OneOf(Vec<String>),
}

impl Shape {
    fn example(&self) -> Value {
        match self {
            Self::Text => "a".into(),
            Self::Number => 0.5.into(),
            Self::WholeNumber => 1.into(),
            Self::Truth => false.into(),
            Self::List => Value::Array(Vec::new()),
            Self::TwoNumbers => vec![0.5, 0.5].into(),
            Self::Table => Table::new().into(),
            Self::OneOf(words) => words.first().cloned().unwrap_or_default().into(),
        }
    }
}

/// Puts something that fits at `path`, and tells of which shape it is.
fn stand_in<T: DeserializeOwned>(value: &mut Value, path: &[Part]) -> Option<Shape> {
    let shapes = [
        Shape::Text,
        Shape::Number,
        Shape::WholeNumber,
        Shape::Truth,
        Shape::List,
        Shape::TwoNumbers,
        Shape::Table,
    ];
    for shape in shapes {
        let refusal = try_shape::<T>(value, path, &shape)?;
        let Some(Refusal { path: refused, message }) = refusal else { return Some(shape) };
        // An empty table fits where a table is due: only its keys are missing.
        if matches!(shape, Shape::Table) && refused == path && message.starts_with("missing field") {
            return Some(shape);
        }
        if refused == path
            && let Some((_, words)) = words_of(&message, "unknown variant ")
        {
            let shape = Shape::OneOf(words);
            if try_shape::<T>(value, path, &shape)?.is_none() {
                return Some(shape);
            }
        }
    }
    None
}

/// What is said against the shape at `path`, if anything; none where there is no such place.
fn try_shape<T: DeserializeOwned>(
    value: &mut Value,
    path: &[Part],
    shape: &Shape,
) -> Option<Option<Refusal>> {
    put(value, path, shape.example())?;
    Some(attempt::<T>(value).err().filter(|refusal| refusal.path.starts_with(path)))
}

/// Takes the key at `path` away, for values that nothing simple can stand in for.
fn leave_out(value: &mut Value, path: &[Part]) -> bool {
    let Some((Part::Key(key), parent)) = path.split_last() else { return false };
    at_mut(value, parent).and_then(Value::as_table_mut).is_some_and(|table| table.remove(key).is_some())
}

/// Takes an unknown key out of the table at `path`, if it is there. Its value goes to the key that was meant,
/// which is given back, unless that one is there too.
fn take_out(value: &mut Value, path: &[Part], unknown: &str, known: &[String]) -> Option<Option<String>> {
    let table = at_mut(value, path)?.as_table_mut()?;
    let taken = table.remove(unknown)?;
    let meant =
        nearest(unknown, known.iter().map(String::as_str)).filter(|meant| !table.contains_key(*meant));
    Some(meant.map(|meant| {
        table.insert(meant.to_owned(), taken);
        meant.to_owned()
    }))
}

/// The table that a path to a key leads into; some errors point at the key, some at its table.
fn table_of<'a>(path: &'a [Part], key: &str) -> &'a [Part] {
    match path.split_last() {
        Some((Part::Key(last), parent)) if last == key => parent,
        _ => path,
    }
}

fn at<'a>(value: &'a Value, path: &[Part]) -> Option<&'a Value> {
    path.iter().try_fold(value, |here, part| match part {
        Part::Key(key) => here.get(key),
        Part::Item(index) => here.get(index),
    })
}

fn at_mut<'a>(value: &'a mut Value, path: &[Part]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |here, part| match part {
        Part::Key(key) => here.get_mut(key),
        Part::Item(index) => here.get_mut(index),
    })
}

fn put(value: &mut Value, path: &[Part], new: Value) -> Option<()> {
    let Some((last, parent)) = path.split_last() else {
        *value = new;
        return Some(());
    };
    match (at_mut(value, parent)?, last) {
        (Value::Table(table), Part::Key(key)) => drop(table.insert(key.clone(), new)),
        (Value::Array(items), Part::Item(index)) => *items.get_mut(*index)? = new,
        _ => return None,
    }
    Some(())
}

/// A path as a curator reads it: items are counted from 1.
fn written(path: &[Part]) -> String {
    path.iter().fold(String::new(), |mut text, part| {
        match part {
            Part::Key(key) => {
                text.push_str(if text.is_empty() { "" } else { "." });
                text.push_str(key);
            }
            Part::Item(index) => text.push_str(&format!(" (item {})", index + 1)),
        }
        text
    })
}

/// The words between backticks in a message that begins with `start`: the first, and the others.
fn words_of(message: &str, start: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix(start)?.strip_prefix('`')?;
    let mut words = rest.split('`').step_by(2).map(ToOwned::to_owned);
    Some((words.next()?, words.filter(|word| !word.is_empty()).collect()))
}

/// The remedy for a word that is not one of `known`.
fn meant_or_one_of(word: &str, known: &[String]) -> String {
    match nearest(word, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("use one of: {}", known.join(", ")),
    }
}

fn missing(path: &[Part], key: &str, shape: Option<&Shape>) -> Misfit {
    let remedy = match shape {
        Some(Shape::Text) => format!("add `{key} = \"...\"`"),
        Some(Shape::Number) => format!("add `{key} = ...` with a number"),
        Some(Shape::WholeNumber) => format!("add `{key} = ...` with a whole number"),
        Some(Shape::Truth) => format!("add `{key} = true` or `{key} = false`"),
        Some(Shape::List) => format!("add `{key} = [...]`"),
        Some(Shape::TwoNumbers) => format!("add `{key} = [..., ...]` with two numbers, the lower first"),
        Some(Shape::Table) => format!("add the table `{key}`"),
        Some(Shape::OneOf(words)) => format!("add `{key} = \"...\"` with one of: {}", words.join(", ")),
        None => format!("add `{key} = ...`"),
    };
    Misfit { place: written(path), problem: format!("`{key}` is missing"), remedy }
}

/// Words for what serde says of a value that does not fit.
fn wrong(path: &[Part], value: Option<&Value>, message: &str) -> Misfit {
    let (problem, remedy) = if let Some((word, known)) = words_of(message, "unknown variant ") {
        (format!("`{word}` is not a word that can stand here"), meant_or_one_of(&word, &known))
    } else if let (true, Some((_, due))) =
        (message.starts_with("invalid "), message.rsplit_once(", expected "))
    {
        let found = value.map_or_else(|| "something else".to_owned(), shown);
        let (due, remedy) = due_shape(due);
        (format!("{found} stands where {due} is due"), remedy.to_owned())
    } else if message.starts_with("wanted exactly 1 element") {
        ("not exactly one key".to_owned(), "keep one of them; another entry shows which there are".to_owned())
    } else if let Some((id, rule)) = message.split_once(" is not an id: ") {
        (format!("{id} is not an id"), id_for(id.trim_matches('`'), rule))
    } else if let Some((number, due)) = message.split_once(" is not a ") {
        (message.to_owned(), number_for(number, due))
    } else {
        (message.to_owned(), "correct the value; another entry shows how it is written".to_owned())
    };
    Misfit { place: written(path), problem, remedy }
}

fn id_for(written: &str, rule: &str) -> String {
    let kebab = written.to_lowercase().replace([' ', '_'], "-");
    match kebab.parse::<FindingId>() {
        Ok(_) => format!("write `{kebab}`"),
        Err(_) => format!("write {rule}"),
    }
}

fn number_for(written: &str, due: &str) -> String {
    let probability = due.starts_with("probability");
    match written.parse::<f64>() {
        Ok(percent) if (probability || due.starts_with("share")) && percent > 1.0 && percent < 100.0 => {
            format!("write {} for {percent} per cent", (percent * 1e4).round() / 1e6)
        }
        _ if probability => format!("write a {due}: no single answer proves or excludes a condition"),
        _ => format!("write a {due}"),
    }
}

/// A value as a fault names it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() <= 40 => format!("the text `{text}`"),
        Value::String(_) => "a text".into(),
        Value::Integer(number) => format!("the number {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Boolean(answer) => format!("the answer {answer}"),
        Value::Datetime(date) => format!("the date {date}"),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Table(_) => "a table".into(),
    }
}

/// What serde expects, in words, and how to write it.
fn due_shape(expected: &str) -> (&'static str, &'static str) {
    match expected {
        "f64" => ("a number", "write a number without quotes, with a decimal point"),
        "u8" => ("a whole number from 0 to 255", "write a whole number from 0 to 255, without quotes"),
        "a boolean" => ("true or false", "write true or false, without quotes"),
        "a sequence" => ("a list", "put the items in square brackets, with commas between them"),
        "a tuple of size 2" | "fewer elements in array" => {
            ("a list of two numbers", "write two numbers in square brackets, the lower first")
        }
        "a string" | "string only" => ("a text", "put the text in double quotes"),
        _ => ("a table", "write a table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::entry::{Finding, Step};

    fn misfits<T: DeserializeOwned>(text: &str) -> Vec<(String, String)> {
        let (entry, misfits) = form::<T>(&toml::from_str::<Table>(text).unwrap().into());
        assert!(entry.is_none(), "the entry must not be given out");
        misfits.into_iter().map(|misfit| (misfit.place, misfit.problem)).collect()
    }

    #[test]
    fn every_misfit_of_an_entry_is_named_at_once() {
        let text = "id = 'Loc Groin'\nlabel = 1\nquestion = 'q'\nsynonyms = ['a', 2]\nkind = 'locaton'\ncolour = 1\n";
        let named = misfits::<Finding>(text);
        let expected = [
            ("id", "`Loc Groin` is not an id"),
            ("label", "the number 1 stands where a text is due"),
            ("synonyms (item 2)", "the number 2 stands where a text is due"),
            ("kind", "`locaton` is not a word that can stand here"),
            ("", "`help` is missing"),
            ("", "`background` is missing"),
            ("", "unknown key `colour`"),
        ];
        assert_eq!(named, expected.map(|(place, problem)| (place.to_owned(), problem.to_owned())));
    }

    #[test]
    fn a_gate_that_is_written_wrong_is_named_and_the_rest_is_read() {
        let start = "treatment = 'ice'\nrecommendation = 'recommended'\ndetail = 'd'\ngrade = 'A'\n";
        for (imaging, place) in [
            ("{ any = ['mri'] }", "gate.imaging"),
            ("{ any_of = ['mir'] }", "gate.imaging.any_of (item 1)"),
            ("{ any_of = 'mri' }", "gate.imaging.any_of"),
            ("{}", "gate.imaging"),
            ("'mri'", "gate.imaging"),
        ] {
            let named = misfits::<Step>(&format!("{start}gate = {{ imaging = {imaging}, weeks = 'x' }}\n"));
            let places: Vec<&str> = named.iter().map(|(place, _)| place.as_str()).collect();
            assert_eq!(places, [place, "gate.weeks", ""], "{imaging}: {named:?}");
        }
    }

    #[test]
    fn a_key_that_was_meant_is_read_and_an_unknown_one_passed_over() {
        let text = "id = 'a'\nlabel = 'l'\nquestion = 'q'\nhepl = 'h'\ncolour = 'red'\nsynonyms = []\nkind = 'onset'\n\
                    background = { probability = 0.5, basis = 'b', sources = [] }\n";
        let (entry, misfits) = form::<Finding>(&toml::from_str::<Table>(text).unwrap().into());
        assert_eq!(entry.map(|finding| finding.help).as_deref(), Some("h"));
        assert_eq!(misfits.len(), 2);
    }
}
