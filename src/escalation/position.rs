//! Where one person stands on a ladder of care, and what comes next.

use std::fmt;

use super::{
    course::{Course, Tried},
    gates::{GateCheck, GatePart, GateStatus, Gates, dangerous_suspicions},
};
use crate::catalogue::{
    Catalogue,
    entry::{Condition, Contraindication, Step, Treatment},
    vocabulary::{Recommendation, Response, Stage, TreatmentClass, TriageLevel},
};

/// Treated hip pain begins to ease within so many weeks, or someone looks at it.
const EASES_WITHIN: f64 = 2.0;

/// An injection begins to work within days; before so many weeks it is not judged.
const INJECTION_JUDGED_AFTER: f64 = 2.0;

/// How a step stands to one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// It was taken.
    Done,
    /// It is being taken.
    Current,
    /// Every part of its gate is met.
    Available,
    /// A part of its gate is not met, or not known.
    Blocked,
    /// It is advised against.
    NotRecommended,
}

impl StepStatus {
    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Available => "available",
            Self::Blocked => "blocked",
            Self::NotRecommended => "not_recommended",
        }
    }
}

/// One step of a ladder, held against one person.
#[derive(Debug, Clone)]
pub struct StepPosition<'a> {
    /// Its place on the ladder, from 1.
    pub order: usize,
    /// The step.
    pub step: &'a Step,
    /// Its treatment.
    pub treatment: &'a Treatment,
    /// How it stands.
    pub status: StepStatus,
    /// Every part of its gate.
    pub checks: Vec<GateCheck<'a>>,
    /// Reasons against it that a clinician checks first.
    pub to_check: Vec<&'a Contraindication>,
}

/// What sort of thing to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Have someone look.
    SeeSomeone,
    /// Talk to a clinician about an injection or operation that stands open.
    Discuss,
    /// Begin a treatment.
    Start,
    /// Go on with a treatment.
    Continue,
    /// Wait and look again.
    Review,
}

impl ActionKind {
    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeeSomeone => "see_someone",
            Self::Discuss => "discuss",
            Self::Start => "start",
            Self::Continue => "continue",
            Self::Review => "review",
        }
    }
}

/// Why that comes next.
#[derive(Debug, Clone, Copy)]
pub enum Why<'a> {
    /// The case or the condition is so urgent.
    Urgent(TriageLevel),
    /// Something that must not be missed is suspected; to be seen so soon.
    Suspected(TriageLevel),
    /// An injection has only begun to work.
    InjectionAtWork,
    /// It got worse under this treatment.
    Worse(&'a Treatment),
    /// This treatment helped fully.
    Better(&'a Treatment),
    /// Every part of the gate of a further stage is met.
    StageOpen,
    /// No further injection is due: the cap is reached.
    AtTheCap,
    /// Nothing eased within the time in which it should.
    NoBetter,
    /// A step that was not tried stands open.
    Untried,
    /// What goes on has time left.
    GoesOn,
    /// It is a name for several conditions, and each has a ladder of its own.
    OneOfSeveral,
    /// Nothing further stands open.
    NothingOpen,
    /// There is no ladder, and the pain has time to ease by itself.
    TimeToEase,
}

/// What to do next.
#[derive(Debug, Clone, Copy)]
pub struct NextAction<'a> {
    /// What sort of thing.
    pub kind: ActionKind,
    /// The treatment that it is about, if any.
    pub treatment: Option<&'a Treatment>,
    /// Why.
    pub why: Why<'a>,
}

