//! What can be referred to, gathered once before the rules run.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{
    entry::{Condition, Finding, Group, Treatment},
    read::{Entries, Kind, Placed},
};

/// What can be referred to.
pub(super) struct Known<'a> {
    pub(super) ids: BTreeMap<Kind, BTreeSet<&'a str>>,
    /// Kinds of which any number of entries could not be read: a reference to one cannot be judged.
    pub(super) open: BTreeSet<Kind>,
    /// Kinds of which some entry could not be read: a sum over it cannot be judged.
    pub(super) incomplete: BTreeSet<Kind>,
    pub(super) conditions: BTreeMap<&'a str, &'a Condition>,
    pub(super) findings: BTreeMap<&'a str, &'a Finding>,
    /// What the former ids of findings are now.
    pub(super) former_findings: BTreeMap<&'a str, &'a str>,
    pub(super) groups: BTreeMap<&'a str, &'a Group>,
    pub(super) treatments: BTreeMap<&'a str, &'a Treatment>,
    /// Reasons against a treatment, of all treatments.
    pub(super) contraindications: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    pub(super) fn new(entries: &'a Entries) -> Self {
        let conditions = by_id(&entries.conditions, |entry| entry.id.as_str());
        let findings = by_id(&entries.findings, |entry| entry.id.as_str());
        let groups = by_id(&entries.groups, |entry| entry.id.as_str());
        let treatments = by_id(&entries.treatments, |entry| entry.id.as_str());
        let mut ids = BTreeMap::from([
            (Kind::Condition, conditions.keys().copied().collect::<BTreeSet<_>>()),
            (Kind::Finding, findings.keys().copied().collect()),
            (Kind::Group, groups.keys().copied().collect()),
            (Kind::Treatment, treatments.keys().copied().collect()),
            (
                Kind::Circumstance,
                entries.circumstances.iter().map(|placed| placed.entry.id.as_str()).collect(),
            ),
            (Kind::Measure, entries.measures.iter().map(|placed| placed.entry.id.as_str()).collect()),
            (Kind::Exercise, entries.exercises.iter().map(|placed| placed.entry.id.as_str()).collect()),
            (Kind::Prevention, entries.prevention.iter().map(|placed| placed.entry.id.as_str()).collect()),
            (Kind::Source, entries.sources.iter().map(|placed| placed.entry.id.as_str()).collect()),
        ]);
        for unread in &entries.unread {
            ids.entry(unread.kind).or_default().extend(unread.id.as_deref());
        }
        Self {
            ids,
            open: entries
                .unread
                .iter()
                .filter(|unread| unread.id.is_none())
                .map(|unread| unread.kind)
                .collect(),
            incomplete: entries.unread.iter().map(|unread| unread.kind).collect(),
            conditions,
            former_findings: findings
                .values()
                .flat_map(|finding| finding.former_ids.iter().map(|id| (id.as_str(), finding.id.as_str())))
                .collect(),
            findings,
            groups,
            contraindications: treatments
                .values()
                .flat_map(|treatment| &treatment.contraindications)
                .map(|reason| reason.id.as_str())
                .collect(),
            treatments,
        }
    }
}

/// Entries by id; of two with the same id, the first.
fn by_id<T>(entries: &[Placed<T>], id: impl Fn(&T) -> &str) -> BTreeMap<&str, &T> {
    let mut known = BTreeMap::new();
    for placed in entries {
        known.entry(id(&placed.entry)).or_insert(&placed.entry);
    }
    known
}
