//! `GET /v1/treatments`, `/v1/exercises`, `/v1/prevention`: what can be done.

use actix_web::{HttpRequest, HttpResponse, routes, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    knowledge::Current,
    list::{self, list},
    openapi::{EntryProblems, ListProblems},
    problem::Problem,
    query::Parameters,
    sources,
    stamp::CatalogueStamp,
    unknown_id,
};
use crate::catalogue::{
    entry::{Exercise, Prevention, Treatment},
    relevance,
    vocabulary::{ExerciseKind, PreventionKind, Stage},
};

/// A treatment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Treatment)]
pub struct TreatmentView<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it is and how it is done.
    pub description: &'a str,
    /// How much and how often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dosage: Option<&'a str>,
    /// The stage of care: `conservative`, `injection` or `surgery`.
    pub stage: &'static str,
    /// What sort of thing it is.
    pub class: &'static str,
    /// Whether it loads the hip in a way that an undetected fracture would not bear.
    pub loading: bool,
    /// Reasons not to.
    pub contraindications: Vec<ContraindicationView<'a>>,
    /// Where to read more.
    pub href: String,
}

/// A reason not to give a treatment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contraindication)]
pub struct ContraindicationView<'a> {
    /// Its id, the same for every treatment.
    pub id: &'a str,
    /// In words.
    pub text: &'a str,
}

impl<'a> From<&'a Treatment> for TreatmentView<'a> {
    fn from(treatment: &'a Treatment) -> Self {
        Self {
            id: treatment.id.as_str(),
            name: &treatment.name,
            description: &treatment.description,
            dosage: treatment.dosage.as_deref(),
            stage: treatment.stage.as_str(),
            class: treatment.class.as_str(),
            loading: treatment.loading,
            contraindications: contraindications(treatment),
            href: format!("/v1/treatments/{}", treatment.id),
        }
    }
}

pub(super) fn contraindications(treatment: &Treatment) -> Vec<ContraindicationView<'_>> {
    treatment
        .contraindications
        .iter()
        .map(|reason| ContraindicationView { id: reason.id.as_str(), text: &reason.text })
        .collect()
}

list! {
    /// Treatments.
    TreatmentList of TreatmentView
}

/// What the sources say of a treatment for one condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct TreatmentForCondition<'a> {
    /// The condition.
    pub condition: &'a str,
    /// `recommended`, `conditional` or `not_recommended`.
    pub recommendation: &'static str,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
}

/// One treatment with the conditions whose ladders name it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TreatmentDetail<'a> {
    /// The treatment.
    #[serde(flatten)]
    pub treatment: TreatmentView<'a>,
    /// Conditions whose ladders name it.
    pub conditions: Vec<TreatmentForCondition<'a>>,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

/// Filters of the list of treatments.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct TreatmentQuery {
    /// Words to look for in names and descriptions; typing errors are forgiven.
    #[param(required = false, max_length = 100, example = "injection")]
    q: String,
    /// The stage of care: `conservative`, `injection` or `surgery`.
    #[param(required = false, example = "injection")]
    stage: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List the treatments
#[utoipa::path(get, path = "/v1/treatments", operation_id = "listTreatments", tag = "catalogue", params(TreatmentQuery),
    description = "Treatments that the ladders of care refer to, with reasons not to give them.",
    responses((status = 200, description = "Treatments in the order of their ids, or by relevance for a search", body = TreatmentList), ListProblems))]
#[routes]
#[get("/v1/treatments")]
#[head("/v1/treatments")]
pub(super) async fn list_treatments(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    let mut query = Parameters::of(&request, &["q", "stage", "limit", "offset"])?;
    let (q, stage, page) = (query.text("q"), query.word("stage", Stage::ALL, Stage::as_str), query.page());
    query.end()?;
    let catalogue = knowledge.catalogue();
    Ok(list::respond(&request, &knowledge, || {
        let found = super::found(catalogue.treatments(), q.as_deref(), |treatment, q| {
            relevance(q, [treatment.name.as_str(), treatment.id.as_str(), &treatment.description])
        })
        .filter(|treatment| stage.is_none_or(|stage| treatment.stage == stage));
        TreatmentList::page(found.map(TreatmentView::from).collect(), page, catalogue)
    }))
}

