//! The rungs of care of one condition and which of them stand open.

use std::collections::BTreeSet;

use crate::catalogue::{
    Catalogue,
    entry::{Condition, Gate, Step, Treatment},
    id::ContraindicationId,
    vocabulary::{Recommendation, Stage, TriageLevel},
};

/// What a first step of care depends on.
#[derive(Debug, Clone, Default)]
pub struct FirstStepFacts {
    /// Whether treatments that load the hip are held back until someone has looked.
    pub unloaded: bool,
    /// Reasons against a treatment that are there.
    pub contraindications: BTreeSet<ContraindicationId>,
}

impl FirstStepFacts {
    /// What triage and the known reasons against a treatment allow.
    ///
    /// Nobody loads the hip before a case of `soon` or more, or one in which running stops, was looked at.
    #[must_use]
    pub fn new(
        level: TriageLevel,
        stop_running: bool,
        contraindications: BTreeSet<ContraindicationId>,
    ) -> Self {
        Self { unloaded: stop_running || level >= TriageLevel::Soon, contraindications }
    }

    fn allow(&self, treatment: &Treatment) -> bool {
        let reason_against =
            treatment.contraindications.iter().any(|reason| self.contraindications.contains(&reason.id));
        let held_back = self.unloaded && treatment.loading;
        !held_back && !reason_against
    }
}

/// The steps that someone who tried nothing yet would take first.
#[derive(Debug, Clone)]
pub struct FirstStep<'a> {
    /// The stage of care.
    pub stage: Stage,
    /// The open steps of that stage with their treatments: advised ones first, then those to weigh.
    pub steps: Vec<(&'a Step, &'a Treatment)>,
    /// When to look again, in weeks.
    pub review_after_weeks: Option<f64>,
}

/// The first step for a condition when nothing was tried yet; none where the ladder has no open step.
#[must_use]
pub fn first_step<'a>(
    catalogue: &'a Catalogue,
    condition: &'a Condition,
    facts: &FirstStepFacts,
) -> Option<FirstStep<'a>> {
    let mut open: Vec<(&Step, &Treatment)> = condition
        .ladder
        .iter()
        .filter(|step| step.recommendation != Recommendation::NotRecommended && opens_at_once(&step.gate))
        .filter_map(|step| Some((step, catalogue.treatment(step.treatment.as_str())?)))
        .filter(|(_, treatment)| facts.allow(treatment))
        .collect();
    let stage = open.iter().map(|(_, treatment)| treatment.stage).min()?;
    open.retain(|(_, treatment)| treatment.stage == stage);
    // Stable: within one recommendation the order of the ladder stays.
    open.sort_by_key(|(step, _)| step.recommendation);
    Some(FirstStep {
        stage,
        steps: open,
        review_after_weeks: condition.course.review_after_weeks.map(|weeks| weeks.get()),
    })
}

/// Whether a gate asks for nothing that a newcomer could lack.
fn opens_at_once(gate: &Gate) -> bool {
    let Gate {
        after,
        weeks,
        inadequate_response,
        after_oral_medicine,
        circumstance,
        immediate,
        imaging,
        injections,
    } = gate;
    *immediate
        || (after.is_none()
            && weeks.is_none_or(|weeks| weeks.get() <= 0.0)
            && !inadequate_response
            && !after_oral_medicine
            && circumstance.is_none()
            && imaging.is_none()
            && injections.is_none())
}
