//! What to ask next: warning signs first, then what separates the conditions best.
//!
//! The interview has no memory: every request brings all answers, and the same answers get the same question.

use std::collections::BTreeSet;

use super::{
    Assessment,
    case::Case,
    danger::{Danger, DangerStatus},
    information::{Information, surprise},
    model::Model,
    open::OpenFindings,
    question::{Ask, Question, Topic, Why},
    scope::out_of_scope,
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    entry::Finding,
    vocabulary::{Category, Examiner, TriageLevel},
};

/// An interview of this many questions ends.
const MOST_QUESTIONS: usize = 24;

/// From this probability on the first condition needs no more questions.
const CONFIDENT_FROM: f64 = 0.93;

/// Below this information, in bits, a question is not worth asking.
const LEAST_GAIN: f64 = 0.04;

/// Below this information, in bits, a finding is left out of a checklist.
const LEAST_LISTED_GAIN: f64 = 0.001;

/// The most findings of one safety question.
const LONGEST_SAFETY_LIST: usize = 12;

/// How many findings a checklist usually holds: of answers alone, nobody can tell how they were asked for.
const USUAL_LIST: usize = 8;

/// How an interview stands.
#[derive(Debug, Clone)]
pub struct Interview {
    /// What to ask next; none when it is complete.
    pub next: Option<Question>,
    /// Why it is complete.
    pub stop: Option<StopReason>,
    /// About how many questions the answers so far stand for.
    pub asked: usize,
    /// About how many are left.
    pub estimated_left: usize,
    /// Self-tests that are not asked because they load a hip that may have an injured bone.
    pub locked: Vec<FindingIndex>,
}

/// Why an interview is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// It is an emergency: no question is worth the time.
    RedFlag,
    /// One condition is probable enough, and nothing dangerous is open.
    Confident,
    /// No open question would change much.
    NoUsefulQuestion,
    /// It has become long enough.
    Limit,
}

/// How an interview stands after the answers of a case, whose dangers are [`dangers`](super::dangers).
#[must_use]
pub fn interview(
    catalogue: &Catalogue,
    model: &Model,
    case: &Case,
    assessment: &Assessment,
    dangers: &[Danger],
    examiner: Examiner,
) -> Interview {
    let open = OpenFindings {
        catalogue,
        model,
        case,
        ranking: &assessment.ranking,
        level: assessment.triage.level,
        examiner,
    };
    let questions = Questions { catalogue, model, case, assessment, dangers, examiner, open };
    let asked = questions.asked();
    let locked = questions.locked();
    let stopped =
        |stop| Interview { next: None, stop: Some(stop), asked, estimated_left: 0, locked: locked.clone() };
    if assessment.triage.level == TriageLevel::Emergency {
        return stopped(StopReason::RedFlag);
    }
    if let Some(question) = questions.safety() {
        let estimated_left = questions.estimated_left(0.0);
        return Interview { next: Some(question), stop: None, asked, estimated_left, locked };
    }
    if !out_of_scope(catalogue, case).is_empty() {
        return stopped(StopReason::NoUsefulQuestion);
    }
    if asked >= MOST_QUESTIONS {
        return stopped(StopReason::Limit);
    }
    let first = assessment.ranking.order().first().map_or(0.0, |first| assessment.ranking.posterior(*first));
    // Where it hurts and how it began come before all else: every person expects to be asked, and rules lean on them.
    if let Some(question) = questions.best_choice() {
        let estimated_left = questions.estimated_left(question.gain);
        return Interview { next: Some(question), stop: None, asked, estimated_left, locked };
    }
    let danger = questions.near_danger(&locked);
    let best = questions.best(&locked);
    let confident = first >= CONFIDENT_FROM;
    let next = match (danger, best) {
        (Some(question), _) => question,
        (None, Some(question)) if !confident && question.gain >= LEAST_GAIN => question,
        (None, _) if confident => return stopped(StopReason::Confident),
        (None, _) => return stopped(StopReason::NoUsefulQuestion),
    };
    let estimated_left = questions.estimated_left(next.gain);
    Interview { next: Some(next), stop: None, asked, estimated_left, locked }
}

