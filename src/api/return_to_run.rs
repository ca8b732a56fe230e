//! `/v1/return-to-run`: plans for the return to running, and where to go on one after a session.

use actix_web::{HttpRequest, HttpResponse, post, routes};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    body::JsonBody,
    conditions::Reference,
    fields::{Faults, Fields},
    json,
    knowledge::Current,
    list::{self, list},
    openapi::{BodyProblems, ListProblems},
    problem::Problem,
    query::Parameters,
    representation::{fresh, to_bytes},
    sources::{self, SourceView},
    stamp::CatalogueStamp,
};
use crate::{
    catalogue::{
        Catalogue,
        entry::{Condition, Progression},
        relevance,
    },
    escalation::return_to_run::{RunCheck, RunReport, Why, check, plan},
};

/// The most sessions at one step that are accepted.
const MOST_SESSIONS: u32 = 1000;

/// A plan for the return to running.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnToRunPlan)]
pub struct PlanView<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Conditions that it is for; empty means every one that no other plan names.
    pub conditions: Vec<&'a str>,
    /// Its steps in order.
    pub steps: Vec<PlanStep<'a>>,
    /// How many sessions without trouble a step asks for before the next.
    #[schema(minimum = 1, maximum = 255)]
    pub sessions_per_step: u8,
    /// Days of rest between two sessions.
    #[schema(minimum = 0, maximum = 255)]
    pub days_between: u8,
    /// Up to this pain during the run, from 0 to 10, the plan goes on.
    #[schema(minimum = 0, maximum = 10)]
    pub pain_during_at_most: u8,
    /// Up to this pain in the 24 hours after, from 0 to 10, the plan goes on.
    #[schema(minimum = 0, maximum = 10)]
    pub pain_after_at_most: u8,
    /// From this pain on, during or after, the plan goes back a step.
    #[schema(minimum = 0, maximum = 11)]
    pub step_back_from: u8,
    /// Whether an injury of bone must have been excluded, or have healed, before it begins. Then no pain is allowed.
    pub bone_must_be_cleared: bool,
    /// What must hold before it begins.
    pub begin_when: Vec<&'a str>,
    /// When to stop and see someone.
    pub see_someone_if: Vec<&'a str>,
    /// Why it is built like this.
    pub reason: &'a str,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

/// One step of a plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnToRunStep)]
pub struct PlanStep<'a> {
    /// Its place in the plan, from 1.
    #[schema(minimum = 1, maximum = 1000)]
    pub number: usize,
    /// What to do in one session.
    pub session: &'a str,
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn step(plan: &Progression, number: usize) -> Option<PlanStep<'_>> {
    let session = plan.steps.get(number.checked_sub(1)?)?;
    Some(PlanStep { number, session })
}

impl<'a> From<&'a Progression> for PlanView<'a> {
    fn from(plan: &'a Progression) -> Self {
        Self {
            id: plan.id.as_str(),
            name: &plan.name,
            conditions: plan.conditions.iter().map(|condition| condition.as_str()).collect(),
            steps: (1..=plan.steps.len()).filter_map(|number| step(plan, number)).collect(),
            sessions_per_step: plan.sessions_per_step,
            days_between: plan.days_between,
            pain_during_at_most: plan.pain_during_at_most,
            pain_after_at_most: plan.pain_after_at_most,
            step_back_from: plan.step_back_from,
            bone_must_be_cleared: plan.bone_must_be_cleared,
            begin_when: texts(&plan.begin_when),
            see_someone_if: texts(&plan.see_someone_if),
            reason: &plan.reason,
            grade: plan.grade.as_str(),
            sources: sources::ids(&plan.sources),
        }
    }
}

list! {
    /// Plans for the return to running.
    ReturnToRunPlanList of PlanView
}

