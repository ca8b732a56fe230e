//! Conditions that must not be missed, each by itself and apart from the ranking.

use super::{
    Assessment,
    case::Case,
    evidence::Weighing,
    model::{Hypothesis, Model},
    triage::Because,
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    entry::Condition,
    vocabulary::{Examiner, TriageLevel},
};

/// Below this pre-test probability an age or sex does not allow a condition.
const ALLOWED_FROM: f64 = 0.000_02;

/// A condition is excluded when its probability is below this part of its lowest threshold ...
const EXCLUDED_BELOW: f64 = 0.2;

/// ... and this many of the findings that tell most about it are answered.
const DECIDING_FINDINGS: usize = 3;

/// How far a dangerous condition is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DangerStatus {
    /// Nothing speaks for it, and what would have spoken was asked.
    Excluded,
    /// It is not likely, but not enough was asked.
    NotExcluded,
    /// A rule or its probability raises the triage level.
    Suspected,
}

/// One condition that must not be missed.
#[derive(Debug, Clone)]
pub struct Danger {
    /// The condition.
    pub hypothesis: Hypothesis,
    /// How far it is settled.
    pub status: DangerStatus,
    /// Its post-test probability.
    pub probability: f64,
    /// Findings not answered that would settle it best.
    pub settled_by: Vec<FindingIndex>,
}

/// Every dangerous condition that age and sex allow: suspected ones first, then by urgency and probability.
#[must_use]
pub fn dangers(catalogue: &Catalogue, model: &Model, case: &Case, assessment: &Assessment) -> Vec<Danger> {
    let ranking = &assessment.ranking;
    let mut dangers: Vec<Danger> = ranking
        .order()
        .iter()
        .copied()
        .filter(|hypothesis| {
            let condition = catalogue.condition_at(model.condition(*hypothesis));
            condition.urgency.level > TriageLevel::Routine && ranking.prior(*hypothesis) >= ALLOWED_FROM
        })
        .map(|hypothesis| danger(catalogue, model, case, assessment, hypothesis))
        .collect();
    let urgency = |danger: &Danger| catalogue.condition_at(model.condition(danger.hypothesis)).urgency.level;
    dangers.sort_by(|one, other| {
        other
            .status
            .cmp(&one.status)
            .then(urgency(other).cmp(&urgency(one)))
            .then(other.probability.total_cmp(&one.probability))
    });
    dangers
}

fn danger(
    catalogue: &Catalogue,
    model: &Model,
    case: &Case,
    assessment: &Assessment,
    hypothesis: Hypothesis,
) -> Danger {
    let condition = catalogue.condition_at(model.condition(hypothesis));
    let probability = assessment.ranking.posterior(hypothesis);
    let by_oneself = |finding| catalogue.finding_at(finding).kind.examiner() == Examiner::Oneself;
    let open = Weighing::most_helpful(model, case, hypothesis, DECIDING_FINDINGS, |_| true);
    // Of all that could be asked, the most telling: have they been answered?
    let blank = Case::new(case.age(), case.sex());
    let deciding = Weighing::most_helpful(model, &blank, hypothesis, DECIDING_FINDINGS, by_oneself);
    let answered = deciding.iter().all(|helpful| {
        case.answer_to(helpful.finding).is_some() || is_settled(catalogue, case, helpful.finding)
    });
    let status = if is_suspected(catalogue, assessment, condition, hypothesis) {
        DangerStatus::Suspected
    } else if answered
        && probability < EXCLUDED_BELOW * lowest_threshold(condition)
        && !is_guarded(catalogue, assessment, condition)
    {
        DangerStatus::Excluded
    } else {
        DangerStatus::NotExcluded
    };
    Danger {
        hypothesis,
        status,
        probability,
        settled_by: open.iter().map(|helpful| helpful.finding).collect(),
    }
}

/// Whether another option of the same single choice is present.
fn is_settled(catalogue: &Catalogue, case: &Case, finding: FindingIndex) -> bool {
    let group = &catalogue.finding_at(finding).group;
    group.is_some()
        && case.present().any(|other| other != finding && catalogue.finding_at(other).group == *group)
}

fn lowest_threshold(condition: &Condition) -> f64 {
    condition.urgency.raises.iter().map(|raise| raise.from.get()).fold(1.0, f64::min)
}

/// Whether a reason for the triage level names the condition.
fn is_suspected(
    catalogue: &Catalogue,
    assessment: &Assessment,
    condition: &Condition,
    hypothesis: Hypothesis,
) -> bool {
    assessment.triage.reasons.iter().any(|reason| match reason.because {
        Because::Rule(place) => {
            // A rule about an age or a past alone suspects nothing yet.
            let rule = catalogue.red_flags().get(place);
            reason.level > TriageLevel::Routine
                && rule.is_some_and(|rule| rule.needs_findings() && rule.conditions.contains(&condition.id))
        }
        Because::Condition { hypothesis: raised, .. } => raised == hypothesis,
        Because::RuleOfUnknownAge(_)
        | Because::ManyWarningSigns
        | Because::WarningSign
        | Because::Unscreened
        | Because::NotKnown
        | Because::Screened => false,
    })
}

/// Whether a rule that guards against the condition could still fire by a warning sign that was not asked.
fn is_guarded(catalogue: &Catalogue, assessment: &Assessment, condition: &Condition) -> bool {
    let open = &assessment.triage.unscreened;
    catalogue.red_flags().iter().filter(|rule| rule.conditions.contains(&condition.id)).any(|rule| {
        rule.all_of
            .iter()
            .chain(&rule.any_of)
            .filter_map(|id| catalogue.finding_index(id.as_str()))
            .any(|finding| open.contains(&finding))
    })
}
