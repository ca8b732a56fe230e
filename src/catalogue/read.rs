//! From texts of TOML to entries, collecting every fault of form on the way.
//!
//! Each entry of a list is read by itself, so that one slip does not hide the next. What could not be read is
//! named beside what could, so that nobody takes it for missing. Nothing here opens a file: a text comes with
//! its name.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use toml::{
    Table, Value,
    de::{DeTable, Deserializer},
};

use super::{
    entry::{
        About, Circumstance, Condition, Exercise, Finding, Group, Measure, Prevention, Progression, RedFlag,
        Screen, Source, TrainingRule, Treatment,
    },
    fault::Fault,
    form::form,
    id::ConditionId,
    nearest::nearest,
    vocabulary::FindingKind,
};

/// A file of a catalogue: its name relative to the catalogue's folder, and its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// The kinds of entries, each in its own file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `conditions/<id>.toml`.
    Condition,
    /// `findings/<kind>.toml`.
    Finding,
    /// `groups.toml`.
    Group,
    /// `measures.toml`.
    Measure,
    /// `screens.toml`.
    Screen,
    /// `training.toml`.
    Training,
    /// `return-to-run.toml`.
    Progression,
    /// `treatments.toml`.
    Treatment,
    /// `circumstances.toml`.
    Circumstance,
    /// `exercises.toml`.
    Exercise,
    /// `prevention.toml`.
    Prevention,
    /// `red-flags.toml`.
    RedFlag,
    /// `sources.toml`.
    Source,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Condition,
        Self::Finding,
        Self::Group,
        Self::Measure,
        Self::Screen,
        Self::Training,
        Self::Progression,
        Self::Treatment,
        Self::Circumstance,
        Self::Exercise,
        Self::Prevention,
        Self::RedFlag,
        Self::Source,
    ];

    /// The file of all such entries, or the folder of their files.
    pub const fn home(self) -> &'static str {
        match self {
            Self::Condition => "conditions/",
            Self::Finding => "findings/",
            Self::Group => "groups.toml",
            Self::Measure => "measures.toml",
            Self::Screen => "screens.toml",
            Self::Training => "training.toml",
            Self::Progression => "return-to-run.toml",
            Self::Treatment => "treatments.toml",
            Self::Circumstance => "circumstances.toml",
            Self::Exercise => "exercises.toml",
            Self::Prevention => "prevention.toml",
            Self::RedFlag => "red-flags.toml",
            Self::Source => "sources.toml",
        }
    }

    /// What one of them is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Finding => "finding",
            Self::Group => "group",
            Self::Measure => "measure",
            Self::Screen => "screen",
            Self::Training => "training rule",
            Self::Progression => "progression",
            Self::Treatment => "treatment",
            Self::Circumstance => "circumstance",
            Self::Exercise => "exercise",
            Self::Prevention => "prevention step",
            Self::RedFlag => "red-flag rule",
            Self::Source => "source",
        }
    }

    /// The key of its list: each entry begins with it in double brackets. A condition is a file of its own.
    const fn key(self) -> &'static str {
        match self {
            Self::Prevention => "prevention",
            Self::RedFlag => "red_flag",
            Self::Training => "training",
            Self::Condition
            | Self::Finding
            | Self::Group
            | Self::Measure
            | Self::Screen
            | Self::Progression
            | Self::Treatment
            | Self::Circumstance
            | Self::Exercise
            | Self::Source => self.name(),
        }
    }

    /// The kind that a file holds.
    fn of(file: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| match kind.home() {
            folder if folder.ends_with('/') => file.starts_with(folder),
            home => file == home,
        })
    }
}

/// Something that stands in a file and could not be read.
#[derive(Debug)]
pub struct Unread {
    /// What it would be.
    pub kind: Kind,
    /// Its id; without it, any number of entries may be missing.
    pub id: Option<String>,
}

