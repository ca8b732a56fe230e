//! `GET /v1/conditions/{id}/escalation`: the ladder of care.

use actix_web::{HttpRequest, HttpResponse, route, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    care::{ContraindicationView, contraindications},
    conditions::{ConditionCourse, Reference, find},
    knowledge::Knowledge,
    list,
    openapi::EntryProblems,
    problem::Problem,
    query::Parameters,
    sources::{self, SourceView},
    stamp::CatalogueStamp,
};
use crate::catalogue::{
    Catalogue,
    entry::{Condition, Gate, ImagingGate, Step, Treatment},
    vocabulary::{Imaging, Stage},
};

/// What must hold before a step is taken. Parts that are left out ask for nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Gate)]
pub struct GateView<'a> {
    /// A stage that must have been tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_stage: Option<&'static str>,
    /// How many weeks of that stage, or of care at all where no stage is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 520)]
    pub weeks: Option<f64>,
    /// Only when care so far did not help enough.
    pub inadequate_response: bool,
    /// Only when medicine by mouth was tried.
    pub after_oral_medicine: bool,
    /// A state of recovery or of the injury that must be established.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<CircumstanceView<'a>>,
    /// Needs no waiting: the condition is dealt with this way at once.
    pub immediate: bool,
    /// Scans or tests that must have been made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imaging: Option<ImagingView>,
    /// Caps on injections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub injections: Option<InjectionCapsView>,
}

/// A state of recovery or of the injury.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Circumstance)]
pub struct CircumstanceView<'a> {
    /// Its id.
    pub id: &'a str,
    /// In words.
    pub text: &'a str,
    /// Whether only a clinician can tell.
    pub clinician_only: bool,
}

/// Scans or tests: one of several, or all of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImagingRequirement)]
pub struct ImagingView {
    /// `any_of` or `all_of`.
    pub requirement: &'static str,
    /// `xray`, `mri`, `mri_arthrogram`, `ct`, `ultrasound`, `joint_aspiration`.
    pub methods: Vec<&'static str>,
}

/// How many injections are the most.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InjectionCaps)]
pub struct InjectionCapsView {
    /// In the same area, ever.
    #[schema(minimum = 0)]
    pub per_area: u8,
    /// In a year.
    #[schema(minimum = 0)]
    pub per_year: u8,
    /// Weeks between two.
    #[schema(minimum = 0, maximum = 520)]
    pub weeks_between: f64,
}

/// One step of a ladder of care.
#[derive(Debug, Serialize, ToSchema)]
pub struct EscalationStep<'a> {
    /// Its place on the ladder, from 1.
    #[schema(minimum = 1)]
    pub order: usize,
    /// The treatment.
    pub treatment: Reference<'a>,
    /// `recommended`, `conditional` or `not_recommended`.
    pub recommendation: &'static str,
    /// What the treatment is.
    pub description: &'a str,
    /// How it is done for this condition.
    pub detail: &'a str,
    /// How much and how often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dosage: Option<&'a str>,
    /// What to expect and by when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_course: Option<&'a str>,
    /// Why it is advised against, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<&'a str>,
    /// What else must be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// What must hold before it.
    pub gate: GateView<'a>,
    /// Reasons not to.
    pub contraindications: Vec<ContraindicationView<'a>>,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

/// One stage of a ladder of care.
#[derive(Debug, Serialize, ToSchema)]
pub struct EscalationStage<'a> {
    /// `conservative`, `injection` or `surgery`.
    pub stage: &'static str,
    /// Its steps in order, those that are advised against included.
    pub steps: Vec<EscalationStep<'a>>,
}

/// The ladder of care of one condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct EscalationLadder<'a> {
    /// The condition.
    pub condition: Reference<'a>,
    /// The stages in order. Empty for an umbrella, whose members have ladders of their own, and for `other`.
    pub stages: Vec<EscalationStage<'a>>,
    /// For an umbrella: the conditions under it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Reference<'a>>,
    /// How the condition usually goes, and when to see someone sooner.
    pub course: ConditionCourse<'a>,
    /// Every source that the ladder names.
    pub references: Vec<SourceView<'a>>,
    /// What this is and is not.
    pub disclaimer: &'a str,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

