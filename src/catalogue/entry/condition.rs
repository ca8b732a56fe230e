//! A condition with its evidence, its urgency and its ladder of care: `conditions/*.toml`.

use serde::Deserialize;

use super::{
    super::{
        id::{CircumstanceId, ConditionId, ExerciseId, FindingId, PreventionId, SourceId, TreatmentId},
        quantity::{Multiplier, Probability, Share, Weeks},
        vocabulary::{Category, Grade, Imaging, Recommendation, Role, Stage, TriageLevel},
    },
    about::{PerAgeBand, PerSex},
};

/// All that is said of one condition: `conditions/<id>.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Its id, the name of its file.
    pub id: ConditionId,
    /// Its clinical name.
    pub name: String,
    /// What a runner would call it.
    pub lay_name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// What it belongs to.
    pub category: Category,
    /// What part it plays in the ranking.
    #[serde(default = "ranked")]
    pub role: Role,
    /// For an umbrella: the conditions under it.
    #[serde(default)]
    pub members: Vec<ConditionId>,
    /// What it is, where and when it hurts.
    pub description: String,
    /// What brings it on.
    pub causes: Vec<String>,
    /// Anything else a reader should know.
    pub remark: Option<String>,
    /// General sources.
    pub sources: Vec<SourceId>,
    /// Codes of classifications.
    pub codes: Codes,
    /// How often it is the cause before anything is asked.
    pub pre_test: PreTest,
    /// How urgent it is, and from which probability it must not be missed.
    pub urgency: Urgency,
    /// How it usually goes.
    pub course: Course,
    /// Prevention steps and rules that fit.
    pub prevention: Vec<PreventionId>,
    /// Exercises that fit, best first.
    pub exercises: Vec<ExerciseId>,
    /// How often each finding is present in it.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// The steps of care, first things first.
    #[serde(default)]
    pub ladder: Vec<Step>,
}

const fn ranked() -> Role {
    Role::Ranked
}

/// Codes of a condition in public classifications.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// ICD-10-CM families; a trailing hyphen means that more characters follow.
    pub icd10cm: Vec<String>,
    /// SNOMED CT concepts.
    pub snomed_ct: Vec<String>,
}

/// How often a condition is the cause of a runner's hip pain before anything is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreTest {
    /// The base share; over all conditions they sum to 1. 0 for an umbrella.
    pub probability: Share,
    /// Where the figure comes from.
    pub basis: String,
    /// How good that is.
    pub grade: Grade,
    /// The sources behind it.
    pub sources: Vec<SourceId>,
    /// Where the age and sex factors come from.
    pub factors_basis: Option<String>,
    /// Factor for each age band.
    pub age: PerAgeBand<Multiplier>,
    /// Factor for each sex.
    pub sex: PerSex<Multiplier>,
}

/// How urgent a condition is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Urgency {
    /// Its level once it is what the runner has.
    pub level: TriageLevel,
    /// Why.
    pub reason: String,
    /// From which probabilities it raises the triage level of a case, and to which level.
    #[serde(default)]
    pub raises: Vec<Raise>,
}

/// A probability from which a condition must not be missed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// From this post-test probability upwards ...
    pub from: Share,
    /// ... the case is at least this urgent.
    pub level: TriageLevel,
}

/// How often a finding is present in a condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The finding.
    pub finding: FindingId,
    /// P(finding present | condition).
    pub probability: Probability,
    /// Confidence interval for grades A and B, else range of judgement: `[low, high]`.
    pub range: (f64, f64),
    /// How good the evidence is.
    pub grade: Grade,
    /// The sources. For grade D they describe the condition without giving this figure.
    pub sources: Vec<SourceId>,
    /// Sensitivity as published.
    pub published_sensitivity: Option<String>,
    /// Specificity as published.
    pub published_specificity: Option<String>,
    /// How the published specificity agrees with the background rate that is used.
    pub background_agreement: Option<String>,
    /// What else must be known to check the figure.
    pub note: Option<String>,
}

/// One step of a condition's ladder of care.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The treatment; it carries the stage.
    pub treatment: TreatmentId,
    /// Whether it is advised.
    pub recommendation: Recommendation,
    /// How it is done for this condition.
    pub detail: String,
    /// What to expect and by when.
    pub expected_course: Option<String>,
    /// Why it is advised against, where it is.
    pub why_not: Option<String>,
    /// What else must be known.
    pub note: Option<String>,
    /// How good the evidence is.
    pub grade: Grade,
    /// The sources.
    pub sources: Vec<SourceId>,
    /// What must hold before it.
    #[serde(default)]
    pub gate: Gate,
}

/// What must hold before a step is taken. An empty gate is open.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// A stage that must have been tried.
    pub after: Option<Stage>,
    /// How many weeks of that stage (of care at all, where no stage is named).
    pub weeks: Option<Weeks>,
    /// Only when care so far did not help enough.
    #[serde(default)]
    pub inadequate_response: bool,
    /// Only when medicine by mouth was tried.
    #[serde(default)]
    pub after_oral_medicine: bool,
    /// A state of recovery or of the injury that must be established.
    pub circumstance: Option<CircumstanceId>,
    /// Needs no waiting: the condition is dealt with this way at once.
    #[serde(default)]
    pub immediate: bool,
    /// Scans or tests that must have been made.
    pub imaging: Option<ImagingGate>,
    /// Caps on injections.
    pub injections: Option<InjectionCaps>,
}

/// Which scans or tests a gate asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ImagingGate {
    /// One of these is enough.
    AnyOf(Vec<Imaging>),
    /// All of these are due.
    AllOf(Vec<Imaging>),
}

/// How many injections are the most.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectionCaps {
    /// In the same area, ever.
    pub per_area: u8,
    /// In a year.
    pub per_year: u8,
    /// Weeks between two.
    pub weeks_between: Weeks,
}

/// How a condition usually goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// The usual time course.
    pub expected: String,
    /// When to look again if nothing gets worse before; none where someone looks at once.
    pub review_after_weeks: Option<Weeks>,
    /// When to see someone sooner.
    pub seek_help: Vec<String>,
}
