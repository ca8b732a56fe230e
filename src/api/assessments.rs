//! `POST /v1/assessments`: the main job.

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse, post,
    web::{self, Bytes},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    assessment_request::{AssessmentRequest, AssessmentRequestBody},
    body::JsonBody,
    conditions::Reference,
    evidence::{EvidenceBody, Explanation, state},
    guidance::{self, MustNotMiss, ScopeBody},
    interview::{InterviewBody, interview_body},
    knowledge::{Current, Knowledge},
    next_step::NextStepBody,
    observation::Observers,
    openapi::BodyProblems,
    problem::Problem,
    query::Parameters,
    representation::{fresh, to_bytes},
    stamp::CatalogueStamp,
    training::TrainingBody,
    triage::TriageBody,
    what_if::WhatIfBody,
};
use crate::{
    assessment::{
        Answer, Assessment, Case, Danger, DangerStatus, Hypothesis, Interview, assess, dangers, derive,
        interview, what_if,
    },
    catalogue::{Catalogue, entry::Condition, id::ContraindicationId, vocabulary::TriageLevel},
    escalation::{self, Course, FirstStepFacts, TrainingFacts, training},
};

/// What a case comes to. The triage comes first: it holds whatever the ranking says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Assessment)]
pub struct AssessmentBody<'a> {
    /// How soon someone should look, and why.
    pub triage: TriageBody<'a>,
    /// Whether the case is one that the catalogue is made for.
    pub scope: ScopeBody<'a>,
    /// Dangerous conditions that age and sex allow, suspected ones first; apart from the ranking.
    pub must_not_miss: Vec<MustNotMiss<'a>>,
    /// How much running is allowed meanwhile; left out where the catalogue has no rules for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingBody<'a>>,
    /// Conditions that fit, the most probable first; empty where the case is out of scope.
    pub conditions: Vec<RankedCondition<'a>>,
    /// Names for several conditions together, with the sum of their probabilities, the most probable first.
    pub umbrellas: Vec<UmbrellaBody<'a>>,
    /// The probability that none of the listed conditions is the cause, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub unexplained: f64,
    /// What to ask next.
    pub interview: InterviewBody<'a>,
    /// What other answers would change; only where `options.what_if` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what_if: Option<WhatIfBody<'a>>,
    /// `ln Z`: for each condition `ln(pre_test_probability) + sum of weights - log_normaliser = ln(probability)`.
    pub log_normaliser: f64,
    /// Findings that were concluded from measures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<DerivedFinding<'a>>,
    /// Findings that were given by a former id, which stays accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<RenamedFinding<'a>>,
    /// The catalogue behind the answer.
    pub catalogue: CatalogueStamp,
    /// What this is and is not; show it with the answer.
    pub disclaimer: &'a str,
}

/// A finding that was concluded from a measure.
#[derive(Debug, Serialize, ToSchema)]
pub struct DerivedFinding<'a> {
    /// The measure, as the request names it.
    pub measure: String,
    /// Its value.
    pub value: f64,
    /// The finding.
    pub finding: &'a str,
    /// The answer that the value stands for: `present` or `absent`.
    pub state: &'static str,
    /// Why.
    pub reason: &'a str,
}

/// A finding that was given by a former id.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenamedFinding<'a> {
    /// The id that was given.
    pub given: &'a str,
    /// The id that it has now.
    pub now: &'a str,
}

/// A condition with its place in the ranking.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankedCondition<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its clinical name.
    pub name: &'a str,
    /// What a runner would call it.
    pub lay_name: &'a str,
    /// Its place, from 1.
    #[schema(minimum = 1)]
    pub rank: usize,
    /// Post-test probability, from 0 to 1: how probable the condition is, given the answers.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// The probability in words: `very_likely`, `likely`, `possible`, `unlikely` or `very_unlikely`.
    pub likelihood: &'a str,
    /// Pre-test probability, from 0 to 1: how probable it was from age and sex alone.
    #[schema(minimum = 0, maximum = 1)]
    pub pre_test_probability: f64,
    /// How urgent the condition itself is.
    pub urgency: &'static str,
    /// What speaks for and against it; left out where `options.explain` is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceBody<'a>>,
    /// The step of care that comes first for someone who tried nothing yet; where `history` is sent, the step that
    /// follows from it. Left out where the ladder has none, and in an emergency without a history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<NextStepBody<'a>>,
    /// Where to read all that is known of it.
    pub href: String,
}

