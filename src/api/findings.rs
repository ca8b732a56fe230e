//! `GET /v1/findings`: what can be reported.

use actix_web::{HttpRequest, HttpResponse, routes, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    knowledge::{Current, Knowledge},
    list::{self, list},
    openapi::{EntryProblems, ListProblems},
    problem::Problem,
    query::Parameters,
    sources,
    stamp::CatalogueStamp,
    unknown_id,
};
use crate::catalogue::{
    entry::{Evidence, Finding, OnlyFor},
    id::ContraindicationId,
    relevance,
    vocabulary::{Examiner, FindingKind, Sex},
};

/// Something that can be reported present, absent or unknown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingView<'a> {
    /// Its id, for `present`, `absent` and `unknown` of an assessment.
    pub id: &'a str,
    /// A short name.
    pub label: &'a str,
    /// The question in plain words, answered by yes or no.
    pub question: &'a str,
    /// How to answer it, or to test it safely.
    pub help: &'a str,
    /// What runners call it.
    pub synonyms: Vec<&'a str>,
    /// What sort of thing it is: `location`, `onset`, `symptom`, `aggravating`, `relieving`, `mechanical`,
    /// `neurological`, `systemic`, `history`, `risk_factor`, `self_test`, `exam_test` or `imaging`.
    pub kind: &'static str,
    /// Who can answer: `self` or `clinician`.
    pub asked_of: &'static str,
    /// The group it belongs to; of a single-choice group at most one finding is present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<FindingGroup<'a>>,
    /// Ids that it had before; they stay accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_ids: Vec<&'a str>,
    /// Whether its presence is a warning in itself.
    pub red_flag: bool,
    /// The runners whom it concerns; left out where it concerns all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_for: Option<OnlyForView>,
    /// Whether testing it loads the hip in a way that an undetected fracture would not bear.
    pub loading_test: bool,
    /// Why its presence puts a case out of scope, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_scope: Option<&'a str>,
    /// Reasons against a treatment that its presence stands for, by the ids that treatments list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contraindicates: Vec<&'a str>,
    /// How often it is present in hip pain from none of the listed causes, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub background_rate: f64,
    /// Where the background rate comes from.
    pub background_basis: &'a str,
    /// The sources of the background rate.
    pub background_sources: Vec<&'a str>,
    /// Where to read more.
    pub href: String,
}

/// The runners whom a finding concerns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OnlyFor)]
pub struct OnlyForView {
    /// Of this sex: `female` or `male`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<&'static str>,
    /// From this age on, in years.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 120)]
    pub age_from: Option<u8>,
    /// Up to this age, in years.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 120)]
    pub age_to: Option<u8>,
}

impl From<OnlyFor> for OnlyForView {
    fn from(only: OnlyFor) -> Self {
        Self { sex: only.sex.map(Sex::as_str), age_from: only.age_from, age_to: only.age_to }
    }
}

/// The group of a finding.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingGroup<'a> {
    /// Its id.
    pub id: &'a str,
    /// What its findings have in common.
    pub label: &'a str,
    /// `single_choice` (at most one is present) or `correlated` (together they count less than alone).
    pub kind: &'static str,
    /// How much the findings of a correlated group repeat each other, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub coefficient: Option<f64>,
}

/// How often a finding is present in one condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingInCondition<'a> {
    /// The condition.
    pub condition: &'a str,
    /// P(finding present | condition), from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// Likelihood ratio of its presence.
    #[schema(minimum = 0)]
    pub likelihood_ratio_present: f64,
    /// Likelihood ratio of its absence.
    #[schema(minimum = 0)]
    pub likelihood_ratio_absent: f64,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

/// One finding with the conditions that it speaks about.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingDetail<'a> {
    /// The finding.
    #[serde(flatten)]
    pub finding: FindingView<'a>,
    /// Conditions in which its frequency is known, the most telling first.
    pub conditions: Vec<FindingInCondition<'a>>,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

list! {
    /// Findings.
    FindingList of FindingView
}

/// Likelihood ratios of presence and absence.
pub(super) fn likelihood_ratios(probability: f64, background: f64) -> (f64, f64) {
    (probability / background, (1.0 - probability) / (1.0 - background))
}

