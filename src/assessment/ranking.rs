//! Prior and evidence to post-test probability, in order.
//!
//! `ln prior + sum of weights - ln Z = ln posterior`, with `Z` the sum over all hypotheses: what stands beside a
//! condition adds up to its probability.

use super::{
    case::Case,
    evidence::Weighing,
    model::{Hypothesis, Model},
};
use crate::catalogue::{Catalogue, ConditionIndex, vocabulary::Role};

/// How probable each hypothesis is.
#[derive(Debug, Clone)]
pub struct Ranking {
    prior: Vec<f64>,
    posterior: Vec<f64>,
    log_normaliser: f64,
    order: Vec<Hypothesis>,
    umbrellas: Vec<UmbrellaShare>,
    unexplained: Hypothesis,
}

/// How probable the conditions under an umbrella are together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UmbrellaShare {
    /// The umbrella.
    pub condition: ConditionIndex,
    /// The sum of its members' probabilities.
    pub probability: f64,
}

impl Ranking {
    pub(super) fn of(catalogue: &Catalogue, model: &Model, case: &Case, weighing: &Weighing) -> Self {
        let prior = model.priors(case.age(), case.sex()).to_vec();
        let mut scores: Vec<f64> = prior.iter().map(|prior| libm::log(*prior)).collect();
        for answer in weighing.answers() {
            for (hypothesis, weight) in answer.weights() {
                if let Some(score) = scores.get_mut(hypothesis.0) {
                    *score += weight;
                }
            }
        }
        // Subtracting the largest keeps every exponential finite.
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|score| libm::exp(score - largest)).sum();
        let log_normaliser = largest + libm::log(sum);
        let posterior: Vec<f64> = scores.iter().map(|score| libm::exp(score - log_normaliser)).collect();
        let mut order: Vec<Hypothesis> = model
            .hypotheses()
            .map(|(hypothesis, _)| hypothesis)
            .filter(|hypothesis| *hypothesis != model.unexplained())
            .collect();
        // Ties keep the order of ids: the sort is stable and hypotheses come ordered by id.
        order.sort_by(|one, other| at(&posterior, *other).total_cmp(&at(&posterior, *one)));
        let umbrellas = umbrellas(catalogue, model, &posterior);
        Self { prior, posterior, log_normaliser, order, umbrellas, unexplained: model.unexplained() }
    }

    /// Ranked hypotheses, the most probable first. "None of these" is not among them.
    #[must_use]
    pub fn order(&self) -> &[Hypothesis] {
        &self.order
    }

    /// Pre-test probability, from 0 to 1.
    #[must_use]
    pub fn prior(&self, hypothesis: Hypothesis) -> f64 {
        at(&self.prior, hypothesis)
    }

    /// Post-test probability, from 0 to 1. Over all hypotheses it sums to 1.
    #[must_use]
    pub fn posterior(&self, hypothesis: Hypothesis) -> f64 {
        at(&self.posterior, hypothesis)
    }

    /// The post-test probability of "none of these".
    #[must_use]
    pub fn unexplained(&self) -> f64 {
        self.posterior(self.unexplained)
    }

    /// `ln Z` of the module's formula.
    #[must_use]
    pub const fn log_normaliser(&self) -> f64 {
        self.log_normaliser
    }

    /// Umbrellas, the most probable first.
    #[must_use]
    pub fn umbrellas(&self) -> &[UmbrellaShare] {
        &self.umbrellas
    }
}

fn at(values: &[f64], hypothesis: Hypothesis) -> f64 {
    values.get(hypothesis.0).copied().unwrap_or_default()
}

fn umbrellas(catalogue: &Catalogue, model: &Model, posterior: &[f64]) -> Vec<UmbrellaShare> {
    let mut shares: Vec<UmbrellaShare> = catalogue
        .conditions()
        .iter()
        .enumerate()
        .filter(|(_, condition)| condition.role == Role::Umbrella)
        .map(|(place, umbrella)| UmbrellaShare {
            condition: ConditionIndex(place),
            probability: model
                .hypotheses()
                .filter(|(_, member)| umbrella.members.contains(&catalogue.condition_at(*member).id))
                .map(|(hypothesis, _)| at(posterior, hypothesis))
                .sum(),
        })
        .collect();
    shares.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    shares
}
