//! Every rule that a sound catalogue keeps beyond the form of its entries.
//!
//! Each rule adds its faults and goes on, so that one run names everything there is to mend. The rules stand by what
//! they look at; here are their order and what concerns all entries alike.

mod conditions;
mod findings;
mod known;
mod references;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use self::known::Known;
use super::{
    fault::Fault,
    read::{Entries, Kind, Placed, Rows},
    vocabulary::{AgeBand, Grade, Sex},
};

/// How far a sum of probabilities may be from 1 before it is a fault.
const SUM_TOLERANCE: f64 = 1e-6;

/// Every fault of soundness in `entries`.
///
/// A rule over many entries (a sum, an entry that nothing names) waits until all of them can be read.
#[must_use]
pub fn check(entries: &Entries) -> Vec<Fault> {
    let mut checker = Checker {
        known: Known::new(entries),
        empty: BTreeSet::new(),
        conditions_twice: BTreeSet::new(),
        misspelt: BTreeSet::new(),
        faults: Vec::new(),
    };
    checker.duplicates(entries);
    checker.needed(entries);
    checker.about(entries);
    for finding in &entries.findings {
        checker.finding(finding);
    }
    for condition in &entries.conditions {
        checker.condition(condition, entries.rows.get(&condition.file).unwrap_or(&Rows::default()));
    }
    checker.priors(entries);
    for rule in &entries.red_flags {
        checker.red_flag(rule);
    }
    for measure in &entries.measures {
        checker.measure(measure);
    }
    for screen in &entries.screens {
        checker.refer_all(screen, "findings", Kind::Finding, &screen.entry.findings);
    }
    for rule in &entries.training {
        checker.training(rule);
    }
    checker.training_covers_triage(entries);
    for progression in &entries.progressions {
        checker.progression(progression);
    }
    checker.one_progression_each(entries);
    for exercise in &entries.exercises {
        checker.sources(exercise, &exercise.entry.sources);
    }
    for prevention in &entries.prevention {
        checker.sources(prevention, &prevention.entry.sources);
    }
    // Last, because a misspelt reference excuses what it meant.
    checker.groups(entries);
    checker.orphans(entries);
    checker.empty_kinds();
    checker.faults
}

