//! Treatments, what speaks against them, exercises, prevention, and running meanwhile and afterwards.

use serde::Deserialize;

use super::super::{
    id::{
        CircumstanceId, ConditionId, ContraindicationId, ExerciseId, FindingId, PreventionId, ProgressionId,
        SourceId, TrainingRuleId, TreatmentId,
    },
    vocabulary::{ExerciseKind, Grade, PreventionKind, Running, Stage, TreatmentClass, TriageLevel},
};

/// A rule about running meanwhile: an entry of `training.toml`. Of all that apply the strictest holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRule {
    /// Its id.
    pub id: TrainingRuleId,
    /// How much running it allows.
    pub running: Running,
    /// It applies from this triage level on.
    pub level_from: Option<TriageLevel>,
    /// It applies when triage says to stop running.
    #[serde(default)]
    pub when_running_stops: bool,
    /// It applies when one of these conditions comes first in the ranking.
    #[serde(default)]
    pub conditions: Vec<ConditionId>,
    /// It applies when one of these findings is present.
    #[serde(default)]
    pub any_of: Vec<FindingId>,
    /// It applies only when all of these findings are reported absent.
    #[serde(default)]
    pub all_absent: Vec<FindingId>,
    /// It applies when no other rule does.
    #[serde(default)]
    pub otherwise: bool,
    /// What to do instead of, or beside, running.
    pub alternatives: Vec<String>,
    /// How much pain is allowed during and after.
    pub pain_rule: String,
    /// Until when.
    pub until: String,
    /// When to look again, in days.
    pub recheck_after_days: u16,
    /// What makes it stricter.
    pub stricter_if: Vec<String>,
    /// Why.
    pub reason: String,
    /// How good the evidence is.
    pub grade: Grade,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// A plan for the return to running: an entry of `return-to-run.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progression {
    /// Its id.
    pub id: ProgressionId,
    /// Its name.
    pub name: String,
    /// Conditions it is for; none means every one that no other plan names.
    #[serde(default)]
    pub conditions: Vec<ConditionId>,
    /// Its steps, in order.
    pub steps: Vec<String>,
    /// How many sessions without trouble a step asks for before the next.
    pub sessions_per_step: u8,
    /// Days between two sessions.
    pub days_between: u8,
    /// Up to this pain during the run, from 0 to 10, the plan goes on.
    pub pain_during_at_most: u8,
    /// Up to this pain in the 24 hours after, from 0 to 10, the plan goes on.
    pub pain_after_at_most: u8,
    /// From this pain on, during or after, the plan goes back a step.
    pub step_back_from: u8,
    /// Whether an injured bone must have been excluded, or have healed on a scan, before it begins.
    #[serde(default)]
    pub bone_must_be_cleared: bool,
    /// What must hold before it begins.
    pub begin_when: Vec<String>,
    /// When to stop and see someone.
    pub see_someone_if: Vec<String>,
    /// Why.
    pub reason: String,
    /// How good the evidence is.
    pub grade: Grade,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// A treatment: an entry of `treatments.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Treatment {
    /// Its id.
    pub id: TreatmentId,
    /// Its name.
    pub name: String,
    /// What it is and how it is done.
    pub description: String,
    /// How much and how often.
    pub dosage: Option<String>,
    /// The stage of care it belongs to.
    pub stage: Stage,
    /// What sort of thing it is.
    pub class: TreatmentClass,
    /// Whether it is a medicine by mouth.
    #[serde(default)]
    pub oral_medicine: bool,
    /// Whether it injects a corticosteroid.
    #[serde(default)]
    pub corticosteroid: bool,
    /// Whether it loads the hip in a way that an undetected fracture would not bear.
    #[serde(default)]
    pub loading: bool,
    /// Reasons not to.
    pub contraindications: Vec<Contraindication>,
}

/// A reason why a treatment must not be given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contraindication {
    /// Its id, the same for every treatment.
    pub id: ContraindicationId,
    /// In words.
    pub text: String,
}

/// A state of recovery or of an injury that a gate asks for: an entry of `circumstances.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstance {
    /// Its id.
    pub id: CircumstanceId,
    /// In words.
    pub text: String,
    /// Whether a runner can tell, or only a clinician.
    #[serde(default)]
    pub clinician_only: bool,
}

/// A stretch, strengthening exercise or warm-up: an entry of `exercises.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// Its id.
    pub id: ExerciseId,
    /// Its name.
    pub name: String,
    /// What sort of thing it is.
    pub kind: ExerciseKind,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// How much and how often.
    pub dosage: String,
    /// What it works on.
    pub target: String,
    /// When to leave it.
    pub when_not_to: Vec<String>,
    /// What else must be known.
    pub note: Option<String>,
    /// How good the evidence is.
    pub grade: Grade,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// A prevention step or rule: an entry of `prevention.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prevention {
    /// Its id.
    pub id: PreventionId,
    /// Its name.
    pub name: String,
    /// What sort of thing it is.
    pub kind: PreventionKind,
    /// What to do.
    pub steps: Vec<String>,
    /// How much and how often.
    pub dosage: String,
    /// What it works on.
    pub target: String,
    /// When it does not apply.
    pub when_not_to: Vec<String>,
    /// What else must be known.
    pub note: Option<String>,
    /// How good the evidence is.
    pub grade: Grade,
    /// The sources.
    pub sources: Vec<SourceId>,
}
