//! Figures over many vignettes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    metrics::{CalibrationBin, Proportion, brier_score, calibration_bins, expected_calibration_error, mean},
    outcome::Outcome,
};
use crate::catalogue::vocabulary::TriageLevel;

/// Figures over some vignettes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// A right condition comes first.
    pub top_1: Proportion,
    /// One is among the first three.
    pub top_3: Proportion,
    /// One is among the first five.
    pub top_5: Proportion,
    /// The triage level is below every acceptable one.
    pub under_triage: Proportion,
    /// The triage level is above every acceptable one.
    pub over_triage: Proportion,
}

impl Figures {
    fn of<'a>(outcomes: impl Iterator<Item = &'a Outcome> + Clone) -> Self {
        let within = |rank: usize| Proportion::among(outcomes.clone(), move |outcome| outcome.rank <= rank);
        Self {
            top_1: within(1),
            top_3: within(3),
            top_5: within(5),
            under_triage: Proportion::among(outcomes.clone(), |outcome| outcome.under_triage),
            over_triage: Proportion::among(outcomes.clone(), |outcome| outcome.over_triage),
        }
    }
}

/// Whether probabilities mean what they say: predicted probabilities against what was right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean squared distance between probability and result; 0 is perfect.
    pub brier: f64,
    /// Expected calibration error over ten bins; 0 is perfect.
    pub expected_calibration_error: f64,
    /// The bins.
    pub bins: Vec<CalibrationBin>,
}

impl Calibration {
    fn of(predictions: Vec<(f64, bool)>) -> Self {
        let bins = calibration_bins(&predictions);
        Self {
            brier: brier_score(&predictions),
            expected_calibration_error: expected_calibration_error(&bins),
            bins,
        }
    }
}