/// Where the rows of a condition stand, in the order in which they were read.
#[derive(Debug, Default)]
pub struct Rows {
    /// The places of `evidence`.
    pub evidence: Vec<String>,
    /// The places of `ladder`.
    pub ladder: Vec<String>,
    /// Whether a row of either could not be read.
    pub incomplete: bool,
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
    /// `measures.toml`.
    pub measures: Vec<Placed<Measure>>,
    /// `screens.toml`.
    pub screens: Vec<Placed<Screen>>,
    /// `training.toml`.
    pub training: Vec<Placed<TrainingRule>>,
    /// `return-to-run.toml`.
    pub progressions: Vec<Placed<Progression>>,
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
    /// Where the rows of each condition stand, by its file.
    pub rows: BTreeMap<String, Rows>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// The parsed files by name, for the fingerprint.
    pub tables: BTreeMap<String, Table>,
}

/// Reads every file of a catalogue. Files that do not end in `.toml` are passed over.
#[must_use]
pub fn read(files: &[CatalogueFile]) -> (Entries, Vec<Fault>) {
    let mut entries = Entries::default();
    let mut faults = Vec::new();
    let named = files.iter().any(|file| file.name == ABOUT);
    if !named {
        faults.push(no_about(files));
    }
    for file in files.iter().filter(|file| file.name.ends_with(".toml")) {
        let kind = Kind::of(&file.name);
        if kind.is_none() && file.name != ABOUT {
            // Without catalogue.toml this is likely another folder: its files would only add noise.
            faults.extend(named.then(|| stray(file)));
            entries.unread.extend(kinds_in(file).map(|kind| Unread { kind, id: None }));
            continue;
        }
        let (table, lines) = match parse(&file.text) {
            Ok(parsed) => parsed,
            Err(error) => {
                faults.push(syntax_fault(file, &error));
                let id = stem(&file.name, "conditions/").map(ToOwned::to_owned);
                entries.unread.extend(kind.map(|kind| Unread { kind, id }));
                continue;
            }
        };
        let mut reader =
            Reader { file: &file.name, lines: &lines, faults: &mut faults, unread: &mut entries.unread };
        let Some(kind) = kind else {
            let value = Value::Table(table.clone());
            let about = reader.entry("", &value);
            entries.about.extend(about.map(|entry| reader.placed("", entry)));
            entries.tables.insert(file.name.clone(), table);
            continue;
        };
        match kind {
            Kind::Condition => {
                let (condition, rows) = reader.condition(&table);
                entries.conditions.extend(condition.map(|entry| reader.placed("", entry)));
                entries.rows.insert(file.name.clone(), rows);
            }
            Kind::Finding => {
                reader.finding_file();
                reader.list(&table, kind, &mut entries.findings);
            }
            Kind::Group => reader.list(&table, kind, &mut entries.groups),
            Kind::Measure => reader.list(&table, kind, &mut entries.measures),
            Kind::Screen => reader.list(&table, kind, &mut entries.screens),
            Kind::Training => reader.list(&table, kind, &mut entries.training),
            Kind::Progression => reader.list(&table, kind, &mut entries.progressions),
            Kind::Treatment => reader.list(&table, kind, &mut entries.treatments),
            Kind::Circumstance => reader.list(&table, kind, &mut entries.circumstances),
            Kind::Exercise => reader.list(&table, kind, &mut entries.exercises),
            Kind::Prevention => reader.list(&table, kind, &mut entries.prevention),
            Kind::RedFlag => reader.list(&table, kind, &mut entries.red_flags),
            Kind::Source => reader.list(&table, kind, &mut entries.sources),
        }
        entries.tables.insert(file.name.clone(), table);
    }
    (entries, faults)
}

const ABOUT: &str = "catalogue.toml";

const FILES: &str = "the files are catalogue.toml, groups.toml, measures.toml, screens.toml, training.toml, return-to-run.toml, treatments.toml, circumstances.toml, \
                     exercises.toml, prevention.toml, red-flags.toml, sources.toml, conditions/<id>.toml and \
                     findings/<kind>.toml";

/// The part of a file's name between a folder and `.toml`.
pub fn stem<'a>(file: &'a str, folder: &str) -> Option<&'a str> {
    file.strip_prefix(folder)?.strip_suffix(".toml")
}

