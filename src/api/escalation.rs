//! `/v1/conditions/{id}/escalation`: the ladder of care, and where one person stands on it.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, post, routes, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    assessment_request::SexWord,
    body::JsonBody,
    care::{ContraindicationView, contraindications},
    conditions::{ConditionCourse, Reference, find},
    fields::{Faults, Fields},
    history::{self, History},
    json,
    knowledge::Current,
    list,
    openapi::{BodyProblems, EntryProblems},
    problem::{Problem, ProblemBody},
    query::Parameters,
    representation::{fresh, to_bytes},
    sources::{self, SourceView},
    stamp::CatalogueStamp,
};
use crate::{
    catalogue::{
        Catalogue,
        entry::{Condition, Gate, ImagingGate, Step, Treatment},
        id::ConditionId,
        vocabulary::{Imaging, Sex, Stage, TriageLevel},
    },
    escalation::{Course, GateCheck, NextAction, Position, StepPosition, position},
};

/// The highest age that is accepted, in years.
const OLDEST: u32 = 120;

/// The most suspected conditions that are accepted.
const MOST_SUSPECTED: usize = 100;

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

/// The conditions under an umbrella.
fn members<'a>(catalogue: &'a Catalogue, condition: &'a Condition) -> Vec<Reference<'a>> {
    condition
        .members
        .iter()
        .filter_map(|member| catalogue.condition(member.as_str()))
        .map(|member| Reference { id: member.id.as_str(), name: &member.name })
        .collect()
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
        members: members(catalogue, condition),
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
#[routes]
#[get("/v1/conditions/{id}/escalation")]
#[head("/v1/conditions/{id}/escalation")]
pub(super) async fn get_escalation(
    request: HttpRequest,
    id: web::Path<String>,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let condition = find(catalogue, &id)?;
    Ok(list::respond(&request, &knowledge, || ladder(catalogue, condition)))
}

/// What one person did so far. Nothing is required; what is left out is unknown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationRequestBody {
    /// Age in years.
    #[schema(minimum = 0, maximum = 120, nullable = false)]
    age: Option<u8>,
    /// Sex, as far as it changes what must be asked: `female` or `male`.
    sex: Option<SexWord>,
    /// What was done so far.
    history: Option<History>,
    /// The triage level of the last assessment, as long as nobody has looked at the hip since: `self_care`, `routine`,
    /// `soon`, `urgent` or `emergency`. From `soon` on nothing that loads the hip is open.
    triage_level: Option<TriageLevelWord>,
    /// Ids of conditions that are suspected and not excluded yet. What must not be missed among them holds back
    /// loading and injections.
    #[schema(max_items = 100, default = json!([]))]
    suspected: Option<Vec<String>>,
}

/// How soon someone should be seen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriageLevelWord {
    /// Rest and care for oneself.
    SelfCare,
    /// An ordinary appointment.
    Routine,
    /// Within days.
    Soon,
    /// The same day.
    Urgent,
    /// Now, in an emergency department.
    Emergency,
}

/// One part of what must hold before a step, held against a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GateCheck)]
pub struct GateCheckView<'a> {
    /// `stage_tried`, `weeks`, `inadequate_response`, `oral_medicine`, `circumstance`, `imaging`, `injections_in_area`,
    /// `injections_in_year`, `injection_spacing`, `contraindication` or `danger`.
    pub gate: &'static str,
    /// Id of the circumstance or contraindication that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// `met`, `unmet` or `unknown`.
    pub status: &'static str,
    /// What that rests on, in words.
    pub fact: String,
}

/// One step of a ladder of care, held against a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepStanding<'a> {
    /// Its place on the ladder, from 1.
    #[schema(minimum = 1)]
    pub order: usize,
    /// The treatment.
    pub treatment: Reference<'a>,
    /// `conservative`, `injection` or `surgery`.
    pub stage: &'static str,
    /// `recommended`, `conditional` or `not_recommended`.
    pub recommendation: &'static str,
    /// `done`, `current`, `available`, `blocked` or `not_recommended`.
    pub status: &'static str,
    /// Every part of its gate; empty where it asks for nothing.
    pub gates: Vec<GateCheckView<'a>>,
    /// Further reasons against it, not known here; a clinician checks them.
    pub to_check: Vec<ContraindicationView<'a>>,
    /// Why it is advised against, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<&'a str>,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

/// What to do next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextAction)]
pub struct NextActionView<'a> {
    /// `see_someone`, `discuss` (an injection or operation stands open), `start`, `continue` or `review`.
    pub kind: &'static str,
    /// The treatment that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment: Option<Reference<'a>>,
    /// In words.
    pub text: String,
}

/// Where one person stands on the ladder of care of a condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct EscalationPosition<'a> {
    /// The condition.
    pub condition: Reference<'a>,
    /// The highest stage that was tried, else the first that is advised: `conservative`, `injection` or `surgery`.
    pub current_stage: &'static str,
    /// Every step of the ladder in order. Empty for an umbrella and for `other`.
    pub steps: Vec<StepStanding<'a>>,
    /// For an umbrella: the conditions under it, which have ladders of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Reference<'a>>,
    /// What to do next.
    pub next_action: NextActionView<'a>,
    /// When to look again if nothing gets worse before, in weeks; left out where someone looks at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 520)]
    pub review_after_weeks: Option<f64>,
    /// When to see someone sooner.
    pub seek_help_sooner: Vec<&'a str>,
    /// What this is and is not.
    pub disclaimer: &'a str,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