impl fmt::Display for NextAction<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Why::Urgent(level) | Why::Suspected(level) => {
                if matches!(self.why, Why::Suspected(_)) {
                    out.write_str("Something is suspected that must not be missed. ")?;
                }
                out.write_str(when(level))?;
                let Some(treatment) = self.treatment else { return Ok(()) };
                let at_home = treatment.stage == Stage::Conservative
                    && !matches!(treatment.class, TreatmentClass::ImagingOrReview | TreatmentClass::Medicine);
                let lead = if at_home { "Until then" } else { "What is due" };
                write!(out, " {lead}: {}.", treatment.name)
            }
            Why::InjectionAtWork => out.write_str(
                "Give the injection time: it begins to work in 2 to 3 days. Judge it after two weeks.",
            ),
            Why::Worse(treatment) => {
                write!(out, "It got worse with this: {}. Leave it and have someone look.", treatment.name)
            }
            Why::Better(treatment) => {
                write!(out, "This helped: {}. No further step is due; return to running in small steps.", treatment.name)
            }
            Why::StageOpen => match self.treatment {
                Some(treatment) => write!(out, "Talk to a clinician about this: {}.", treatment.name),
                None => out.write_str("Talk to a clinician about the next stage of care."),
            },
            Why::AtTheCap => out.write_str(
                "The cap on injections is reached, so no further one is due. See a clinician about what is left.",
            ),
            Why::NoBetter => out.write_str(
                "Treated hip pain should begin to ease within one to two weeks, and this did not. Have someone look.",
            ),
            Why::Untried => match self.treatment {
                Some(treatment) => write!(out, "Begin with this: {}.", treatment.name),
                None => out.write_str("Begin with a step that stands open."),
            },
            Why::GoesOn => match self.treatment {
                Some(treatment) => write!(out, "Go on with this: {}.", treatment.name),
                None => out.write_str("Go on with what was begun."),
            },
            Why::OneOfSeveral => out.write_str(
                "This is a name for several conditions, and each has a ladder of its own. Have someone look which it is.",
            ),
            Why::NothingOpen => out.write_str(
                "No further step stands open from what is known. See a clinician; the gates say what is missing.",
            ),
            Why::TimeToEase => out.write_str(
                "Ease off and give it one to two weeks. If it does not ease, have someone look.",
            ),
        }
    }
}

const fn when(level: TriageLevel) -> &'static str {
    match level {
        TriageLevel::SelfCare | TriageLevel::Routine => "See someone at an ordinary appointment.",
        TriageLevel::Soon => "See someone within days.",
        TriageLevel::Urgent => "See someone the same day.",
        TriageLevel::Emergency => "Go to an emergency department now.",
    }
}

/// Where one person stands.
#[derive(Debug, Clone)]
pub struct Position<'a> {
    /// The condition.
    pub condition: &'a Condition,
    /// The highest stage that was tried; the first that the ladder advises where none was.
    pub current_stage: Stage,
    /// Every step of the ladder in order.
    pub steps: Vec<StepPosition<'a>>,
    /// What to do next.
    pub next: NextAction<'a>,
    /// When to look again, in weeks; none where someone looks at once.
    pub review_after_weeks: Option<f64>,
}

impl<'a> Position<'a> {
    /// The stage that the next action belongs to, else the current one.
    #[must_use]
    pub fn next_stage(&self) -> Stage {
        self.next.treatment.map_or(self.current_stage, |treatment| treatment.stage)
    }

    /// The steps of that stage that stand open or go on, advised ones first.
    #[must_use]
    pub fn open_steps(&self) -> Vec<&StepPosition<'a>> {
        let stage = self.next_stage();
        let open = |step: &&StepPosition<'_>| {
            step.treatment.stage == stage
                && matches!(step.status, StepStatus::Available | StepStatus::Current)
        };
        let mut steps: Vec<&StepPosition<'a>> = self.steps.iter().filter(open).collect();
        // Stable: within one recommendation the order of the ladder stays.
        steps.sort_by_key(|step| step.step.recommendation);
        steps
    }
}

/// Where a person stands on the ladder of a condition.
#[must_use]
pub fn position<'a>(catalogue: &'a Catalogue, condition: &'a Condition, course: &'a Course) -> Position<'a> {
    let stand = Stand { gates: Gates { catalogue, condition, course } };
    let steps = stand.steps();
    let next = stand.next(&steps);
    Position {
        condition,
        current_stage: stand.current_stage(),
        review_after_weeks: stand.review(&next),
        steps,
        next,
    }
}

struct Stand<'a> {
    gates: Gates<'a>,
}

