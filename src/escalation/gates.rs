//! Whether a step of care stands open to one person, part by part, each with the fact behind it.

use std::fmt;

use super::course::{Course, Span, Tried};
use crate::catalogue::{
    Catalogue,
    entry::{Condition, Contraindication, ImagingGate, InjectionCaps, Step, Treatment},
    vocabulary::{Imaging, Recommendation, Response, Stage, TreatmentClass, TriageLevel},
};

/// Reasons against a treatment that must be known before a step opens; the others are for a clinician to check.
const DECISIVE: [&str; 9] = [
    "suspected-infection",
    "suspected-fracture",
    "suspected-tendon-rupture",
    "pregnancy",
    "blood-thinners",
    "uncontrolled-diabetes",
    "allergy",
    "joint-replacement-planned",
    "open-growth-plates",
];

/// Whether a part of a gate lets a person pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateStatus {
    /// It does.
    Met,
    /// It does not.
    Unmet,
    /// There is no telling from what is known.
    Unknown,
}

impl GateStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Met, Self::Unmet, Self::Unknown];

    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Unmet => "unmet",
            Self::Unknown => "unknown",
        }
    }

    const fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Unmet }
    }
}

/// A part of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatePart {
    /// A stage of care was tried.
    StageTried,
    /// It was tried for long enough.
    Weeks,
    /// It did not help enough.
    InadequateResponse,
    /// Medicine by mouth was tried.
    OralMedicine,
    /// A state of recovery or of the injury is established.
    Circumstance,
    /// Scans or tests were made.
    Imaging,
    /// Injections in the same area are below their cap.
    InjectionsInArea,
    /// Injections in the past year are below their cap.
    InjectionsInYear,
    /// The last injection was long enough ago.
    InjectionSpacing,
    /// A reason against the treatment is absent.
    Contraindication,
    /// Nothing is suspected that the treatment could harm.
    Danger,
}

impl GatePart {
    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StageTried => "stage_tried",
            Self::Weeks => "weeks",
            Self::InadequateResponse => "inadequate_response",
            Self::OralMedicine => "oral_medicine",
            Self::Circumstance => "circumstance",
            Self::Imaging => "imaging",
            Self::InjectionsInArea => "injections_in_area",
            Self::InjectionsInYear => "injections_in_year",
            Self::InjectionSpacing => "injection_spacing",
            Self::Contraindication => "contraindication",
            Self::Danger => "danger",
        }
    }
}