/// Filters of the list of plans.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query; it is read by `Parameters`, which names every fault")]
pub struct PlanQuery {
    /// Words to look for in names and steps; typing errors are forgiven.
    #[param(required = false, max_length = 100, example = "bone")]
    q: String,
    /// Only the plan for this condition.
    #[param(required = false, example = "hamstring-strain")]
    condition: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: u32,
    /// How many entries to pass over first.
    #[param(required = false, minimum = 0, maximum = 1_000_000, example = 0)]
    offset: u32,
}

/// List the plans for the return to running
#[utoipa::path(get, path = "/v1/return-to-run", operation_id = "listReturnToRunPlans", tag = "escalation", params(PlanQuery),
    description = "Walk-run plans: their steps, how many sessions a step asks for, how much pain is allowed, and what must hold before they begin.",
    responses((status = 200, description = "Plans in the order of their ids, or by relevance for a search", body = ReturnToRunPlanList), ListProblems))]
#[routes]
#[get("/v1/return-to-run")]
#[head("/v1/return-to-run")]
pub(super) async fn list_return_to_run_plans(
    request: HttpRequest,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    let catalogue = knowledge.catalogue();
    let mut query = Parameters::of(&request, &["q", "condition", "limit", "offset"])?;
    let q = query.text("q");
    let ids = catalogue.conditions().iter().map(|condition| condition.id.as_str());
    let condition = query.id("condition", "a condition", ids);
    let page = query.page();
    query.end()?;
    let wanted = condition.and_then(|id| plan(catalogue, catalogue.condition(id)?));
    Ok(list::respond(&request, &knowledge, || {
        let found = super::found(catalogue.progressions(), q.as_deref(), |plan, q| {
            relevance(q, [plan.name.as_str(), plan.id.as_str()].into_iter().chain(texts(&plan.steps)))
        })
        .filter(|plan| condition.is_none() || wanted.is_some_and(|wanted| wanted.id == plan.id));
        ReturnToRunPlanList::page(found.map(PlanView::from).collect(), page, catalogue)
    }))
}

/// How the sessions at a step of a plan went.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnToRunRequest)]
pub struct ReturnToRunRequestBody {
    /// Id of the condition that the runner comes back from.
    #[schema(max_length = 64)]
    condition: String,
    /// The step of its plan, from 1 (`GET /v1/return-to-run?condition=...`).
    #[schema(minimum = 1, maximum = 1000)]
    step: u32,
    /// How many sessions were done at this step, the last one included.
    #[schema(minimum = 1, maximum = 1000)]
    sessions_at_step: u32,
    /// The worst pain during the last session, from 0 (none) to 10 (worst imaginable).
    #[schema(minimum = 0, maximum = 10)]
    pain_during: f64,
    /// The worst pain in the 24 hours after it, from 0 (none) to 10 (worst imaginable).
    #[schema(minimum = 0, maximum = 10)]
    pain_after: f64,
    /// Whether it was worse on the next day than before the session.
    worse_next_day: bool,
    /// Whether the runner limped, during or after.
    limping: bool,
    /// Whether a warning sign has come up since: pain at night or at rest, fever, a leg that gives way or bears no
    /// weight, numbness.
    new_warning_sign: bool,
    /// Whether an injury of bone was excluded, or has healed, as someone who looked has said. Left out means that nobody
    /// has said. `false`, for whatever condition, ends at someone who looks.
    #[schema(nullable = false)]
    bone_cleared: Option<bool>,
}

const FIELDS: [&str; 9] = [
    "condition",
    "step",
    "sessions_at_step",
    "pain_during",
    "pain_after",
    "worse_next_day",
    "limping",
    "new_warning_sign",
    "bone_cleared",
];