/// Reads the body of a request for a position.
fn course(catalogue: &Catalogue, body: &[u8]) -> Result<Course, Problem> {
    let tree = json::read(body)?;
    let mut faults = Faults::default();
    let known = ["age", "sex", "history", "triage_level", "suspected"];
    let Some(fields) = Fields::of(&tree, "", &known, &mut faults) else {
        return Err(faults.end().err().unwrap_or_else(|| Problem::invalid(Vec::new())));
    };
    let mut course = history::read(catalogue, &fields, &mut faults);
    course.age = fields.whole_number("age", 0, OLDEST, &mut faults).and_then(|age| u8::try_from(age).ok());
    course.sex = fields.word("sex", Sex::ALL, Sex::as_str, &mut faults);
    course.danger.triage = fields.word("triage_level", TriageLevel::ALL, TriageLevel::as_str, &mut faults);
    course.danger.suspected = suspected(catalogue, &fields, &mut faults);
    faults.end()?;
    Ok(course)
}

fn suspected(catalogue: &Catalogue, fields: &Fields<'_, '_>, faults: &mut Faults) -> BTreeSet<ConditionId> {
    let mut suspected = BTreeSet::new();
    for (pointer, id) in fields.texts("suspected", MOST_SUSPECTED, faults) {
        match catalogue.condition(id) {
            Some(condition) => {
                suspected.insert(condition.id.clone());
            }
            None => {
                let known = catalogue.conditions().iter().map(|condition| condition.id.as_str());
                faults.unknown_word(&pointer, "unknown_condition", "a condition of the catalogue", id, known);
            }
        }
    }
    suspected
}

fn check<'a>(check: &GateCheck<'a>) -> GateCheckView<'a> {
    GateCheckView {
        gate: check.gate.as_str(),
        subject: check.subject,
        status: check.status.as_str(),
        fact: check.fact.to_string(),
    }
}

fn standing<'a>(step: &StepPosition<'a>) -> StepStanding<'a> {
    StepStanding {
        order: step.order,
        treatment: Reference { id: step.treatment.id.as_str(), name: &step.treatment.name },
        stage: step.treatment.stage.as_str(),
        recommendation: step.step.recommendation.as_str(),
        status: step.status.as_str(),
        gates: step.checks.iter().map(check).collect(),
        to_check: step
            .to_check
            .iter()
            .map(|reason| ContraindicationView { id: reason.id.as_str(), text: &reason.text })
            .collect(),
        why_not: step.step.why_not.as_deref(),
        grade: step.step.grade.as_str(),
        sources: sources::ids(&step.step.sources),
    }
}

/// What to do next, in words.
pub(super) fn next_action<'a>(next: &NextAction<'a>) -> NextActionView<'a> {
    NextActionView {
        kind: next.kind.as_str(),
        treatment: next
            .treatment
            .map(|treatment| Reference { id: treatment.id.as_str(), name: &treatment.name }),
        text: next.to_string(),
    }
}

fn standings<'a>(catalogue: &'a Catalogue, position: &Position<'a>) -> EscalationPosition<'a> {
    let condition = position.condition;
    EscalationPosition {
        condition: Reference { id: condition.id.as_str(), name: &condition.name },
        current_stage: position.current_stage.as_str(),
        steps: position.steps.iter().map(standing).collect(),
        members: members(catalogue, condition),
        next_action: next_action(&position.next),
        review_after_weeks: position.review_after_weeks,
        seek_help_sooner: condition.course.seek_help.iter().map(String::as_str).collect(),
        disclaimer: &catalogue.about().disclaimer,
        catalogue: CatalogueStamp::of(catalogue),
    }
}

/// Find the next step of care for one person
#[utoipa::path(post, path = "/v1/conditions/{id}/escalation", operation_id = "createEscalationPosition", tag = "escalation",
    description = "Says where a person stands on the ladder of care of a condition: which steps are done, under way, open or blocked, which part of each gate is met, unmet or unknown and why, and what to do next. A step with an unmet or unknown part of its gate is never `available`. Nothing is stored, and the same request gives the same bytes.",
    params(("id" = String, Path, description = "Id of a condition", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "hip-osteoarthritis")),
    request_body(content = EscalationRequestBody, description = "What was done so far", content_type = "application/json"),
    responses((status = 200, description = "The position", body = EscalationPosition),
        (status = 404, description = "The id is not in the catalogue.", body = ProblemBody, content_type = "application/problem+json"),
        BodyProblems))]
#[post("/v1/conditions/{id}/escalation")]
pub(super) async fn create_escalation_position(
    request: HttpRequest,
    id: web::Path<String>,
    body: JsonBody,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let condition = find(catalogue, &id)?;
    let course = course(catalogue, &body)?;
    let answer = standings(catalogue, &position(catalogue, condition, &course));
    Ok(fresh(&request, to_bytes(&answer)))
}
