//! From the texts of a catalogue to one sound, immutable value with everything looked up by id.

use std::collections::HashMap;

use super::{
    check::check,
    entry::{
        About, Circumstance, Condition, Exercise, Finding, Group, Measure, Prevention, Progression, RedFlag,
        Screen, Source, TrainingRule, Treatment,
    },
    fault::{Fault, Faults},
    fingerprint::fingerprint,
    read::{CatalogueFile, Placed, read},
    vocabulary::{Grade, Role},
};

/// The place of a condition in [`Catalogue::conditions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionIndex(pub usize);

/// The place of a finding in [`Catalogue::findings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingIndex(pub usize);

/// A sound catalogue. Every list is ordered by id; every id in it names something in it.
#[derive(Debug)]
pub struct Catalogue {
    about: About,
    sha256: String,
    conditions: Vec<Condition>,
    findings: Vec<Finding>,
    groups: Vec<Group>,
    measures: Vec<Measure>,
    screens: Vec<Screen>,
    training: Vec<TrainingRule>,
    progressions: Vec<Progression>,
    treatments: Vec<Treatment>,
    circumstances: Vec<Circumstance>,
    exercises: Vec<Exercise>,
    prevention: Vec<Prevention>,
    red_flags: Vec<RedFlag>,
    sources: Vec<Source>,
    finding_places: HashMap<Box<str>, FindingIndex>,
    former_findings: HashMap<Box<str>, FindingIndex>,
}

impl Catalogue {
    /// Reads and checks a whole catalogue.
    ///
    /// # Errors
    /// [`Faults`] with every fault found, ordered by file and place.
    pub fn compile(files: &[CatalogueFile]) -> Result<Self, Faults> {
        let (entries, mut faults) = read(files);
        faults.extend(check(&entries));
        let about = match (entries.about.into_iter().next(), faults.is_empty()) {
            (Some(about), true) => about.entry,
            (None, true) => return Err(Faults(vec![no_about()])),
            (_, false) => {
                faults.sort();
                return Err(Faults(faults));
            }
        };
        let findings = by_id(entries.findings, |entry| entry.id.as_str());
        Ok(Self {
            about,
            sha256: fingerprint(&entries.tables),
            conditions: by_id(entries.conditions, |entry| entry.id.as_str()),
            finding_places: findings
                .iter()
                .enumerate()
                .map(|(place, finding)| (finding.id.as_str().into(), FindingIndex(place)))
                .collect(),
            former_findings: findings
                .iter()
                .enumerate()
                .flat_map(|(place, finding)| {
                    finding.former_ids.iter().map(move |id| (id.as_str().into(), FindingIndex(place)))
                })
                .collect(),
            findings,
            groups: by_id(entries.groups, |entry| entry.id.as_str()),
            measures: by_id(entries.measures, |entry| entry.id.as_str()),
            // Asked in the order in which they are written.
            screens: entries.screens.into_iter().map(|placed| placed.entry).collect(),
            training: by_id(entries.training, |entry| entry.id.as_str()),
            progressions: by_id(entries.progressions, |entry| entry.id.as_str()),
            treatments: by_id(entries.treatments, |entry| entry.id.as_str()),
            circumstances: by_id(entries.circumstances, |entry| entry.id.as_str()),
            exercises: by_id(entries.exercises, |entry| entry.id.as_str()),
            prevention: by_id(entries.prevention, |entry| entry.id.as_str()),
            red_flags: by_id(entries.red_flags, |entry| entry.id.as_str()),
            sources: by_id(entries.sources, |entry| entry.id.as_str()),
        })
    }

    /// What is said of the catalogue as a whole.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// SHA-256 of its content, 64 hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Every condition, umbrellas and the unexplained one included.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Every finding.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Every group of findings.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Every question that asks for several warning signs at once, in the order of asking.
    #[must_use]
    pub fn screens(&self) -> &[Screen] {
        &self.screens
    }

    /// Every rule about running meanwhile.
    #[must_use]
    pub fn training(&self) -> &[TrainingRule] {
        &self.training
    }

    /// Every plan for the return to running.
    #[must_use]
    pub fn progressions(&self) -> &[Progression] {
        &self.progressions
    }

    /// Every measure that stands for findings.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// Every treatment.
    #[must_use]
    pub fn treatments(&self) -> &[Treatment] {
        &self.treatments
    }

    /// Every circumstance that a gate may ask for.
    #[must_use]
    pub fn circumstances(&self) -> &[Circumstance] {
        &self.circumstances
    }

