//! What an assessment says beside the ranking: scope, dangers that must not be missed, and what to ask next.

use serde::Serialize;
use utoipa::ToSchema;

use super::conditions::Reference;
use crate::{
    assessment::{
        Ask, Assessment, Case, Danger, DangerStatus, Interview, OutOfScope, Question, StopReason, Topic, Why,
        dangers, interview, out_of_scope,
    },
    catalogue::{
        Catalogue, FindingIndex,
        vocabulary::{Examiner, TriageLevel},
    },
};

use super::knowledge::Knowledge;

/// Whether the case is one that the catalogue is made for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scope)]
pub struct ScopeBody<'a> {
    /// Where it is not, nothing is ranked; red flags are checked all the same.
    pub in_scope: bool,
    /// Why it is not.
    pub reasons: Vec<&'a str>,
}

/// A dangerous condition that age and sex allow, apart from the ranking and never cut by `limit`.
#[derive(Debug, Serialize, ToSchema)]
pub struct MustNotMiss<'a> {
    /// The condition.
    pub condition: &'a str,
    /// Its clinical name.
    pub name: &'a str,
    /// `suspected` (a rule or its probability raises the triage level), `not_excluded`, or `excluded` (what would
    /// speak for it was asked, and does not).
    pub status: &'static str,
    /// How urgent it is once it is what the runner has.
    pub urgency: &'static str,
    /// Its post-test probability, from 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// Findings not answered that would settle it best; some need a clinician.
    pub settled_by: Vec<&'a str>,
    /// What to do until then.
    pub action: &'a str,
}

/// How the interview stands. It has no memory: send all answers again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Interview)]
pub struct InterviewBody<'a> {
    /// Whether nothing more needs to be asked.
    pub complete: bool,
    /// Why: `red_flag`, `confident`, `no_useful_question` or `limit`; left out while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<&'static str>,
    /// What to ask next; left out when it is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_question: Option<QuestionBody<'a>>,
    /// How many questions the answers so far stand for.
    #[schema(minimum = 0)]
    pub asked: usize,
    /// About how many are left.
    #[schema(minimum = 0)]
    pub estimated_left: usize,
    /// Self-tests that are not asked, and must not be tried, while an injured bone is not excluded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locked_tests: Vec<&'a str>,
}

/// One question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Question)]
pub struct QuestionBody<'a> {
    /// The question in plain words.
    pub text: &'a str,
    /// Why it is asked: `safety`, `profile` (age or sex) or `discriminates`.
    pub why: &'static str,
    /// The reason in plain words.
    pub reason: String,
    /// How it is answered: `number` (put it into `age`), `sex` (put it into `sex`), `yes_no_unknown`, `one_of` (put the
    /// option that fits into `present`, or all into `absent`) or `any_of` (put each option into `present`, `absent` or
    /// `unknown`).
    pub answer: &'static str,
    /// The findings that it asks for.
    pub options: Vec<QuestionOption<'a>>,
    /// Conditions that the answer separates, the most affected first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub separates: Vec<Reference<'a>>,
    /// The information expected of the answer, in bits.
    #[schema(minimum = 0, maximum = 100)]
    pub information_gain: f64,
}

/// One finding that a question asks for.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionOption<'a> {
    /// The finding.
    pub finding: &'a str,
    /// Its short name.
    pub label: &'a str,
    /// The question for it alone.
    pub question: &'a str,
    /// How to answer it, or to test it safely.
    pub help: &'a str,
}

/// Scope of a case.
pub(super) fn scope<'a>(catalogue: &'a Catalogue, case: &Case) -> ScopeBody<'a> {
    let reasons: Vec<&str> = out_of_scope(catalogue, case)
        .into_iter()
        .filter_map(|reason| match reason {
            OutOfScope::Age => Some("The age lies outside of those that the figures are made for; warning signs are checked all the same."),
            OutOfScope::Finding(finding) => catalogue.finding_at(finding).out_of_scope.as_deref(),
        })
        .collect();
    ScopeBody { in_scope: reasons.is_empty(), reasons }
}

/// Dangers that age and sex allow.
pub(super) fn must_not_miss<'a>(
    knowledge: &'a Knowledge,
    case: &Case,
    assessment: &Assessment,
) -> Vec<MustNotMiss<'a>> {
    let (catalogue, model) = (knowledge.catalogue(), knowledge.model());
    dangers(catalogue, model, case, assessment).iter().map(|danger| one_danger(knowledge, danger)).collect()
}

