//! `GET /v1/conditions`: what hip pain may be.

use actix_web::{HttpRequest, HttpResponse, routes, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    findings::likelihood_ratios,
    knowledge::Current,
    list::{self, list},
    openapi::{EntryProblems, ListProblems},
    problem::Problem,
    query::Parameters,
    sources::{self, SourceView},
    stamp::CatalogueStamp,
    unknown_id,
};
use crate::catalogue::{
    Catalogue,
    entry::{Condition, Evidence, PerAgeBand},
    id::SourceId,
    quantity::Multiplier,
    relevance,
    vocabulary::{Category, FindingKind, GroupKind, TriageLevel},
};

/// A condition in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionSummary<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its clinical name.
    pub name: &'a str,
    /// What a runner would call it.
    pub lay_name: &'a str,
    /// Other names.
    pub aliases: Vec<&'a str>,
    /// The tissue or system: `muscle`, `tendon`, `bursa`, `joint`, `bone`, `nerve`, `referred`, `systemic` or `vascular`.
    pub category: &'static str,
    /// `ranked`, `umbrella` (a name for several conditions) or `unexplained` (none of the listed ones).
    pub role: &'static str,
    /// How urgent it is: `self_care`, `routine`, `soon`, `urgent` or `emergency`.
    pub urgency: &'static str,
    /// What it is, where and when it hurts.
    pub description: &'a str,
    /// Umbrellas that it stands under.
    pub umbrellas: Vec<&'a str>,
    /// For an umbrella: the conditions under it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<&'a str>,
    /// Where to read all that is known of it.
    pub href: String,
}

/// How often a condition is the cause before anything is asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreTestProbability<'a> {
    /// The base share of runners' hip pain that it causes, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// Where the figure comes from.
    pub basis: &'a str,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
    /// Factors by which an age band multiplies the base share, before all shares are brought to sum to 1.
    pub age_factors: AgeFactors,
    /// Factors by which a sex multiplies the base share.
    pub sex_factors: SexFactors,
    /// Where the factors come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factors_basis: Option<&'a str>,
}

/// A factor for each age band, in years.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgeFactors {
    /// Below 14.
    #[schema(minimum = 0, maximum = 1000)]
    pub under_14: f64,
    /// 14 to 17.
    #[schema(minimum = 0, maximum = 1000)]
    pub from_14_to_17: f64,
    /// 18 to 39.
    #[schema(minimum = 0, maximum = 1000)]
    pub from_18_to_39: f64,
    /// 40 to 59.
    #[schema(minimum = 0, maximum = 1000)]
    pub from_40_to_59: f64,
    /// 60 and over.
    #[schema(minimum = 0, maximum = 1000)]
    pub from_60: f64,
}

impl From<PerAgeBand<Multiplier>> for AgeFactors {
    fn from(factors: PerAgeBand<Multiplier>) -> Self {
        Self {
            under_14: factors.under_14.get(),
            from_14_to_17: factors.from_14_to_17.get(),
            from_18_to_39: factors.from_18_to_39.get(),
            from_40_to_59: factors.from_40_to_59.get(),
            from_60: factors.from_60.get(),
        }
    }
}

/// A factor for each sex.
#[derive(Debug, Serialize, ToSchema)]
pub struct SexFactors {
    /// Female.
    #[schema(minimum = 0, maximum = 1000)]
    pub female: f64,
    /// Male.
    #[schema(minimum = 0, maximum = 1000)]
    pub male: f64,
}

/// How urgent a condition is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionUrgency<'a> {
    /// Its level: `self_care`, `routine`, `soon`, `urgent` or `emergency`.
    pub level: &'static str,
    /// Why.
    pub reason: &'a str,
    /// From which probabilities it raises the triage level of a case.
    pub raises: Vec<UrgencyRaise>,
}

/// A probability from which a condition must not be missed.
#[derive(Debug, Serialize, ToSchema)]
pub struct UrgencyRaise {
    /// From this post-test probability upwards, once an answer speaks for the condition ...
    #[schema(minimum = 0, maximum = 1)]
    pub from: f64,
    /// ... the case has at least this triage level.
    pub level: &'static str,
}

