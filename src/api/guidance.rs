//! What an assessment says beside the ranking: its scope, and the dangers that must not be missed.

use serde::Serialize;
use utoipa::ToSchema;

use super::knowledge::Knowledge;
use crate::{
    assessment::{Case, Danger, DangerStatus, OutOfScope, Triage, out_of_scope},
    catalogue::{Catalogue, vocabulary::TriageLevel},
};

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
    dangers: &[Danger],
    triage: &Triage,
) -> Vec<MustNotMiss<'a>> {
    dangers.iter().map(|danger| one_danger(knowledge, danger, triage)).collect()
}

fn one_danger<'a>(knowledge: &'a Knowledge, danger: &Danger, triage: &Triage) -> MustNotMiss<'a> {
    let catalogue = knowledge.catalogue();
    let condition = catalogue.condition_at(knowledge.model().condition(danger.hypothesis));
    // How soon is for triage to say: two voices in one answer would leave a runner with the later one.
    let (status, action) = match (danger.status, triage.level) {
        (DangerStatus::Suspected, TriageLevel::Emergency) => {
            ("suspected", "Go to an emergency department now.")
        }
        (DangerStatus::Suspected, TriageLevel::Urgent) => {
            ("suspected", "Stop running and be seen the same day.")
        }
        (DangerStatus::Suspected, TriageLevel::SelfCare | TriageLevel::Routine | TriageLevel::Soon) => {
            ("suspected", "Stop running and be seen within days.")
        }
        (DangerStatus::NotExcluded, _) if triage.stop_running => {
            ("not_excluded", "Do not run, and name it to whoever looks at the hip.")
        }
        (DangerStatus::NotExcluded, _) => (
            "not_excluded",
            "Keep runs short and easy enough not to hurt; open questions, an examination or a scan can settle it.",
        ),
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