struct Questions<'a> {
    catalogue: &'a Catalogue,
    model: &'a Model,
    case: &'a Case,
    assessment: &'a Assessment,
    dangers: &'a [Danger],
    examiner: Examiner,
    open: OpenFindings<'a>,
}

impl Questions<'_> {
    fn finding(&self, finding: FindingIndex) -> &Finding {
        self.catalogue.finding_at(finding)
    }

    const fn information(&self) -> Information<'_> {
        Information { model: self.model, ranking: &self.assessment.ranking }
    }

    /// Warning signs, age and sex, and what would complete a rule.
    fn safety(&self) -> Option<Question> {
        let ask = |ask, why| Some(Question { ask, why, gain: 0.0, separates: Vec::new() });
        let mut screens = self.catalogue.screens().iter().enumerate().filter_map(|(place, screen)| {
            let options: Vec<FindingIndex> = screen
                .findings
                .iter()
                .filter_map(|id| self.catalogue.finding_index(id.as_str()))
                .filter(|finding| {
                    self.open.is_open(*finding) && self.assessment.triage.unscreened.contains(finding)
                })
                .collect();
            (!options.is_empty()).then_some(Ask::Screen(place, options))
        });
        let first = screens.next();
        // What needs help today is asked before anything else.
        if let Some(Ask::Screen(0, options)) = first {
            return ask(Ask::Screen(0, options), Why::Safety);
        }
        if self.case.age().is_none() && !self.case.age_is_unknown() {
            return ask(Ask::Age, Why::Profile);
        }
        if self.case.sex().is_none() && !self.case.sex_is_unknown() {
            return ask(Ask::Sex, Why::Profile);
        }
        if let Some(screen) = first {
            return ask(screen, Why::Safety);
        }
        ask(listed(self.open.completing())?, Why::Safety)
    }

    /// A question about dangerous conditions that are close to a threshold.
    fn near_danger(&self, locked: &[FindingIndex]) -> Option<Question> {
        let near = self.open.near_danger(|finding| locked.contains(&finding));
        Some(Question {
            ask: listed(near.findings)?,
            gain: 0.0,
            why: Why::Safety,
            separates: near.conditions,
        })
    }

    /// The open single choice with the most information.
    fn best_choice(&self) -> Option<Question> {
        let choices = (0..self.catalogue.groups().len())
            .filter_map(|group| Some(Ask::Choice(group, self.open.choice(group)?)));
        let best = choices
            .map(|ask| (self.information().gain(&ask), ask))
            .max_by(|one, other| one.0.total_cmp(&other.0));
        best.map(|(gain, ask)| Question {
            separates: self.information().separated(&ask),
            why: Why::Discriminates,
            gain,
            ask,
        })
    }

    /// The open question with the most information, once the single choices are answered.
    ///
    /// Findings of one topic are asked together: a person goes through a short list about as fast as through one
    /// question, and learns what to look for.
    fn best(&self, locked: &[FindingIndex]) -> Option<Question> {
        let mut findings: Vec<(f64, FindingIndex)> = self
            .model
            .findings()
            .map(|(finding, _)| finding)
            .filter(|finding| {
                self.open.is_open(*finding) && !self.open.is_option(*finding) && !locked.contains(finding)
            })
            .map(|finding| (self.information().gain(&Ask::Finding(finding)), finding))
            .filter(|(gain, _)| *gain >= LEAST_LISTED_GAIN)
            .collect();
        // Stable: equal information keeps the catalogue's order.
        findings.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut lists: Vec<(Topic, f64, Vec<FindingIndex>)> = Vec::new();
        for (gain, finding) in findings {
            let topic = Topic::of(self.finding(finding).kind);
            match lists.iter_mut().find(|(other, ..)| *other == topic) {
                Some((_, total, list)) if list.len() < topic.longest() => {
                    *total += gain;
                    list.push(finding);
                }
                Some(_) => {}
                None => lists.push((topic, gain, vec![finding])),
            }
        }
        let lists = lists.into_iter().map(|(topic, gain, list)| match list.as_slice() {
            [only] => (gain, Ask::Finding(*only)),
            _ => (gain, Ask::Checklist(topic, list)),
        });
        let mut best: Option<(f64, Ask)> = None;
        for (gain, ask) in lists {
            if best.as_ref().is_none_or(|(most, _)| gain > *most) {
                best = Some((gain, ask));
            }
        }
        best.map(|(gain, ask)| Question {
            separates: self.information().separated(&ask),
            why: Why::Discriminates,
            gain,
            ask,
        })
    }

    /// Self-tests that load the hip, while an injured bone is not excluded.
    fn locked(&self) -> Vec<FindingIndex> {
        let bone_open = self.dangers.iter().any(|danger| {
            let condition = self.catalogue.condition_at(self.model.condition(danger.hypothesis));
            condition.category == Category::Bone && danger.status != DangerStatus::Excluded
        });
        if !bone_open || self.examiner == Examiner::Clinician {
            return Vec::new();
        }
        self.model
            .findings()
            .map(|(finding, _)| finding)
            .filter(|finding| self.finding(*finding).loading_test && self.open.is_open(*finding))
            .collect()
    }

    /// About how many questions the answers stand for: a screen and a choice are one each, other findings are counted as
    /// checklists of the usual length.
    fn asked(&self) -> usize {
        let touched = |finding: &FindingIndex| {
            self.case.answer_to(*finding).is_some() || self.case.is_unknown(*finding)
        };
        let mut single: BTreeSet<FindingIndex> =
            self.model.findings().map(|(finding, _)| finding).filter(touched).collect();
        let profile = [
            self.case.age().is_some() || self.case.age_is_unknown(),
            self.case.sex().is_some() || self.case.sex_is_unknown(),
        ];
        let mut asked = profile.into_iter().map(usize::from).sum::<usize>();
        for screen in self.catalogue.screens() {
            let options: Vec<FindingIndex> =
                screen.findings.iter().filter_map(|id| self.catalogue.finding_index(id.as_str())).collect();
            asked += usize::from(options.iter().any(|option| single.contains(option)));
            single.retain(|finding| !options.contains(finding));
        }
        let mut groups = BTreeSet::new();
        single.retain(|finding| {
            let option = self.open.is_option(*finding);
            if option {
                groups.insert(self.model.finding(*finding).group);
            }
            !option
        });
        asked + groups.len() + single.len().div_ceil(USUAL_LIST)
    }

    /// About how many questions are left, from the uncertainty and the information of the next one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the most questions"
    )]
    fn estimated_left(&self, gain: f64) -> usize {
        const USUAL_GAIN: f64 = 0.3;
        let screens = self
            .catalogue
            .screens()
            .iter()
            .filter(|screen| {
                screen.findings.iter().filter_map(|id| self.catalogue.finding_index(id.as_str())).any(
                    |finding| {
                        self.open.is_open(finding) && self.assessment.triage.unscreened.contains(&finding)
                    },
                )
            })
            .count();
        let profile = usize::from(self.case.age().is_none() && !self.case.age_is_unknown())
            + usize::from(self.case.sex().is_none() && !self.case.sex_is_unknown());
        let choices =
            (0..self.catalogue.groups().len()).filter(|group| self.open.choice(*group).is_some()).count();
        let uncertainty: f64 = self
            .model
            .hypotheses()
            .map(|(hypothesis, _)| surprise(self.assessment.ranking.posterior(hypothesis)))
            .sum::<f64>()
            / std::f64::consts::LN_2;
        let usual = if gain > 0.0 { gain.max(USUAL_GAIN) } else { USUAL_GAIN };
        let discriminating = ((uncertainty - 1.0).max(0.0) / usual).ceil() as usize;
        (screens + profile + choices + discriminating).clamp(1, MOST_QUESTIONS)
    }
}

/// One question for some findings; none for none.
fn listed(mut findings: Vec<FindingIndex>) -> Option<Ask> {
    findings.truncate(LONGEST_SAFETY_LIST);
    match findings.as_slice() {
        [] => None,
        [only] => Some(Ask::Finding(*only)),
        _ => Some(Ask::Checklist(Topic::Safety, findings)),
    }
}