/// The file under `findings/` that holds the findings of a kind.
pub fn file_of(kind: FindingKind) -> String {
    format!("findings/{}.toml", kind.as_str().replace('_', "-"))
}

/// The lines on which the entries of each list begin.
type Lines = BTreeMap<String, Vec<usize>>;

fn parse(text: &str) -> Result<(Table, Lines), toml::de::Error> {
    let document = DeTable::parse(text)?;
    let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end).collect();
    let mut lines = Lines::new();
    for (key, value) in document.get_ref() {
        if let Some(items) = value.get_ref().as_array() {
            let line = |start| ends.partition_point(|end| *end < start) + 1;
            let begin = items.iter().map(|item| line(item.span().start)).collect();
            lines.insert(key.get_ref().clone().into_owned(), begin);
        }
    }
    Ok((Table::deserialize(Deserializer::from(document))?, lines))
}

fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

fn no_about(files: &[CatalogueFile]) -> Fault {
    let inner = files.iter().find_map(|file| file.name.strip_suffix("/catalogue.toml"));
    Fault {
        file: ABOUT.into(),
        place: String::new(),
        problem: "the file is missing".into(),
        remedy: match inner {
            Some(folder) => format!("name the folder `{folder}` inside this one, which has it"),
            None => {
                "name the folder that holds it, or add it: it says what the catalogue is and for whom".into()
            }
        },
    }
}

fn syntax_fault(file: &CatalogueFile, error: &toml::de::Error) -> Fault {
    let message = error.message().trim_end();
    let remedy = if message.contains("duplicate key") {
        "it is written twice: remove one of the two"
    } else {
        "put texts in straight double quotes, lists in square brackets with commas between the items, and write \
         decimals with a point"
    };
    Fault {
        file: file.name.clone(),
        place: error
            .span()
            .map(|span| format!("line {}", line_of(&file.text, span.start)))
            .unwrap_or_default(),
        problem: match error
            .span()
            .and_then(|span| file.text.get(span))
            .filter(|text| !text.trim().is_empty())
        {
            Some(text) => format!("cannot be read at `{}`: {message}", text.trim()),
            None => format!("cannot be read: {message}"),
        },
        remedy: remedy.into(),
    }
}

fn stray(file: &CatalogueFile) -> Fault {
    Fault {
        file: file.name.clone(),
        place: String::new(),
        problem: "this file has no place in a catalogue".into(),
        remedy: match meant_name(&file.name) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => FILES.into(),
        },
    }
}

/// The name of a file that was meant by one that has no place.
fn meant_name(written: &str) -> Option<String> {
    let last = written.rsplit('/').next()?;
    let mut known: Vec<String> = Kind::ALL
        .iter()
        .map(|kind| match kind.home() {
            folder if folder.ends_with('/') => format!("{folder}{last}"),
            file => file.to_owned(),
        })
        .collect();
    known.push(ABOUT.into());
    nearest(written, known.iter().map(String::as_str)).map(ToOwned::to_owned)
}

/// The kinds of entries that a file without a place seems to hold.
fn kinds_in(file: &CatalogueFile) -> impl Iterator<Item = Kind> {
    let table: Table = toml::from_str(&file.text).unwrap_or_default();
    Kind::ALL.into_iter().filter(move |kind| {
        let key = if *kind == Kind::Condition { "pre_test" } else { kind.key() };
        table.contains_key(key)
    })
}

