//! The shapes of the knowledge, as curators write it in TOML and as the rest of the program reads it.
//!
//! A value of these types is well formed (ids are ids, probabilities are probabilities). Whether it is
//! sound beside all the others is the business of [`check`](super::check).

use serde::Deserialize;

use super::{
    id::{
        CircumstanceId, ConditionId, ContraindicationId, ExerciseId, FindingId, GroupId, MeasureId,
        PreventionId, ProgressionId, RedFlagId, ScreenId, SourceId, TrainingRuleId, TreatmentId,
    },
    quantity::{Coefficient, Multiplier, Probability, Share, Weeks},
    vocabulary::{
        AgeBand, Category, ExerciseKind, FindingKind, Grade, GroupKind, Imaging, PreventionKind,
        Recommendation, Role, Running, Sex, Stage, TreatmentClass, TriageLevel,
    },
};

/// What is said of the catalogue as a whole: `catalogue.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Version of the knowledge, `year.month.number`.
    pub version: String,
    /// Name of the catalogue.
    pub title: String,
    /// Languages of its texts, as BCP 47 tags.
    pub languages: Vec<String>,
    /// Licence of the data, as an SPDX expression.
    pub licence: String,
    /// What it is for.
    pub intended_use: String,
    /// What it is not for.
    pub not_for: Vec<String>,
    /// The sentence that goes with every assessment.
    pub disclaimer: String,
    /// What each evidence grade means.
    pub grades: Vec<GradeMeaning>,
    /// Who the runners are, for answers without age or sex.
    pub population: Population,
    /// Words for probabilities, from the highest down.
    pub likelihood_words: Vec<LikelihoodWord>,
    /// The ages that the catalogue is made for, in years.
    pub supported_ages: SupportedAges,
    /// How the catalogue was evaluated, in words; the figures stand in `evaluation.json`.
    pub evaluation: Option<EvaluationNotes>,
}

/// The ages that a catalogue is made for, in years, both included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportedAges {
    /// The youngest.
    pub from: u8,
    /// The oldest.
    pub to: u8,
}

/// How a catalogue was evaluated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationNotes {
    /// On what, by whom, with which judgements.
    pub method: String,
    /// What the figures do not show.
    pub limits: Vec<String>,
}

/// The meaning of one evidence grade.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeMeaning {
    /// The grade.
    pub grade: Grade,
    /// What it stands for.
    pub meaning: String,
}

/// The mix of runners with hip pain over which an unknown age or sex is averaged.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Share of each age band; they sum to 1.
    pub age: PerAgeBand<Share>,
    /// Share of each sex; they sum to 1.
    pub sex: PerSex<Share>,
    /// Where the shares come from.
    pub basis: String,
    /// How good that is.
    pub grade: Grade,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// A word for probabilities from `from` upwards.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LikelihoodWord {
    /// The least probability that the word covers.
    pub from: Share,
    /// The word.
    pub word: String,
}

/// One value for each age band.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerAgeBand<T> {
    /// Below 14.
    pub under_14: T,
    /// 14 to 17.
    pub from_14_to_17: T,
    /// 18 to 39.
    pub from_18_to_39: T,
    /// 40 to 59.
    pub from_40_to_59: T,
    /// 60 and over.
    pub from_60: T,
}

impl<T: Copy> PerAgeBand<T> {
    /// The value for a band.
    pub const fn of(&self, band: AgeBand) -> T {
        match band {
            AgeBand::Under14 => self.under_14,
            AgeBand::From14To17 => self.from_14_to_17,
            AgeBand::From18To39 => self.from_18_to_39,
            AgeBand::From40To59 => self.from_40_to_59,
            AgeBand::From60 => self.from_60,
        }
    }
}

/// One value for each sex.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerSex<T> {
    /// Female.
    pub female: T,
    /// Male.
    pub male: T,
}

impl<T: Copy> PerSex<T> {
    /// The value for a sex.
    pub const fn of(&self, sex: Sex) -> T {
        match sex {
            Sex::Female => self.female,
            Sex::Male => self.male,
        }
    }
}

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

/// A publication, page or estimate: an entry of `sources.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Who wrote it.
    pub authors: String,
    /// Its title.
    pub title: String,
    /// Journal or organisation.
    pub published_in: String,
    /// Year, or `not stated`.
    pub year: String,
    /// DOI, PubMed Central id or address; empty where there is none.
    pub locator: String,
    /// What sort of thing it is.
    pub kind: String,
    /// What it is used for here.
    pub used_for: String,
    /// Whether it was read, or is cited from memory.
    pub read: SourceRead,
    /// What was read of it.
    pub extent_read: String,
    /// Whether its identifier was looked up.
    pub identifier_checked: bool,
}

/// Whether a source was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceRead {
    /// At least in part.
    Seen,
    /// Cited from memory: verify before use.
    FromMemory,
    /// Nothing to read: a judgement.
    NotApplicable,
}

impl SourceRead {
    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::FromMemory => "from_memory",
            Self::NotApplicable => "not_applicable",
        }
    }
}
