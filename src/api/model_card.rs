//! `GET /v1/model-card`: what the model is for, how it was evaluated, and what it cannot do.

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{HttpRequest, HttpResponse, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    knowledge::Current, list, openapi::ListProblems, problem::Problem, query::Parameters,
    stamp::CatalogueStamp,
};
use crate::{
    catalogue::Catalogue,
    evaluation::{Calibration, Figures, Proportion, Report},
};

/// The committed evaluation.
pub const COMMITTED: &str = include_str!("../../catalogue/evaluation.json");

static EVALUATION: LazyLock<Option<EvaluationSummary>> =
    LazyLock::new(|| serde_json::from_str(COMMITTED).ok());

/// What the model is for, how it was evaluated, and what it cannot do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelCard<'a> {
    /// What it is for.
    pub intended_use: &'a str,
    /// What it is not for.
    pub not_for: Vec<&'a str>,
    /// How its probabilities come about.
    pub method: &'static str,
    /// How it was evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluated_by: Option<&'a str>,
    /// What the figures do not show.
    pub limits: Vec<&'a str>,
    /// The share of all likelihoods that are expert estimates (grade D), from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub share_of_estimates: f64,
    /// Whether the figures were made with the catalogue that answers here.
    pub evaluation_is_of_this_catalogue: bool,
    /// The figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<&'static EvaluationSummary>,
    /// The catalogue that answers here.
    pub catalogue: CatalogueStamp,
}

/// Figures over vignettes whose answer is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EvaluationSummary {
    /// The catalogue that was evaluated.
    pub catalogue: CatalogueStamp,
    /// How many vignettes there are.
    #[schema(minimum = 0)]
    pub vignettes: usize,
    /// Figures over all vignettes and over parts of them.
    pub groups: Vec<GroupFigures>,
    /// Self-care and routine cases that were given a level above every acceptable one.
    pub over_triage_of_harmless: Share,
    /// Urgent and emergency cases that were given less than `soon`.
    pub dangerous_below_soon: Share,
    /// Cases in which running was stopped as wanted.
    pub stop_running_agrees: Share,
    /// For each wanted triage level, how often each level was given.
    pub confusion: Vec<ConfusionRow>,
    /// Whether probabilities mean what they say.
    pub calibration: Vec<CalibrationFigures>,
    /// Mean number of conditions with at least 5 %.
    #[schema(minimum = 0, maximum = 100)]
    pub mean_listed: f64,
    /// Mean probability of "none of these" where the catalogue has no right condition; left out where there is no such
    /// vignette.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub mean_unexplained_outside: Option<f64>,
    /// Mean probability of "none of these" on all other cases.
    #[schema(minimum = 0, maximum = 1)]
    pub mean_unexplained_inside: f64,
}

/// A count out of a total, with its Wilson 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// How many.
    #[schema(minimum = 0)]
    pub count: usize,
    /// Out of how many.
    #[schema(minimum = 0)]
    pub of: usize,
    /// The share, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub share: f64,
    /// Lower end of the interval.
    #[schema(minimum = 0, maximum = 1)]
    pub low: f64,
    /// Upper end of the interval.
    #[schema(minimum = 0, maximum = 1)]
    pub high: f64,
}

impl From<Proportion> for Share {
    fn from(proportion: Proportion) -> Self {
        let Proportion { count, of, share, low, high } = proportion;
        Self { count, of, share: rounded(share), low: rounded(low), high: rounded(high) }
    }
}

/// Figures over a group of vignettes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupFigures {
    /// The group: `all`, `set: ...`, `sex: ...`, `age: ...` or `condition: ...`.
    pub group: String,
    /// A right condition comes first.
    pub top_1: Share,
    /// One is among the first three.
    pub top_3: Share,
    /// One is among the first five.
    pub top_5: Share,
    /// The triage level is below every acceptable one.
    pub under_triage: Share,
    /// The triage level is above every acceptable one.
    pub over_triage: Share,
}

/// How often each triage level was given where one was wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfusionRow {
    /// The level that was wanted.
    pub wanted: String,
    /// How often each level was given.
    pub given: Vec<LevelCount>,
}

/// How often a triage level was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LevelCount {
    /// The level.
    pub level: String,
    /// How often.
    #[schema(minimum = 0)]
    pub count: usize,
}

/// Whether some probabilities mean what they say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CalibrationFigures {
    /// Which: `first_condition`, or `listed_conditions` (with 1 % or more).
    pub of: String,
    /// Mean squared distance between probability and result; 0 is perfect.
    #[schema(minimum = 0, maximum = 1)]
    pub brier_score: f64,
    /// Mean distance between predicted and observed over ten bins; 0 is perfect.
    #[schema(minimum = 0, maximum = 1)]
    pub expected_calibration_error: f64,
    /// The bins.
    pub bins: Vec<ReliabilityBin>,
}

