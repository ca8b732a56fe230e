//! References: what is named exists, sources are named once, and nothing stands there that nothing looks at.

use std::collections::BTreeSet;

use super::Checker;
use crate::catalogue::{
    entry::RedFlag,
    id::{FindingId, SourceId},
    nearest::nearest,
    read::{Entries, Kind, Placed},
    vocabulary::GroupKind,
};

impl<'a> Checker<'a> {
    /// Whether `id` names an entry of this kind, as far as can be told; a fault otherwise.
    pub(super) fn refer<T>(&mut self, at: &Placed<T>, place: &str, kind: Kind, id: &str) {
        if self.known.open.contains(&kind) {
            return;
        }
        let known = self.known.ids.get(&kind).filter(|known| !known.is_empty());
        let Some(known) = known else {
            // One fault for the whole kind, instead of one for each place that refers to it.
            self.empty.insert(kind);
            return;
        };
        if known.contains(id) {
            return;
        }
        let renamed = self.known.former_findings.get(id).copied().filter(|_| kind == Kind::Finding);
        let meant = renamed.or_else(|| nearest(id, known.iter().copied()));
        self.misspelt.extend(meant.map(|meant| (kind, meant)));
        let remedy = match (renamed, meant) {
            (Some(now), _) => format!("write `{now}`: it was renamed"),
            (None, Some(meant)) => format!("did you mean `{meant}`?"),
            (None, None) => format!("correct the spelling, or add it to {}", kind.home()),
        };
        self.fault(at, place, format!("`{id}` names no known {}", kind.name()), remedy);
    }

    /// Refers to each of a list, and finds what stands in it twice.
    pub(super) fn refer_all<T, I: AsRef<str>>(&mut self, at: &Placed<T>, place: &str, kind: Kind, ids: &[I]) {
        let mut seen = BTreeSet::new();
        for id in ids.iter().map(AsRef::as_ref) {
            self.refer(at, place, kind, id);
            if !seen.insert(id) {
                self.fault(at, place, format!("`{id}` stands here twice"), "remove one of the two");
            }
        }
    }

    pub(super) fn sources<T>(&mut self, at: &Placed<T>, sources: &[SourceId]) {
        self.sources_at(at, "sources", sources);
    }

    pub(super) fn sources_at<T>(&mut self, at: &Placed<T>, place: &str, sources: &[SourceId]) {
        if sources.is_empty() {
            self.fault(
                at,
                place,
                "no source is given",
                "name at least one id of sources.toml; an estimate has its own source there",
            );
        }
        self.refer_all(at, place, Kind::Source, sources);
    }

    /// The single choice that a finding is an option of.
    pub(super) fn single_choice(&self, finding: &FindingId) -> Option<&'a str> {
        let group = self.known.findings.get(finding.as_str())?.group.as_ref()?;
        self.known
            .groups
            .get(group.as_str())
            .filter(|known| known.kind == GroupKind::SingleChoice)
            .map(|_| group.as_str())
    }

    pub(super) fn orphans(&mut self, entries: &'a Entries) {
        let incomplete = [Kind::Condition, Kind::RedFlag]
            .iter()
            .any(|kind| self.known.incomplete.contains(kind) || self.empty.contains(kind));
        if incomplete || entries.rows.values().any(|rows| rows.incomplete) {
            return;
        }
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for condition in &entries.conditions {
            used.extend(condition.entry.evidence.iter().map(|row| row.finding.as_str()));
        }
        for rule in &entries.red_flags {
            let RedFlag { all_of, all_absent, any_of, .. } = &rule.entry;
            used.extend(all_of.iter().chain(all_absent).chain(any_of).map(FindingId::as_str));
        }
        for finding in &entries.findings {
            let id = finding.entry.id.as_str();
            let looked_at = used.contains(id) || finding.entry.out_of_scope.is_some();
            if !looked_at && !self.misspelt.contains(&(Kind::Finding, id)) {
                self.fault(
                    finding,
                    "",
                    format!("nothing looks at the finding `{id}`"),
                    "add it to the evidence of a condition or to a red-flag rule, or remove it",
                );
            }
        }
    }
}
