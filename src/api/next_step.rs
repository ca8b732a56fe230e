//! The next step of care on the wire: the first one, or the one that follows from what was tried.

use serde::Serialize;
use utoipa::ToSchema;

use super::escalation::{NextActionView, next_action};
use crate::{
    catalogue::{
        Catalogue,
        entry::{Condition, Step, Treatment},
    },
    escalation::{Course, FirstStepFacts, first_step, position},
};

/// The step of care that comes next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextStep)]
pub struct NextStepBody<'a> {
    /// `conservative`, `injection` or `surgery`.
    pub stage: &'static str,
    /// What is open now or goes on, advised things first.
    pub treatments: Vec<NextTreatment<'a>>,
    /// What to do next, where `history` is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<NextActionView<'a>>,
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
    /// Where `history` is sent: `available` or `current`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// How it is done for this condition.
    pub detail: &'a str,
}

impl<'a> NextTreatment<'a> {
    fn of(step: &'a Step, treatment: &'a Treatment, status: Option<&'static str>) -> Self {
        Self {
            id: treatment.id.as_str(),
            name: &treatment.name,
            recommendation: step.recommendation.as_str(),
            status,
            detail: &step.detail,
        }
    }
}

impl<'a> NextStepBody<'a> {
    /// The step for someone who tried nothing yet; none where the ladder has none.
    pub(super) fn first(
        catalogue: &'a Catalogue,
        condition: &'a Condition,
        facts: &FirstStepFacts,
    ) -> Option<Self> {
        let first = first_step(catalogue, condition, facts)?;
        Some(Self {
            stage: first.stage.as_str(),
            treatments: first
                .steps
                .into_iter()
                .map(|(step, treatment)| NextTreatment::of(step, treatment, None))
                .collect(),
            action: None,
            review_after_weeks: first.review_after_weeks,
        })
    }

    /// The step that follows from what was tried.
    pub(super) fn after(catalogue: &'a Catalogue, condition: &'a Condition, course: &'a Course) -> Self {
        let position = position(catalogue, condition, course);
        Self {
            stage: position.next_stage().as_str(),
            treatments: position
                .open_steps()
                .into_iter()
                .map(|step| NextTreatment::of(step.step, step.treatment, Some(step.status.as_str())))
                .collect(),
            action: Some(next_action(&position.next)),
            review_after_weeks: position.review_after_weeks,
        }
    }
}
