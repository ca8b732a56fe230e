//! The rungs of care of one condition and which of them stand open.

use crate::catalogue::{
    Catalogue,
    entry::{Condition, Gate, Step, Treatment},
    vocabulary::{Recommendation, Stage},
};

/// The steps that someone who tried nothing yet would take first.
#[derive(Debug, Clone)]
pub struct NextStep<'a> {
    /// The stage of care.
    pub stage: Stage,
    /// The open steps of that stage with their treatments: advised ones first, then those to weigh.
    pub steps: Vec<(&'a Step, &'a Treatment)>,
    /// When to look again, in weeks.
    pub review_after_weeks: Option<f64>,
}

/// The next step for a condition when nothing was tried yet; none where the ladder has no open step.
///
/// With `unloaded` every treatment that loads the hip is left out: it is not advised before someone looked.
#[must_use]
pub fn next_step<'a>(
    catalogue: &'a Catalogue,
    condition: &'a Condition,
    unloaded: bool,
) -> Option<NextStep<'a>> {
    let mut open: Vec<(&Step, &Treatment)> = condition
        .ladder
        .iter()
        .filter(|step| step.recommendation != Recommendation::NotRecommended && opens_at_once(&step.gate))
        .filter_map(|step| Some((step, catalogue.treatment(step.treatment.as_str())?)))
        .filter(|(_, treatment)| !(unloaded && treatment.loading))
        .collect();
    let stage = open.iter().map(|(_, treatment)| treatment.stage).min()?;
    open.retain(|(_, treatment)| treatment.stage == stage);
    // Stable: within one recommendation the order of the ladder stays.
    open.sort_by_key(|(step, _)| step.recommendation);
    Some(NextStep {
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