/// Where to go on a plan for the return to running.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnToRunCheck)]
pub struct ReturnToRunBody<'a> {
    /// `advance` (on to the next step), `hold` (the same step again), `step_back` (back to the step before) or
    /// `see_someone` (no running until someone has looked).
    pub verdict: &'static str,
    /// Why; every reason that leads to this verdict.
    pub why: Vec<ReturnToRunReason>,
    /// The step of the next session; left out where someone looks first, or the plan is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<PlanStep<'a>>,
    /// Whether the last step went well.
    pub finished: bool,
    /// The condition.
    pub condition: Reference<'a>,
    /// The plan.
    pub plan: PlanView<'a>,
    /// Every source that the plan names.
    pub references: Vec<SourceView<'a>>,
    /// What this is and is not; show it with the answer.
    pub disclaimer: &'a str,
    /// The catalogue behind it.
    pub catalogue: CatalogueStamp,
}

/// A reason for a verdict.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReturnToRunReason {
    /// What it is, stable for programs.
    pub code: &'static str,
    /// In words.
    pub text: String,
}

/// A report that was read and makes sense.
struct ReturnToRunRequest<'a> {
    condition: &'a Condition,
    report: RunReport,
}

impl<'a> ReturnToRunRequest<'a> {
    fn read(catalogue: &'a Catalogue, body: &[u8]) -> Result<Self, Problem> {
        let tree = json::read(body)?;
        let mut faults = Faults::default();
        let Some(fields) = Fields::of(&tree, "", &FIELDS, &mut faults) else {
            return Err(faults.end().err().unwrap_or_else(|| Problem::invalid(Vec::new())));
        };
        for key in FIELDS.iter().filter(|key| **key != "bone_cleared" && fields.get(key).is_none()) {
            faults.add(
                &format!("/{key}"),
                "missing_field",
                "this field is needed: what is not known is not taken for no",
            );
        }
        let condition = condition(catalogue, &fields, &mut faults);
        // The plan of the condition says how many steps there are.
        let steps = condition.and_then(|condition| plan(catalogue, condition)).map(|plan| plan.steps.len());
        let steps = steps.and_then(|steps| u32::try_from(steps).ok()).unwrap_or(MOST_SESSIONS);
        let step = fields.whole_number("step", 1, steps, &mut faults);
        let sessions = fields.whole_number("sessions_at_step", 1, MOST_SESSIONS, &mut faults);
        let during = fields.number("pain_during", 0.0, 10.0, &mut faults);
        let after = fields.number("pain_after", 0.0, 10.0, &mut faults);
        let worse = fields.truth("worse_next_day", &mut faults);
        let limping = fields.truth("limping", &mut faults);
        let warning = fields.truth("new_warning_sign", &mut faults);
        let bone_cleared = fields.truth("bone_cleared", &mut faults);
        faults.end()?;
        let whole = || {
            Some(Self {
                condition: condition?,
                report: RunReport {
                    step: usize::try_from(step?).ok()?,
                    sessions_at_step: sessions?,
                    pain_during: during?,
                    pain_after: after?,
                    worse_next_day: worse?,
                    limping: limping?,
                    bone_cleared,
                    new_red_flag: warning?,
                },
            })
        };
        // Each field that is missing or wrong has its fault above.
        whole().ok_or_else(|| Problem::invalid(Vec::new()))
    }
}

fn condition<'a>(
    catalogue: &'a Catalogue,
    fields: &Fields<'_, '_>,
    faults: &mut Faults,
) -> Option<&'a Condition> {
    let (pointer, value) = fields.get("condition")?;
    let json::Json::Text(id) = value else {
        faults.wrong_type(&pointer, "a text", value);
        return None;
    };
    let found = catalogue.condition(id);
    if found.is_none() {
        let known = catalogue.conditions().iter().map(|condition| condition.id.as_str());
        faults.unknown_word(&pointer, "unknown_condition", "a condition of the catalogue", id, known);
    }
    found
}

