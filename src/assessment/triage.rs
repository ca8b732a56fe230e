//! How soon someone should look: rules over the findings, which the ranking can raise and never lower.
//!
//! A red-flag rule fires by itself, whatever the ranking says. A dangerous condition raises the level from a
//! probability that its catalogue entry sets, once an answer speaks for it. The level is the highest of all.
//! What was not asked is not taken for absent: `self_care` is only said when nothing that matters is open, the questions
//! included that the interview would ask for safety.
//!
//! A further warning sign never lowers the level. It could: what speaks for one dangerous condition takes
//! probability from another. So a condition may also pass its threshold with some of the warning signs set
//! aside, and a case with more warning signs than can be tried in all ways is an emergency in itself.

use std::collections::BTreeSet;

use super::{
    case::{Answer, Case},
    evidence::Weighing,
    model::{Hypothesis, Model},
    open::OpenFindings,
    ranking::Ranking,
    setting_aside::SettingAside,
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    entry::{Condition, RedFlag},
    id::FindingId,
    vocabulary::{AgeBand, Examiner, FindingKind, TriageLevel},
};

/// A rule for certain ages speaks for a runner of unknown age when at least this share of runners has them.
const LIKELY_AGE: f64 = 0.5;

/// The most warning signs whose every combination is tried; more than these are an emergency in themselves.
const MOST_WARNING_SIGNS: usize = 8;

/// How urgent a case is, and why.
#[derive(Debug, Clone)]
pub struct Triage {
    /// The level.
    pub level: TriageLevel,
    /// Whether open questions could raise it.
    pub provisional: bool,
    /// Whether running stops until someone has looked.
    pub stop_running: bool,
    /// Why, the most urgent first.
    pub reasons: Vec<Reason>,
    /// Findings not answered that could raise the level, in the catalogue's order.
    pub unscreened: Vec<FindingIndex>,
    /// Whether an unknown age could raise the level.
    pub age_matters: bool,
}

/// One reason for a level.
#[derive(Debug, Clone)]
pub struct Reason {
    /// The level it asks for.
    pub level: TriageLevel,
    /// Whether it asks to stop running.
    pub stop_running: bool,
    /// What it is.
    pub because: Because,
    /// The answers behind it, in the catalogue's order.
    pub findings: Vec<FindingIndex>,
    /// Warning signs that were set aside, because they would have hidden the reason.
    pub set_aside: Vec<FindingIndex>,
}

/// What a reason rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Because {
    /// A red-flag rule, as a place in the catalogue's list.
    Rule(usize),
    /// A rule for ages that few runners have; the age is not known, so it raises nothing and is only said.
    RuleOfUnknownAge(usize),
    /// A dangerous condition above its threshold.
    Condition {
        /// The condition.
        hypothesis: Hypothesis,
        /// Its post-test probability.
        probability: f64,
        /// The threshold that it passed.
        threshold: f64,
    },
    /// More warning signs than can be weighed against one another.
    ManyWarningSigns,
    /// A warning sign that no rule takes up.
    WarningSign,
    /// The safety questions are not answered yet.
    Unscreened,
    /// Some of them were answered with "do not know", and no other is open.
    NotKnown,
    /// Everything that matters was asked, and nothing was found.
    Screened,
}

impl Triage {
    pub(super) fn of(
        catalogue: &Catalogue,
        model: &Model,
        case: &Case,
        weighing: &Weighing,
        ranking: &Ranking,
    ) -> Self {
        let mut reasons = fired_rules(catalogue, case);
        reasons.extend(dangerous_conditions(catalogue, model, case, weighing, ranking));
        let signs: Vec<FindingIndex> =
            case.present().filter(|finding| catalogue.finding_at(*finding).red_flag).collect();
        reasons.extend(hidden_dangers(catalogue, model, case, &signs, &reasons));
        reasons.extend(warning_signs(&signs, &reasons));
        let level = reasons.iter().map(|reason| reason.level).max().unwrap_or(TriageLevel::SelfCare);
        let unscreened = unscreened(catalogue, case, level);
        let age_matters = case.age().is_none() && level < TriageLevel::Soon;
        let questions = || {
            let examiner = Examiner::Oneself;
            level < TriageLevel::Soon
                && OpenFindings { catalogue, model, case, ranking, level, examiner }.could_raise()
        };
        let open = !unscreened.is_empty() || age_matters || questions();
        let told = case.age().is_some() || case.age_is_unknown();
        let answerable = !told || unscreened.iter().any(|finding| !case.is_unknown(*finding)) || questions();
        if level == TriageLevel::SelfCare {
            let (level, because) = if open {
                (TriageLevel::Routine, if answerable { Because::Unscreened } else { Because::NotKnown })
            } else {
                (TriageLevel::SelfCare, Because::Screened)
            };
            reasons.push(Reason {
                level,
                stop_running: false,
                because,
                findings: Vec::new(),
                set_aside: Vec::new(),
            });
        }
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.level));
        Self {
            level: reasons.first().map_or(TriageLevel::Routine, |reason| reason.level),
            provisional: open,
            stop_running: reasons.iter().any(|reason| reason.stop_running),
            reasons,
            unscreened,
            age_matters,
        }
    }
}

