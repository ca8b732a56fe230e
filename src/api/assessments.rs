//! `POST /v1/assessments`: the main job.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    post,
    web::{self, Bytes},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    assessment_request::{AssessmentRequest, AssessmentRequestBody},
    body::JsonBody,
    conditions::Reference,
    guidance::{self, InterviewBody, MustNotMiss, ScopeBody},
    knowledge::Knowledge,
    openapi::BodyProblems,
    problem::Problem,
    query::Parameters,
    representation::{encode, negotiate},
    sources,
    stamp::CatalogueStamp,
    training::TrainingBody,
};
use crate::{
    assessment::{Answer, Assessment, Because, CountedAnswer, Hypothesis, Reason, Weighing, assess, derive},
    catalogue::{
        Catalogue, FindingIndex,
        entry::{Condition, Evidence},
        vocabulary::{Examiner, Grade, TriageLevel},
    },
    escalation::{TrainingFacts, next_step, training},
};

/// How many open questions are named as helpful for each condition.
const MOST_HELPFUL: usize = 3;

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

/// How soon someone should look.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Triage)]
pub struct TriageBody<'a> {
    /// `self_care`, `routine`, `soon` (within days), `urgent` (the same day) or `emergency` (now).
    pub level: &'static str,
    /// Whether open questions could raise the level.
    pub provisional: bool,
    /// Whether running stops until someone has looked.
    pub stop_running: bool,
    /// Why, the most urgent first.
    pub reasons: Vec<TriageReason<'a>>,
    /// Findings not answered that could raise the level.
    pub unscreened: Vec<&'a str>,
    /// Parts of the profile that are not known and could raise the level: `age`.
    pub unknown_profile: Vec<&'static str>,
}

/// One reason for a triage level.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriageReason<'a> {
    /// What it rests on: `red_flag`, `red_flag_of_unknown_age`, `condition`, `warning_sign`,
    /// `many_warning_signs`, `unscreened` or `screened`.
    pub basis: &'static str,
    /// The red-flag rule, where one fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'a str>,
    /// The dangerous condition, where one passed its threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'a str>,
    /// The probability that it passed the threshold with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub probability: Option<f64>,
    /// The threshold that the catalogue sets for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub threshold: Option<f64>,
    /// The level that this reason asks for.
    pub level: &'static str,
    /// Whether it asks to stop running.
    pub stop_running: bool,
    /// The answers behind it.
    pub because: Vec<&'a str>,
    /// Warning signs that were set aside for this reason: weighed with the others they would have hidden it,
    /// and a further warning sign never lowers the level.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<&'a str>,
    /// What it means, in plain words.
    pub text: String,
    /// What to do.
    pub action: &'a str,
    /// The sources.
    pub sources: Vec<&'a str>,
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
    /// The step of care that comes first for someone who tried nothing yet; left out where the ladder has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<NextStepBody<'a>>,
    /// Where to read all that is known of it.
    pub href: String,
}

/// What speaks for and against a condition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvidenceSummary)]
pub struct EvidenceBody<'a> {
    /// Answers that speak for it, the strongest first.
    pub supports: Vec<WeighedAnswer<'a>>,
    /// Answers that speak against it, the strongest first.
    pub opposes: Vec<WeighedAnswer<'a>>,
    /// Open questions whose answers would tell most about it, the best first.
    pub would_help: Vec<HelpfulFinding<'a>>,
}

/// One answer and what it weighs for a condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct WeighedAnswer<'a> {
    /// The finding.
    pub finding: &'a str,
    /// Its short name.
    pub label: &'a str,
    /// The answer: `present` or `absent`.
    pub state: &'static str,
    /// By how much the answer multiplies the odds against "none of these", after `counted_share`.
    #[schema(minimum = 0)]
    pub likelihood_ratio: f64,
    /// Its natural logarithm; these add up (see `log_normaliser`).
    pub weight: f64,
    /// How often the finding is present in this condition, where the catalogue states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub probability_in_condition: Option<f64>,
    /// How often it is present in hip pain from none of the listed causes.
    #[schema(minimum = 0, maximum = 1)]
    pub background_rate: f64,
    /// The share of its full weight that counts; below 1 where related answers were given too.
    #[schema(minimum = 0, maximum = 1)]
    pub counted_share: f64,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// Whether the figure is an expert's estimate (grade D).
    pub estimate: bool,
    /// The sources.
    pub sources: Vec<&'a str>,
}

/// An open question that would tell much about a condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelpfulFinding<'a> {
    /// The finding.
    pub finding: &'a str,
    /// The question in plain words.
    pub question: &'a str,
}

