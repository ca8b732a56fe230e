//! From numbers that apps know to findings, by rules of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Answer;
use crate::catalogue::{
    Catalogue, FindingIndex,
    entry::{Measure, MeasureRule},
    id::MeasureId,
};

/// A finding that a measure stands for.
#[derive(Debug, Clone, Copy)]
pub struct Derived<'a> {
    /// The measure.
    pub measure: &'a Measure,
    /// Its value.
    pub value: f64,
    /// The rule.
    pub rule: &'a MeasureRule,
    /// The finding.
    pub finding: FindingIndex,
    /// The answer that the value amounts to.
    pub answer: Answer,
}

/// Every finding that some measures stand for, in the catalogue's order of measures and rules.
///
/// A rule that compares with a measure that is not given, or is 0, says nothing; neither does a value between
/// the limits of a rule. Two measures may disagree about a finding: that one of them shows it counts for more, and
/// the other is left out.
#[must_use]
pub fn derive<'a>(catalogue: &'a Catalogue, values: &BTreeMap<&MeasureId, f64>) -> Vec<Derived<'a>> {
    let mut derived: Vec<Derived<'_>> = Vec::new();
    for measure in catalogue.measures() {
        let Some(value) = values.get(&measure.id).copied() else { continue };
        for rule in &measure.rules {
            let Some(compared) = compared(rule, value, values) else { continue };
            let (Some(answer), Some(finding)) =
                (answer(rule, compared), catalogue.finding_index(rule.finding.as_str()))
            else {
                continue;
            };
            derived.push(Derived { measure, value, rule, finding, answer });
        }
    }
    let shown: BTreeSet<FindingIndex> = derived
        .iter()
        .filter(|derived| derived.answer == Answer::Present)
        .map(|derived| derived.finding)
        .collect();
    derived.retain(|derived| derived.answer == Answer::Present || !shown.contains(&derived.finding));
    derived
}

fn compared(rule: &MeasureRule, value: f64, values: &BTreeMap<&MeasureId, f64>) -> Option<f64> {
    match &rule.relative_to {
        None => Some(value),
        Some(other) => values.get(other).filter(|other| **other > 0.0).map(|other| value / other),
    }
}

fn answer(rule: &MeasureRule, value: f64) -> Option<Answer> {
    let present = rule.present_from.is_some_and(|from| value >= from)
        || rule.present_below.is_some_and(|below| value < below);
    let absent = rule.absent_from.is_some_and(|from| value >= from)
        || rule.absent_below.is_some_and(|below| value < below);
    match (present, absent) {
        (true, _) => Some(Answer::Present),
        (false, true) => Some(Answer::Absent),
        (false, false) => None,
    }
}
