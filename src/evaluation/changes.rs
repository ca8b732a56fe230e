//! What another catalogue would answer differently.

use super::outcome::Outcome;

/// From this difference on, a probability counts as changed.
const PROBABILITY_CHANGE: f64 = 0.1;

/// What changed for one vignette.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The vignette.
    pub id: String,
    /// What changed, in words.
    pub what: Vec<String>,
    /// Whether the triage level fell.
    pub triage_fell: bool,
}

/// Vignettes whose first condition, rank, probability (by more than 0.1) or triage level differs.
///
/// Outcomes are matched by id; a vignette that one side lacks is passed over.
#[must_use]
pub fn changes(old: &[Outcome], new: &[Outcome]) -> Vec<Change> {
    new.iter()
        .filter_map(|after| {
            let before = old.iter().find(|before| before.id == after.id)?;
            let mut what = Vec::new();
            if before.first.first() != after.first.first() {
                let name = |outcome: &Outcome| outcome.first.first().cloned().unwrap_or_default();
                what.push(format!("first: {} -> {}", name(before), name(after)));
            }
            if before.rank != after.rank {
                what.push(format!("rank of the right one: {} -> {}", before.rank, after.rank));
            }
            if (before.right_probability - after.right_probability).abs() > PROBABILITY_CHANGE {
                what.push(format!(
                    "probability of the right ones: {:.2} -> {:.2}",
                    before.right_probability, after.right_probability
                ));
            }
            if before.given != after.given {
                what.push(format!("triage: {} -> {} (wanted {})", before.given, after.given, after.triage));
            }
            let triage_fell = after.given_level < before.given_level;
            (!what.is_empty()).then(|| Change { id: after.id.clone(), what, triage_fell })
        })
        .collect()
}
