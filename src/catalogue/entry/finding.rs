//! Findings, the measures they can be read from, their groups and the questions that screen for several.

use serde::Deserialize;

use super::super::{
    id::{ContraindicationId, FindingId, GroupId, MeasureId, ScreenId, SourceId},
    quantity::{Coefficient, Probability},
    vocabulary::{FindingKind, GroupKind, Sex},
};

/// Something that can be reported present or absent: an entry of `findings/*.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// A short name.
    pub label: String,
    /// The question in plain words, answered by yes or no.
    pub question: String,
    /// How to answer it, or to test it safely.
    pub help: String,
    /// What runners call it.
    pub synonyms: Vec<String>,
    /// What sort of thing it is.
    pub kind: FindingKind,
    /// The group it belongs to.
    pub group: Option<GroupId>,
    /// Ids that it had before; they stay accepted.
    #[serde(default)]
    pub former_ids: Vec<FindingId>,
    /// Whether its presence is a warning in itself.
    #[serde(default)]
    pub red_flag: bool,
    /// The runners whom it concerns; without it, all.
    pub only_for: Option<OnlyFor>,
    /// Whether testing it loads the hip in a way that an undetected fracture would not bear.
    #[serde(default)]
    pub loading_test: bool,
    /// Whether its presence puts a case outside of what the catalogue is made for, and why.
    pub out_of_scope: Option<String>,
    /// Reasons against a treatment that its presence stands for.
    #[serde(default)]
    pub contraindicates: Vec<ContraindicationId>,
    /// How often it is present in hip pain from none of the listed causes.
    pub background: Background,
}

/// The runners whom a finding concerns.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlyFor {
    /// Of this sex.
    pub sex: Option<Sex>,
    /// From this age on, in years.
    pub age_from: Option<u8>,
    /// Up to this age, in years.
    pub age_to: Option<u8>,
}

/// How often a finding is present when none of the listed conditions is the cause.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    /// P(finding present | none of these).
    pub probability: Probability,
    /// Where the figure comes from.
    pub basis: String,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// A question that asks for several warning signs at once: an entry of `screens.toml`.
///
/// The file's order is the order of asking. Which of the findings are asked depends on age, sex and picture.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// Its id.
    pub id: ScreenId,
    /// The question, to which the findings are the options.
    pub question: String,
    /// Why it is asked.
    pub reason: String,
    /// The warning signs.
    pub findings: Vec<FindingId>,
}

/// A number that apps know, and the findings it stands for: an entry of `measures.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Its id.
    pub id: MeasureId,
    /// What it measures.
    pub label: String,
    /// The question in plain words, answered by a number.
    pub question: String,
    /// Its unit.
    pub unit: String,
    /// The least value that is accepted.
    pub least: f64,
    /// The largest value that is accepted.
    pub most: f64,
    /// The findings that it stands for.
    pub rules: Vec<MeasureRule>,
}

/// From which value on a measure stands for a finding.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureRule {
    /// The finding.
    pub finding: FindingId,
    /// Divide by this other measure first; without it the rule says nothing.
    pub relative_to: Option<MeasureId>,
    /// The finding is present from this value upwards ...
    pub present_from: Option<f64>,
    /// ... or below this one.
    pub present_below: Option<f64>,
    /// It is absent from this value upwards ...
    pub absent_from: Option<f64>,
    /// ... or below this one.
    pub absent_below: Option<f64>,
    /// Why these limits.
    pub reason: String,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// A group of findings: an entry of `groups.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// What its findings have in common.
    pub label: String,
    /// How they hang together.
    pub kind: GroupKind,
    /// The one question to which the findings of a single choice are the options.
    pub question: Option<String>,
    /// How much they repeat each other; for correlated groups only.
    pub coefficient: Option<Coefficient>,
    /// Why.
    pub reason: String,
}
