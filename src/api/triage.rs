//! Triage on the wire: the level, and each reason for it in words.

use serde::Serialize;
use utoipa::ToSchema;

use super::sources;
use crate::{
    assessment::{Because, Model, Reason, Triage},
    catalogue::{Catalogue, FindingIndex, vocabulary::TriageLevel},
};

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
    /// `many_warning_signs`, `unscreened`, `not_known` or `screened`.
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

impl<'a> TriageBody<'a> {
    /// A triage in words.
    pub(super) fn of(catalogue: &'a Catalogue, model: &Model, triage: &Triage) -> Self {
        Self {
            level: triage.level.as_str(),
            provisional: triage.provisional,
            stop_running: triage.stop_running,
            reasons: triage.reasons.iter().map(|reason| reason_body(catalogue, model, reason)).collect(),
            unscreened: finding_ids(catalogue, &triage.unscreened),
            unknown_profile: if triage.age_matters { vec!["age"] } else { Vec::new() },
        }
    }
}

fn finding_ids<'a>(catalogue: &'a Catalogue, findings: &[FindingIndex]) -> Vec<&'a str> {
    findings.iter().map(|finding| catalogue.finding_at(*finding).id.as_str()).collect()
}

fn reason_body<'a>(catalogue: &'a Catalogue, model: &Model, reason: &Reason) -> TriageReason<'a> {
    let mut answer = TriageReason {
        basis: "warning_sign",
        rule: None,
        condition: None,
        probability: None,
        threshold: None,
        level: reason.level.as_str(),
        stop_running: reason.stop_running,
        because: finding_ids(catalogue, &reason.findings),
        set_aside: finding_ids(catalogue, &reason.set_aside),
        text: String::new(),
        action: "Have it looked at within days.",
        sources: Vec::new(),
    };
    match reason.because {
        Because::Rule(place) | Because::RuleOfUnknownAge(place) => {
            let Some(rule) = catalogue.red_flags().get(place) else { return answer };
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
                answer.action =
                    "Tell the age; where it stays unknown, have it looked at by someone who knows it.";
            }
        }
        Because::Condition { hypothesis, probability, threshold } => {
            let condition = catalogue.condition_at(model.condition(hypothesis));
            answer.basis = "condition";
            answer.condition = Some(condition.id.as_str());
            answer.probability = Some(probability);
            answer.threshold = Some(threshold);
            answer.text = format!("This may be: {}. {}", condition.lay_name, condition.urgency.reason);
            answer.action = match reason.level {
                TriageLevel::Emergency => "Go to an emergency department now.",
                TriageLevel::Urgent => "Stop running and be seen today.",
                TriageLevel::SelfCare | TriageLevel::Routine | TriageLevel::Soon => {
                    "Stop running and be seen within days."
                }
            };
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
        Because::NotKnown => {
            answer.basis = "not_known";
            answer.text =
                "Some questions that matter could not be answered, so self-care is not said to be enough."
                    .into();
            answer.action = "See a health professional at an ordinary appointment, sooner if it gets worse.";
        }
        Because::Screened => {
            answer.basis = "screened";
            answer.text = "Every warning sign that matters was asked for and none is present.".into();
            let rule = catalogue.red_flags().iter().find(|rule| rule.level == TriageLevel::SelfCare);
            if let Some(rule) = rule {
                answer.rule = Some(rule.id.as_str());
                answer.action = &rule.action;
                answer.sources = sources::ids(&rule.sources);
            }
        }
    }
    answer
}