fn gate<'a>(catalogue: &'a Catalogue, gate: &'a Gate) -> GateView<'a> {
    GateView {
        after_stage: gate.after.map(Stage::as_str),
        weeks: gate.weeks.map(|weeks| weeks.get()),
        inadequate_response: gate.inadequate_response,
        after_oral_medicine: gate.after_oral_medicine,
        circumstance: gate.circumstance.as_ref().and_then(|id| catalogue.circumstance(id.as_str())).map(
            |entry| CircumstanceView {
                id: entry.id.as_str(),
                text: &entry.text,
                clinician_only: entry.clinician_only,
            },
        ),
        immediate: gate.immediate,
        imaging: gate.imaging.as_ref().map(|imaging| {
            let (requirement, methods) = match imaging {
                ImagingGate::AnyOf(methods) => ("any_of", methods),
                ImagingGate::AllOf(methods) => ("all_of", methods),
            };
            ImagingView { requirement, methods: methods.iter().copied().map(Imaging::as_str).collect() }
        }),
        injections: gate.injections.map(|caps| InjectionCapsView {
            per_area: caps.per_area,
            per_year: caps.per_year,
            weeks_between: caps.weeks_between.get(),
        }),
    }
}

fn step<'a>(
    catalogue: &'a Catalogue,
    order: usize,
    step: &'a Step,
    treatment: &'a Treatment,
) -> EscalationStep<'a> {
    EscalationStep {
        order,
        treatment: Reference { id: treatment.id.as_str(), name: &treatment.name },
        recommendation: step.recommendation.as_str(),
        description: &treatment.description,
        detail: &step.detail,
        dosage: treatment.dosage.as_deref(),
        expected_course: step.expected_course.as_deref(),
        why_not: step.why_not.as_deref(),
        note: step.note.as_deref(),
        gate: gate(catalogue, &step.gate),
        contraindications: contraindications(treatment),
        grade: step.grade.as_str(),
        sources: sources::ids(&step.sources),
    }
}

fn ladder<'a>(catalogue: &'a Catalogue, condition: &'a Condition) -> EscalationLadder<'a> {
    let rungs: Vec<(usize, &Step, &Treatment)> = condition
        .ladder
        .iter()
        .enumerate()
        .filter_map(|(place, step)| Some((place + 1, step, catalogue.treatment(step.treatment.as_str())?)))
        .collect();
    let stages = Stage::ALL
        .iter()
        .map(|stage| EscalationStage {
            stage: stage.as_str(),
            steps: rungs
                .iter()
                .filter(|(_, _, treatment)| treatment.stage == *stage)
                .map(|(order, rung, treatment)| step(catalogue, *order, rung, treatment))
                .collect(),
        })
        .filter(|stage| !stage.steps.is_empty())
        .collect();
    EscalationLadder {
        condition: Reference { id: condition.id.as_str(), name: &condition.name },
        stages,
        members: condition
            .members
            .iter()
            .filter_map(|member| catalogue.condition(member.as_str()))
            .map(|member| Reference { id: member.id.as_str(), name: &member.name })
            .collect(),
        course: ConditionCourse {
            expected: &condition.course.expected,
            review_after_weeks: condition.course.review_after_weeks.map(|weeks| weeks.get()),
            seek_help: condition.course.seek_help.iter().map(String::as_str).collect(),
        },
        references: sources::resolve(catalogue, condition.ladder.iter().flat_map(|step| &step.sources)),
        disclaimer: &catalogue.about().disclaimer,
        catalogue: CatalogueStamp::of(catalogue),
    }
}

/// Get the ladder of care of a condition
#[utoipa::path(get, path = "/v1/conditions/{id}/escalation", operation_id = "getEscalation", tag = "escalation",
    description = "The steps of care of one condition, conservative before injection before surgery, each with what must hold before it, contraindications, time course, evidence grade and sources. Steps that are advised against are listed with the reason.",
    params(("id" = String, Path, description = "Id of a condition", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "hip-osteoarthritis")),
    responses((status = 200, description = "The ladder", body = EscalationLadder), EntryProblems))]
#[route("/v1/conditions/{id}/escalation", method = "GET", method = "HEAD")]
pub(super) async fn get_escalation(
    request: HttpRequest,
    id: web::Path<String>,
    knowledge: web::Data<Knowledge>,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let condition = find(catalogue, &id)?;
    Ok(list::respond(&request, &knowledge, || ladder(catalogue, condition)))
}