/// Get one treatment
#[utoipa::path(get, path = "/v1/treatments/{id}", operation_id = "getTreatment", tag = "catalogue",
    description = "One treatment, with the conditions whose ladders name it and whether it is recommended there.",
    params(("id" = String, Path, description = "Id of a treatment", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "shockwave")),
    responses((status = 200, description = "The treatment", body = TreatmentDetail), EntryProblems))]
#[routes]
#[get("/v1/treatments/{id}")]
#[head("/v1/treatments/{id}")]
pub(super) async fn get_treatment(
    request: HttpRequest,
    id: web::Path<String>,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let treatment = catalogue.treatment(&id).ok_or_else(|| {
        unknown_id("treatment", &id, catalogue.treatments().iter().map(|entry| entry.id.as_str()))
    })?;
    Ok(list::respond(&request, &knowledge, || TreatmentDetail {
        treatment: treatment.into(),
        conditions: catalogue
            .conditions()
            .iter()
            .filter_map(|condition| {
                let step = condition.ladder.iter().find(|step| step.treatment == treatment.id)?;
                Some(TreatmentForCondition {
                    condition: condition.id.as_str(),
                    recommendation: step.recommendation.as_str(),
                    grade: step.grade.as_str(),
                })
            })
            .collect(),
        catalogue: CatalogueStamp::of(catalogue),
    }))
}

/// A stretch, strengthening exercise or warm-up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Exercise)]
pub struct ExerciseView<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// `stretch`, `strength` or `warm_up`.
    pub kind: &'static str,
    /// What to do, in order.
    pub steps: Vec<&'a str>,
    /// How much and how often.
    pub dosage: &'a str,
    /// What it works on.
    pub target: &'a str,
    /// When to leave it.
    pub when_not_to: Vec<&'a str>,
    /// What else must be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
    /// Where to read more.
    pub href: String,
}

impl<'a> From<&'a Exercise> for ExerciseView<'a> {
    fn from(exercise: &'a Exercise) -> Self {
        Self {
            id: exercise.id.as_str(),
            name: &exercise.name,
            kind: exercise.kind.as_str(),
            steps: exercise.steps.iter().map(String::as_str).collect(),
            dosage: &exercise.dosage,
            target: &exercise.target,
            when_not_to: exercise.when_not_to.iter().map(String::as_str).collect(),
            note: exercise.note.as_deref(),
            grade: exercise.grade.as_str(),
            sources: sources::ids(&exercise.sources),
            href: format!("/v1/exercises/{}", exercise.id),
        }
    }
}

list! {
    /// Exercises.
    ExerciseList of ExerciseView
}

/// One exercise with the conditions that it fits.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExerciseDetail<'a> {
    /// The exercise.
    #[serde(flatten)]
    pub exercise: ExerciseView<'a>,
    /// Conditions that it fits once the acute phase is over.
    pub conditions: Vec<&'a str>,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

/// Filters of the list of exercises.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct ExerciseQuery {
    /// Words to look for in names and targets; typing errors are forgiven.
    #[param(required = false, max_length = 100, example = "bridge")]
    q: String,
    /// `stretch`, `strength` or `warm_up`.
    #[param(required = false, example = "stretch")]
    kind: String,
    /// Only exercises that fit this condition, best first.
    #[param(required = false, example = "gluteal-tendinopathy")]
    condition: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List stretches, strengthening exercises and warm-ups
#[utoipa::path(get, path = "/v1/exercises", operation_id = "listExercises", tag = "catalogue", params(ExerciseQuery),
    description = "Stretches, strengthening exercises and warm-ups, each with how to do it, how much, and when to leave it.",
    responses((status = 200, description = "Exercises in the order of their ids, by relevance for a search, best first for a condition", body = ExerciseList), ListProblems))]
#[routes]
#[get("/v1/exercises")]
#[head("/v1/exercises")]
pub(super) async fn list_exercises(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    let catalogue = knowledge.catalogue();
    let mut query = Parameters::of(&request, &["q", "kind", "condition", "limit", "offset"])?;
    let q = query.text("q");
    let kind = query.word("kind", ExerciseKind::ALL, ExerciseKind::as_str);
    let ids = catalogue.conditions().iter().map(|condition| condition.id.as_str());
    let condition = query.id("condition", "a condition", ids).and_then(|id| catalogue.condition(id));
    let page = query.page();
    query.end()?;
    Ok(list::respond(&request, &knowledge, || {
        let mut found: Vec<&Exercise> = super::found(catalogue.exercises(), q.as_deref(), |exercise, q| {
            relevance(q, [exercise.name.as_str(), exercise.id.as_str(), &exercise.target])
        })
        .filter(|exercise| kind.is_none_or(|kind| exercise.kind == kind))
        .collect();
        if let Some(condition) = condition {
            let place = |exercise: &Exercise| condition.exercises.iter().position(|id| *id == exercise.id);
            found.retain(|exercise| place(exercise).is_some());
            found.sort_by_key(|exercise| place(exercise));
        }
        ExerciseList::page(found.into_iter().map(ExerciseView::from).collect(), page, catalogue)
    }))
}