/// Codes of a condition in public classifications.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionCodes<'a> {
    /// ICD-10-CM families; a trailing hyphen means that more characters follow.
    pub icd10cm: Vec<&'a str>,
    /// SNOMED CT concepts; given only where they are sure.
    pub snomed_ct: Vec<&'a str>,
}

/// How often a finding is present in a condition, with the figures to check it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypicalFinding<'a> {
    /// The finding.
    pub finding: &'a str,
    /// Its short name.
    pub label: &'a str,
    /// P(finding present | condition), from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// Confidence interval (grades A and B) or range of judgement, `[low, high]`.
    #[schema(min_items = 2, max_items = 2)]
    pub range: [f64; 2],
    /// How often it is present in hip pain from none of the listed causes.
    #[schema(minimum = 0, maximum = 1)]
    pub background_rate: f64,
    /// Likelihood ratio of its presence.
    #[schema(minimum = 0)]
    pub likelihood_ratio_present: f64,
    /// Likelihood ratio of its absence.
    #[schema(minimum = 0)]
    pub likelihood_ratio_absent: f64,
    /// Evidence grade, `A` to `D`.
    pub grade: &'static str,
    /// Whether the figure is an expert's estimate (grade D).
    pub estimate: bool,
    /// The sources. Of an estimate they describe the condition without giving the figure.
    pub sources: Vec<&'a str>,
    /// Sensitivity as published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_sensitivity: Option<&'a str>,
    /// Specificity as published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_specificity: Option<&'a str>,
    /// How the published specificity agrees with the background rate that is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_agreement: Option<&'a str>,
    /// What else must be known to check the figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
}

/// A red-flag rule that guards against a condition, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedFlagReference<'a> {
    /// The rule.
    pub id: &'a str,
    /// What it is about.
    pub concern: &'a str,
    /// The level that it asks for.
    pub level: &'static str,
}

/// Something in the catalogue, by id and name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reference<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// How a condition usually goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionCourse<'a> {
    /// The usual time course.
    pub expected: &'a str,
    /// When to look again if nothing gets worse before, in weeks; left out where someone looks at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 520)]
    pub review_after_weeks: Option<f64>,
    /// When to see someone sooner.
    pub seek_help: Vec<&'a str>,
}

/// All that is said of one condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionDetail<'a> {
    /// The condition in short.
    #[serde(flatten)]
    pub summary: ConditionSummary<'a>,
    /// What brings it on.
    pub causes: Vec<&'a str>,
    /// Anything else a reader should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<&'a str>,
    /// Codes in public classifications.
    pub codes: ConditionCodes<'a>,
    /// How often it is the cause before anything is asked.
    pub pre_test: PreTestProbability<'a>,
    /// How urgent it is.
    pub triage: ConditionUrgency<'a>,
    /// Findings with their numbers, the most telling first.
    pub findings: Vec<TypicalFinding<'a>>,
    /// Red-flag rules that guard against it.
    pub red_flags: Vec<RedFlagReference<'a>>,
    /// How it usually goes.
    pub course: ConditionCourse<'a>,
    /// Prevention steps and rules that fit.
    pub prevention: Vec<Reference<'a>>,
    /// Exercises that fit once the acute phase is over, best first.
    pub exercises: Vec<Reference<'a>>,
    /// Where its ladder of care stands.
    pub escalation: String,
    /// Every source that the entry names.
    pub references: Vec<SourceView<'a>>,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