/// Figures over all vignettes and over parts of them.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of the catalogue.
    pub catalogue_version: String,
    /// SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// How many vignettes there are.
    pub vignettes: usize,
    /// Figures over all.
    pub all: Figures,
    /// Figures by collection.
    pub by_set: BTreeMap<String, Figures>,
    /// Figures by sex.
    pub by_sex: BTreeMap<String, Figures>,
    /// Figures by age band.
    pub by_age: BTreeMap<String, Figures>,
    /// Figures by the condition that is right (the first of several).
    pub by_condition: BTreeMap<String, Figures>,
    /// Over-triage among cases for which self-care or a routine visit is wanted.
    pub over_triage_of_harmless: Proportion,
    /// Cases that are urgent or emergencies and were given less than `soon`.
    pub dangerous_below_soon: Proportion,
    /// Running was stopped as wanted, where that was judged.
    pub stop_running_agrees: Proportion,
    /// For each wanted level, how often each level was given.
    pub confusion: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    /// The probability of the first condition against its being right.
    pub calibration_of_first: Calibration,
    /// The probability of every condition with at least 1 % against its being right.
    pub calibration_of_listed: Calibration,
    /// Mean number of conditions with at least 5 %.
    pub mean_listed: f64,
    /// Mean probability of "none of these" where the catalogue has no right condition; none without such cases.
    pub mean_unexplained_outside: Option<f64>,
    /// Mean probability of "none of these" on all other cases.
    pub mean_unexplained_inside: f64,
    /// A row a vignette.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Counts outcomes over a catalogue.
    #[must_use]
    pub fn of(catalogue_version: &str, catalogue_sha256: &str, outcomes: Vec<Outcome>) -> Self {
        let by = |key: &dyn Fn(&Outcome) -> String| -> BTreeMap<String, Figures> {
            let mut groups: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
            for outcome in &outcomes {
                groups.entry(key(outcome)).or_default().push(outcome);
            }
            groups.into_iter().map(|(name, group)| (name, Figures::of(group.into_iter()))).collect()
        };
        let harmless = outcomes.iter().filter(|outcome| outcome.wanted_level <= TriageLevel::Routine);
        let dangerous = outcomes.iter().filter(|outcome| outcome.wanted_level >= TriageLevel::Urgent);
        let judged = outcomes.iter().filter(|outcome| outcome.stop_running_agrees.is_some());
        let outside = |outcome: &&Outcome| outcome.acceptable.iter().all(|id| id == "other");
        let mut confusion: BTreeMap<&'static str, BTreeMap<&'static str, usize>> = BTreeMap::new();
        for outcome in &outcomes {
            *confusion.entry(outcome.triage).or_default().entry(outcome.given).or_default() += 1;
        }
        let first = outcomes.iter().map(|outcome| (outcome.first_probability, outcome.rank == 1)).collect();
        let listed = outcomes.iter().flat_map(|outcome| outcome.predictions.iter().copied()).collect();
        Self {
            catalogue_version: catalogue_version.to_owned(),
            catalogue_sha256: catalogue_sha256.to_owned(),
            vignettes: outcomes.len(),
            all: Figures::of(outcomes.iter()),
            by_set: by(&|outcome| outcome.set.clone()),
            by_sex: by(&|outcome| outcome.sex.to_owned()),
            by_age: by(&|outcome| outcome.age.to_owned()),
            by_condition: by(&|outcome| outcome.acceptable.first().cloned().unwrap_or_default()),
            over_triage_of_harmless: Proportion::among(harmless, |outcome| outcome.over_triage),
            dangerous_below_soon: Proportion::among(dangerous, |outcome| {
                outcome.given_level < TriageLevel::Soon
            }),
            stop_running_agrees: Proportion::among(judged, |outcome| {
                outcome.stop_running_agrees == Some(true)
            }),
            confusion,
            calibration_of_first: Calibration::of(first),
            calibration_of_listed: Calibration::of(listed),
            mean_listed: mean(
                outcomes.iter().map(|outcome| f64::from(u32::try_from(outcome.listed).unwrap_or(0))),
            ),
            mean_unexplained_outside: outcomes
                .iter()
                .any(|outcome| outside(&outcome))
                .then(|| mean(outcomes.iter().filter(outside).map(|outcome| outcome.unexplained))),
            mean_unexplained_inside: mean(
                outcomes.iter().filter(|outcome| !outside(outcome)).map(|outcome| outcome.unexplained),
            ),
            outcomes,
        }
    }
}

/// The least or most that figures may be before a build fails; shares from 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thresholds {
    /// Least share with a right condition first.
    pub min_top_1: Option<f64>,
    /// Least share with one among the first three.
    pub min_top_3: Option<f64>,
    /// Most under-triage.
    pub max_under_triage: Option<f64>,
    /// Most over-triage of harmless cases.
    pub max_over_triage: Option<f64>,
    /// Most expected calibration error of the listed conditions.
    pub max_calibration_error: Option<f64>,
}

impl Thresholds {
    /// Every threshold that a report does not meet, in words.
    #[must_use]
    pub fn missed(&self, report: &Report) -> Vec<String> {
        let least = |name: &str, wanted: Option<f64>, share: f64| {
            wanted
                .filter(|wanted| share < *wanted)
                .map(|wanted| format!("{name} is {share:.3}, wanted at least {wanted}"))
        };
        let most = |name: &str, wanted: Option<f64>, share: f64| {
            wanted
                .filter(|wanted| share > *wanted)
                .map(|wanted| format!("{name} is {share:.3}, wanted at most {wanted}"))
        };
        [
            least("top-1", self.min_top_1, report.all.top_1.share),
            least("top-3", self.min_top_3, report.all.top_3.share),
            most("under-triage", self.max_under_triage, report.all.under_triage.share),
            most("over-triage of harmless cases", self.max_over_triage, report.over_triage_of_harmless.share),
            most(
                "calibration error",
                self.max_calibration_error,
                report.calibration_of_listed.expected_calibration_error,
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
