//! Red-flag rules: `red-flags.toml`.

use serde::Deserialize;

use super::super::{
    id::{ConditionId, FindingId, RedFlagId, SourceId},
    vocabulary::{Sex, TriageLevel},
};

/// A rule that overrules the ranking: an entry of `red-flags.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedFlag {
    /// Its id.
    pub id: RedFlagId,
    /// What it is about.
    pub concern: String,
    /// The conditions it guards against; none means any.
    #[serde(default)]
    pub conditions: Vec<ConditionId>,
    /// Findings that must all be present.
    #[serde(default)]
    pub all_of: Vec<FindingId>,
    /// Findings that must all be reported absent; unknown is not absent.
    #[serde(default)]
    pub all_absent: Vec<FindingId>,
    /// Findings of which at least `at_least` must be present.
    #[serde(default)]
    pub any_of: Vec<FindingId>,
    /// How many of `any_of`.
    #[serde(default)]
    pub at_least: u8,
    /// From this age on, in years.
    pub age_from: Option<u8>,
    /// Up to this age, in years.
    pub age_to: Option<u8>,
    /// For this sex only.
    pub sex: Option<Sex>,
    /// How urgent the case is at least.
    pub level: TriageLevel,
    /// Whether running stops until someone has looked.
    #[serde(default)]
    pub stop_running: bool,
    /// What to do.
    pub action: String,
    /// Why.
    pub reason: String,
    /// The sources.
    pub sources: Vec<SourceId>,
}

impl RedFlag {
    /// Whether any finding is needed for it to fire.
    #[must_use]
    pub fn needs_findings(&self) -> bool {
        !self.all_of.is_empty() || !self.all_absent.is_empty() || self.at_least > 0
    }
}
