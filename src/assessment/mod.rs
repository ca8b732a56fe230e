//! What the answers of a runner point to, and how soon someone should look.
//!
//! [`assess`] turns a [`Case`] into an [`Assessment`]: conditions ranked by their post-test probability, each
//! with the evidence that adds up to it, and a triage level that the ranking can raise and never lower.
//! Everything is pure: the same case and the same catalogue give the same numbers, bit for bit, on any machine.
//!
//! What is *not* here: reading files, HTTP, and the steps of care.

mod case;
mod danger;
mod evidence;
mod information;
mod interview;
mod measure;
mod model;
mod open;
mod question;
mod questionnaire;
mod ranking;
mod scope;
mod setting_aside;
mod triage;
mod what_if;

pub use case::{Answer, Case, Conflict};
pub use danger::{Danger, DangerStatus, dangers};
pub use evidence::{CountedAnswer, Helpful, Weighing};
pub use interview::{Interview, StopReason, interview};
pub use measure::{Derived, derive};
pub use model::{Hypothesis, Model};
pub use question::{Ask, Question, Topic, Why};
pub use questionnaire::{PlannedQuestion, level_alone, questionnaire};
pub use ranking::{Ranking, UmbrellaShare};
pub use scope::{OutOfScope, out_of_scope};
pub use triage::{Because, Reason, Triage};
pub use what_if::{Change, WhatIf, what_if};

use crate::catalogue::Catalogue;

/// What a case comes to.
#[derive(Debug)]
pub struct Assessment {
    /// How soon someone should look, and why.
    pub triage: Triage,
    /// What each answer weighs.
    pub weighing: Weighing,
    /// How probable each hypothesis is, before and after the answers.
    pub ranking: Ranking,
}

/// Assesses a case.
#[must_use]
pub fn assess(catalogue: &Catalogue, model: &Model, case: &Case) -> Assessment {
    let weighing = Weighing::of(model, case);
    let ranking = Ranking::of(catalogue, model, case, &weighing);
    let triage = Triage::of(catalogue, model, case, &weighing, &ranking);
    Assessment { triage, weighing, ranking }
}
