//! Made-up cases: the expected condition comes first, and the probability is what the plain formula gives.
//!
//! The formula is written down here a second time, straight from the catalogue's entries and without the model's
//! shortcuts. The cases show that figures arrive where they should; they are no measure of accuracy.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::collections::{BTreeMap, HashMap};

use coxa::catalogue::{
    entry::{Condition, Finding},
    vocabulary::{AgeBand, GroupKind, Role, Sex},
};
use serde::Deserialize;

mod core;
use core::{KNOWLEDGE, assessed, case, hypothesis, id};

/// How far the model may be from the formula.
const EXACT: f64 = 1e-9;

/// The least probability of an option that a condition does not state.
const LEAST_OPTION: f64 = 0.006;

#[derive(Deserialize)]
struct WorkedCase {
    id: String,
    age: u8,
    sex: String,
    present: Vec<String>,
    absent: Vec<String>,
    expected: Option<String>,
    rule: String,
}

fn worked_cases() -> Vec<WorkedCase> {
    serde_json::from_str(include_str!("worked_cases.json")).unwrap()
}

impl WorkedCase {
    fn sex(&self) -> Sex {
        Sex::from_wire(&self.sex).unwrap()
    }

    fn assessed(&self) -> coxa::assessment::Assessment {
        let (present, absent) =
            (self.present.iter().map(String::as_str), self.absent.iter().map(String::as_str));
        assessed(&case(Some(self.age), Some(self.sex()), present, absent))
    }

    /// Whether a correlated group holds two answers, which the model weighs down and the plain formula does not.
    fn has_correlated_answers(&self) -> bool {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for id in self.present.iter().chain(&self.absent) {
            if group_kind(id) == Some(GroupKind::Correlated) {
                let group = KNOWLEDGE.0.finding(id).unwrap().group.as_ref().unwrap();
                *counts.entry(group.as_str()).or_default() += 1;
            }
        }
        counts.values().any(|count| *count > 1)
    }

    /// The plain formula: prior by age and sex, times a likelihood ratio for each answer, over the sum of all.
    fn by_the_plain_formula(&self) -> BTreeMap<String, f64> {
        let score = |condition: &Condition| {
            let prior = &condition.pre_test;
            let mut score = prior.probability.get()
                * prior.age.of(AgeBand::of(self.age)).get()
                * prior.sex.of(self.sex()).get();
            for id in &self.present {
                let finding = KNOWLEDGE.0.finding(id).unwrap();
                score *= probability(condition, finding) / finding.background.probability.get();
            }
            for id in &self.absent {
                let finding = KNOWLEDGE.0.finding(id).unwrap();
                score *=
                    (1.0 - probability(condition, finding)) / (1.0 - finding.background.probability.get());
            }
            score
        };
        let ranked = KNOWLEDGE.0.conditions().iter().filter(|condition| condition.role != Role::Umbrella);
        let scores: BTreeMap<String, f64> =
            ranked.map(|condition| (condition.id.to_string(), score(condition))).collect();
        let sum: f64 = scores.values().sum();
        scores.into_iter().map(|(id, score)| (id, score / sum)).collect()
    }
}

fn group_kind(finding: &str) -> Option<GroupKind> {
    let group = KNOWLEDGE.0.finding(finding).unwrap().group.as_ref()?;
    KNOWLEDGE.0.group(group.as_str()).map(|group| group.kind)
}

/// What a condition states; else, of a choice of which it states other options, what these leave over; else the
/// background.
fn probability(condition: &Condition, finding: &Finding) -> f64 {
    let stated = |finding: &Finding| condition.evidence.iter().find(|row| row.finding == finding.id);
    let background = finding.background.probability.get();
    if let Some(row) = stated(finding) {
        return row.probability.get();
    }
    if group_kind(finding.id.as_str()) != Some(GroupKind::SingleChoice) {
        return background;
    }
    let siblings = KNOWLEDGE.0.findings().iter().filter(|other| other.group == finding.group);
    let (mut left, mut unstated, mut any) = (1.0, 0.0, false);
    for sibling in siblings {
        match stated(sibling) {
            Some(row) => (left, any) = (left - row.probability.get(), true),
            None => unstated += sibling.background.probability.get(),
        }
    }
    if any { (left.max(0.0) * background / unstated).min(background).max(LEAST_OPTION) } else { background }
}

#[test]
fn the_expected_condition_comes_first() {
    for worked in worked_cases() {
        if let Some(expected) = &worked.expected {
            let assessment = worked.assessed();
            let first: Vec<_> = assessment
                .ranking
                .order()
                .iter()
                .take(3)
                .map(|hypothesis| (id(*hypothesis), assessment.ranking.posterior(*hypothesis)))
                .collect();
            assert_eq!(first[0].0, expected, "{}: {first:?}", worked.id);
        }
    }
}

#[test]
fn the_probabilities_are_those_of_the_plain_formula() {
    let mut compared = 0;
    for worked in worked_cases().iter().filter(|worked| !worked.has_correlated_answers()) {
        let assessment = worked.assessed();
        for (condition, wanted) in worked.by_the_plain_formula() {
            let probability = assessment.ranking.posterior(hypothesis(&condition));
            assert!(
                (probability - wanted).abs() <= EXACT,
                "{} {condition}: {probability}, not {wanted}",
                worked.id
            );
        }
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} cases could be compared");
}

#[test]
fn the_triage_is_never_below_the_rule_that_the_case_was_made_for() {
    for worked in worked_cases() {
        let rule = KNOWLEDGE.0.red_flags().iter().find(|rule| rule.id.as_str() == worked.rule).unwrap();
        let triage = worked.assessed().triage;
        assert!(triage.level >= rule.level, "{}: {:?}", worked.id, triage.level);
    }
}
