//! What to ask next: warning signs first, then what separates the conditions best.
//!
//! The interview has no memory: every request brings all answers, and the same answers get the same question.

use std::collections::BTreeSet;

use super::{
    Assessment,
    case::Case,
    danger::{Danger, DangerStatus},
    evidence::Weighing,
    information::{Information, surprise},
    model::{Hypothesis, Model},
    question::{Ask, Question, Topic, Why},
    scope::out_of_scope,
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    entry::{Finding, RedFlag},
    vocabulary::{Category, Examiner, GroupKind, TriageLevel},
};

/// An interview of this many questions ends.
const MOST_QUESTIONS: usize = 19;

/// From this probability on the first condition needs no more questions.
const CONFIDENT_FROM: f64 = 0.92;

/// Below this information, in bits, a question is not worth asking.
const LEAST_GAIN: f64 = 0.04;

/// Below this information, in bits, a finding is left out of a checklist.
const LEAST_LISTED_GAIN: f64 = 0.008;

/// A dangerous condition above this part of its lowest threshold is asked about before the interview ends.
const NEAR_THRESHOLD: f64 = 0.05;

/// The most findings of one safety question.
const LONGEST_SAFETY_LIST: usize = 8;

/// How many findings a checklist usually holds: of answers alone, nobody can tell how they were asked for.
const USUAL_LIST: usize = 6;

/// How many findings are asked for about one dangerous condition.
const FINDINGS_FOR_A_DANGER: usize = 8;

/// What an answer about such a condition must be expected to weigh, in nats, to be asked for.
const LEAST_DANGER_WEIGHT: f64 = 0.1;

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
    let questions = Questions { catalogue, model, case, assessment, dangers, examiner };
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
}