/// What a check rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact<'a> {
    /// The step needs no waiting.
    Immediate,
    /// Treatments that were tried.
    Tried(Vec<&'a str>),
    /// No care of a stage is reported.
    NothingTried(Stage),
    /// Weeks that passed, and how many are due.
    Weeks {
        /// How many passed.
        passed: Span,
        /// How many are due.
        due: f64,
        /// Whether the weeks since the pain began are counted, or those of care.
        since_onset: bool,
    },
    /// How care so far worked.
    Responses(Vec<(&'a str, Option<Response>)>),
    /// No medicine by mouth is reported.
    NoOralMedicine,
    /// Whether a circumstance holds.
    Circumstance(&'a str, Option<bool>),
    /// Scans and tests that are due, and those of them that were made.
    Imaging {
        /// Which are due.
        due: &'a [Imaging],
        /// Whether all of them are.
        all: bool,
        /// Which were made.
        made: Vec<Imaging>,
    },
    /// Injections so far, and the cap.
    Injections {
        /// At least so many.
        given: u32,
        /// Whether the number is sure.
        counted: bool,
        /// No more than so many in all.
        cap: u8,
    },
    /// Weeks since the last injection, and how many are due.
    LastInjection {
        /// How many passed, where that is known.
        weeks: Option<f64>,
        /// How many are due.
        due: f64,
    },
    /// No injection is reported.
    NoInjection,
    /// A reason against the treatment.
    Contraindication(&'a str, Option<bool>),
    /// A case that is to be looked at first.
    Triage(TriageLevel),
    /// What is suspected.
    Suspected(Vec<&'a str>),
    /// Whether a fracture or infection is suspected is not said.
    NotCleared,
    /// Nothing is suspected.
    NothingSuspected,
}

impl fmt::Display for Fact<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immediate => out.write_str("This needs no waiting."),
            Self::Tried(names) => write!(out, "Tried: {}.", names.join(", ")),
            Self::NothingTried(stage) => write!(out, "No {} care is reported.", stage.as_str()),
            Self::Weeks { passed, due, since_onset } => {
                let of = if *since_onset { "since the pain began" } else { "of care" };
                match passed.most {
                    Some(most) if most > passed.least && passed.least < *due => {
                        write!(out, "Between {} and {most} weeks {of}; {due} are due.", passed.least)
                    }
                    Some(most) if most <= passed.least => {
                        write!(out, "{} {of}; {due} are due.", weeks(passed.least))
                    }
                    Some(_) | None => write!(out, "At least {} {of}; {due} are due.", weeks(passed.least)),
                }
            }
            Self::Responses(responses) => {
                out.write_str("Response so far: ")?;
                for (place, (name, response)) in responses.iter().enumerate() {
                    let separator = if place == 0 { "" } else { ", " };
                    write!(out, "{separator}{name}: {}", response.map_or("not said", Response::as_str))?;
                }
                out.write_str(".")
            }
            Self::NoOralMedicine => out.write_str("No medicine by mouth is reported."),
            Self::Circumstance(text, state) => write!(out, "{text}: {}.", yes_or_no(*state)),
            Self::Imaging { due, all, made } => {
                let list =
                    |methods: &[Imaging]| methods.iter().copied().map(method).collect::<Vec<_>>().join(", ");
                let which = if *all && due.len() > 1 { "all of" } else { "one of" };
                let which = if due.len() == 1 { "" } else { which };
                let made = if made.is_empty() { "none".to_owned() } else { list(made) };
                write!(
                    out,
                    "Due: {which}{}{}; made: {made}.",
                    if which.is_empty() { "" } else { " " },
                    list(due)
                )
            }
            Self::Injections { given, counted, cap } => {
                let least = if *counted { "" } else { "at least " };
                let plural = if *given == 1 { "" } else { "s" };
                write!(out, "{least}{given} injection{plural} so far; {cap} are the most.")
            }
            Self::LastInjection { weeks: Some(passed), due } => {
                write!(out, "The last injection was {} ago; {due} are due.", weeks(*passed))
            }
            Self::LastInjection { weeks: None, due } => {
                write!(out, "When the last injection was is not said; {due} weeks are due.")
            }
            Self::NoInjection => out.write_str("No injection is reported."),
            Self::Contraindication(text, state) => match state {
                Some(true) => write!(out, "{text} Reported: yes."),
                Some(false) => write!(out, "{text} Reported: no."),
                None => write!(out, "{text} Not reported."),
            },
            Self::Triage(level) => {
                write!(out, "The case is {}: it is to be looked at first.", level.as_str().replace('_', " "))
            }
            Self::Suspected(what) => write!(out, "Suspected: {}.", what.join(", ")),
            Self::NotCleared => out.write_str("Whether a fracture or an infection is suspected is not said."),
            Self::NothingSuspected => out.write_str("Nothing is suspected that this could harm."),
        }
    }
}

/// A number of weeks in words.
fn weeks(weeks: f64) -> String {
    let plural = if (weeks - 1.0).abs() > 0.0 { "s" } else { "" };
    format!("{weeks} week{plural}")
}

const fn yes_or_no(state: Option<bool>) -> &'static str {
    match state {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not said",
    }
}

const fn method(imaging: Imaging) -> &'static str {
    match imaging {
        Imaging::Xray => "X-ray",
        Imaging::Mri => "MRI",
        Imaging::MriArthrogram => "MRI with contrast",
        Imaging::Ct => "CT",
        Imaging::Ultrasound => "ultrasound",
        Imaging::JointAspiration => "joint fluid",
    }
}

