//! From texts of TOML to entries, collecting every fault of form on the way.
//!
//! Each entry of a list is read by itself, and an unknown key is noted, taken out and the rest read
//! again, so that one slip does not hide the next. Nothing here opens a file: a text comes with its name.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use toml::{Table, Value};

use super::{
    entry::{
        About, Circumstance, Condition, Evidence, Exercise, Finding, Group, Prevention, RedFlag, Source,
        Step, Treatment,
    },
    fault::Fault,
    nearest::nearest,
};

/// A file of a catalogue: its name relative to the catalogue's folder, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueFile {
    /// For instance `conditions/labral-tear.toml`.
    pub name: String,
    /// Its TOML.
    pub text: String,
}

/// An entry and where it stands, for faults that are found later.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The file.
    pub file: String,
    /// The place inside it, empty for the whole file.
    pub place: String,
    /// The entry.
    pub entry: T,
}

/// Everything that could be read.
#[derive(Debug, Default)]
pub struct Entries {
    /// `catalogue.toml`.
    pub about: Vec<Placed<About>>,
    /// `conditions/*.toml`.
    pub conditions: Vec<Placed<Condition>>,
    /// `findings/*.toml`.
    pub findings: Vec<Placed<Finding>>,
    /// `groups.toml`.
    pub groups: Vec<Placed<Group>>,
    /// `treatments.toml`.
    pub treatments: Vec<Placed<Treatment>>,
    /// `circumstances.toml`.
    pub circumstances: Vec<Placed<Circumstance>>,
    /// `exercises.toml`.
    pub exercises: Vec<Placed<Exercise>>,
    /// `prevention.toml`.
    pub prevention: Vec<Placed<Prevention>>,
    /// `red-flags.toml`.
    pub red_flags: Vec<Placed<RedFlag>>,
    /// `sources.toml`.
    pub sources: Vec<Placed<Source>>,
    /// The parsed files by name, for the fingerprint.
    pub tables: BTreeMap<String, Table>,
}

/// Reads every file of a catalogue. Files that do not end in `.toml` are passed over.
#[must_use]
pub fn read(files: &[CatalogueFile]) -> (Entries, Vec<Fault>) {
    let mut entries = Entries::default();
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.name.ends_with(".toml")) {
        let table = match toml::from_str::<Table>(&file.text) {
            Ok(table) => table,
            Err(error) => {
                faults.push(syntax_fault(file, &error));
                continue;
            }
        };
        entries.tables.insert(file.name.clone(), table.clone());
        let mut reader = Reader { file: &file.name, faults: &mut faults };
        match file.name.as_str() {
            "catalogue.toml" => {
                let entry = reader.entry("", Value::Table(table));
                entries.about.extend(entry.map(|entry| reader.placed("", entry)));
            }
            "groups.toml" => reader.list(table, "group", &mut entries.groups),
            "treatments.toml" => reader.list(table, "treatment", &mut entries.treatments),
            "circumstances.toml" => reader.list(table, "circumstance", &mut entries.circumstances),
            "exercises.toml" => reader.list(table, "exercise", &mut entries.exercises),
            "prevention.toml" => reader.list(table, "prevention", &mut entries.prevention),
            "red-flags.toml" => reader.list(table, "red_flag", &mut entries.red_flags),
            "sources.toml" => reader.list(table, "source", &mut entries.sources),
            name if name.starts_with("findings/") => reader.list(table, "finding", &mut entries.findings),
            name if name.starts_with("conditions/") => {
                entries.conditions.extend(reader.condition(table).map(|entry| reader.placed("", entry)));
            }
            _ => reader.fault(
                "",
                "this file has no place in a catalogue",
                "the files are catalogue.toml, groups.toml, treatments.toml, circumstances.toml, exercises.toml, \
                 prevention.toml, red-flags.toml, sources.toml, conditions/<id>.toml and findings/<kind>.toml",
            ),
        }
    }
    if !files.iter().any(|file| file.name == "catalogue.toml") {
        faults.push(Fault {
            file: "catalogue.toml".into(),
            place: String::new(),
            problem: "the file is missing".into(),
            remedy: "add catalogue.toml with version, title and disclaimer; name the folder that holds it"
                .into(),
        });
    }
    (entries, faults)
}

fn syntax_fault(file: &CatalogueFile, error: &toml::de::Error) -> Fault {
    let line = error.span().map(|span| {
        let before = file.text.get(..span.start).unwrap_or_default();
        before.matches('\n').count() + 1
    });
    Fault {
        file: file.name.clone(),
        place: line.map(|line| format!("line {line}")).unwrap_or_default(),
        problem: format!("not TOML: {}", error.message().trim_end()),
        remedy: "correct the syntax; texts stand in double quotes, lists in square brackets".into(),
    }
}

struct Reader<'a> {
    file: &'a str,
    faults: &'a mut Vec<Fault>,
}

/// The parts of a condition that are lists of entries are taken apart first.
#[derive(Deserialize)]
struct Lists {
    #[serde(default)]
    evidence: Vec<Value>,
    #[serde(default)]
    ladder: Vec<Value>,
}