fn one_danger<'a>(knowledge: &'a Knowledge, danger: &Danger) -> MustNotMiss<'a> {
    let catalogue = knowledge.catalogue();
    let condition = catalogue.condition_at(knowledge.model().condition(danger.hypothesis));
    let (status, action) = match (danger.status, condition.urgency.level) {
        (DangerStatus::Suspected, TriageLevel::Emergency) => {
            ("suspected", "Go to an emergency department now.")
        }
        (DangerStatus::Suspected, TriageLevel::Urgent) => {
            ("suspected", "Stop running and be seen the same day.")
        }
        (DangerStatus::Suspected, TriageLevel::SelfCare | TriageLevel::Routine | TriageLevel::Soon) => {
            ("suspected", "Stop running and be seen within days.")
        }
        (DangerStatus::NotExcluded, _) => {
            ("not_excluded", "Answer the open questions; until then run less than it hurts.")
        }
        (DangerStatus::Excluded, _) => ("excluded", "Nothing for now; answer again if the pain changes."),
    };
    MustNotMiss {
        condition: condition.id.as_str(),
        name: &condition.name,
        status,
        urgency: condition.urgency.level.as_str(),
        probability: danger.probability,
        settled_by: danger
            .settled_by
            .iter()
            .map(|finding| catalogue.finding_at(*finding).id.as_str())
            .collect(),
        action,
    }
}

/// How the interview stands.
pub(super) fn interview_body<'a>(
    knowledge: &'a Knowledge,
    case: &Case,
    assessment: &Assessment,
    examiner: Examiner,
) -> InterviewBody<'a> {
    let catalogue = knowledge.catalogue();
    let Interview { next, stop, asked, estimated_left, locked } =
        interview(catalogue, knowledge.model(), case, assessment, examiner);
    InterviewBody {
        complete: next.is_none(),
        stop_reason: stop.map(|stop| match stop {
            StopReason::RedFlag => "red_flag",
            StopReason::Confident => "confident",
            StopReason::NoUsefulQuestion => "no_useful_question",
            StopReason::Limit => "limit",
        }),
        next_question: next.map(|question| question_body(knowledge, &question)),
        asked,
        estimated_left,
        locked_tests: locked.iter().map(|finding| catalogue.finding_at(*finding).id.as_str()).collect(),
    }
}

fn question_body<'a>(knowledge: &'a Knowledge, question: &Question) -> QuestionBody<'a> {
    let catalogue = knowledge.catalogue();
    let separates: Vec<Reference<'a>> = question
        .separates
        .iter()
        .map(|hypothesis| catalogue.condition_at(knowledge.model().condition(*hypothesis)))
        .map(|condition| Reference { id: condition.id.as_str(), name: &condition.name })
        .collect();
    let (text, answer, options): (&'a str, &'static str, &[FindingIndex]) = match &question.ask {
        Ask::Age => ("How old are you, in years?", "number", &[]),
        Ask::Sex => ("Are you female or male, as far as your body is concerned?", "sex", &[]),
        Ask::Screen(place, options) => {
            (catalogue.screens().get(*place).map_or("", |screen| screen.question.as_str()), "any_of", options)
        }
        Ask::Choice(place, options) => {
            let text = catalogue.groups().get(*place).and_then(|group| group.question.as_deref());
            (text.unwrap_or("Which of these fits best?"), "one_of", options)
        }
        Ask::Checklist(topic, options) => (checklist(*topic), "any_of", options),
        Ask::Finding(finding) => (
            catalogue.finding_at(*finding).question.as_str(),
            "yes_no_unknown",
            std::slice::from_ref(finding),
        ),
    };
    let reason = match (&question.ask, question.why) {
        (Ask::Screen(place, _), _) => {
            catalogue.screens().get(*place).map_or_else(String::new, |screen| screen.reason.clone())
        }
        (_, Why::Profile) => "Age and sex change what is likely and what must be asked.".into(),
        (_, Why::Safety) => "A yes would make it more urgent to be seen.".into(),
        (_, Why::Discriminates) => match separates.as_slice() {
            [] => "It tells causes apart.".into(),
            named => {
                let names: Vec<&str> = named.iter().map(|reference| reference.name).collect();
                format!("It helps to tell apart: {}.", names.join("; "))
            }
        },
    };
    QuestionBody {
        text,
        why: match question.why {
            Why::Safety => "safety",
            Why::Profile => "profile",
            Why::Discriminates => "discriminates",
        },
        reason,
        answer,
        options: options
            .iter()
            .map(|finding| catalogue.finding_at(*finding))
            .map(|finding| QuestionOption {
                finding: finding.id.as_str(),
                label: &finding.label,
                question: &finding.question,
                help: &finding.help,
            })
            .collect(),
        separates,
        information_gain: question.gain,
    }
}

const fn checklist(topic: Topic) -> &'static str {
    match topic {
        Topic::Safety => "Is any of these true?",
        Topic::Places => "Do you also feel it in any of these places?",
        Topic::Triggers => "Which of these bring it on, make it worse or ease it?",
        Topic::Sensations => "Which of these do you notice?",
        Topic::Background => "Which of these fit how it went, and you?",
        Topic::SelfTests => {
            "Try these gently, and stop if one hurts sharply: which of them are sore or painful?"
        }
        Topic::Examination => "What did the examination or the scans show?",
    }
}