fn view<'a>(knowledge: &'a Knowledge, finding: &'a Finding) -> FindingView<'a> {
    let group = finding.group.as_ref().and_then(|id| knowledge.catalogue().group(id.as_str()));
    FindingView {
        id: finding.id.as_str(),
        label: &finding.label,
        question: &finding.question,
        help: &finding.help,
        synonyms: finding.synonyms.iter().map(String::as_str).collect(),
        kind: finding.kind.as_str(),
        asked_of: finding.kind.examiner().as_str(),
        group: group.map(|group| FindingGroup {
            id: group.id.as_str(),
            label: &group.label,
            kind: group.kind.as_str(),
            coefficient: group.coefficient.map(|coefficient| coefficient.get()),
        }),
        former_ids: finding.former_ids.iter().map(|id| id.as_str()).collect(),
        red_flag: finding.red_flag,
        only_for: finding.only_for.map(OnlyForView::from),
        loading_test: finding.loading_test,
        out_of_scope: finding.out_of_scope.as_deref(),
        contraindicates: finding.contraindicates.iter().map(ContraindicationId::as_str).collect(),
        background_rate: finding.background.probability.get(),
        background_basis: &finding.background.basis,
        background_sources: sources::ids(&finding.background.sources),
        href: format!("/v1/findings/{}", finding.id),
    }
}

/// Filters of the list of findings.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct FindingQuery {
    /// Words to look for in labels, questions and synonyms; typing errors are forgiven.
    #[param(required = false, max_length = 100, example = "stairs")]
    q: String,
    /// What sort of finding.
    #[param(required = false, example = "aggravating")]
    kind: String,
    /// Who can answer: `self` or `clinician`.
    #[param(required = false, example = "self")]
    asked_of: String,
    /// Only warning signs (`true`), or only others (`false`).
    #[param(required = false, example = true)]
    red_flag: bool,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List what can be reported
#[utoipa::path(get, path = "/v1/findings", operation_id = "listFindings", tag = "catalogue", params(FindingQuery),
    description = "Symptoms, risk factors, self-tests, examiner's tests and scan results that an assessment understands, each with its question in plain words.",
    responses((status = 200, description = "Findings in the order of their ids, or by relevance for a search", body = FindingList), ListProblems))]
#[routes]
#[get("/v1/findings")]
#[head("/v1/findings")]
pub(super) async fn list_findings(request: HttpRequest, knowledge: Current) -> Result<HttpResponse, Problem> {
    let mut query = Parameters::of(&request, &["q", "kind", "asked_of", "red_flag", "limit", "offset"])?;
    let q = query.text("q");
    let kind = query.word("kind", FindingKind::ALL, FindingKind::as_str);
    let asked_of = query.word("asked_of", Examiner::ALL, Examiner::as_str);
    let red_flag = query.truth("red_flag");
    let page = query.page();
    query.end()?;
    let catalogue = knowledge.catalogue();
    Ok(list::respond(&request, &knowledge, || {
        let found = super::found(catalogue.findings(), q.as_deref(), |finding, q| {
            let names = [finding.label.as_str(), finding.id.as_str(), &finding.question];
            relevance(q, names.into_iter().chain(finding.synonyms.iter().map(String::as_str)))
        })
        .filter(|finding| kind.is_none_or(|kind| finding.kind == kind))
        .filter(|finding| asked_of.is_none_or(|asked_of| finding.kind.examiner() == asked_of))
        .filter(|finding| red_flag.is_none_or(|red_flag| finding.red_flag == red_flag));
        FindingList::page(found.map(|finding| view(&knowledge, finding)).collect(), page, catalogue)
    }))
}

/// Get one finding
#[utoipa::path(get, path = "/v1/findings/{id}", operation_id = "getFinding", tag = "catalogue",
    description = "One finding, with the conditions in which its frequency is known and its likelihood ratios there.",
    params(("id" = String, Path, description = "Id of a finding", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "pain-stairs")),
    responses((status = 200, description = "The finding", body = FindingDetail), EntryProblems))]
#[routes]
#[get("/v1/findings/{id}")]
#[head("/v1/findings/{id}")]
pub(super) async fn get_finding(
    request: HttpRequest,
    id: web::Path<String>,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let finding = catalogue.finding(&id).ok_or_else(|| {
        unknown_id("finding", &id, catalogue.findings().iter().map(|finding| finding.id.as_str()))
    })?;
    Ok(list::respond(&request, &knowledge, || {
        let background = finding.background.probability.get();
        let mut conditions: Vec<FindingInCondition<'_>> = catalogue
            .conditions()
            .iter()
            .filter_map(|condition| {
                let row: &Evidence = condition.evidence.iter().find(|row| row.finding == finding.id)?;
                let (present, absent) = likelihood_ratios(row.probability.get(), background);
                Some(FindingInCondition {
                    condition: condition.id.as_str(),
                    probability: row.probability.get(),
                    likelihood_ratio_present: present,
                    likelihood_ratio_absent: absent,
                    grade: row.grade.as_str(),
                    sources: sources::ids(&row.sources),
                })
            })
            .collect();
        conditions
            .sort_by(|one, other| other.likelihood_ratio_present.total_cmp(&one.likelihood_ratio_present));
        FindingDetail {
            finding: view(&knowledge, finding),
            conditions,
            catalogue: CatalogueStamp::of(catalogue),
        }
    }))
}