impl Reader<'_> {
    fn fault(&mut self, place: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(Fault {
            file: self.file.into(),
            place: place.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    fn placed<T>(&self, place: &str, entry: T) -> Placed<T> {
        Placed { file: self.file.into(), place: place.into(), entry }
    }

    fn list<T: DeserializeOwned>(&mut self, table: Table, key: &str, into: &mut Vec<Placed<T>>) {
        for (written, value) in table {
            if written != key {
                self.unknown_key(&written, &written, &[key.to_owned()]);
                continue;
            }
            let Value::Array(items) = value else {
                self.fault(key, format!("`{key}` is not a list"), format!("begin each entry with [[{key}]]"));
                continue;
            };
            for (number, item) in items.into_iter().enumerate() {
                let place = named_place(key, number, &item);
                if let Some(entry) = self.entry(&place, item) {
                    into.push(self.placed(&place, entry));
                }
            }
        }
    }

    fn condition(&mut self, mut table: Table) -> Option<Condition> {
        let lists =
            Lists { evidence: take_list(&mut table, "evidence"), ladder: take_list(&mut table, "ladder") };
        let evidence: Vec<Option<Evidence>> = lists
            .evidence
            .into_iter()
            .enumerate()
            .map(|(number, row)| {
                let place = match row.get("finding").and_then(Value::as_str) {
                    Some(finding) => format!("evidence[{number}] ({finding})"),
                    None => format!("evidence[{number}]"),
                };
                self.entry(&place, row)
            })
            .collect();
        let ladder: Vec<Option<Step>> = lists
            .ladder
            .into_iter()
            .enumerate()
            .map(|(number, step)| {
                let place = match step.get("treatment").and_then(Value::as_str) {
                    Some(treatment) => format!("ladder[{number}] ({treatment})"),
                    None => format!("ladder[{number}]"),
                };
                self.entry(&place, step)
            })
            .collect();
        let mut condition: Condition = self.entry("", Value::Table(table))?;
        condition.evidence = evidence.into_iter().flatten().collect();
        condition.ladder = ladder.into_iter().flatten().collect();
        Some(condition)
    }

    /// Reads one entry. Unknown keys are noted and taken out; another fault ends the entry.
    fn entry<T: DeserializeOwned>(&mut self, place: &str, mut value: Value) -> Option<T> {
        loop {
            let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
                Ok(entry) => return Some(entry),
                Err(error) => error,
            };
            let path = error.path().to_string();
            let message = error.inner().message().to_owned();
            let within = join(place, if path == "." { "" } else { &path });
            if let Some(known) = message.strip_prefix("unknown field `") {
                let words: Vec<String> = known.split('`').map(ToOwned::to_owned).collect();
                let unknown = words.first().cloned().unwrap_or_default();
                let expected: Vec<String> = words.iter().skip(2).step_by(2).cloned().collect();
                self.unknown_key(&within, &unknown, &expected);
                if !remove(&mut value, &path, &unknown) {
                    return None;
                }
                continue;
            }
            let (problem, remedy) = explain(&message);
            self.fault(&within, problem, remedy);
            return None;
        }
    }

    fn unknown_key(&mut self, place: &str, unknown: &str, expected: &[String]) {
        let remedy = match nearest(unknown, expected.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("remove it, or use one of: {}", expected.join(", ")),
        };
        self.fault(place, format!("unknown key `{unknown}`"), remedy);
    }
}

fn take_list(table: &mut Table, key: &str) -> Vec<Value> {
    match table.remove(key) {
        Some(Value::Array(items)) => items,
        // Anything else is put back, so that reading the whole refuses it by its type.
        Some(other) => {
            table.insert(key.into(), other);
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn named_place(key: &str, number: usize, item: &Value) -> String {
    match item.get("id").and_then(Value::as_str) {
        Some(id) => format!("{key}[{number}] ({id})"),
        None => format!("{key}[{number}]"),
    }
}

fn join(place: &str, path: &str) -> String {
    match (place.is_empty(), path.is_empty()) {
        (true, _) => path.into(),
        (_, true) => place.into(),
        _ => format!("{place}.{path}"),
    }
}

/// Words for what serde says of a value that does not fit.
fn explain(message: &str) -> (String, String) {
    if let Some(rest) = message.strip_prefix("missing field `") {
        let key = rest.trim_end_matches('`');
        return (format!("`{key}` is missing"), format!("add `{key} = ...`"));
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let mut words = rest.split('`');
        let unknown = words.next().unwrap_or_default();
        let expected: Vec<&str> = words.skip(1).step_by(2).collect();
        let remedy = match nearest(unknown, expected.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("use one of: {}", expected.join(", ")),
        };
        return (format!("`{unknown}` is not a word of this list"), remedy);
    }
    (message.to_owned(), "correct the value; catalogue/README.md says what each key holds".into())
}

/// Takes `key` out of the table at `path` (as `serde_path_to_error` writes it).
fn remove(value: &mut Value, path: &str, key: &str) -> bool {
    let mut here = value;
    for segment in path.split(['.', '[', ']']).filter(|segment| !segment.is_empty()) {
        if segment == key {
            break;
        }
        let next = match segment.parse::<usize>() {
            Ok(index) => here.get_mut(index),
            Err(_) => here.get_mut(segment),
        };
        match next {
            Some(inner) => here = inner,
            None => return false,
        }
    }
    here.as_table_mut().and_then(|table| table.remove(key)).is_some()
}
