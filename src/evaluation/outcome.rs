//! What one vignette came to.

use serde::Serialize;

use super::vignette::Vignette;
use crate::{
    assessment::{Model, assess},
    catalogue::{
        Catalogue,
        vocabulary::{AgeBand, Sex, TriageLevel},
    },
};

/// A condition at this probability or above is one that a reader would still look at.
const LISTED_FROM: f64 = 0.05;

/// Below this probability a condition is not shown, and its probability is not judged.
const PREDICTED_FROM: f64 = 0.01;

/// What one vignette came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The vignette.
    pub id: String,
    /// Its collection.
    pub set: String,
    /// Sex, or `unknown`.
    pub sex: &'static str,
    /// Age band, or `unknown`.
    pub age: &'static str,
    /// Conditions that count as right.
    pub acceptable: Vec<String>,
    /// The first five, `other` among them.
    pub first: Vec<String>,
    /// The place of the first right one, from 1.
    pub rank: usize,
    /// The probability of the one that came first.
    pub first_probability: f64,
    /// The probability of all right ones together.
    pub right_probability: f64,
    /// The probability of none of the listed conditions.
    pub unexplained: f64,
    /// How many conditions have at least 5 %.
    pub listed: usize,
    /// Every condition with at least 1 %: its probability, and whether it is right.
    #[serde(skip)]
    pub(super) predictions: Vec<(f64, bool)>,
    /// The level that is wanted.
    pub triage: &'static str,
    /// The level that was given.
    pub given: &'static str,
    /// Whether the level is below every acceptable one.
    pub under_triage: bool,
    /// Whether the level is above every acceptable one.
    pub over_triage: bool,
    /// Whether running was stopped as wanted, where that was judged.
    pub stop_running_agrees: Option<bool>,
    #[serde(skip)]
    pub(super) wanted_level: TriageLevel,
    #[serde(skip)]
    pub(super) given_level: TriageLevel,
}

impl Outcome {
    /// Assesses a vignette.
    #[must_use]
    pub fn of(catalogue: &Catalogue, model: &Model, vignette: &Vignette) -> Self {
        let assessment = assess(catalogue, model, &vignette.case);
        let ranking = &assessment.ranking;
        let mut all: Vec<(&str, f64)> = model
            .hypotheses()
            .map(|(hypothesis, index)| {
                (catalogue.condition_at(index).id.as_str(), ranking.posterior(hypothesis))
            })
            .collect();
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        let right = |id: &str| vignette.acceptable.iter().any(|acceptable| acceptable == id);
        let rank = all.iter().position(|(id, _)| right(id)).map_or(all.len() + 1, |place| place + 1);
        let given = assessment.triage.level;
        Self {
            id: vignette.id.clone(),
            set: vignette.set.clone(),
            sex: vignette.case.sex().map_or("unknown", Sex::as_str),
            age: vignette.case.age().map_or("unknown", |age| AgeBand::of(age).as_str()),
            acceptable: vignette.acceptable.clone(),
            first: all.iter().take(5).map(|(id, _)| (*id).to_owned()).collect(),
            rank,
            first_probability: all.first().map_or(0.0, |(_, probability)| *probability),
            right_probability: all
                .iter()
                .filter(|(id, _)| right(id))
                .map(|(_, probability)| probability)
                .sum(),
            unexplained: ranking.unexplained(),
            listed: all.iter().filter(|(_, probability)| *probability >= LISTED_FROM).count(),
            predictions: all
                .iter()
                .filter(|(_, probability)| *probability >= PREDICTED_FROM)
                .map(|(id, probability)| (*probability, right(id)))
                .collect(),
            triage: vignette.triage.as_str(),
            given: given.as_str(),
            under_triage: vignette.triage_acceptable.iter().all(|level| given < *level),
            over_triage: vignette.triage_acceptable.iter().all(|level| given > *level),
            stop_running_agrees: vignette.stop_running.map(|wanted| wanted == assessment.triage.stop_running),
            wanted_level: vignette.triage,
            given_level: given,
        }
    }
}