list! {
    /// Conditions.
    ConditionList of ConditionSummary
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn summary<'a>(catalogue: &'a Catalogue, condition: &'a Condition) -> ConditionSummary<'a> {
    ConditionSummary {
        id: condition.id.as_str(),
        name: &condition.name,
        lay_name: &condition.lay_name,
        aliases: texts(&condition.aliases),
        category: condition.category.as_str(),
        role: condition.role.as_str(),
        urgency: condition.urgency.level.as_str(),
        description: &condition.description,
        umbrellas: catalogue.umbrellas_of(condition).map(|umbrella| umbrella.id.as_str()).collect(),
        members: condition.members.iter().map(|member| member.as_str()).collect(),
        href: format!("/v1/conditions/{}", condition.id),
    }
}

fn typical_finding<'a>(catalogue: &'a Catalogue, row: &'a Evidence) -> Option<TypicalFinding<'a>> {
    let finding = catalogue.finding(row.finding.as_str())?;
    let background = finding.background.probability.get();
    let (present, absent) = likelihood_ratios(row.probability.get(), background);
    Some(TypicalFinding {
        finding: finding.id.as_str(),
        label: &finding.label,
        probability: row.probability.get(),
        range: [row.range.0, row.range.1],
        background_rate: background,
        likelihood_ratio_present: present,
        likelihood_ratio_absent: absent,
        grade: row.grade.as_str(),
        estimate: row.grade == crate::catalogue::vocabulary::Grade::D,
        sources: sources::ids(&row.sources),
        published_sensitivity: row.published_sensitivity.as_deref(),
        published_specificity: row.published_specificity.as_deref(),
        background_agreement: row.background_agreement.as_deref(),
        note: row.note.as_deref(),
    })
}

/// Every source that a condition's entry names, with repetitions.
pub(super) fn sources_of(condition: &Condition) -> impl Iterator<Item = &SourceId> {
    condition
        .sources
        .iter()
        .chain(&condition.pre_test.sources)
        .chain(condition.evidence.iter().flat_map(|row| &row.sources))
        .chain(condition.ladder.iter().flat_map(|step| &step.sources))
}

fn detail<'a>(catalogue: &'a Catalogue, condition: &'a Condition) -> ConditionDetail<'a> {
    let prior = &condition.pre_test;
    let mut findings: Vec<TypicalFinding<'_>> =
        condition.evidence.iter().filter_map(|row| typical_finding(catalogue, row)).collect();
    findings.sort_by(|one, other| other.likelihood_ratio_present.total_cmp(&one.likelihood_ratio_present));
    ConditionDetail {
        summary: summary(catalogue, condition),
        causes: texts(&condition.causes),
        remark: condition.remark.as_deref(),
        codes: ConditionCodes {
            icd10cm: texts(&condition.codes.icd10cm),
            snomed_ct: texts(&condition.codes.snomed_ct),
        },
        pre_test: PreTestProbability {
            probability: prior.probability.get(),
            basis: &prior.basis,
            grade: prior.grade.as_str(),
            sources: sources::ids(&prior.sources),
            age_factors: prior.age.into(),
            sex_factors: SexFactors { female: prior.sex.female.get(), male: prior.sex.male.get() },
            factors_basis: prior.factors_basis.as_deref(),
        },
        triage: ConditionUrgency {
            level: condition.urgency.level.as_str(),
            reason: &condition.urgency.reason,
            raises: condition
                .urgency
                .raises
                .iter()
                .map(|raise| UrgencyRaise { from: raise.from.get(), level: raise.level.as_str() })
                .collect(),
        },
        findings,
        red_flags: catalogue
            .red_flags()
            .iter()
            .filter(|rule| rule.conditions.contains(&condition.id))
            .map(|rule| RedFlagReference {
                id: rule.id.as_str(),
                concern: &rule.concern,
                level: rule.level.as_str(),
            })
            .collect(),
        course: ConditionCourse {
            expected: &condition.course.expected,
            review_after_weeks: condition.course.review_after_weeks.map(|weeks| weeks.get()),
            seek_help: texts(&condition.course.seek_help),
        },
        prevention: catalogue
            .prevention()
            .iter()
            .filter(|entry| condition.prevention.contains(&entry.id))
            .map(|entry| Reference { id: entry.id.as_str(), name: &entry.name })
            .collect(),
        exercises: condition
            .exercises
            .iter()
            .filter_map(|id| catalogue.exercise(id.as_str()))
            .map(|entry| Reference { id: entry.id.as_str(), name: &entry.name })
            .collect(),
        escalation: format!("/v1/conditions/{}/escalation", condition.id),
        references: sources::resolve(catalogue, sources_of(condition)),
        catalogue: CatalogueStamp::of(catalogue),
    }
}

/// Filters of the list of conditions.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct ConditionQuery {
    /// Words to look for in names, lay names and aliases; typing errors are forgiven, and the name of an
    /// umbrella finds everything under it.
    #[param(required = false, max_length = 100, example = "runner's hip")]
    q: String,
    /// The tissue or system.
    #[param(required = false, example = "tendon")]
    category: String,
    /// Only conditions for which the main pain in this place speaks; the id of a finding of kind `location`.
    #[param(required = false, example = "loc-groin")]
    location: String,
    /// How urgent the condition is.
    #[param(required = false, example = "routine")]
    urgency: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List the conditions
#[utoipa::path(get, path = "/v1/conditions", operation_id = "listConditions", tag = "catalogue", params(ConditionQuery),
    description = "Conditions that hip pain may come from, umbrellas over several of them, and `other` for none of these.",
    responses((status = 200, description = "Conditions in the order of their ids, or by relevance for a search", body = ConditionList), ListProblems))]