/// Several conditions together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UmbrellaProbability)]
pub struct UmbrellaBody<'a> {
    /// The umbrella.
    #[serde(flatten)]
    pub umbrella: Reference<'a>,
    /// The sum of the probabilities of the conditions under it, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
}

/// Assess a runner's hip pain
#[utoipa::path(post, path = "/v1/assessments", operation_id = "createAssessment", tag = "assessment",
    description = "Ranks the conditions that fit a runner's answers, each with the evidence that adds up to its probability, says how soon someone should look and why, and names the first step of care. Nothing is stored, and the same request gives the same bytes: `Idempotency-Key` is not needed and is ignored. Send all answers again with each request.",
    request_body(content = AssessmentRequestBody, description = "The answers so far", content_type = "application/json"),
    responses((status = 200, description = "The assessment", body = AssessmentBody), BodyProblems))]
#[post("/v1/assessments")]
pub(super) async fn create_assessment(
    request: HttpRequest,
    body: JsonBody,
    knowledge: Current,
    observers: web::Data<Observers>,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let (level, answer) = assessed(&knowledge, &body)?;
    observers.metrics.case_assessed(level);
    Ok(fresh(&request, answer))
}

/// The bytes of the answer to the bytes of a request.
///
/// # Errors
/// A problem that names every fault of the request.
pub fn assess_body(knowledge: &Knowledge, body: &[u8]) -> Result<Bytes, Problem> {
    assessed(knowledge, body).map(|(_, answer)| answer)
}

/// The triage level of a request, and the bytes of its answer.
fn assessed(knowledge: &Knowledge, body: &[u8]) -> Result<(TriageLevel, Bytes), Problem> {
    let (catalogue, model) = (knowledge.catalogue(), knowledge.model());
    let request = AssessmentRequest::read(catalogue, body)?;
    let assessment = assess(catalogue, model, &request.case);
    let dangers = dangers(catalogue, model, &request.case, &assessment);
    let course =
        request.course.clone().map(|course| known_course(knowledge, &request, &assessment, &dangers, course));
    let interview = interview(catalogue, model, &request.case, &assessment, &dangers, request.examiner);
    let presenter = Presenter {
        knowledge,
        request: &request,
        assessment: &assessment,
        dangers: &dangers,
        interview: &interview,
        course: course.as_ref(),
    };
    Ok((assessment.triage.level, to_bytes(&presenter.body())))
}

/// What was tried, with what the assessment says of the person.
fn known_course(
    knowledge: &Knowledge,
    request: &AssessmentRequest,
    assessment: &Assessment,
    dangers: &[Danger],
    mut course: Course,
) -> Course {
    let suspected = dangers
        .iter()
        .filter(|danger| danger.status == DangerStatus::Suspected)
        .map(|danger| {
            knowledge.catalogue().condition_at(knowledge.model().condition(danger.hypothesis)).id.clone()
        })
        .collect();
    let triage = &assessment.triage;
    course.danger =
        escalation::Danger::assessed(triage.level, triage.stop_running, triage.provisional, suspected);
    for id in contraindications(knowledge.catalogue(), &request.case) {
        course.contraindications.insert(id, true);
    }
    course
}

/// Reasons against a treatment that the findings of a case stand for.
fn contraindications(catalogue: &Catalogue, case: &Case) -> BTreeSet<ContraindicationId> {
    case.present().flat_map(|finding| catalogue.finding_at(finding).contraindicates.iter().cloned()).collect()
}

/// Turns an assessment into its wire form.
struct Presenter<'a> {
    knowledge: &'a Knowledge,
    request: &'a AssessmentRequest,
    assessment: &'a Assessment,
    dangers: &'a [Danger],
    interview: &'a Interview,
    course: Option<&'a Course>,
}