/// Get one exercise
#[utoipa::path(get, path = "/v1/exercises/{id}", operation_id = "getExercise", tag = "catalogue",
    description = "One exercise, with the conditions that it fits.",
    params(("id" = String, Path, description = "Id of an exercise", max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "glute-bridge")),
    responses((status = 200, description = "The exercise", body = ExerciseDetail), EntryProblems))]
#[routes]
#[get("/v1/exercises/{id}")]
#[head("/v1/exercises/{id}")]
pub(super) async fn get_exercise(
    request: HttpRequest,
    id: web::Path<String>,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let exercise = catalogue.exercise(&id).ok_or_else(|| {
        unknown_id("exercise", &id, catalogue.exercises().iter().map(|entry| entry.id.as_str()))
    })?;
    Ok(list::respond(&request, &knowledge, || ExerciseDetail {
        exercise: exercise.into(),
        conditions: catalogue
            .conditions()
            .iter()
            .filter(|condition| condition.exercises.contains(&exercise.id))
            .map(|condition| condition.id.as_str())
            .collect(),
        catalogue: CatalogueStamp::of(catalogue),
    }))
}

/// A prevention step or a rule to run by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Prevention)]
pub struct PreventionView<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// `prevention` or `rule`.
    pub kind: &'static str,
    /// What to do.
    pub steps: Vec<&'a str>,
    /// How much and how often.
    pub dosage: &'a str,
    /// What it works on.
    pub target: &'a str,
    /// When it does not apply.
    pub when_not_to: Vec<&'a str>,
    /// What else must be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

impl<'a> From<&'a Prevention> for PreventionView<'a> {
    fn from(entry: &'a Prevention) -> Self {
        Self {
            id: entry.id.as_str(),
            name: &entry.name,
            kind: entry.kind.as_str(),
            steps: entry.steps.iter().map(String::as_str).collect(),
            dosage: &entry.dosage,
            target: &entry.target,
            when_not_to: entry.when_not_to.iter().map(String::as_str).collect(),
            note: entry.note.as_deref(),
            grade: entry.grade.as_str(),
            sources: sources::ids(&entry.sources),
        }
    }
}

list! {
    /// Prevention steps and rules.
    PreventionList of PreventionView
}

/// Filters of the list of prevention steps.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct PreventionQuery {
    /// Words to look for in names and targets; typing errors are forgiven.
    #[param(required = false, max_length = 100, example = "warm up")]
    q: String,
    /// `prevention` or `rule`.
    #[param(required = false, example = "rule")]
    kind: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List prevention steps and rules to run by
#[utoipa::path(get, path = "/v1/prevention", operation_id = "listPrevention", tag = "catalogue", params(PreventionQuery),
    description = "Steps that lower the risk of hip pain, and rules such as when to stop a run.",
    responses((status = 200, description = "Entries in the order of their ids, or by relevance for a search", body = PreventionList), ListProblems))]
#[routes]
#[get("/v1/prevention")]
#[head("/v1/prevention")]
pub(super) async fn list_prevention(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    let mut query = Parameters::of(&request, &["q", "kind", "limit", "offset"])?;
    let q = query.text("q");
    let kind = query.word("kind", PreventionKind::ALL, PreventionKind::as_str);
    let page = query.page();
    query.end()?;
    let catalogue = knowledge.catalogue();
    Ok(list::respond(&request, &knowledge, || {
        let found = super::found(catalogue.prevention(), q.as_deref(), |entry, q| {
            relevance(q, [entry.name.as_str(), entry.id.as_str(), &entry.target])
        })
        .filter(|entry| kind.is_none_or(|kind| entry.kind == kind));
        PreventionList::page(found.map(PreventionView::from).collect(), page, catalogue)
    }))
}