#[routes]
#[get("/v1/conditions")]
#[head("/v1/conditions")]
pub(super) async fn list_conditions(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    let catalogue = knowledge.catalogue();
    let mut query = Parameters::of(&request, &["q", "category", "location", "urgency", "limit", "offset"])?;
    let q = query.text("q");
    let category = query.word("category", Category::ALL, Category::as_str);
    let urgency = query.word("urgency", TriageLevel::ALL, TriageLevel::as_str);
    let location = query.id("location", "a finding of kind `location`", locations(catalogue));
    let page = query.page();
    query.end()?;
    Ok(list::respond(&request, &knowledge, || {
        let found = super::found(catalogue.conditions(), q.as_deref(), |condition, q| {
            let own = relevance(q, names(condition));
            let umbrella =
                catalogue.umbrellas_of(condition).filter_map(|umbrella| relevance(q, names(umbrella))).min();
            // What stands under a matching name comes after what bears it.
            own.into_iter().chain(umbrella.map(|cost| cost + 1_000)).min()
        })
        .filter(|condition| category.is_none_or(|category| condition.category == category))
        .filter(|condition| urgency.is_none_or(|urgency| condition.urgency.level == urgency))
        .filter(|condition| location.is_none_or(|location| hurts_at(catalogue, condition, location)));
        ConditionList::page(found.map(|condition| summary(catalogue, condition)).collect(), page, catalogue)
    }))
}

fn names(condition: &Condition) -> impl Iterator<Item = &str> {
    [condition.lay_name.as_str(), &condition.name, condition.id.as_str()]
        .into_iter()
        .chain(condition.aliases.iter().map(String::as_str))
}

/// The places of which one is where it hurts most.
fn locations(catalogue: &Catalogue) -> impl Iterator<Item = &str> {
    catalogue
        .findings()
        .iter()
        .filter(|finding| {
            let group = finding.group.as_ref().and_then(|group| catalogue.group(group.as_str()));
            finding.kind == FindingKind::Location
                && group.is_some_and(|group| group.kind == GroupKind::SingleChoice)
        })
        .map(|finding| finding.id.as_str())
}

/// Whether pain at a place speaks for a condition.
fn hurts_at(catalogue: &Catalogue, condition: &Condition, location: &str) -> bool {
    condition
        .evidence
        .iter()
        .find(|row| row.finding.as_str() == location)
        .zip(catalogue.finding(location))
        .is_some_and(|(row, finding)| row.probability > finding.background.probability)
}

/// Get one condition
#[utoipa::path(get, path = "/v1/conditions/{id}", operation_id = "getCondition", tag = "catalogue",
    description = "All that is said of one condition: description, causes, findings with their numbers and sources, red flags, codes, expected course, prevention and exercises.",
    params(("id" = String, Path, description = "Id of a condition", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "gluteal-tendinopathy")),
    responses((status = 200, description = "The condition", body = ConditionDetail), EntryProblems))]
#[routes]
#[get("/v1/conditions/{id}")]
#[head("/v1/conditions/{id}")]
pub(super) async fn get_condition(
    request: HttpRequest,
    id: web::Path<String>,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let condition = find(catalogue, &id)?;
    Ok(list::respond(&request, &knowledge, || detail(catalogue, condition)))
}

/// The condition with this id.
pub(super) fn find<'a>(catalogue: &'a Catalogue, id: &str) -> Result<&'a Condition, Problem> {
    catalogue.condition(id).ok_or_else(|| {
        unknown_id("condition", id, catalogue.conditions().iter().map(|condition| condition.id.as_str()))
    })
}