struct Checker<'a> {
    known: Known<'a>,
    /// Kinds that are needed though none of them is listed.
    empty: BTreeSet<Kind>,
    /// Ids of conditions that are defined more than once.
    conditions_twice: BTreeSet<&'a str>,
    /// What misspelt references meant.
    misspelt: BTreeSet<(Kind, &'a str)>,
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    fn fault<T>(
        &mut self,
        at: &Placed<T>,
        place: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let place = match (at.place.is_empty(), place.is_empty()) {
            (true, _) => place.to_owned(),
            (false, true) => at.place.clone(),
            (false, false) => format!("{}.{place}", at.place),
        };
        self.faults.push(Fault {
            file: at.file.clone(),
            place,
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    fn duplicates(&mut self, entries: &'a Entries) {
        self.conditions_twice = self.twice(&entries.conditions, |entry| entry.id.as_str());
        self.twice(&entries.findings, |entry| entry.id.as_str());
        self.twice(&entries.groups, |entry| entry.id.as_str());
        self.twice(&entries.measures, |entry| entry.id.as_str());
        self.twice(&entries.screens, |entry| entry.id.as_str());
        self.twice(&entries.training, |entry| entry.id.as_str());
        self.twice(&entries.progressions, |entry| entry.id.as_str());
        self.twice(&entries.treatments, |entry| entry.id.as_str());
        self.twice(&entries.circumstances, |entry| entry.id.as_str());
        self.twice(&entries.exercises, |entry| entry.id.as_str());
        self.twice(&entries.prevention, |entry| entry.id.as_str());
        self.twice(&entries.red_flags, |entry| entry.id.as_str());
        self.twice(&entries.sources, |entry| entry.id.as_str());
    }

    /// The ids that stand in `entries` more than once, each with its fault.
    fn twice<T>(&mut self, entries: &'a [Placed<T>], id: impl Fn(&T) -> &str) -> BTreeSet<&'a str> {
        let mut seen: BTreeMap<&str, &Placed<T>> = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for placed in entries {
            let id = id(&placed.entry);
            let Some(first) = seen.get(id) else {
                seen.insert(id, placed);
                continue;
            };
            let within = if first.place.is_empty() { "" } else { ", " };
            let remedy = format!("rename or remove one: the other is {}{within}{}", first.file, first.place);
            self.fault(placed, "id", format!("`{id}` is defined twice"), remedy);
            twice.insert(id);
        }
        twice
    }

    /// What no catalogue can be without, or nobody is warned of anything.
    fn needed(&mut self, entries: &Entries) {
        // Where catalogue.toml is missing too, that is the fault.
        let none = [
            (Kind::Condition, entries.conditions.is_empty()),
            (Kind::RedFlag, entries.red_flags.is_empty()),
            (Kind::Training, entries.training.is_empty()),
            (Kind::Progression, entries.progressions.is_empty()),
        ];
        for (kind, none) in none {
            if none && !entries.about.is_empty() && !self.known.incomplete.contains(&kind) {
                self.empty.insert(kind);
            }
        }
    }

    fn empty_kinds(&mut self) {
        for kind in std::mem::take(&mut self.empty) {
            self.faults.push(Fault {
                file: kind.home().into(),
                place: String::new(),
                problem: format!("there is no {} here", kind.name()),
                remedy: "add some; if they stand elsewhere, check the name of their file".into(),
            });
        }
    }

    fn about(&mut self, entries: &'a Entries) {
        let Some(about) = entries.about.first() else { return };
        if !is_version(&about.entry.version) {
            self.fault(
                about,
                "version",
                format!("`{}` is not a version", about.entry.version),
                "write year.month.number, for instance \"2026.11.1\"",
            );
        }
        let age: f64 = AgeBand::ALL.iter().map(|band| about.entry.population.age.of(*band).get()).sum();
        let sex: f64 = Sex::ALL.iter().map(|sex| about.entry.population.sex.of(*sex).get()).sum();
        for (place, sum) in [("population.age", age), ("population.sex", sex)] {
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                self.fault(about, place, format!("the shares sum to {}", figure(sum)), "make them sum to 1");
            }
        }
        self.sources_at(about, "population.sources", &about.entry.population.sources);
        for grade in Grade::ALL {
            let meanings = about.entry.grades.iter().filter(|meaning| meaning.grade == *grade).count();
            let grade = grade.as_str();
            if meanings == 0 {
                let remedy = format!("add `{{ grade = \"{grade}\", meaning = \"...\" }}`");
                self.fault(about, "grades", format!("grade {grade} has no meaning"), remedy);
            } else if meanings > 1 {
                self.fault(about, "grades", format!("grade {grade} has {meanings} meanings"), "keep one");
            }
        }
        let words = &about.entry.likelihood_words;
        let falling =
            words.windows(2).all(|pair| matches!(pair, [higher, lower] if higher.from > lower.from));
        let covers_all = words.last().is_some_and(|word| word.from.get() <= 0.0);
        if !falling || !covers_all {
            self.fault(
                about,
                "likelihood_words",
                "the words do not cover each probability exactly once",
                "list them from the highest `from` down; the last one begins at 0",
            );
        }
    }
}

/// A sum as it is printed: without the noise of its last digits, which a tolerated error stays below.
fn figure(sum: f64) -> f64 {
    (sum * 1e6).round() / 1e6
}

/// A word as the files write it.
fn in_file(word: &str) -> String {
    word.replace('_', "-")
}

/// Whether a text is `year.month.number`.
fn is_version(text: &str) -> bool {
    let parts: Vec<Option<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    matches!(parts.as_slice(), [Some(2000..=9999), Some(1..=12), Some(_)])
}
