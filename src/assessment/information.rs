//! How much the answer to a question tells about the cause.
//!
//! It is the mutual information of the answer and the cause under the current probabilities `P`:
//! `I = h(sum P p) - sum P h(p)`, with `h` the entropy of one answer. A single choice is one question, and its
//! information is that of its options together.

use super::{
    model::{Hypothesis, Model},
    question::Ask,
    ranking::Ranking,
};
use crate::catalogue::FindingIndex;

/// The most conditions that a question names as separated by it.
const MOST_NAMED: usize = 3;

/// What questions tell under the probabilities of one ranking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Information<'a> {
    pub(super) model: &'a Model,
    pub(super) ranking: &'a Ranking,
}

impl Information<'_> {
    /// Mutual information of an answer and the cause, in bits.
    pub(super) fn gain(&self, ask: &Ask) -> f64 {
        let nats = match ask {
            Ask::Finding(finding) => {
                let column = self.model.finding(*finding);
                let (mut mean, mut inner, mut others) = (0.0, 0.0, 1.0);
                for row in &column.rows {
                    let probability = self.ranking.posterior(row.hypothesis);
                    mean += probability * row.probability;
                    inner += probability * row.entropy;
                    others -= probability;
                }
                entropy(mean + others * column.background) - inner - others * column.background_entropy
            }
            Ask::Choice(_, options) => self.choice_information(options),
            Ask::Checklist(..) | Ask::Age | Ask::Sex | Ask::Screen(..) => 0.0,
        };
        nats.max(0.0) / std::f64::consts::LN_2
    }

    fn choice_information(&self, options: &[FindingIndex]) -> f64 {
        let mut mean = vec![0.0; options.len()];
        let mut inner = 0.0;
        for (hypothesis, _) in self.model.hypotheses() {
            let probability = self.ranking.posterior(hypothesis);
            let mut left = 1.0;
            for (total, option) in mean.iter_mut().zip(options) {
                let share = self.model.finding(*option).probability(hypothesis);
                *total += probability * share;
                inner += probability * surprise(share);
                left -= share;
            }
            inner += probability * surprise(left);
        }
        let elsewhere = 1.0 - mean.iter().sum::<f64>();
        mean.into_iter().chain([elsewhere]).map(surprise).sum::<f64>() - inner
    }

    /// The conditions whose probability an answer moves most.
    pub(super) fn separated(&self, ask: &Ask) -> Vec<Hypothesis> {
        let findings: &[FindingIndex] = match ask {
            Ask::Finding(finding) => std::slice::from_ref(finding),
            Ask::Choice(_, options) | Ask::Checklist(_, options) => options,
            Ask::Age | Ask::Sex | Ask::Screen(..) => &[],
        };
        let moved = |hypothesis: Hypothesis| -> f64 {
            let probability = self.ranking.posterior(hypothesis);
            findings
                .iter()
                .map(|finding| {
                    let column = self.model.finding(*finding);
                    probability * (column.probability(hypothesis) - column.background).abs()
                })
                .sum()
        };
        let mut order: Vec<(Hypothesis, f64)> =
            self.ranking.order().iter().map(|hypothesis| (*hypothesis, moved(*hypothesis))).collect();
        order.sort_by(|one, other| other.1.total_cmp(&one.1));
        order
            .into_iter()
            .take(MOST_NAMED)
            .filter(|(_, moved)| *moved > 0.0)
            .map(|(hypothesis, _)| hypothesis)
            .collect()
    }
}

/// The entropy of a yes-or-no answer, in nats.
pub(super) fn entropy(probability: f64) -> f64 {
    surprise(probability) + surprise(1.0 - probability)
}

/// `-p ln p`, 0 at 0.
pub(super) fn surprise(probability: f64) -> f64 {
    if probability > 0.0 { -probability * libm::log(probability) } else { 0.0 }
}
