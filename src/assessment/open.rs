//! What is open: findings not answered that could still raise the level or tell causes apart.
//!
//! Triage says by it whether its level is final; the interview asks by it.

use super::{
    case::{Answer, Case},
    evidence::Weighing,
    model::{Hypothesis, Model},
    ranking::Ranking,
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    entry::{Finding, RedFlag},
    id::FindingId,
    vocabulary::{Examiner, GroupKind, TriageLevel},
};

/// A dangerous condition above this part of its lowest threshold is asked about before the interview ends.
const NEAR_THRESHOLD: f64 = 0.13;

/// How many findings are asked for about one dangerous condition.
const FINDINGS_FOR_A_DANGER: usize = 7;

/// What an answer about such a condition must be expected to weigh, in nats, to be asked for.
const LEAST_DANGER_WEIGHT: f64 = 0.1;

/// The open findings of one case.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenFindings<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) model: &'a Model,
    pub(super) case: &'a Case,
    pub(super) ranking: &'a Ranking,
    /// The triage level so far.
    pub(super) level: TriageLevel,
    /// Who answers.
    pub(super) examiner: Examiner,
}

/// Dangerous conditions close to a threshold, and the open findings that would tell most about them.
#[derive(Debug, Clone, Default)]
pub(super) struct NearDanger {
    pub(super) conditions: Vec<Hypothesis>,
    pub(super) findings: Vec<FindingIndex>,
}

impl OpenFindings<'_> {
    /// Whether anything is open that the interview asks for before it says that the level is final: a place or start that
    /// was not told, a finding that would complete a rule, or one that tells much about a danger close to its threshold.
    pub(super) fn could_raise(&self) -> bool {
        (0..self.catalogue.groups().len()).any(|group| self.choice(group).is_some())
            || !self.completing().is_empty()
            || !self
                .near_danger(|finding| self.catalogue.finding_at(finding).loading_test)
                .findings
                .is_empty()
    }

    /// Whether the finding concerns this runner, can be answered by whoever looks, and was not answered.
    pub(super) fn is_open(&self, finding: FindingIndex) -> bool {
        let entry = self.catalogue.finding_at(finding);
        let who = self.examiner == Examiner::Clinician || entry.kind.examiner() == Examiner::Oneself;
        who && concerns(entry, self.case)
            && self.case.answer_to(finding).is_none()
            && !self.case.is_unknown(finding)
    }

    /// Open findings that would complete a rule of the same day or more, of which something is present already, or bring
    /// it within one answer.
    pub(super) fn completing(&self) -> Vec<FindingIndex> {
        let level = self.level.max(TriageLevel::Soon);
        let rules = self.catalogue.red_flags().iter().filter(|rule| rule.level > level);
        let mut findings: Vec<FindingIndex> = Vec::new();
        for finding in rules.flat_map(|rule| self.missing_one(rule)) {
            if !findings.contains(&finding) && !self.is_option(finding) {
                findings.push(finding);
            }
        }
        findings
    }

    /// The open findings of which any one would complete a rule, or bring it within one answer.
    fn missing_one(&self, rule: &RedFlag) -> Vec<FindingIndex> {
        if !super::triage::fits_profile(self.case, rule)
            || (self.case.age().is_none() && rule.age_to.is_some())
        {
            return Vec::new();
        }
        let index = |id: &FindingId| self.catalogue.finding_index(id.as_str());
        let present = |finding: &FindingIndex| self.case.answer_to(*finding) == Some(Answer::Present);
        let all: Vec<FindingIndex> = rule.all_of.iter().filter_map(index).collect();
        let any: Vec<FindingIndex> = rule.any_of.iter().filter_map(index).collect();
        let absent = rule.all_absent.iter().filter_map(index);
        let missing_all: Vec<FindingIndex> =
            all.iter().copied().filter(|finding| !present(finding)).collect();
        let any_present = any.iter().filter(|finding| present(finding)).count();
        let missing_any = usize::from(rule.at_least).saturating_sub(any_present);
        let absent_holds =
            absent.into_iter().all(|finding| self.case.answer_to(finding) == Some(Answer::Absent));
        let begun = all.len() > missing_all.len();
        // Of a rule that is begun, the one that it cannot do without is asked first, whatever else it needs.
        let needed_first = begun && missing_all.len() == 1 && missing_any == 1;
        let one_missing = missing_all.len() + missing_any == 1 && (begun || any_present > 0);
        if !absent_holds || !(needed_first || one_missing) {
            return Vec::new();
        }
        let missing = if missing_all.is_empty() { any } else { missing_all };
        missing.into_iter().filter(|finding| !present(finding) && self.is_open(*finding)).collect()
    }

    /// Dangerous conditions that are close to a threshold above the level, and what would tell most about them, without
    /// the findings that are held back.
    pub(super) fn near_danger(&self, held_back: impl Fn(FindingIndex) -> bool) -> NearDanger {
        let conditions: Vec<Hypothesis> = self
            .ranking
            .order()
            .iter()
            .copied()
            .filter(|hypothesis| {
                let urgency = &self.catalogue.condition_at(self.model.condition(*hypothesis)).urgency;
                let probability = self.ranking.posterior(*hypothesis);
                urgency.raises.iter().any(|raise| {
                    raise.level > self.level
                        && raise.level > TriageLevel::Routine
                        && (NEAR_THRESHOLD * raise.from.get()..raise.from.get()).contains(&probability)
                })
            })
            .collect();
        let mut findings: Vec<FindingIndex> = Vec::new();
        for hypothesis in &conditions {
            let helpful = Weighing::most_helpful(
                self.model,
                self.case,
                *hypothesis,
                FINDINGS_FOR_A_DANGER,
                |finding| self.is_open(finding) && !held_back(finding) && !self.is_option(finding),
            );
            let telling = helpful.iter().filter(|helpful| helpful.expected_weight >= LEAST_DANGER_WEIGHT);
            for finding in telling.map(|helpful| helpful.finding) {
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        NearDanger { conditions, findings }
    }

    /// Whether a finding is an option of a single choice.
    pub(super) fn is_option(&self, finding: FindingIndex) -> bool {
        self.model
            .finding(finding)
            .group
            .is_some_and(|group| self.model.group(group).kind == GroupKind::SingleChoice)
    }

    /// A single choice of which no option was answered, as its place among the groups with its open options.
    pub(super) fn choice(&self, group: usize) -> Option<Vec<FindingIndex>> {
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
        (open && open_options.len() > 1).then_some(open_options)
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
