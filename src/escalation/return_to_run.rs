//! Whether a plan for the return to running goes on, waits, goes back, or ends at someone who looks.

use crate::catalogue::{
    Catalogue,
    entry::{Condition, Progression},
    vocabulary::TriageLevel,
};

/// A step that is not passed within so many days is no progress.
const DAYS_FOR_A_STEP: u32 = 14;

/// From this pain on, from 0 to 10, someone should look, whatever the plan says.
const SEVERE_PAIN: f64 = 7.0;

/// How the sessions at a step of a plan went.
#[derive(Debug, Clone, Copy)]
pub struct RunReport {
    /// The step, from 1.
    pub step: usize,
    /// How many sessions were done at this step, the last one included.
    pub sessions_at_step: u32,
    /// The worst pain during the last session, from 0 to 10.
    pub pain_during: f64,
    /// The worst pain in the 24 hours after it, from 0 to 10.
    pub pain_after: f64,
    /// Whether it was worse on the next day than before the session.
    pub worse_next_day: bool,
    /// Whether the runner limped, during or after.
    pub limping: bool,
    /// Whether an injury of bone was excluded or has healed; none where nobody has said.
    pub bone_cleared: Option<bool>,
    /// Whether a warning sign has come up.
    pub new_red_flag: bool,
}

/// What comes next, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// On to the next step.
    Advance,
    /// The same step again.
    Hold,
    /// Back to the step before.
    StepBack,
    /// No running until someone has looked.
    SeeSomeone,
}

impl Verdict {
    /// The word as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Hold => "hold",
            Self::StepBack => "step_back",
            Self::SeeSomeone => "see_someone",
        }
    }
}

/// A reason for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A warning sign has come up.
    WarningSign,
    /// An injury of bone is not excluded and not known to have healed.
    BoneNotCleared,
    /// Pain after an injury of bone.
    PainInBone,
    /// A limp after an injury of bone.
    LimpWithBone,
    /// Severe pain.
    SeverePain,
    /// The condition is treated first; whoever treats it says when running may begin.
    TreatedFirst,
    /// The easiest step is too much.
    FirstStepTooMuch,
    /// So many sessions at one step that it is no progress.
    NoProgress,
    /// A limp.
    Limp,
    /// Too much pain during the run.
    PainDuringHigh,
    /// Too much pain in the 24 hours after.
    PainAfterHigh,
    /// Worse on the next day.
    WorseNextDay,
    /// More pain during the run than the next step asks for.
    PainDuring,
    /// More pain in the 24 hours after than the next step asks for.
    PainAfter,
    /// The step asks for more sessions.
    MoreSessions,
    /// Enough sessions went well.
    WentWell,
    /// The last step went well: the plan is done.
    Finished,
}

impl Why {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::WarningSign,
        Self::BoneNotCleared,
        Self::PainInBone,
        Self::LimpWithBone,
        Self::SeverePain,
        Self::TreatedFirst,
        Self::FirstStepTooMuch,
        Self::NoProgress,
        Self::Limp,
        Self::PainDuringHigh,
        Self::PainAfterHigh,
        Self::WorseNextDay,
        Self::PainDuring,
        Self::PainAfter,
        Self::MoreSessions,
        Self::WentWell,
        Self::Finished,
    ];

    /// The verdict that it leads to.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::WarningSign
            | Self::BoneNotCleared
            | Self::PainInBone
            | Self::LimpWithBone
            | Self::SeverePain
            | Self::TreatedFirst
            | Self::FirstStepTooMuch
            | Self::NoProgress => Verdict::SeeSomeone,
            Self::Limp | Self::PainDuringHigh | Self::PainAfterHigh | Self::WorseNextDay => Verdict::StepBack,
            Self::PainDuring | Self::PainAfter | Self::MoreSessions => Verdict::Hold,
            Self::WentWell | Self::Finished => Verdict::Advance,
        }
    }
}

/// What a report comes to.
#[derive(Debug, Clone)]
pub struct RunCheck<'a> {
    /// What comes next.
    pub verdict: Verdict,
    /// The plan.
    pub plan: &'a Progression,
    /// The step of the next session, from 1; none where someone looks first, or the plan is done.
    pub next_step: Option<usize>,
    /// Why; the reasons of the verdict alone.
    pub why: Vec<Why>,
}