/// The step of care that comes first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextStep)]
pub struct NextStepBody<'a> {
    /// `conservative`, `injection` or `surgery`.
    pub stage: &'static str,
    /// What is open now, advised things first.
    pub treatments: Vec<NextTreatment<'a>>,
    /// When to look again if nothing gets worse before, in weeks; left out where someone looks at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 520)]
    pub review_after_weeks: Option<f64>,
}

/// A treatment that is open now.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextTreatment<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// `recommended` or `conditional`.
    pub recommendation: &'static str,
    /// How it is done for this condition.
    pub detail: &'a str,
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
    knowledge: web::Data<Knowledge>,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    let answer: Bytes = assess_body(&knowledge, &body)?.into();
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept-encoding"));
    let encoded =
        negotiate(&request, answer.len()).and_then(|encoding| Some((encoding, encode(&answer, encoding)?)));
    let answer = match encoded {
        Some((encoding, bytes)) => {
            response.insert_header(encoding);
            bytes
        }
        None => answer,
    };
    Ok(response.content_type("application/json").body(answer))
}

/// The bytes of the answer to the bytes of a request.
///
/// # Errors
/// A problem that names every fault of the request.
pub fn assess_body(knowledge: &Knowledge, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let request = AssessmentRequest::read(knowledge.catalogue(), body)?;
    let assessment = assess(knowledge.catalogue(), knowledge.model(), &request.case);
    let answer = Presenter { knowledge, request: &request, assessment: &assessment }.body();
    // The wire types hold texts, finite numbers, lists and objects with text keys: serialising cannot fail.
    Ok(serde_json::to_vec(&answer).unwrap_or_default())
}