fn fired_rules(catalogue: &Catalogue, case: &Case) -> Vec<Reason> {
    catalogue
        .red_flags()
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.level > TriageLevel::SelfCare)
        .filter_map(|(place, rule)| {
            let findings = rule_findings(catalogue, case, rule)?;
            // Missing answers alone never make a case urgent: a rule for ages that few runners have is said, so
            // that the age is asked for, and raises nothing while the age is not known.
            let unlikely = case.age().is_none() && share_of_ages(catalogue, rule) < LIKELY_AGE;
            let (level, because) = if unlikely {
                (rule.level.min(TriageLevel::Routine), Because::RuleOfUnknownAge(place))
            } else {
                (rule.level, Because::Rule(place))
            };
            Some(Reason {
                level,
                stop_running: rule.stop_running && !unlikely,
                because,
                findings,
                set_aside: Vec::new(),
            })
        })
        .collect()
}

/// The share of runners whose age a rule is for, from the catalogue's population, ages even within a band.
fn share_of_ages(catalogue: &Catalogue, rule: &RedFlag) -> f64 {
    const EDGES: [(AgeBand, f64, f64); 5] = [
        (AgeBand::Under14, 0.0, 14.0),
        (AgeBand::From14To17, 14.0, 18.0),
        (AgeBand::From18To39, 18.0, 40.0),
        (AgeBand::From40To59, 40.0, 60.0),
        (AgeBand::From60, 60.0, 90.0),
    ];
    let from = f64::from(rule.age_from.unwrap_or(0));
    let to = rule.age_to.map_or(90.0, |age| f64::from(age) + 1.0);
    let share = |(band, low, high): (AgeBand, f64, f64)| {
        let overlap = (to.min(high) - from.max(low)).max(0.0);
        catalogue.about().population.age.of(band).get() * overlap / (high - low)
    };
    EDGES.into_iter().map(share).sum()
}

/// The answers that make a rule fire, or none where it does not.
fn rule_findings(catalogue: &Catalogue, case: &Case, rule: &RedFlag) -> Option<Vec<FindingIndex>> {
    if !fits_profile(case, rule) || (case.age().is_none() && !rule.needs_findings()) {
        return None;
    }
    let answered = |id: &FindingId, wanted: Answer| {
        catalogue.finding_index(id.as_str()).filter(|finding| case.answer_to(*finding) == Some(wanted))
    };
    let all: Option<Vec<FindingIndex>> = rule
        .all_of
        .iter()
        .map(|id| answered(id, Answer::Present))
        .chain(rule.all_absent.iter().map(|id| answered(id, Answer::Absent)))
        .collect();
    let any: Vec<FindingIndex> = rule.any_of.iter().filter_map(|id| answered(id, Answer::Present)).collect();
    if any.len() < usize::from(rule.at_least) {
        return None;
    }
    let mut findings: Vec<FindingIndex> = all?.into_iter().chain(any).collect();
    findings.sort_unstable();
    findings.dedup();
    Some(findings)
}

/// Whether a rule is for this age and sex, or for one that is not known to differ.
pub(super) fn fits_profile(case: &Case, rule: &RedFlag) -> bool {
    let age_fits = case.age().is_none_or(|age| {
        rule.age_from.is_none_or(|from| age >= from) && rule.age_to.is_none_or(|to| age <= to)
    });
    let sex_fits = match (rule.sex, case.sex()) {
        (Some(wanted), Some(sex)) => wanted == sex,
        (None, _) | (_, None) => true,
    };
    age_fits && sex_fits
}

/// Dangerous conditions that pass a threshold.
fn dangerous_conditions(
    catalogue: &Catalogue,
    model: &Model,
    case: &Case,
    weighing: &Weighing,
    ranking: &Ranking,
) -> Vec<Reason> {
    let raised = ranking.order().iter().filter_map(|hypothesis| {
        let condition = catalogue.condition_at(model.condition(*hypothesis));
        let probability = ranking.posterior(*hypothesis);
        let (level, threshold) = passed_threshold(condition, probability)?;
        // A prior alone raises nothing, and neither does what a runner brings along: something must be felt or found that
        // speaks for the condition, else a jump in distance would be a suspicion in everyone's data.
        let findings: Vec<FindingIndex> = weighing
            .answers()
            .iter()
            .filter(|answer| answer.answer == Answer::Present && answer.weight(*hypothesis) > 0.0)
            .map(|answer| answer.finding)
            .filter(|finding| case.answer_to(*finding) == Some(Answer::Present))
            .collect();
        let felt = findings.iter().any(|finding| {
            !matches!(catalogue.finding_at(*finding).kind, FindingKind::RiskFactor | FindingKind::History)
        });
        let raised = felt && probability > ranking.prior(*hypothesis);
        raised.then_some(Reason {
            level,
            stop_running: level > TriageLevel::Routine,
            because: Because::Condition { hypothesis: *hypothesis, probability, threshold },
            findings,
            set_aside: Vec::new(),
        })
    });
    raised.collect()
}