/// The plan for a condition; none where the catalogue has none that fits, which the check refuses.
///
/// A name for several conditions takes the plan for bone as soon as one of them is an injury of bone.
#[must_use]
pub fn plan<'a>(catalogue: &'a Catalogue, condition: &Condition) -> Option<&'a Progression> {
    let plans = || catalogue.progressions().iter();
    plans()
        .find(|plan| plan.conditions.contains(&condition.id))
        .or_else(|| {
            plans().find(|plan| {
                plan.bone_must_be_cleared && condition.members.iter().any(|id| plan.conditions.contains(id))
            })
        })
        .or_else(|| plans().find(|plan| plan.conditions.is_empty()))
}

/// What comes next after a session of a plan; none where no plan fits the condition.
///
/// A step beyond the last one counts as the last.
#[must_use]
pub fn check<'a>(
    catalogue: &'a Catalogue,
    condition: &Condition,
    report: &RunReport,
) -> Option<RunCheck<'a>> {
    let plan = plan(catalogue, condition)?;
    let step = report.step.clamp(1, plan.steps.len().max(1));
    let last = step >= plan.steps.len();
    let mut why = reasons(plan, condition, report);
    let worst = |why: &[Why]| why.iter().map(|why| why.verdict()).max();
    if step == 1 && worst(&why) == Some(Verdict::StepBack) {
        why.push(Why::FirstStepTooMuch);
    }
    if worst(&why) == Some(Verdict::Hold) && report.sessions_at_step >= most_sessions(plan) {
        why.push(Why::NoProgress);
    }
    if why.is_empty() {
        why.push(if last { Why::Finished } else { Why::WentWell });
    }
    let verdict = worst(&why)?;
    why.retain(|why| why.verdict() == verdict);
    let next_step = match verdict {
        Verdict::Advance => (!last).then_some(step + 1),
        Verdict::Hold => Some(step),
        Verdict::StepBack => Some(step.saturating_sub(1).max(1)),
        Verdict::SeeSomeone => None,
    };
    Some(RunCheck { verdict, plan, next_step, why })
}

/// How many sessions fit into the time in which a step should be passed.
fn most_sessions(plan: &Progression) -> u32 {
    (DAYS_FOR_A_STEP / (u32::from(plan.days_between) + 1)).max(u32::from(plan.sessions_per_step) + 1)
}

/// Everything that speaks against the next step.
fn reasons(plan: &Progression, condition: &Condition, report: &RunReport) -> Vec<Why> {
    let bone = plan.bone_must_be_cleared;
    // No comparison holds for what is not a number: written so that it counts as too much.
    let within = |pain: f64, most: f64| pain <= most;
    let below = |pain: f64, limit: f64| pain < limit;
    let (during, after) = (report.pain_during, report.pain_after);
    let back = f64::from(plan.step_back_from);
    let tests = [
        (report.new_red_flag, Why::WarningSign),
        (report.bone_cleared == Some(false) || (bone && report.bone_cleared.is_none()), Why::BoneNotCleared),
        (bone && !(within(during, 0.0) && within(after, 0.0)), Why::PainInBone),
        (bone && report.limping, Why::LimpWithBone),
        (!(below(during, SEVERE_PAIN) && below(after, SEVERE_PAIN)), Why::SeverePain),
        (!bone && condition.urgency.level >= TriageLevel::Urgent, Why::TreatedFirst),
        (report.limping, Why::Limp),
        (!below(during, back), Why::PainDuringHigh),
        (!below(after, back), Why::PainAfterHigh),
        (report.worse_next_day, Why::WorseNextDay),
        (!within(during, f64::from(plan.pain_during_at_most)), Why::PainDuring),
        (!within(after, f64::from(plan.pain_after_at_most)), Why::PainAfter),
        (report.sessions_at_step < u32::from(plan.sessions_per_step), Why::MoreSessions),
    ];
    tests.into_iter().filter_map(|(holds, why)| holds.then_some(why)).collect()
}