impl<'a> Presenter<'a> {
    const fn catalogue(&self) -> &'a Catalogue {
        self.knowledge.catalogue()
    }

    fn body(&self) -> AssessmentBody<'a> {
        let ranking = &self.assessment.ranking;
        let scope = guidance::scope(self.catalogue(), &self.request.case);
        // Outside of its scope the catalogue has no figures: a ranking would pretend to.
        let shown = if scope.in_scope { self.request.limit } else { 0 };
        AssessmentBody {
            triage: TriageBody::of(self.catalogue(), self.knowledge.model(), &self.assessment.triage),
            scope,
            must_not_miss: guidance::must_not_miss(self.knowledge, self.dangers, &self.assessment.triage),
            training: self.training(),
            conditions: ranking
                .order()
                .iter()
                .take(shown)
                .enumerate()
                .map(|(place, hypothesis)| self.condition(place + 1, *hypothesis))
                .collect(),
            umbrellas: ranking
                .umbrellas()
                .iter()
                .map(|share| {
                    let umbrella = self.catalogue().condition_at(share.condition);
                    UmbrellaBody {
                        umbrella: Reference { id: umbrella.id.as_str(), name: &umbrella.name },
                        probability: share.probability,
                    }
                })
                .collect(),
            unexplained: ranking.unexplained(),
            interview: interview_body(self.knowledge, self.interview),
            what_if: self.request.what_if.then(|| self.what_if()),
            log_normaliser: ranking.log_normaliser(),
            derived: self.derived(),
            renamed: self
                .request
                .renamed
                .iter()
                .map(|(given, now)| RenamedFinding {
                    given,
                    now: self.catalogue().finding_at(*now).id.as_str(),
                })
                .collect(),
            catalogue: CatalogueStamp::of(self.catalogue()),
            disclaimer: &self.catalogue().about().disclaimer,
        }
    }

    fn training(&self) -> Option<TrainingBody<'a>> {
        let triage = &self.assessment.triage;
        let answered = |wanted: Answer| {
            let answers = self.request.case.answers().filter(move |(_, answer)| *answer == wanted);
            answers.map(|(finding, _)| self.catalogue().finding_at(finding).id.as_str()).collect()
        };
        let facts = TrainingFacts {
            level: triage.level,
            stop_running: triage.stop_running,
            first_condition: self
                .assessment
                .ranking
                .order()
                .first()
                .map(|first| &self.condition_of(*first).id),
            present: answered(Answer::Present),
            absent: answered(Answer::Absent),
        };
        training(self.catalogue(), &facts).map(|training| TrainingBody::from(&training))
    }

    fn derived(&self) -> Vec<DerivedFinding<'a>> {
        let values = self.request.measures.iter().map(|(id, value)| (id, *value)).collect();
        derive(self.catalogue(), &values)
            .into_iter()
            .map(|derived| DerivedFinding {
                measure: derived.measure.id.as_str().replace('-', "_"),
                value: derived.value,
                finding: self.catalogue().finding_at(derived.finding).id.as_str(),
                state: state(derived.answer),
                reason: &derived.rule.reason,
            })
            .collect()
    }

    fn what_if(&self) -> WhatIfBody<'a> {
        let (catalogue, model) = (self.catalogue(), self.knowledge.model());
        let changes = what_if(catalogue, model, &self.request.case, self.assessment, self.request.examiner);
        WhatIfBody::of(catalogue, model, &changes)
    }

    fn next_step(&self, condition: &'a Condition) -> Option<NextStepBody<'a>> {
        if let Some(course) = self.course {
            return Some(NextStepBody::after(self.catalogue(), condition, course));
        }
        let triage = &self.assessment.triage;
        // In an emergency there is one thing to do, and care at home is none of it.
        if triage.level == TriageLevel::Emergency {
            return None;
        }
        let facts = FirstStepFacts::new(
            triage.level,
            triage.stop_running,
            contraindications(self.catalogue(), &self.request.case),
        );
        NextStepBody::first(self.catalogue(), condition, &facts)
    }

    fn explanation(&self) -> Explanation<'a> {
        Explanation {
            knowledge: self.knowledge,
            case: &self.request.case,
            assessment: self.assessment,
            examiner: self.request.examiner,
            locked: &self.interview.locked,
        }
    }

    fn condition_of(&self, hypothesis: Hypothesis) -> &'a Condition {
        self.catalogue().condition_at(self.knowledge.model().condition(hypothesis))
    }

    fn condition(&self, rank: usize, hypothesis: Hypothesis) -> RankedCondition<'a> {
        let condition = self.condition_of(hypothesis);
        let probability = self.assessment.ranking.posterior(hypothesis);
        RankedCondition {
            id: condition.id.as_str(),
            name: &condition.name,
            lay_name: &condition.lay_name,
            rank,
            probability,
            likelihood: self.word(probability),
            pre_test_probability: self.assessment.ranking.prior(hypothesis),
            urgency: condition.urgency.level.as_str(),
            evidence: self.request.explain.then(|| self.explanation().body(condition, hypothesis)),
            next_step: self.next_step(condition),
            href: format!("/v1/conditions/{}", condition.id),
        }
    }

    fn word(&self, probability: f64) -> &'a str {
        // The gate lets no catalogue pass whose last word does not begin at 0.
        let words = &self.catalogue().about().likelihood_words;
        words.iter().find(|word| probability >= word.from.get()).map_or("", |word| &word.word)
    }
}