    /// Every exercise.
    #[must_use]
    pub fn exercises(&self) -> &[Exercise] {
        &self.exercises
    }

    /// Every prevention step and rule.
    #[must_use]
    pub fn prevention(&self) -> &[Prevention] {
        &self.prevention
    }

    /// Every red-flag rule.
    #[must_use]
    pub fn red_flags(&self) -> &[RedFlag] {
        &self.red_flags
    }

    /// Every source.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The condition with this id.
    #[must_use]
    pub fn condition(&self, id: &str) -> Option<&Condition> {
        find(&self.conditions, id, |entry| entry.id.as_str())
    }

    /// The finding with this id.
    #[must_use]
    pub fn finding(&self, id: &str) -> Option<&Finding> {
        self.finding_index(id).map(|index| self.finding_at(index))
    }

    /// Where the finding with this id stands.
    #[must_use]
    pub fn finding_index(&self, id: &str) -> Option<FindingIndex> {
        self.finding_places.get(id).copied()
    }

    /// Where the finding stands that has this id, or had it before; in the latter case with `true`.
    #[must_use]
    pub fn resolve_finding(&self, id: &str) -> Option<(FindingIndex, bool)> {
        let now = self.finding_index(id).map(|index| (index, false));
        now.or_else(|| self.former_findings.get(id).map(|index| (*index, true)))
    }

    /// The finding at a place that this catalogue gave out.
    ///
    /// # Panics
    /// On a place from a larger catalogue.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "places are given out by `finding_index` alone")]
    pub fn finding_at(&self, index: FindingIndex) -> &Finding {
        &self.findings[index.0]
    }

    /// The condition at a place that this catalogue gave out.
    ///
    /// # Panics
    /// On a place from a larger catalogue.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "places are given out by the model of this catalogue alone")]
    pub fn condition_at(&self, index: ConditionIndex) -> &Condition {
        &self.conditions[index.0]
    }

    /// The group with this id.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<&Group> {
        find(&self.groups, id, |entry| entry.id.as_str())
    }

    /// The treatment with this id.
    #[must_use]
    pub fn treatment(&self, id: &str) -> Option<&Treatment> {
        find(&self.treatments, id, |entry| entry.id.as_str())
    }

    /// The circumstance with this id.
    #[must_use]
    pub fn circumstance(&self, id: &str) -> Option<&Circumstance> {
        find(&self.circumstances, id, |entry| entry.id.as_str())
    }

    /// The exercise with this id.
    #[must_use]
    pub fn exercise(&self, id: &str) -> Option<&Exercise> {
        find(&self.exercises, id, |entry| entry.id.as_str())
    }

    /// The source with this id.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&Source> {
        find(&self.sources, id, |entry| entry.id.as_str())
    }

    /// Conditions that can be the cause: ranked ones and the unexplained one.
    pub fn hypotheses(&self) -> impl Iterator<Item = (ConditionIndex, &Condition)> {
        self.conditions
            .iter()
            .enumerate()
            .filter(|(_, condition)| condition.role != Role::Umbrella)
            .map(|(place, condition)| (ConditionIndex(place), condition))
    }

    /// The share of all likelihoods that are expert estimates (grade D), from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a catalogue has far fewer than 2^52 rows")]
    pub fn share_of_estimates(&self) -> f64 {
        let rows = || self.conditions.iter().flat_map(|condition| &condition.evidence);
        let estimates = rows().filter(|row| row.grade == Grade::D).count();
        estimates as f64 / rows().count().max(1) as f64
    }

    /// Umbrellas that a condition stands under.
    pub fn umbrellas_of<'a>(&'a self, condition: &'a Condition) -> impl Iterator<Item = &'a Condition> {
        self.conditions.iter().filter(|umbrella| umbrella.members.contains(&condition.id))
    }
}

fn no_about() -> Fault {
    Fault {
        file: "catalogue.toml".into(),
        place: String::new(),
        problem: "the file is missing".into(),
        remedy: "add it".into(),
    }
}

fn by_id<T>(placed: Vec<Placed<T>>, id: impl Fn(&T) -> &str) -> Vec<T> {
    let mut entries: Vec<T> = placed.into_iter().map(|placed| placed.entry).collect();
    entries.sort_by(|one, other| id(one).cmp(id(other)));
    entries
}

fn find<'a, T>(entries: &'a [T], wanted: &str, id: impl Fn(&T) -> &str) -> Option<&'a T> {
    entries.binary_search_by(|entry| id(entry).cmp(wanted)).ok().and_then(|place| entries.get(place))
}
