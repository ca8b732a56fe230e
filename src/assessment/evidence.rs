//! What each answer weighs for each hypothesis, and why.
//!
//! An answer weighs `ln(p / b)` when the finding is present and `ln((1 - p) / (1 - b))` when it is absent,
//! with `p` its probability in the condition and `b` its background rate. Three corrections keep one
//! observation from counting twice:
//! - findings of a correlated group share the weight of fewer: with `n` of them answered and coefficient `r`,
//!   each counts `1 / (1 + r (n - 1))`, the effective number of `n` equally correlated observations;
//! - of a single choice with a present option only that option counts;
//! - absent options of a single choice are weighed together, as "none of these", and the sum is shared out.

use std::collections::BTreeMap;

use super::{
    case::{Answer, Case},
    model::{Hypothesis, Model},
};
use crate::catalogue::{FindingIndex, vocabulary::GroupKind};

/// The share of a single choice that always stays on the options that were not asked.
///
/// Without it, denying every option would divide nothing by nothing.
const LEAST_REMAINDER: f64 = 0.006;

/// What the answers of a case weigh.
#[derive(Debug, Clone)]
pub struct Weighing {
    answers: Vec<CountedAnswer>,
}

/// One answer that counts.
#[derive(Debug, Clone)]
pub struct CountedAnswer {
    /// The finding.
    pub finding: FindingIndex,
    /// The answer.
    pub answer: Answer,
    /// The share of its full weight that counts, above 0 and at most 1.
    pub share: f64,
    /// Hypotheses that it moves, with the weight in nats (the share applied), ordered by hypothesis.
    weights: Vec<(Hypothesis, f64)>,
}

impl CountedAnswer {
    /// What the answer weighs for a hypothesis, in nats; 0 where it says nothing.
    #[must_use]
    pub fn weight(&self, hypothesis: Hypothesis) -> f64 {
        self.weights
            .binary_search_by_key(&hypothesis, |(moved, _)| *moved)
            .ok()
            .and_then(|place| self.weights.get(place))
            .map_or(0.0, |(_, weight)| *weight)
    }

    pub(super) fn weights(&self) -> &[(Hypothesis, f64)] {
        &self.weights
    }
}

/// An unanswered finding that would tell most about a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Helpful {
    /// The finding.
    pub finding: FindingIndex,
    /// What its answer is expected to weigh if the condition is the cause, in nats.
    pub expected_weight: f64,
}

impl Weighing {
    /// Weighs the answers of a case.
    #[must_use]
    pub fn of(model: &Model, case: &Case) -> Self {
        let mut by_group: BTreeMap<usize, Vec<(FindingIndex, Answer)>> = BTreeMap::new();
        let mut answers = Vec::new();
        for (finding, answer) in case.answers() {
            match model.finding(finding).group {
                Some(group) => by_group.entry(group).or_default().push((finding, answer)),
                None => answers.push(full(model, finding, answer, 1.0)),
            }
        }
        for (group, members) in by_group {
            let column = model.group(group);
            match column.kind {
                GroupKind::Correlated => {
                    let share = effective_share(column.coefficient, members.len());
                    answers.extend(
                        members.iter().map(|(finding, answer)| full(model, *finding, *answer, share)),
                    );
                }
                GroupKind::SingleChoice => {
                    match members.iter().find(|(_, answer)| *answer == Answer::Present) {
                        Some((finding, answer)) => answers.push(full(model, *finding, *answer, 1.0)),
                        None => answers.extend(none_of(model, members.iter().map(|(finding, _)| *finding))),
                    }
                }
            }
        }
        answers.sort_by_key(|answer| answer.finding);
        Self { answers }
    }

    /// The answers that count, in the catalogue's order.
    #[must_use]
    pub fn answers(&self) -> &[CountedAnswer] {
        &self.answers
    }

    /// The unanswered findings that would tell most about a hypothesis, best first, among those `asked` lets pass.
    ///
    /// "Most" is the expected weight of the answer if the hypothesis is true, which is the information that the
    /// answer holds against the background (Kullback-Leibler divergence, in nats).
    #[must_use]
    pub fn most_helpful(
        model: &Model,
        case: &Case,
        hypothesis: Hypothesis,
        count: usize,
        asked: impl Fn(FindingIndex) -> bool,
    ) -> Vec<Helpful> {
        let settled: Vec<usize> = case
            .present()
            .filter_map(|finding| model.finding(finding).group)
            .filter(|group| model.group(*group).kind == GroupKind::SingleChoice)
            .collect();
        let mut helpful: Vec<Helpful> = model
            .findings()
            .filter(|(finding, column)| {
                case.answer_to(*finding).is_none()
                    && !case.is_unknown(*finding)
                    && column.group.is_none_or(|group| !settled.contains(&group))
                    && asked(*finding)
            })
            .filter_map(|(finding, column)| {
                let row = column.row(hypothesis)?;
                let expected_weight = row.probability * row.present + (1.0 - row.probability) * row.absent;
                (expected_weight > 0.0).then_some(Helpful { finding, expected_weight })
            })
            .collect();
        helpful.sort_by(|one, other| {
            other.expected_weight.total_cmp(&one.expected_weight).then(one.finding.cmp(&other.finding))
        });
        helpful.truncate(count);
        helpful
    }
}

/// The share of its weight that each of `count` answers of a correlated group keeps.
#[expect(clippy::cast_precision_loss, reason = "groups have a handful of findings")]
pub(super) fn effective_share(coefficient: f64, count: usize) -> f64 {
    1.0 / (1.0 + coefficient * (count.saturating_sub(1) as f64))
}

fn full(model: &Model, finding: FindingIndex, answer: Answer, share: f64) -> CountedAnswer {
    let weights = model
        .finding(finding)
        .rows
        .iter()
        .map(|row| {
            let weight = match answer {
                Answer::Present => row.present,
                Answer::Absent => row.absent,
            };
            (row.hypothesis, share * weight)
        })
        .collect();
    CountedAnswer { finding, answer, share, weights }
}

/// Several options of one choice denied: each takes, in the catalogue's order, what it adds to the weight of
/// "none of those before".
fn none_of(model: &Model, denied: impl Iterator<Item = FindingIndex>) -> Vec<CountedAnswer> {
    let mut background_left = 1.0_f64;
    let mut left: BTreeMap<Hypothesis, f64> = BTreeMap::new();
    let mut answers = Vec::new();
    for finding in denied {
        let column = model.finding(finding);
        let background_before = background_left;
        background_left = (background_left - column.background).max(LEAST_REMAINDER);
        let background_step = libm::log(background_left / background_before);
        let touched: Vec<Hypothesis> =
            column.rows.iter().map(|row| row.hypothesis).chain(left.keys().copied()).collect();
        let mut weights: BTreeMap<Hypothesis, f64> = BTreeMap::new();
        for hypothesis in touched {
            if weights.contains_key(&hypothesis) {
                continue;
            }
            let before = left.get(&hypothesis).copied().unwrap_or(background_before);
            let after = (before - column.probability(hypothesis)).max(LEAST_REMAINDER);
            left.insert(hypothesis, after);
            weights.insert(hypothesis, libm::log(after / before) - background_step);
        }
        answers.push(CountedAnswer {
            finding,
            answer: Answer::Absent,
            share: 1.0,
            weights: weights.into_iter().filter(|(_, weight)| weight.abs() > 0.0).collect(),
        });
    }
    answers
}
