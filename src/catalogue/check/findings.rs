//! Findings, the groups that they hang together in, and the measures that stand for them.

use super::{Checker, SUM_TOLERANCE, figure, in_file};
use crate::catalogue::{
    entry::{Finding, Group, Measure},
    id::ContraindicationId,
    nearest::nearest,
    read::{Entries, Kind, Placed, file_of},
    vocabulary::{FindingKind, GroupKind},
};

impl<'a> Checker<'a> {
    pub(super) fn groups(&mut self, entries: &'a Entries) {
        for group in &entries.groups {
            match (group.entry.kind, group.entry.coefficient) {
                (GroupKind::Correlated, None) => self.fault(
                    group,
                    "coefficient",
                    "a correlated group has no coefficient",
                    "add `coefficient`, from 0 (independent) to 1 (one observation said several times)",
                ),
                (GroupKind::SingleChoice, Some(_)) => self.fault(
                    group,
                    "coefficient",
                    "a single choice has a coefficient",
                    "remove it: only one of its findings is ever counted",
                ),
                (GroupKind::Correlated, Some(_)) | (GroupKind::SingleChoice, None) => {}
            }
            self.members(group);
        }
    }

    pub(super) fn members(&mut self, group: &Placed<Group>) {
        let id = group.entry.id.as_str();
        let cannot_tell = self.known.incomplete.contains(&Kind::Finding)
            || self.empty.contains(&Kind::Finding)
            || self.misspelt.contains(&(Kind::Group, id));
        if cannot_tell {
            return;
        }
        let members = self
            .known
            .findings
            .values()
            .filter(|finding| finding.group.as_ref().is_some_and(|group| group.as_str() == id));
        let (count, sum) = members
            .fold((0, 0.0), |(count, sum), finding| (count + 1, sum + finding.background.probability.get()));
        if count == 0 {
            self.fault(
                group,
                "",
                format!("no finding belongs to the group `{id}`"),
                "remove the group, or name it as `group` in its findings",
            );
        } else if group.entry.kind == GroupKind::SingleChoice && (sum - 1.0).abs() > SUM_TOLERANCE {
            self.fault(
                group,
                "",
                format!("the background rates of the options of `{id}` sum to {}", figure(sum)),
                "make them sum to 1 in findings/: exactly one option holds in each person",
            );
        }
    }

    pub(super) fn finding(&mut self, finding: &Placed<Finding>) {
        self.sources_at(finding, "background.sources", &finding.entry.background.sources);
        if let Some(group) = &finding.entry.group {
            self.refer(finding, "group", Kind::Group, group.as_str());
        }
        for former in &finding.entry.former_ids {
            let now = self.known.former_findings.get(former.as_str()).copied();
            if self.known.findings.contains_key(former.as_str()) {
                let problem = format!("`{former}` is the id of a finding that is there");
                self.fault(finding, "former_ids", problem, "take it out, or give that finding another id");
            } else if let Some(other) = now.filter(|now| *now != finding.entry.id.as_str()) {
                let problem = format!("`{former}` is a former id of `{other}` too");
                self.fault(finding, "former_ids", problem, "leave it to one of the two");
            }
        }
        for reason in finding.entry.contraindicates.iter().map(ContraindicationId::as_str) {
            self.contraindication(finding, reason);
        }
        let home = file_of(finding.entry.kind);
        let named_after_a_kind = FindingKind::ALL.iter().any(|kind| file_of(*kind) == finding.file);
        if named_after_a_kind && finding.file != home {
            let problem = format!(
                "a finding of the kind {} in the file of another kind",
                in_file(finding.entry.kind.as_str())
            );
            self.fault(finding, "kind", problem, format!("move it to {home}, or correct its kind"));
        }
    }

    /// Whether some treatment names the reason against it.
    pub(super) fn contraindication(&mut self, finding: &Placed<Finding>, reason: &str) {
        if self.known.incomplete.contains(&Kind::Treatment) || self.known.contraindications.contains(reason) {
            return;
        }
        let remedy = nearest(reason, self.known.contraindications.iter().copied()).map_or_else(
            || "correct the spelling, or add it to a treatment".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        let problem = format!("no treatment names the reason `{reason}` against it");
        self.fault(finding, "contraindicates", problem, remedy);
    }

    pub(super) fn measure(&mut self, measure: &Placed<Measure>) {
        let entry = &measure.entry;
        if !(entry.least.is_finite() && entry.most.is_finite() && entry.least < entry.most) {
            let problem = format!("values go from {} to {}", entry.least, entry.most);
            self.fault(measure, "least", problem, "write the least value first, then a larger one");
        }
        for (number, rule) in entry.rules.iter().enumerate() {
            let place = format!("rules (item {})", number + 1);
            self.refer(measure, &format!("{place}.finding"), Kind::Finding, rule.finding.as_str());
            self.sources_at(measure, &format!("{place}.sources"), &rule.sources);
            if let Some(other) = &rule.relative_to {
                self.refer(measure, &format!("{place}.relative_to"), Kind::Measure, other.as_str());
            }
            let limits = [rule.present_from, rule.present_below, rule.absent_from, rule.absent_below];
            if limits.iter().all(Option::is_none) {
                let remedy = "add present_from, present_below, absent_from or absent_below";
                self.fault(measure, &place, "the rule never says anything", remedy);
            }
            let both = |present: Option<f64>, absent: Option<f64>| {
                present.zip(absent).is_some_and(|(present, absent)| present < absent)
            };
            // Two limits of the same direction always meet somewhere.
            let same_direction = rule.present_from.and(rule.absent_from).is_some()
                || rule.present_below.and(rule.absent_below).is_some();
            let contradicts = same_direction
                || both(rule.present_from, rule.absent_below)
                || both(rule.absent_from, rule.present_below);
            if contradicts {
                let remedy = "let the ranges of present and absent meet or leave a gap";
                self.fault(measure, &place, "some values would be present and absent at once", remedy);
            }
        }
    }
}