impl<'a> Stand<'a> {
    fn steps(&self) -> Vec<StepPosition<'a>> {
        let Gates { catalogue, condition, course } = self.gates;
        condition
            .ladder
            .iter()
            .enumerate()
            .filter_map(|(place, step)| {
                Some((place + 1, step, catalogue.treatment(step.treatment.as_str())?))
            })
            .map(|(order, step, treatment)| {
                let checks = self.gates.of(step, treatment);
                let tried: Vec<&Tried> =
                    course.treatments.iter().filter(|tried| tried.treatment == treatment.id).collect();
                let status = status(step, treatment, &checks, &tried);
                StepPosition {
                    order,
                    step,
                    treatment,
                    status,
                    checks,
                    to_check: self.gates.to_check(treatment),
                }
            })
            .collect()
    }

    fn current_stage(&self) -> Stage {
        let Gates { catalogue, condition, course } = self.gates;
        let stage =
            |step: &Step| catalogue.treatment(step.treatment.as_str()).map(|treatment| treatment.stage);
        let first = condition
            .ladder
            .iter()
            .filter(|step| step.recommendation != Recommendation::NotRecommended)
            .filter_map(stage)
            .min();
        let on_ladder = |treatment: &Treatment| {
            condition.ladder.is_empty() || condition.ladder.iter().any(|step| step.treatment == treatment.id)
        };
        let tried = course
            .tried(catalogue)
            .filter(|(_, treatment)| on_ladder(treatment))
            .map(|(_, treatment)| treatment.stage)
            .max();
        first.max(tried).unwrap_or(Stage::Conservative)
    }

    /// Whether someone looked: a scan, a review, or a step that only a clinician takes.
    fn was_seen(&self) -> bool {
        let Gates { catalogue, course, .. } = self.gates;
        !course.imaging.is_empty()
            || course.tried(catalogue).any(|(_, treatment)| {
                treatment.class == TreatmentClass::ImagingOrReview || treatment.stage > Stage::Conservative
            })
    }

    /// How soon someone must look before anything else counts, if so.
    fn urgent(&self, steps: &[StepPosition<'a>]) -> Option<Why<'a>> {
        let Gates { catalogue, condition, course } = self.gates;
        let operated = steps
            .iter()
            .any(|step| step.treatment.stage == Stage::Surgery && step.status == StepStatus::Done);
        let own = condition.urgency.level;
        let own = if own == TriageLevel::Emergency { !operated } else { !self.was_seen() }.then_some(own);
        let level = own.max(course.danger.triage).filter(|level| *level >= TriageLevel::Soon);
        let mut suspected = None;
        if !dangerous_suspicions(catalogue, course).is_empty() {
            let levels = course.danger.suspected.iter().filter_map(|id| catalogue.condition(id.as_str()));
            suspected = levels.map(|condition| condition.urgency.level).max().max(Some(TriageLevel::Soon));
        }
        for (id, least) in [
            ("suspected-infection", TriageLevel::Urgent),
            ("suspected-fracture", TriageLevel::Urgent),
            ("suspected-tendon-rupture", TriageLevel::Soon),
        ] {
            if course.suspicion(id) == Some(true) {
                suspected = suspected.max(Some(least));
            }
        }
        match (level, suspected) {
            (level, Some(suspected)) if level.is_none_or(|level| level < suspected) => {
                Some(Why::Suspected(suspected))
            }
            (level, _) => level.map(Why::Urgent),
        }
    }

    fn next(&self, steps: &[StepPosition<'a>]) -> NextAction<'a> {
        let course = self.gates.course;
        let open = |stage: fn(Stage) -> bool| {
            let mut open: Vec<&StepPosition<'a>> = steps
                .iter()
                .filter(|step| step.status == StepStatus::Available && stage(step.treatment.stage))
                .collect();
            // Stable: the order of the ladder stays within one recommendation.
            open.sort_by_key(|step| {
                (!step.step.gate.immediate, step.treatment.stage, step.step.recommendation)
            });
            open.first().copied()
        };
        let further = open(|stage| stage > Stage::Conservative);
        let conservative = open(|stage| stage == Stage::Conservative);
        let action = |kind, treatment: Option<&StepPosition<'a>>, why| NextAction {
            kind,
            treatment: treatment.map(|step| step.treatment),
            why,
        };
        if let Some(why) = self.urgent(steps) {
            return action(ActionKind::SeeSomeone, open(|_| true), why);
        }
        let on_ladder = |tried: &Tried| steps.iter().find(|step| step.treatment.id == tried.treatment);
        let fresh = course.treatments.iter().find(|tried| {
            on_ladder(tried).is_some_and(|step| {
                step.treatment.stage == Stage::Injection && step.status != StepStatus::NotRecommended
            }) && tried.weeks_since_last.is_some_and(|weeks| weeks < INJECTION_JUDGED_AFTER)
                && tried.response != Some(Response::Worse)
        });
        if let Some(fresh) = fresh {
            return action(ActionKind::Continue, on_ladder(fresh), Why::InjectionAtWork);
        }
        let care = self.gates.care(None);
        let responded = |wanted: Response| {
            care.iter().find(|(tried, _)| tried.response == Some(wanted)).map(|(_, treatment)| *treatment)
        };
        // What made it worse and was left for something that helps is past.
        let unsettled = further.is_none() && responded(Response::Partial).is_none();
        let worse = care
            .iter()
            .find(|(tried, _)| tried.response == Some(Response::Worse) && tried.ongoing.unwrap_or(unsettled));
        if let Some((_, treatment)) = worse {
            return action(ActionKind::SeeSomeone, further, Why::Worse(treatment));
        }
        if let Some(treatment) = responded(Response::Full) {
            return NextAction {
                kind: ActionKind::Review,
                treatment: Some(treatment),
                why: Why::Better(treatment),
            };
        }
        if further.is_some() {
            return action(ActionKind::Discuss, further, Why::StageOpen);
        }
        if self.no_better(&care) {
            return action(ActionKind::SeeSomeone, conservative, Why::NoBetter);
        }
        if steps.iter().any(at_the_cap) {
            return action(ActionKind::SeeSomeone, None, Why::AtTheCap);
        }
        let current = steps.iter().find(|step| step.status == StepStatus::Current);
        // Who went further than conservative care is not sent back to its beginning.
        let went_further = course
            .treatments
            .iter()
            .filter_map(on_ladder)
            .any(|step| step.treatment.stage > Stage::Conservative);
        if went_further && current.is_none() {
            return action(ActionKind::SeeSomeone, None, Why::NothingOpen);
        }
        let conservative = conservative.filter(|_| !went_further);
        let advised = conservative.filter(|step| step.step.recommendation == Recommendation::Recommended);
        if advised.is_some() {
            return action(ActionKind::Start, advised, Why::Untried);
        }
        if current.is_some() {
            return action(ActionKind::Continue, current, Why::GoesOn);
        }
        if conservative.is_some() {
            return action(ActionKind::Start, conservative, Why::Untried);
        }
        let may_ease = steps.is_empty()
            && care.is_empty()
            && course.weeks_since_onset.is_none_or(|weeks| weeks < EASES_WITHIN);
        if may_ease {
            return action(ActionKind::Review, None, Why::TimeToEase);
        }
        let several = !self.gates.condition.members.is_empty();
        let why = if several { Why::OneOfSeveral } else { Why::NothingOpen };
        action(ActionKind::SeeSomeone, None, why)
    }

    /// Whether care had the time in which pain should begin to ease, nothing did, and nobody looked yet.
    fn no_better(&self, care: &[(&'a Tried, &'a Treatment)]) -> bool {
        let failed = |(tried, _): &(&Tried, &Treatment)| {
            matches!(tried.response, Some(Response::None | Response::Worse))
        };
        let span = self.gates.course.weeks_of(care.iter().map(|(tried, _)| *tried), None);
        !self.was_seen() && !care.is_empty() && care.iter().all(failed) && span.least >= EASES_WITHIN
    }

    fn review(&self, next: &NextAction<'_>) -> Option<f64> {
        match next.why {
            Why::Urgent(level) | Why::Suspected(level) if level >= TriageLevel::Urgent => None,
            Why::InjectionAtWork => Some(INJECTION_JUDGED_AFTER),
            Why::Urgent(_)
            | Why::Suspected(_)
            | Why::Worse(_)
            | Why::Better(_)
            | Why::StageOpen
            | Why::AtTheCap
            | Why::NoBetter
            | Why::Untried
            | Why::GoesOn
            | Why::OneOfSeveral
            | Why::NothingOpen
            | Why::TimeToEase => self.gates.condition.course.review_after_weeks.map(|weeks| weeks.get()),
        }
    }
}

/// Whether an injection is held back by the cap on injections, and by nothing else that is known.
fn at_the_cap(step: &StepPosition<'_>) -> bool {
    let cap =
        |check: &GateCheck<'_>| matches!(check.gate, GatePart::InjectionsInArea | GatePart::InjectionsInYear);
    let mut unmet = step.checks.iter().filter(|check| check.status == GateStatus::Unmet);
    step.status == StepStatus::Blocked
        && unmet.clone().any(cap)
        && unmet.all(|check| cap(check) || check.gate == GatePart::InjectionSpacing)
}

fn status(step: &Step, treatment: &Treatment, checks: &[GateCheck<'_>], tried: &[&Tried]) -> StepStatus {
    if step.recommendation == Recommendation::NotRecommended {
        return StepStatus::NotRecommended;
    }
    let open = checks.iter().all(|check| check.status == GateStatus::Met);
    let available = if open { StepStatus::Available } else { StepStatus::Blocked };
    if tried.is_empty() {
        return available;
    }
    if tried.iter().any(|tried| tried.goes_on(treatment)) {
        // What goes on already is not stopped by a question that nobody answered, only by an answer.
        let held_back = checks.iter().any(|check| check.status == GateStatus::Unmet);
        return if held_back { StepStatus::Blocked } else { StepStatus::Current };
    }
    // An injection that helped for a while may be given again within its cap.
    let helped = tried.iter().any(|tried| tried.response == Some(Response::Partial))
        && !tried.iter().any(|tried| tried.response == Some(Response::Full));
    if treatment.stage == Stage::Injection && step.gate.injections.is_some() && helped {
        return available;
    }
    StepStatus::Done
}
