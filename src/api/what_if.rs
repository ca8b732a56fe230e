//! What other answers would change, on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use super::{conditions::Reference, evidence::state};
use crate::{
    assessment::{Change, Model, WhatIf},
    catalogue::Catalogue,
};

/// What other answers would change: how firm the assessment is. It is not advice to answer otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhatIf)]
pub struct WhatIfBody<'a> {
    /// Of the open findings, the most probable answer that would change the first condition or the triage level; left
    /// out where none would by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<ChangeBody<'a>>,
    /// For each answered finding, what its opposite would change. One that cannot be turned round by itself, such as a
    /// place that is not the one named, is left out.
    pub answered: Vec<ChangeBody<'a>>,
}

/// An answer that was not given, and what it would change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeBody<'a> {
    /// The finding.
    pub finding: &'a str,
    /// The answer that was not given: `present` or `absent`.
    pub state: &'static str,
    /// Whether it would change the first condition or the triage level.
    pub changes: bool,
    /// The condition that would come first instead; left out where the same one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Reference<'a>>,
    /// The triage level that there would be instead; left out where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<&'static str>,
}

impl<'a> WhatIfBody<'a> {
    /// Changes in words.
    pub(super) fn of(catalogue: &'a Catalogue, model: &Model, what_if: &WhatIf) -> Self {
        Self {
            open: what_if.open.as_ref().map(|change| ChangeBody::of(catalogue, model, change)),
            answered: what_if
                .answered
                .iter()
                .map(|change| ChangeBody::of(catalogue, model, change))
                .collect(),
        }
    }
}

impl<'a> ChangeBody<'a> {
    fn of(catalogue: &'a Catalogue, model: &Model, change: &Change) -> Self {
        Self {
            finding: catalogue.finding_at(change.finding).id.as_str(),
            state: state(change.answer),
            changes: change.is_any(),
            first: change.first.map(|first| {
                let condition = catalogue.condition_at(model.condition(first));
                Reference { id: condition.id.as_str(), name: &condition.name }
            }),
            level: change.level.map(|level| level.as_str()),
        }
    }
}