/// Predictions of about the same probability, and how often they were right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReliabilityBin {
    /// The least probability of the bin.
    #[schema(minimum = 0, maximum = 1)]
    pub from: f64,
    /// How many predictions fall into it.
    #[schema(minimum = 0)]
    pub count: usize,
    /// Their mean probability.
    #[schema(minimum = 0, maximum = 1)]
    pub predicted: f64,
    /// The share of them that was right.
    #[schema(minimum = 0, maximum = 1)]
    pub observed: f64,
}

/// Four digits: more would claim more than the vignettes can show.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

impl EvaluationSummary {
    /// The summary of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let parts = [
            ("set", &report.by_set),
            ("sex", &report.by_sex),
            ("age", &report.by_age),
            ("condition", &report.by_condition),
        ];
        let part = |(kind, groups): (&'static str, &BTreeMap<String, Figures>)| {
            groups.iter().map(|(name, figures)| group(format!("{kind}: {name}"), figures)).collect::<Vec<_>>()
        };
        Self {
            catalogue: CatalogueStamp {
                version: report.catalogue_version.clone(),
                sha256: report.catalogue_sha256.clone(),
            },
            vignettes: report.vignettes,
            groups: [vec![group("all".into(), &report.all)]]
                .into_iter()
                .chain(parts.map(part))
                .flatten()
                .collect(),
            over_triage_of_harmless: report.over_triage_of_harmless.into(),
            dangerous_below_soon: report.dangerous_below_soon.into(),
            stop_running_agrees: report.stop_running_agrees.into(),
            confusion: report
                .confusion
                .iter()
                .map(|(wanted, given)| ConfusionRow {
                    wanted: (*wanted).to_owned(),
                    given: given
                        .iter()
                        .map(|(level, count)| LevelCount { level: (*level).to_owned(), count: *count })
                        .collect(),
                })
                .collect(),
            calibration: vec![
                calibration("first_condition", &report.calibration_of_first),
                calibration("listed_conditions", &report.calibration_of_listed),
            ],
            mean_listed: rounded(report.mean_listed),
            mean_unexplained_outside: report.mean_unexplained_outside.map(rounded),
            mean_unexplained_inside: rounded(report.mean_unexplained_inside),
        }
    }
}

fn group(name: String, figures: &Figures) -> GroupFigures {
    GroupFigures {
        group: name,
        top_1: figures.top_1.into(),
        top_3: figures.top_3.into(),
        top_5: figures.top_5.into(),
        under_triage: figures.under_triage.into(),
        over_triage: figures.over_triage.into(),
    }
}

fn calibration(of: &str, calibration: &Calibration) -> CalibrationFigures {
    CalibrationFigures {
        of: of.to_owned(),
        brier_score: rounded(calibration.brier),
        expected_calibration_error: rounded(calibration.expected_calibration_error),
        bins: calibration
            .bins
            .iter()
            .map(|bin| ReliabilityBin {
                from: rounded(bin.from),
                count: bin.count,
                predicted: rounded(bin.predicted),
                observed: rounded(bin.observed),
            })
            .collect(),
    }
}

fn card(catalogue: &Catalogue) -> ModelCard<'_> {
    let about = catalogue.about();
    let evaluation = EVALUATION.as_ref();
    ModelCard {
        intended_use: &about.intended_use,
        not_for: about.not_for.iter().map(String::as_str).collect(),
        method: "Each condition has a pre-test probability by age and sex; each answer multiplies its odds by a likelihood \
                 ratio from the catalogue, less where related answers were given too; what no listed condition explains \
                 stays with \"none of these\". Red-flag rules set a least triage level by themselves, and a dangerous \
                 condition raises it from a low probability on.",
        evaluated_by: about.evaluation.as_ref().map(|notes| notes.method.as_str()),
        limits: about.evaluation.iter().flat_map(|notes| &notes.limits).map(String::as_str).collect(),
        share_of_estimates: rounded(catalogue.share_of_estimates()),
        evaluation_is_of_this_catalogue: evaluation
            .is_some_and(|summary| summary.catalogue.sha256 == catalogue.sha256()),
        evaluation,
        catalogue: CatalogueStamp::of(catalogue),
    }
}

/// Get the model card
#[utoipa::path(get, path = "/v1/model-card", operation_id = "getModelCard", tag = "catalogue",
    description = "What the model is for and not for, how it was evaluated, and how good its answers were: accuracy, under- and over-triage and calibration, each with its number of cases.",
    responses((status = 200, description = "The model card", body = ModelCard), ListProblems))]
#[routes]
#[get("/v1/model-card")]
#[head("/v1/model-card")]
pub(super) async fn get_model_card(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    Ok(list::respond(&request, &knowledge, || card(knowledge.catalogue())))
}
