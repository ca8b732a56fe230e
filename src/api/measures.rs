//! `GET /v1/measures`: numbers that apps know, and the findings they stand for.

use actix_web::{HttpRequest, HttpResponse, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    knowledge::Current,
    list::{self, list},
    openapi::ListProblems,
    problem::Problem,
    query::Parameters,
    sources,
};
use crate::catalogue::entry::{Measure, MeasureRule};

/// A number that apps know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Measure)]
pub struct MeasureView<'a> {
    /// Its name, for `measures` of an assessment.
    pub name: String,
    /// What it measures.
    pub label: &'a str,
    /// The question in plain words, answered by a number.
    pub question: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// The least value that is accepted.
    pub least: f64,
    /// The largest value that is accepted.
    pub most: f64,
    /// The findings that it stands for.
    pub rules: Vec<MeasureRuleView<'a>>,
}

/// From which value on a measure stands for a finding. Values in no range say nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MeasureRule)]
pub struct MeasureRuleView<'a> {
    /// The finding.
    pub finding: &'a str,
    /// The value is divided by this other measure first; without it the rule says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_to: Option<String>,
    /// Present from this value upwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_from: Option<f64>,
    /// Present below this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_below: Option<f64>,
    /// Absent from this value upwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_from: Option<f64>,
    /// Absent below this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_below: Option<f64>,
    /// Why these limits.
    pub reason: &'a str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

impl<'a> From<&'a Measure> for MeasureView<'a> {
    fn from(measure: &'a Measure) -> Self {
        Self {
            name: measure.id.as_str().replace('-', "_"),
            label: &measure.label,
            question: &measure.question,
            unit: &measure.unit,
            least: measure.least,
            most: measure.most,
            rules: measure.rules.iter().map(MeasureRuleView::from).collect(),
        }
    }
}

impl<'a> From<&'a MeasureRule> for MeasureRuleView<'a> {
    fn from(rule: &'a MeasureRule) -> Self {
        Self {
            finding: rule.finding.as_str(),
            relative_to: rule.relative_to.as_ref().map(|other| other.as_str().replace('-', "_")),
            present_from: rule.present_from,
            present_below: rule.present_below,
            absent_from: rule.absent_from,
            absent_below: rule.absent_below,
            reason: &rule.reason,
            sources: sources::ids(&rule.sources),
        }
    }
}

list! {
    /// Measures.
    MeasureList of MeasureView
}

/// List the numbers that apps know
#[utoipa::path(get, path = "/v1/measures", operation_id = "listMeasures", tag = "catalogue",
    params(
        ("limit" = Option<u32>, Query, description = "How many entries at most", minimum = 1, maximum = 1000, example = 20),
        ("offset" = Option<u32>, Query, description = "How many entries to pass over first", minimum = 0, maximum = 1_000_000, example = 0),
    ),
    description = "Numbers such as weeks since onset or weekly distance that an assessment accepts as they are, and the findings they become by which rules.",
    responses((status = 200, description = "Measures in the order of their names", body = MeasureList), ListProblems))]
#[routes]
#[get("/v1/measures")]
#[head("/v1/measures")]
pub(super) async fn list_measures(request: HttpRequest, knowledge: Current) -> Result<HttpResponse, Problem> {
    let mut query = Parameters::of(&request, &["limit", "offset"])?;
    let page = query.page();
    query.end()?;
    let catalogue = knowledge.catalogue();
    Ok(list::respond(&request, &knowledge, || {
        MeasureList::page(catalogue.measures().iter().map(MeasureView::from).collect(), page, catalogue)
    }))
}
