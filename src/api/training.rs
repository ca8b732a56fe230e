//! What an assessment says of running meanwhile.

use serde::Serialize;
use utoipa::ToSchema;

use super::sources;
use crate::{catalogue::entry::TrainingRule, escalation::Training};

/// How much running is allowed meanwhile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Training)]
pub struct TrainingBody<'a> {
    /// `unrestricted` (as before), `modified` (less and easier, by the rule for pain), `no_impact` (no running and no
    /// jumping) or `stop` (nothing that loads the leg until someone has looked). Never more than triage allows.
    pub running: &'static str,
    /// What to do instead of, or beside, running.
    pub alternatives: Vec<&'a str>,
    /// How much pain is allowed during and after.
    pub pain_rule: &'a str,
    /// Until when it holds.
    pub until: &'a str,
    /// When to look again, in days.
    #[schema(minimum = 0, maximum = 365)]
    pub recheck_after_days: u16,
    /// What makes it stricter.
    pub stricter_if: Vec<&'a str>,
    /// Every rule that applies, the strictest first; the first one decides.
    pub reasons: Vec<TrainingReason<'a>>,
}

/// A rule about running that applies.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrainingReason<'a> {
    /// Its id.
    pub rule: &'a str,
    /// How much running it allows: `unrestricted`, `modified`, `no_impact` or `stop`.
    pub running: &'static str,
    /// Why.
    pub reason: &'a str,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

impl<'a> From<&'a TrainingRule> for TrainingReason<'a> {
    fn from(rule: &'a TrainingRule) -> Self {
        Self {
            rule: rule.id.as_str(),
            running: rule.running.as_str(),
            reason: &rule.reason,
            grade: rule.grade.as_str(),
            sources: sources::ids(&rule.sources),
        }
    }
}

impl<'a> From<&Training<'a>> for TrainingBody<'a> {
    fn from(training: &Training<'a>) -> Self {
        let rule = training.rule;
        Self {
            running: training.running.as_str(),
            alternatives: rule.alternatives.iter().map(String::as_str).collect(),
            pain_rule: &rule.pain_rule,
            until: &rule.until,
            recheck_after_days: rule.recheck_after_days,
            stricter_if: rule.stricter_if.iter().map(String::as_str).collect(),
            reasons: training.reasons.iter().copied().map(TrainingReason::from).collect(),
        }
    }
}