/// Dangerous conditions that pass a higher threshold once some of the warning signs are set aside.
fn hidden_dangers(
    catalogue: &Catalogue,
    model: &Model,
    case: &Case,
    signs: &[FindingIndex],
    reasons: &[Reason],
) -> Vec<Reason> {
    let mut level = reasons.iter().map(|reason| reason.level).max().unwrap_or(TriageLevel::SelfCare);
    if level == TriageLevel::Emergency {
        return Vec::new();
    }
    if signs.len() > MOST_WARNING_SIGNS {
        return vec![Reason {
            level: TriageLevel::Emergency,
            stop_running: true,
            because: Because::ManyWarningSigns,
            findings: signs.to_vec(),
            set_aside: Vec::new(),
        }];
    }
    let mut found = Vec::new();
    let setting_aside = SettingAside::new(model, case, signs);
    for combination in 1_u32..1 << signs.len() {
        if !setting_aside.may_raise(catalogue, model, combination, level) {
            continue;
        }
        let set_aside: Vec<FindingIndex> = signs
            .iter()
            .enumerate()
            .filter(|(place, _)| combination & (1 << place) != 0)
            .map(|(_, finding)| *finding)
            .collect();
        let rest = case.without(&set_aside);
        let weighing = Weighing::of(model, &rest);
        let ranking = Ranking::of(catalogue, model, &rest, &weighing);
        for reason in dangerous_conditions(catalogue, model, &rest, &weighing, &ranking) {
            if reason.level > level {
                level = reason.level;
                found.push(Reason { set_aside: set_aside.clone(), ..reason });
            }
        }
    }
    found
}

/// The highest level that a probability passes the threshold of.
pub(super) fn passed_threshold(condition: &Condition, probability: f64) -> Option<(TriageLevel, f64)> {
    condition
        .urgency
        .raises
        .iter()
        .filter(|raise| probability >= raise.from.get())
        .map(|raise| (raise.level, raise.from.get()))
        .max_by_key(|(level, _)| *level)
}

/// Warning signs that are present and that no reason so far rests on: they are never passed over in silence.
fn warning_signs(signs: &[FindingIndex], reasons: &[Reason]) -> Option<Reason> {
    let taken_up = |sign: &FindingIndex| {
        reasons.iter().any(|reason| reason.level > TriageLevel::Routine && reason.findings.contains(sign))
    };
    let findings: Vec<FindingIndex> = signs.iter().copied().filter(|sign| !taken_up(sign)).collect();
    (!findings.is_empty()).then_some(Reason {
        level: TriageLevel::Soon,
        stop_running: false,
        because: Because::WarningSign,
        findings,
        set_aside: Vec::new(),
    })
}

/// Warning signs that nobody answered and that could still make a rule above `level` fire.
fn unscreened(catalogue: &Catalogue, case: &Case, level: TriageLevel) -> Vec<FindingIndex> {
    let floor = level.max(TriageLevel::Routine);
    let mut open = BTreeSet::new();
    for rule in
        catalogue.red_flags().iter().filter(|rule| rule.level > floor && could_fire(catalogue, case, rule))
    {
        for id in rule.all_of.iter().chain(&rule.any_of) {
            let Some(finding) = catalogue.finding_index(id.as_str()) else { continue };
            let entry = catalogue.finding_at(finding);
            let askable = entry.red_flag
                && entry.kind.examiner() == Examiner::Oneself
                && super::open::concerns(entry, case);
            if askable && case.answer_to(finding).is_none() {
                open.insert(finding);
            }
        }
    }
    open.into_iter().collect()
}

/// Whether further answers could make a rule fire.
fn could_fire(catalogue: &Catalogue, case: &Case, rule: &RedFlag) -> bool {
    let is = |id: &FindingId, answer: Answer| {
        catalogue.finding_index(id.as_str()).is_some_and(|finding| case.answer_to(finding) == Some(answer))
    };
    fits_profile(case, rule)
        && !rule.all_of.iter().any(|id| is(id, Answer::Absent))
        && !rule.all_absent.iter().any(|id| is(id, Answer::Present))
        && rule.any_of.iter().filter(|id| !is(id, Answer::Absent)).count() >= usize::from(rule.at_least)
}
