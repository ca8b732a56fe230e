//! The interview on the wire: how it stands, and the next question in words.

use serde::Serialize;
use utoipa::ToSchema;

use super::{conditions::Reference, knowledge::Knowledge};
use crate::{
    assessment::{Ask, Interview, Question, StopReason, Topic, Why},
    catalogue::{Catalogue, FindingIndex},
};

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
    /// About how many questions the answers so far stand for; without a memory it is counted from them.
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

/// How the interview stands.
pub(super) fn interview_body<'a>(knowledge: &'a Knowledge, interview: &Interview) -> InterviewBody<'a> {
    let catalogue = knowledge.catalogue();
    let Interview { next, stop, asked, estimated_left, locked } = interview;
    InterviewBody {
        complete: next.is_none(),
        stop_reason: stop.map(|stop| match stop {
            StopReason::RedFlag => "red_flag",
            StopReason::Confident => "confident",
            StopReason::NoUsefulQuestion => "no_useful_question",
            StopReason::Limit => "limit",
        }),
        next_question: next.as_ref().map(|question| question_body(knowledge, question)),
        asked: *asked,
        estimated_left: *estimated_left,
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
    let Wording { text, answer, options } = wording(catalogue, &question.ask);
    let reason = reason(catalogue, &question.ask, question.why, &separates);
    QuestionBody {
        text,
        why: why(question.why),
        reason,
        answer,
        options: options.iter().map(|finding| QuestionOption::of(catalogue, *finding)).collect(),
        separates,
        information_gain: question.gain,
    }
}

/// How a question is put.
pub(super) struct Wording<'a, 'q> {
    /// The question.
    pub(super) text: &'a str,
    /// How it is answered.
    pub(super) answer: &'static str,
    /// The findings that it asks for.
    pub(super) options: &'q [FindingIndex],
}

/// How a question is put.
pub(super) fn wording<'a, 'q>(catalogue: &'a Catalogue, ask: &'q Ask) -> Wording<'a, 'q> {
    let (text, answer, options): (&'a str, &'static str, &'q [FindingIndex]) = match ask {
        Ask::Age => ("How old are you, in years?", "number", &[]),
        Ask::Sex => ("Are you female or male? This is about your body.", "sex", &[]),
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
    Wording { text, answer, options }
}

/// Why a question is asked, in one word.
pub(super) const fn why(why: Why) -> &'static str {
    match why {
        Why::Safety => "safety",
        Why::Profile => "profile",
        Why::Discriminates => "discriminates",
    }
}

/// Why a question is asked, in a sentence.
pub(super) fn reason(catalogue: &Catalogue, ask: &Ask, why: Why, separates: &[Reference<'_>]) -> String {
    match (ask, why) {
        (Ask::Screen(place, _), _) => {
            catalogue.screens().get(*place).map_or_else(String::new, |screen| screen.reason.clone())
        }
        (_, Why::Profile) => "Age and sex change what is likely and what must be asked.".into(),
        (_, Why::Safety) => "It helps to rule out what must not be missed.".into(),
        (_, Why::Discriminates) => match separates {
            [] => "It tells causes apart.".into(),
            named => {
                let names: Vec<&str> = named.iter().map(|reference| reference.name).collect();
                format!("It helps to tell apart: {}.", names.join("; "))
            }
        },
    }
}

impl<'a> QuestionOption<'a> {
    /// A finding as an option.
    pub(super) fn of(catalogue: &'a Catalogue, finding: FindingIndex) -> Self {
        let finding = catalogue.finding_at(finding);
        Self {
            finding: finding.id.as_str(),
            label: &finding.label,
            question: &finding.question,
            help: &finding.help,
        }
    }
}

const fn checklist(topic: Topic) -> &'static str {
    match topic {
        Topic::Safety => "Do any of these apply to you?",
        Topic::Places => "Do you also feel it in any of these places?",
        Topic::Triggers => "Which of these are true of your pain?",
        Topic::Sensations => "Which of these do you notice?",
        Topic::Background => "Which of these describe you, or how the pain began and went on?",
        Topic::SelfTests => "Press or move gently, and stop if it hurts sharply. Which of these are true?",
        Topic::Examination => "What did the examination or the scans show?",
    }
}