/// Turns an assessment into its wire form.
struct Presenter<'a> {
    knowledge: &'a Knowledge,
    request: &'a AssessmentRequest,
    assessment: &'a Assessment,
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
            triage: self.triage(),
            scope,
            must_not_miss: guidance::must_not_miss(self.knowledge, &self.request.case, self.assessment),
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
            interview: guidance::interview_body(
                self.knowledge,
                &self.request.case,
                self.assessment,
                self.request.examiner,
            ),
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

    fn triage(&self) -> TriageBody<'a> {
        let triage = &self.assessment.triage;
        TriageBody {
            level: triage.level.as_str(),
            provisional: triage.provisional,
            stop_running: triage.stop_running,
            reasons: triage.reasons.iter().map(|reason| self.reason(reason)).collect(),
            unscreened: self.finding_ids(&triage.unscreened),
            unknown_profile: if triage.age_matters { vec!["age"] } else { Vec::new() },
        }
    }

    fn finding_ids(&self, findings: &[FindingIndex]) -> Vec<&'a str> {
        findings.iter().map(|finding| self.catalogue().finding_at(*finding).id.as_str()).collect()
    }

    fn reason(&self, reason: &Reason) -> TriageReason<'a> {
        let mut answer = TriageReason {
            basis: "warning_sign",
            rule: None,
            condition: None,
            probability: None,
            threshold: None,
            level: reason.level.as_str(),
            stop_running: reason.stop_running,
            because: self.finding_ids(&reason.findings),
            set_aside: self.finding_ids(&reason.set_aside),
            text: String::new(),
            action: "Have it looked at within days.",
            sources: Vec::new(),
        };
        match reason.because {
            Because::Rule(place) | Because::RuleOfUnknownAge(place) => {
                let Some(rule) = self.catalogue().red_flags().get(place) else { return answer };
                answer.basis = "red_flag";
                answer.rule = Some(rule.id.as_str());
                answer.text = format!("{}. {}", rule.concern.trim_end_matches('.'), rule.reason);
                answer.action = &rule.action;
                answer.sources = sources::ids(&rule.sources);
                if matches!(reason.because, Because::RuleOfUnknownAge(_)) {
                    answer.basis = "red_flag_of_unknown_age";
                    let ages = match (rule.age_from, rule.age_to) {
                        (Some(from), Some(to)) => format!("from {from} to {to}"),
                        (None, Some(to)) => format!("up to {to}"),
                        (Some(from), None) => format!("from {from}"),
                        (None, None) => "any".into(),
                    };
                    answer.text = format!(
                        "The age is not given. At an age {ages} this would be {}: {}",
                        rule.level.as_str(),
                        answer.text
                    );
                    answer.action = "Give the age.";
                }
            }
            Because::Condition { hypothesis, probability, threshold } => {
                let condition = self.condition_of(hypothesis);
                answer.basis = "condition";
                answer.condition = Some(condition.id.as_str());
                answer.probability = Some(probability);
                answer.threshold = Some(threshold);
                answer.text = format!("This may be: {}. {}", condition.lay_name, condition.urgency.reason);
                answer.action = "Stop running and have it looked at; how soon, the level says.";
                answer.sources = sources::ids(&condition.sources);
            }
            Because::ManyWarningSigns => {
                answer.basis = "many_warning_signs";
                answer.text = "So many warning signs together need someone to look at once.".into();
                answer.action = "Go to an emergency department now.";
            }
            Because::WarningSign => {
                answer.text = "A warning sign is present that no other rule takes up by itself.".into();
            }
            Because::Unscreened => {
                answer.basis = "unscreened";
                answer.text = "Not every warning sign that matters was asked for, so it is too early to say that self-care is enough.".into();
                answer.action = "Answer the open questions first.";
            }
            Because::Screened => {
                answer.basis = "screened";
                answer.text = "Every warning sign that matters was asked for and none is present.".into();
                let rule =
                    self.catalogue().red_flags().iter().find(|rule| rule.level == TriageLevel::SelfCare);
                if let Some(rule) = rule {
                    answer.rule = Some(rule.id.as_str());
                    answer.action = &rule.action;
                    answer.sources = sources::ids(&rule.sources);
                }
            }
        }
        answer
    }

    /// Whether treatments that load the hip are held back: nobody loads it before a case of `soon` or more, or one
    /// in which running stops, was looked at.
    fn unloaded(&self) -> bool {
        let triage = &self.assessment.triage;
        triage.stop_running || triage.level >= TriageLevel::Soon
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
            evidence: self.request.explain.then(|| self.evidence(condition, hypothesis)),
            next_step: next_step(self.catalogue(), condition, self.unloaded()).map(|next| NextStepBody {
                stage: next.stage.as_str(),
                treatments: next
                    .steps
                    .iter()
                    .map(|(step, treatment)| NextTreatment {
                        id: treatment.id.as_str(),
                        name: &treatment.name,
                        recommendation: step.recommendation.as_str(),
                        detail: &step.detail,
                    })
                    .collect(),
                review_after_weeks: next.review_after_weeks,
            }),
            href: format!("/v1/conditions/{}", condition.id),
        }
    }

    fn word(&self, probability: f64) -> &'a str {
        // The gate lets no catalogue pass whose last word does not begin at 0.
        let words = &self.catalogue().about().likelihood_words;
        words.iter().find(|word| probability >= word.from.get()).map_or("", |word| &word.word)
    }

    fn evidence(&self, condition: &'a Condition, hypothesis: Hypothesis) -> EvidenceBody<'a> {
        let mut weighed: Vec<WeighedAnswer<'_>> = self
            .assessment
            .weighing
            .answers()
            .iter()
            .filter(|answer| answer.weight(hypothesis).abs() > 0.0)
            .map(|answer| self.weighed(condition, hypothesis, answer))
            .collect();
        // Stable: equal strengths keep the catalogue's order.
        weighed.sort_by(|one, other| other.weight.abs().total_cmp(&one.weight.abs()));
        let (supports, opposes) = weighed.into_iter().partition(|answer| answer.weight > 0.0);
        let helpful = Weighing::most_helpful(
            self.knowledge.model(),
            &self.request.case,
            hypothesis,
            MOST_HELPFUL,
            |finding| {
                self.request.examiner == Examiner::Clinician
                    || self.catalogue().finding_at(finding).kind.examiner() == Examiner::Oneself
            },
        );
        EvidenceBody {
            supports,
            opposes,
            would_help: helpful
                .iter()
                .map(|helpful| self.catalogue().finding_at(helpful.finding))
                .map(|finding| HelpfulFinding { finding: finding.id.as_str(), question: &finding.question })
                .collect(),
        }
    }

    fn weighed(
        &self,
        condition: &'a Condition,
        hypothesis: Hypothesis,
        answer: &CountedAnswer,
    ) -> WeighedAnswer<'a> {
        let finding = self.catalogue().finding_at(answer.finding);
        let row: Option<&Evidence> = condition.evidence.iter().find(|row| row.finding == finding.id);
        // An option that a condition does not state gets what the stated ones leave: an estimate.
        let grade = row.map_or(Grade::D, |row| row.grade);
        let weight = answer.weight(hypothesis);
        WeighedAnswer {
            finding: finding.id.as_str(),
            label: &finding.label,
            state: state(answer.answer),
            likelihood_ratio: libm::exp(weight),
            weight,
            probability_in_condition: row.map(|row| row.probability.get()),
            background_rate: finding.background.probability.get(),
            counted_share: answer.share,
            grade: grade.as_str(),
            estimate: grade == Grade::D,
            sources: row.map_or_else(|| sources::ids(&condition.sources), |row| sources::ids(&row.sources)),
        }
    }
}

const fn state(answer: Answer) -> &'static str {
    match answer {
        Answer::Present => "present",
        Answer::Absent => "absent",
    }
}