/// One part of a gate, held against a person.
#[derive(Debug, Clone, PartialEq)]
pub struct GateCheck<'a> {
    /// Which part.
    pub gate: GatePart,
    /// Id of the circumstance or contraindication that it is about.
    pub subject: Option<&'a str>,
    /// Whether it lets the person pass.
    pub status: GateStatus,
    /// Why.
    pub fact: Fact<'a>,
}

impl<'a> GateCheck<'a> {
    const fn new(gate: GatePart, status: GateStatus, fact: Fact<'a>) -> Self {
        Self { gate, subject: None, status, fact }
    }
}

/// The gate of one step, held against one person.
pub(super) struct Gates<'a> {
    pub catalogue: &'a Catalogue,
    pub condition: &'a Condition,
    pub course: &'a Course,
}

impl<'a> Gates<'a> {
    /// Care that was tried: no scans or reviews, and nothing that this ladder advises against.
    pub fn care(&self, stage: Option<Stage>) -> Vec<(&'a Tried, &'a Treatment)> {
        self.conservative_or_not(stage)
            .filter(|(_, treatment)| treatment.class != TreatmentClass::ImagingOrReview)
            .collect()
    }

    fn conservative_or_not(
        &self,
        stage: Option<Stage>,
    ) -> impl Iterator<Item = (&'a Tried, &'a Treatment)> + use<'a> {
        let condition = self.condition;
        self.course
            .tried(self.catalogue)
            .filter(move |(_, treatment)| stage.is_none_or(|stage| treatment.stage == stage))
            .filter(move |(_, treatment)| {
                !condition.ladder.iter().any(|step| {
                    step.treatment == treatment.id && step.recommendation == Recommendation::NotRecommended
                })
            })
    }

    /// Every part of the gate of a step, those that ask for nothing left out.
    pub fn of(&self, step: &'a Step, treatment: &'a Treatment) -> Vec<GateCheck<'a>> {
        let gate = &step.gate;
        let mut checks = Vec::new();
        self.stages(step, treatment, &mut checks);
        if let Some(weeks) = gate.weeks {
            checks.push(self.weeks(step, weeks.get()));
        }
        if gate.inadequate_response {
            checks.push(self.response(gate.after));
        }
        if gate.after_oral_medicine {
            checks.push(self.oral_medicine());
        }
        if let Some(circumstance) =
            gate.circumstance.as_ref().and_then(|id| self.catalogue.circumstance(id.as_str()))
        {
            let state = self.course.circumstances.get(&circumstance.id).copied();
            let fact = Fact::Circumstance(circumstance.text.trim_end_matches('.'), state);
            let mut check = GateCheck::new(GatePart::Circumstance, state_of(state), fact);
            check.subject = Some(circumstance.id.as_str());
            checks.push(check);
        }
        if let Some(imaging) = &gate.imaging {
            checks.push(self.imaging(imaging, gate.immediate));
        }
        if let Some(caps) = gate.injections {
            self.injections(caps, &mut checks);
        }
        checks.extend(treatment.contraindications.iter().filter_map(|reason| self.contraindication(reason)));
        checks.extend(self.danger(treatment));
        checks
    }

    /// Reasons against a treatment that are not known and do not hold it back: a clinician checks them.
    pub fn to_check(&self, treatment: &'a Treatment) -> Vec<&'a Contraindication> {
        let open = |reason: &&Contraindication| {
            !DECISIVE.contains(&reason.id.as_str()) && self.course.contraindication(&reason.id).is_none()
        };
        treatment.contraindications.iter().filter(open).collect()
    }

    fn stages(&self, step: &Step, treatment: &Treatment, checks: &mut Vec<GateCheck<'a>>) {
        let gate = &step.gate;
        if let Some(stage) = gate.after {
            checks.push(self.stage_tried(stage, gate.immediate, self.care(Some(stage))));
        }
        // Even where a gate does not say so, a needle or a knife comes after other care.
        let invasive = treatment.stage > Stage::Conservative;
        if invasive && gate.after != Some(Stage::Conservative) {
            let tried = self.conservative_or_not(Some(Stage::Conservative)).collect();
            checks.push(self.stage_tried(Stage::Conservative, gate.immediate, tried));
        }
    }

    fn stage_tried(
        &self,
        stage: Stage,
        immediate: bool,
        tried: Vec<(&'a Tried, &'a Treatment)>,
    ) -> GateCheck<'a> {
        let (status, fact) = if !tried.is_empty() {
            (GateStatus::Met, Fact::Tried(names(&tried)))
        } else if immediate {
            (GateStatus::Met, Fact::Immediate)
        } else {
            (GateStatus::Unmet, Fact::NothingTried(stage))
        };
        GateCheck::new(GatePart::StageTried, status, fact)
    }

    fn weeks(&self, step: &Step, due: f64) -> GateCheck<'a> {
        let gate = &step.gate;
        if gate.immediate {
            return GateCheck::new(GatePart::Weeks, GateStatus::Met, Fact::Immediate);
        }
        // Where care is not judged, the weeks since the pain began count too: a strain heals by itself. Where a bone
        // or tendon must not be missed they do not: weeks of running on it are no weeks of care.
        let since_onset = gate.after.is_none()
            && !gate.inadequate_response
            && self.condition.urgency.raises.is_empty()
            && self.course.weeks_since_onset.is_some();
        let passed = match self.course.weeks_since_onset {
            Some(onset) if since_onset => Span { least: onset, most: Some(onset) },
            Some(_) | None => {
                let care = self.care(gate.after);
                self.course.weeks_of(care.iter().map(|(tried, _)| *tried), gate.after)
            }
        };
        let status = if passed.least >= due {
            GateStatus::Met
        } else if passed.most.is_some_and(|most| most < due) {
            GateStatus::Unmet
        } else {
            GateStatus::Unknown
        };
        GateCheck::new(GatePart::Weeks, status, Fact::Weeks { passed, due, since_onset })
    }

    fn response(&self, stage: Option<Stage>) -> GateCheck<'a> {
        let care = self.care(stage);
        if care.is_empty() {
            let fact = Fact::NothingTried(stage.unwrap_or(Stage::Conservative));
            return GateCheck::new(GatePart::InadequateResponse, GateStatus::Unmet, fact);
        }
        let responses: Vec<(&str, Option<Response>)> =
            care.iter().map(|(tried, treatment)| (treatment.name.as_str(), tried.response)).collect();
        let status = if responses.iter().any(|(_, response)| *response == Some(Response::Full)) {
            GateStatus::Unmet
        } else if responses.iter().any(|(_, response)| response.is_none()) {
            GateStatus::Unknown
        } else {
            GateStatus::Met
        };
        GateCheck::new(GatePart::InadequateResponse, status, Fact::Responses(responses))
    }

    fn oral_medicine(&self) -> GateCheck<'a> {
        let mut care = self.care(None);
        care.retain(|(_, treatment)| treatment.oral_medicine);
        let fact = if care.is_empty() { Fact::NoOralMedicine } else { Fact::Tried(names(&care)) };
        GateCheck::new(GatePart::OralMedicine, GateStatus::of(!care.is_empty()), fact)
    }

    fn imaging(&self, gate: &'a ImagingGate, immediate: bool) -> GateCheck<'a> {
        let (due, all) = match gate {
            ImagingGate::AnyOf(due) => (due, false),
            ImagingGate::AllOf(due) => (due, true),
        };
        let made: Vec<Imaging> =
            due.iter().copied().filter(|method| self.course.imaging.contains(method)).collect();
        let enough = if all { made.len() == due.len() } else { !made.is_empty() };
        if immediate && !enough {
            return GateCheck::new(GatePart::Imaging, GateStatus::Met, Fact::Immediate);
        }
        GateCheck::new(GatePart::Imaging, GateStatus::of(enough), Fact::Imaging { due, all, made })
    }

    fn injections(&self, caps: InjectionCaps, checks: &mut Vec<GateCheck<'a>>) {
        let injections = self.course.corticosteroids(self.catalogue);
        for (part, given, cap) in [
            (GatePart::InjectionsInArea, injections.same_area, caps.per_area),
            (GatePart::InjectionsInYear, injections.past_year, caps.per_year),
        ] {
            let status = if given >= u32::from(cap) {
                GateStatus::Unmet
            } else if injections.counted {
                GateStatus::Met
            } else {
                GateStatus::Unknown
            };
            checks.push(GateCheck::new(
                part,
                status,
                Fact::Injections { given, counted: injections.counted, cap },
            ));
        }
        let due = caps.weeks_between.get();
        let (status, fact) = if injections.any() {
            let weeks = injections.weeks_since_last;
            let status = weeks.map_or(GateStatus::Unknown, |weeks| GateStatus::of(weeks >= due));
            (status, Fact::LastInjection { weeks, due })
        } else {
            (GateStatus::Met, Fact::NoInjection)
        };
        checks.push(GateCheck::new(GatePart::InjectionSpacing, status, fact));
    }

    fn contraindication(&self, reason: &'a Contraindication) -> Option<GateCheck<'a>> {
        let state = self.course.contraindication(&reason.id);
        let status = match state {
            Some(true) => GateStatus::Unmet,
            Some(false) => GateStatus::Met,
            None if DECISIVE.contains(&reason.id.as_str()) => GateStatus::Unknown,
            None => return None,
        };
        let fact = Fact::Contraindication(&reason.text, state);
        let subject = Some(reason.id.as_str());
        Some(GateCheck { subject, ..GateCheck::new(GatePart::Contraindication, status, fact) })
    }

    /// Loading and needles wait while something is suspected that they could harm.
    fn danger(&self, treatment: &Treatment) -> Option<GateCheck<'a>> {
        let course = self.course;
        if !treatment.loading && treatment.stage != Stage::Injection {
            return None;
        }
        let check = |status, fact| Some(GateCheck::new(GatePart::Danger, status, fact));
        let mut suspected = dangerous_suspicions(self.catalogue, course);
        let infection = course.suspicion("suspected-infection");
        let fracture = course.suspicion("suspected-fracture");
        if infection == Some(true) {
            suspected.push("an infection");
        }
        if fracture == Some(true) {
            suspected.push("a fracture");
        }
        if course.suspicion("suspected-tendon-rupture") == Some(true) {
            suspected.push("a torn tendon");
        }
        if !suspected.is_empty() {
            return check(GateStatus::Unmet, Fact::Suspected(suspected));
        }
        if let Some(level) = course.danger.triage.filter(|level| *level >= TriageLevel::Soon) {
            return check(GateStatus::Unmet, Fact::Triage(level));
        }
        if infection.is_none() || fracture.is_none() {
            return check(GateStatus::Unknown, Fact::NotCleared);
        }
        check(GateStatus::Met, Fact::NothingSuspected)
    }
}

/// Names of the suspected conditions that must not be missed.
pub(super) fn dangerous_suspicions<'a>(catalogue: &'a Catalogue, course: &Course) -> Vec<&'a str> {
    course
        .danger
        .suspected
        .iter()
        .filter_map(|id| catalogue.condition(id.as_str()))
        .filter(|condition| !condition.urgency.raises.is_empty())
        .map(|condition| condition.name.as_str())
        .collect()
}

fn names<'a>(tried: &[(&Tried, &'a Treatment)]) -> Vec<&'a str> {
    tried.iter().map(|(_, treatment)| treatment.name.as_str()).collect()
}

const fn state_of(state: Option<bool>) -> GateStatus {
    match state {
        Some(true) => GateStatus::Met,
        Some(false) => GateStatus::Unmet,
        None => GateStatus::Unknown,
    }
}