struct Reader<'a> {
    file: &'a str,
    lines: &'a Lines,
    faults: &'a mut Vec<Fault>,
    unread: &'a mut Vec<Unread>,
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

    /// The place of an entry of a list: its name if it has one, and its line.
    fn place(&self, key: &str, number: usize, name: Option<&str>) -> String {
        let line = self.lines.get(key).and_then(|lines| lines.get(number));
        let line = line.map(|line| format!("line {line}"));
        let name = name.filter(|name| !name.trim().is_empty());
        let within: Vec<&str> = name.into_iter().chain(line.as_deref()).collect();
        format!("{key} ({})", within.join(", "))
    }

    fn finding_file(&mut self) {
        if FindingKind::ALL.iter().all(|kind| file_of(*kind) != self.file) {
            let known: Vec<String> = FindingKind::ALL.iter().map(|kind| file_of(*kind)).collect();
            let remedy = match nearest(self.file, known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("move its findings to the file of their kind: {}", known.join(", ")),
            };
            self.fault("", "this file is not named after a kind of findings", remedy);
        }
    }

    fn list<T: DeserializeOwned>(&mut self, table: &Table, kind: Kind, into: &mut Vec<Placed<T>>) {
        let key = kind.key();
        let unknown: Vec<String> =
            table.keys().filter(|written| *written != key).map(|written| format!("`{written}`")).collect();
        if !unknown.is_empty() {
            let keys = if unknown.len() == 1 { "unknown key" } else { "unknown keys" };
            let remedy = format!("every entry of this file begins with [[{key}]]");
            self.fault("", format!("{keys} {}", unknown.join(", ")), remedy);
            self.unread.push(Unread { kind, id: None });
        }
        let items = match table.get(key) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(_) => {
                let remedy = format!("every entry of this file begins with [[{key}]], in double brackets");
                self.fault(key, format!("`{key}` is not a list"), remedy);
                self.unread.push(Unread { kind, id: None });
                &[]
            }
            None => &[],
        };
        for (number, item) in items.iter().enumerate() {
            let id = text_of(item, "id");
            let place = self.place(key, number, id);
            match self.entry(&place, item) {
                Some(entry) => into.push(self.placed(&place, entry)),
                None => {
                    self.unread.push(Unread { kind, id: id.filter(|id| is_id(id)).map(ToOwned::to_owned) })
                }
            }
        }
    }

    fn condition(&mut self, table: &Table) -> (Option<Condition>, Rows) {
        let mut rows = Rows::default();
        let evidence = self.rows(table, "evidence", "finding");
        let ladder = self.rows(table, "ladder", "treatment");
        rows.incomplete = evidence.1 || ladder.1;
        // Lists of rows were read by themselves; anything else under their keys is refused with the whole.
        let of_rows = |key: &str, value: &Value| matches!(key, "evidence" | "ladder") && value.is_array();
        let rest = table.iter().filter(|(key, value)| !of_rows(key, value));
        let rest = Value::Table(rest.map(|(key, value)| (key.clone(), value.clone())).collect());
        let Some(mut condition) = self.entry::<Condition>("", &rest) else {
            let id = text_of(&rest, "id").filter(|id| is_id(id)).or_else(|| stem(self.file, "conditions/"));
            self.unread.push(Unread { kind: Kind::Condition, id: id.map(ToOwned::to_owned) });
            return (None, rows);
        };
        (rows.evidence, condition.evidence) = evidence.0.into_iter().unzip();
        (rows.ladder, condition.ladder) = ladder.0.into_iter().unzip();
        (Some(condition), rows)
    }

    /// The rows under a key with their places, and whether one could not be read.
    fn rows<T: DeserializeOwned>(
        &mut self,
        table: &Table,
        key: &str,
        named_by: &str,
    ) -> (Vec<(String, T)>, bool) {
        let items = table.get(key).and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        let read: Vec<(String, T)> = items
            .iter()
            .enumerate()
            .filter_map(|(number, item)| {
                let place = self.place(key, number, text_of(item, named_by));
                self.entry(&place, item).map(|entry| (place, entry))
            })
            .collect();
        let incomplete = read.len() < items.len();
        (read, incomplete)
    }

    fn entry<T: DeserializeOwned>(&mut self, place: &str, value: &Value) -> Option<T> {
        let (entry, misfits) = form(value);
        for misfit in misfits {
            self.fault(&join(place, &misfit.place), misfit.problem, misfit.remedy);
        }
        entry
    }
}

fn text_of<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn is_id(text: &str) -> bool {
    text.parse::<ConditionId>().is_ok()
}

fn join(place: &str, within: &str) -> String {
    match (place.is_empty(), within.is_empty()) {
        (true, _) => within.into(),
        (_, true) => place.into(),
        _ => format!("{place}.{within}"),
    }
}
