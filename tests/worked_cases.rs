//! Made-up cases with a reference answer: what the plain formula gives on the catalogue's figures.
//!
//! They show that figures arrive where they should. They are no measure of accuracy.

use std::collections::HashMap;

use coxa::catalogue::vocabulary::{GroupKind, Sex, TriageLevel};
use serde::Deserialize;

mod core;
use core::{KNOWLEDGE, assessed, case, hypothesis, id};

/// How far a probability may be from the reference, which is rounded to two digits and counts groups otherwise.
const TOLERANCE: f64 = 0.02;

#[derive(Deserialize)]
struct WorkedCase {
    id: String,
    age: u8,
    sex: String,
    present: Vec<String>,
    absent: Vec<String>,
    expected: Option<String>,
    reference: Reference,
    rule: String,
}

#[derive(Deserialize)]
struct Reference {
    condition: String,
    probability: f64,
}

fn worked_cases() -> Vec<WorkedCase> {
    serde_json::from_str(include_str!("worked_cases.json")).unwrap()
}

impl WorkedCase {
    fn assessed(&self) -> coxa::assessment::Assessment {
        let sex = Sex::from_wire(&self.sex);
        let (present, absent) =
            (self.present.iter().map(String::as_str), self.absent.iter().map(String::as_str));
        assessed(&case(Some(self.age), sex, present, absent))
    }

    /// Whether a correlated group holds two answers, which the reference weighs in another way.
    fn has_correlated_answers(&self) -> bool {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for id in self.present.iter().chain(&self.absent) {
            let finding = KNOWLEDGE.0.finding(id).unwrap();
            let group = finding.group.as_ref().and_then(|group| KNOWLEDGE.0.group(group.as_str()));
            if let Some(group) = group.filter(|group| group.kind == GroupKind::Correlated) {
                *counts.entry(group.id.as_str()).or_default() += 1;
            }
        }
        counts.values().any(|count| *count > 1)
    }
}

#[test]
fn the_expected_condition_comes_first() {
    for worked in worked_cases() {
        if let Some(expected) = &worked.expected {
            let first = id(worked.assessed().ranking.order()[0]);
            assert_eq!(first, expected, "{}", worked.id);
        }
    }
}

#[test]
fn the_probability_is_that_of_the_reference() {
    let mut compared = 0;
    for worked in worked_cases().iter().filter(|worked| !worked.has_correlated_answers()) {
        let probability = worked.assessed().ranking.posterior(hypothesis(&worked.reference.condition));
        let wanted = worked.reference.probability;
        assert!(
            (probability - wanted).abs() <= TOLERANCE,
            "{}: {probability} instead of {wanted}",
            worked.id
        );
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} cases could be compared");
}

#[test]
fn the_triage_is_never_below_the_reference_rule() {
    for worked in worked_cases() {
        let rule = KNOWLEDGE.0.red_flags().iter().find(|rule| rule.id.as_str() == worked.rule).unwrap();
        let triage = worked.assessed().triage;
        assert!(triage.level >= rule.level.max(TriageLevel::SelfCare), "{}: {:?}", worked.id, triage.level);
    }
}