impl Questions<'_> {
    fn finding(&self, finding: FindingIndex) -> &Finding {
        self.catalogue.finding_at(finding)
    }

    const fn information(&self) -> Information<'_> {
        Information { model: self.model, ranking: &self.assessment.ranking }
    }

    /// Whether the finding concerns this runner, can be answered by whoever looks, and was not answered.
    fn is_open(&self, finding: FindingIndex) -> bool {
        let entry = self.finding(finding);
        let who = self.examiner == Examiner::Clinician || entry.kind.examiner() == Examiner::Oneself;
        who && concerns(entry, self.case)
            && self.case.answer_to(finding).is_none()
            && !self.case.is_unknown(finding)
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
                    self.is_open(*finding) && self.assessment.triage.unscreened.contains(finding)
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
        ask(listed(self.completing())?, Why::Safety)
    }

    /// Open findings that would complete a rule of the same day or more, of which something is present already.
    fn completing(&self) -> Vec<FindingIndex> {
        let level = self.assessment.triage.level.max(TriageLevel::Soon);
        let rules = self.catalogue.red_flags().iter().filter(|rule| rule.level > level);
        let mut findings: Vec<FindingIndex> = Vec::new();
        for finding in rules.flat_map(|rule| self.missing_one(rule)) {
            if !findings.contains(&finding) && !self.is_option(finding) {
                findings.push(finding);
            }
        }
        findings.truncate(LONGEST_SAFETY_LIST);
        findings
    }

    /// The open findings of which any one would complete a rule.
    fn missing_one(&self, rule: &RedFlag) -> Vec<FindingIndex> {
        if !super::triage::fits_profile(self.case, rule)
            || (self.case.age().is_none() && rule.age_to.is_some())
        {
            return Vec::new();
        }
        let index = |id: &crate::catalogue::id::FindingId| self.catalogue.finding_index(id.as_str());
        let present = |finding: &FindingIndex| self.case.answer_to(*finding) == Some(super::Answer::Present);
        let all: Vec<FindingIndex> = rule.all_of.iter().filter_map(index).collect();
        let any: Vec<FindingIndex> = rule.any_of.iter().filter_map(index).collect();
        let absent = rule.all_absent.iter().filter_map(index);
        let missing_all: Vec<FindingIndex> =
            all.iter().copied().filter(|finding| !present(finding)).collect();
        let any_present = any.iter().filter(|finding| present(finding)).count();
        let missing_any = usize::from(rule.at_least).saturating_sub(any_present);
        let absent_holds =
            absent.into_iter().all(|finding| self.case.answer_to(finding) == Some(super::Answer::Absent));
        let touched = all.len() > missing_all.len() || any_present > 0;
        if !touched || !absent_holds || missing_all.len() + missing_any != 1 {
            return Vec::new();
        }
        let missing = if missing_any > 0 { any } else { missing_all };
        missing.into_iter().filter(|finding| !present(finding) && self.is_open(*finding)).collect()
    }

    /// A question about dangerous conditions that are close to a threshold.
    fn near_danger(&self, locked: &[FindingIndex]) -> Option<Question> {
        let ranking = &self.assessment.ranking;
        let near: Vec<Hypothesis> = ranking
            .order()
            .iter()
            .copied()
            .filter(|hypothesis| {
                let urgency = &self.catalogue.condition_at(self.model.condition(*hypothesis)).urgency;
                let probability = ranking.posterior(*hypothesis);
                urgency.raises.iter().any(|raise| {
                    raise.level > self.assessment.triage.level
                        && raise.level > TriageLevel::Routine
                        && (NEAR_THRESHOLD * raise.from.get()..raise.from.get()).contains(&probability)
                })
            })
            .collect();
        let mut findings: Vec<FindingIndex> = Vec::new();
        for hypothesis in &near {
            let helpful = Weighing::most_helpful(
                self.model,
                self.case,
                *hypothesis,
                FINDINGS_FOR_A_DANGER,
                |finding| self.is_open(finding) && !locked.contains(&finding) && !self.is_option(finding),
            );
            let telling = helpful.iter().filter(|helpful| helpful.expected_weight >= LEAST_DANGER_WEIGHT);
            for finding in telling.map(|helpful| helpful.finding) {
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        findings.truncate(LONGEST_SAFETY_LIST);
        Some(Question { ask: listed(findings)?, gain: 0.0, why: Why::Safety, separates: near })
    }

    fn is_option(&self, finding: FindingIndex) -> bool {
        self.model
            .finding(finding)
            .group
            .is_some_and(|group| self.model.group(group).kind == GroupKind::SingleChoice)
    }

    /// The open single choice with the most information.
    fn best_choice(&self) -> Option<Question> {
        let choices = (0..self.catalogue.groups().len()).filter_map(|group| self.choice(group));
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
                self.is_open(*finding) && !self.is_option(*finding) && !locked.contains(finding)
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

    /// A single choice of which no option was answered.
    fn choice(&self, group: usize) -> Option<Ask> {
        if self.model.group(group).kind != GroupKind::SingleChoice {
            return None;
        }
        let options: Vec<FindingIndex> = self
            .model
            .findings()
            .filter(|(_, column)| column.group == Some(group))
            .map(|(finding, _)| finding)
            .collect();
        let open = options.iter().all(|option| self.case.answer_to(*option) != Some(super::Answer::Present))
            && !options.iter().any(|option| self.case.is_unknown(*option));
        let open_options: Vec<FindingIndex> =
            options.into_iter().filter(|option| self.is_open(*option)).collect();
        (open && open_options.len() > 1).then_some(Ask::Choice(group, open_options))
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
            .filter(|finding| self.finding(*finding).loading_test && self.is_open(*finding))
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
        let mut asked = usize::from(self.case.age().is_some()) + usize::from(self.case.sex().is_some());
        for screen in self.catalogue.screens() {
            let options: Vec<FindingIndex> =
                screen.findings.iter().filter_map(|id| self.catalogue.finding_index(id.as_str())).collect();
            asked += usize::from(options.iter().any(|option| single.contains(option)));
            single.retain(|finding| !options.contains(finding));
        }
        let mut groups = BTreeSet::new();
        single.retain(|finding| {
            let option = self.is_option(*finding);
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
                    |finding| self.is_open(finding) && self.assessment.triage.unscreened.contains(&finding),
                )
            })
            .count();
        let profile = usize::from(self.case.age().is_none()) + usize::from(self.case.sex().is_none());
        let uncertainty: f64 = self
            .model
            .hypotheses()
            .map(|(hypothesis, _)| surprise(self.assessment.ranking.posterior(hypothesis)))
            .sum::<f64>()
            / std::f64::consts::LN_2;
        let usual = if gain > 0.0 { gain.max(USUAL_GAIN) } else { USUAL_GAIN };
        let discriminating = ((uncertainty - 1.0).max(0.0) / usual).ceil() as usize;
        (screens + profile + discriminating).clamp(1, MOST_QUESTIONS)
    }
}

/// One question for some findings; none for none.
fn listed(findings: Vec<FindingIndex>) -> Option<Ask> {
    match findings.as_slice() {
        [] => None,
        [only] => Some(Ask::Finding(*only)),
        _ => Some(Ask::Checklist(Topic::Safety, findings)),
    }
}

/// Whether a finding concerns a runner of this age and sex; one that is not known may be any.
pub(super) fn concerns(finding: &Finding, case: &Case) -> bool {
    finding.only_for.is_none_or(|only| {
        only.sex.is_none_or(|wanted| case.sex().is_none_or(|sex| sex == wanted))
            && only.age_from.is_none_or(|from| case.age().is_none_or(|age| age >= from))
            && only.age_to.is_none_or(|to| case.age().is_none_or(|age| age <= to))
    })
}