fn reason(why: Why, plan: &Progression, report: &RunReport) -> ReturnToRunReason {
    let (code, text) = match why {
        Why::WarningSign => ("warning_sign", "A warning sign has come up: have it looked at before you run again.".into()),
        Why::BoneNotCleared => (
            "bone_not_cleared",
            "An injury of bone is not excluded, or not known to have healed: no running until someone who looked has said so.".into(),
        ),
        Why::PainInBone => ("pain_in_bone", "After an injury of bone any pain on running means stop: have it looked at.".into()),
        Why::LimpWithBone => ("limp_with_bone", "After an injury of bone a limp means stop: have it looked at.".into()),
        Why::SeverePain => ("severe_pain", "Pain of 7 or more out of 10 is more than a plan can deal with.".into()),
        Why::TreatedFirst => (
            "treated_first",
            "This condition is treated first; ask whoever treats it when you may begin to run.".into(),
        ),
        Why::FirstStepTooMuch => ("first_step_too_much", "Even the easiest step is too much yet: rest from running, and have it looked at.".into()),
        Why::NoProgress => (
            "no_progress",
            "Two weeks at one step are too long: have someone look at what keeps it from easing.".into(),
        ),
        Why::Limp => ("limp", "You limped.".into()),
        Why::PainDuringHigh => ("pain_during_high", format!("Pain during the run reached {} or more.", plan.step_back_from)),
        Why::PainAfterHigh => (
            "pain_after_high",
            format!("Pain in the 24 hours after reached {} or more.", plan.step_back_from),
        ),
        Why::WorseNextDay => ("worse_next_day", "It was worse on the next day.".into()),
        Why::PainDuring => (
            "pain_during",
            format!("Pain during the run was above {}; stay until it is not.", plan.pain_during_at_most),
        ),
        Why::PainAfter => (
            "pain_after",
            format!("Pain in the 24 hours after was above {}; stay until it is not.", plan.pain_after_at_most),
        ),
        Why::MoreSessions => (
            "more_sessions",
            format!("The step asks for {} sessions; this was number {}.", plan.sessions_per_step, report.sessions_at_step),
        ),
        Why::WentWell => ("went_well", "The sessions of this step went well.".into()),
        Why::Finished => (
            "finished",
            "The last step went well: the plan is done. Add a little each week from here.".into(),
        ),
    };
    ReturnToRunReason { code, text }
}

/// Check a step of the return to running
#[utoipa::path(post, path = "/v1/return-to-run", operation_id = "checkReturnToRun", tag = "escalation",
    description = "Says from the last session at a step of the condition's plan whether to go on, stay, go back a step or see someone. Nothing is stored: send the step and how many sessions were done at it each time. No plan goes on while an injury of bone is not excluded.",
    request_body(content = ReturnToRunRequestBody, description = "How it went", content_type = "application/json"),
    responses((status = 200, description = "Where to go on the plan", body = ReturnToRunBody), BodyProblems))]
#[post("/v1/return-to-run")]
pub(super) async fn check_return_to_run(
    request: HttpRequest,
    body: JsonBody,
    knowledge: Current,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let catalogue = knowledge.catalogue();
    let ReturnToRunRequest { condition, report } = ReturnToRunRequest::read(catalogue, &body)?;
    let Some(RunCheck { verdict, plan, next_step, why }) = check(catalogue, condition, &report) else {
        let mut faults = Faults::default();
        faults.add("/condition", "no_plan", "the catalogue has no plan for this condition");
        faults.end()?;
        return Err(Problem::invalid(Vec::new()));
    };
    let answer = ReturnToRunBody {
        verdict: verdict.as_str(),
        finished: why.contains(&Why::Finished),
        why: why.into_iter().map(|why| reason(why, plan, &report)).collect(),
        next_step: next_step.and_then(|number| step(plan, number)),
        condition: Reference { id: condition.id.as_str(), name: &condition.name },
        plan: PlanView::from(plan),
        references: sources::resolve(catalogue, plan.sources.iter()),
        disclaimer: &catalogue.about().disclaimer,
        catalogue: CatalogueStamp::of(catalogue),
    };
    Ok(fresh(&request, to_bytes(&answer)))
}
