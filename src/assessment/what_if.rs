//! What another answer would change: the first condition of the ranking, or the triage level.
//!
//! It shows how firm an assessment is. It is not advice to answer otherwise.

use super::{
    Assessment, assess,
    case::{Answer, Case},
    model::{Hypothesis, Model},
    open::concerns,
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    vocabulary::{Examiner, TriageLevel},
};

/// One answer that was not given, and what it would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The finding.
    pub finding: FindingIndex,
    /// The answer that was not given.
    pub answer: Answer,
    /// The condition that would come first instead.
    pub first: Option<Hypothesis>,
    /// The level that there would be instead.
    pub level: Option<TriageLevel>,
}

impl Change {
    /// Whether it changes anything.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        self.first.is_some() || self.level.is_some()
    }
}

/// What other answers would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// Of the open findings, the answer most probable among those that would change something.
    pub open: Option<Change>,
    /// For each answered finding, in the catalogue's order, what its opposite would change. A finding without an
    /// opposite, such as one place of several while another is present, is left out.
    pub answered: Vec<Change>,
}

/// What another answer to each finding would change.
#[must_use]
pub fn what_if(
    catalogue: &Catalogue,
    model: &Model,
    case: &Case,
    assessment: &Assessment,
    examiner: Examiner,
) -> WhatIf {
    let change = |finding, answer| changed(catalogue, model, case, assessment, finding, answer);
    let answered = case
        .answers()
        .filter_map(|(finding, answer)| {
            let opposite = match answer {
                Answer::Present => Answer::Absent,
                Answer::Absent => Answer::Present,
            };
            change(finding, opposite)
        })
        .collect();
    let mut open: Vec<(f64, FindingIndex, Answer)> = model
        .findings()
        .map(|(finding, _)| finding)
        .filter(|finding| {
            let entry = catalogue.finding_at(*finding);
            (examiner == Examiner::Clinician || entry.kind.examiner() == Examiner::Oneself)
                && concerns(entry, case)
                && case.answer_to(*finding).is_none()
        })
        .flat_map(|finding| {
            let present: f64 = model
                .hypotheses()
                .map(|(hypothesis, _)| {
                    assessment.ranking.posterior(hypothesis) * model.probability(finding, hypothesis)
                })
                .sum();
            [(present, finding, Answer::Present), (1.0 - present, finding, Answer::Absent)]
        })
        .collect();
    // Stable: equally probable answers keep the catalogue's order.
    open.sort_by(|one, other| other.0.total_cmp(&one.0));
    let open =
        open.into_iter().filter_map(|(_, finding, answer)| change(finding, answer)).find(Change::is_any);
    WhatIf { open, answered }
}

/// What one answer would change; none where it does not fit the others.
fn changed(
    catalogue: &Catalogue,
    model: &Model,
    case: &Case,
    assessment: &Assessment,
    finding: FindingIndex,
    answer: Answer,
) -> Option<Change> {
    let mut other = case.without(&[finding]);
    other.answer(catalogue, finding, answer).ok()?;
    let otherwise = assess(catalogue, model, &other);
    let first = |assessment: &Assessment| assessment.ranking.order().first().copied();
    let differs = first(&otherwise) != first(assessment);
    Some(Change {
        finding,
        answer,
        first: first(&otherwise).filter(|_| differs),
        level: Some(otherwise.triage.level).filter(|level| *level != assessment.triage.level),
    })
}
