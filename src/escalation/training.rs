//! How much running is allowed meanwhile: of all rules that apply, the strictest.

use std::collections::BTreeSet;

use crate::catalogue::{
    Catalogue,
    entry::TrainingRule,
    id::ConditionId,
    vocabulary::{Running, TriageLevel},
};

/// What the rules about running look at.
#[derive(Debug, Clone)]
pub struct TrainingFacts<'a> {
    /// How urgent the case is.
    pub level: TriageLevel,
    /// Whether triage says to stop running.
    pub stop_running: bool,
    /// The condition that comes first in the ranking.
    pub first_condition: Option<&'a ConditionId>,
    /// Ids of findings that are present.
    pub present: BTreeSet<&'a str>,
    /// Ids of findings that are reported absent.
    pub absent: BTreeSet<&'a str>,
}

/// What holds for running meanwhile.
#[derive(Debug, Clone)]
pub struct Training<'a> {
    /// How much running is allowed. Never more than triage allows.
    pub running: Running,
    /// The rule that decides: the strictest, and of several the one that looks again soonest.
    pub rule: &'a TrainingRule,
    /// Every rule that applies, the strictest first.
    pub reasons: Vec<&'a TrainingRule>,
}

/// The most running that triage allows.
#[must_use]
pub fn allowed_by_triage(level: TriageLevel, stop_running: bool) -> Running {
    if stop_running || level >= TriageLevel::Urgent {
        Running::Stop
    } else if level >= TriageLevel::Soon {
        Running::NoImpact
    } else {
        Running::Unrestricted
    }
}

/// What holds for running meanwhile; none for a catalogue without a rule that applies, which the check refuses.
#[must_use]
pub fn training<'a>(catalogue: &'a Catalogue, facts: &TrainingFacts<'_>) -> Option<Training<'a>> {
    let rules = || catalogue.training().iter();
    let mut reasons: Vec<&TrainingRule> = rules().filter(|rule| applies(rule, facts)).collect();
    if reasons.is_empty() {
        reasons = rules().filter(|rule| rule.otherwise).collect();
    }
    // Stable: rules that are equal in both keep the order of their ids.
    reasons.sort_by(|one, other| {
        other.running.cmp(&one.running).then(one.recheck_after_days.cmp(&other.recheck_after_days))
    });
    let rule = *reasons.first()?;
    let running = rule.running.max(allowed_by_triage(facts.level, facts.stop_running));
    Some(Training { running, rule, reasons })
}

/// Whether a rule applies by itself: it asks for something that holds, and nothing it wants absent is missing.
fn applies(rule: &TrainingRule, facts: &TrainingFacts<'_>) -> bool {
    let named = rule.level_from.is_some()
        || rule.when_running_stops
        || !rule.conditions.is_empty()
        || !rule.any_of.is_empty();
    let holds = rule.level_from.is_some_and(|level| facts.level >= level)
        || (rule.when_running_stops && facts.stop_running)
        || facts.first_condition.is_some_and(|first| rule.conditions.contains(first))
        || rule.any_of.iter().any(|finding| facts.present.contains(finding.as_str()));
    let absent = rule.all_absent.iter().all(|finding| facts.absent.contains(finding.as_str()));
    absent && (holds || (!named && !rule.all_absent.is_empty()))
}
