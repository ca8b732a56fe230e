//! Post-test probabilities with some warning signs set aside, without weighing all answers anew.
//!
//! Triage tries every combination of the warning signs; with eight of them that is 255 rankings. Setting a finding aside
//! changes the weight of its own correlated group alone, so all the rest is summed up once. The probabilities are the same
//! as those of the whole calculation up to rounding; they only say which combinations are worth it.

use super::{
    case::{Answer, Case},
    evidence::effective_share,
    model::{Hypothesis, Model},
    triage::passed_threshold,
};
use crate::catalogue::{
    Catalogue, FindingIndex,
    vocabulary::{GroupKind, TriageLevel},
};

/// How much rounding may differ between this sum and the whole calculation, as a part of a probability.
const ROUNDING: f64 = 1e-6;

/// The answers of one case, summed up so that warning signs can be taken out of them.
pub(super) struct SettingAside {
    /// `ln(prior)` and the weights of all answers whose group holds no warning sign, by hypothesis.
    fixed: Vec<f64>,
    /// The correlated groups that hold a warning sign.
    groups: Vec<Group>,
    /// Warning signs of no correlated group: place among the signs, and weights by hypothesis.
    alone: Vec<(usize, Vec<f64>)>,
    /// Whether a sign is an option of a single choice, whose removal changes what the other options weigh.
    has_choice: bool,
}

/// One correlated group.
struct Group {
    coefficient: f64,
    /// How many answers it has.
    count: usize,
    /// The sum of their full weights, by hypothesis.
    total: Vec<f64>,
    /// Its warning signs: place among the signs, and full weights by hypothesis.
    signs: Vec<(usize, Vec<f64>)>,
}

impl SettingAside {
    pub(super) fn new(model: &Model, case: &Case, signs: &[FindingIndex]) -> Self {
        let group_of = |finding: FindingIndex| model.finding(finding).group;
        let place_of = |finding: FindingIndex| signs.iter().position(|sign| *sign == finding);
        let has_choice = signs.iter().any(|sign| {
            group_of(*sign).is_some_and(|group| model.group(group).kind == GroupKind::SingleChoice)
        });
        let touched: Vec<usize> = signs.iter().filter_map(|sign| group_of(*sign)).collect();
        // What no sign touches weighs as it did: the case without the touched answers gives it.
        let moved: Vec<FindingIndex> = case
            .answers()
            .map(|(finding, _)| finding)
            .filter(|finding| {
                place_of(*finding).is_some()
                    || group_of(*finding).is_some_and(|group| touched.contains(&group))
            })
            .collect();
        let untouched = super::evidence::Weighing::of(model, &case.without(&moved));
        let mut fixed: Vec<f64> =
            model.priors(case.age(), case.sex()).iter().map(|prior| libm::log(*prior)).collect();
        for answer in untouched.answers() {
            add(&mut fixed, answer.weights(), 1.0);
        }
        let mut groups: Vec<(usize, Group)> = Vec::new();
        let mut alone = Vec::new();
        for finding in moved {
            let weights = full_weights(model, finding, case.answer_to(finding));
            let Some(group) = group_of(finding) else {
                alone.extend(place_of(finding).map(|place| (place, weights)));
                continue;
            };
            let entry = match groups.iter_mut().position(|(other, _)| *other == group) {
                Some(place) => groups.get_mut(place),
                None => {
                    let coefficient = model.group(group).coefficient;
                    let total = vec![0.0; fixed.len()];
                    groups.push((group, Group { coefficient, count: 0, total, signs: Vec::new() }));
                    groups.last_mut()
                }
            };
            let Some((_, entry)) = entry else { continue };
            entry.count += 1;
            for (total, weight) in entry.total.iter_mut().zip(&weights) {
                *total += weight;
            }
            entry.signs.extend(place_of(finding).map(|place| (place, weights)));
        }
        Self { fixed, groups: groups.into_iter().map(|(_, group)| group).collect(), alone, has_choice }
    }

    /// Whether a condition could pass a threshold above `level` once the signs of a combination are set aside.
    pub(super) fn may_raise(
        &self,
        catalogue: &Catalogue,
        model: &Model,
        combination: u32,
        level: TriageLevel,
    ) -> bool {
        if self.has_choice {
            return true;
        }
        let set_aside = |place: usize| combination & (1 << place) != 0;
        let mut scores = self.fixed.clone();
        for (place, weights) in &self.alone {
            if !set_aside(*place) {
                scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight);
            }
        }
        for group in &self.groups {
            let taken = || group.signs.iter().filter(|(place, _)| set_aside(*place));
            let left = group.count - taken().count();
            let share = effective_share(group.coefficient, left);
            for (place, score) in scores.iter_mut().enumerate() {
                let at = |weights: &[f64]| weights.get(place).copied().unwrap_or_default();
                *score += share * (at(&group.total) - taken().map(|(_, weights)| at(weights)).sum::<f64>());
            }
        }
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|score| libm::exp(score - largest)).sum();
        model.hypotheses().zip(&scores).any(|((_, condition), score)| {
            let urgency = &catalogue.condition_at(condition).urgency;
            let could = urgency.raises.iter().any(|raise| raise.level > level);
            could && {
                let probability = libm::exp(score - largest) / sum;
                passed_threshold(catalogue.condition_at(condition), probability * (1.0 + ROUNDING))
                    .is_some_and(|(raised, _)| raised > level)
            }
        })
    }
}

fn add(scores: &mut [f64], weights: &[(Hypothesis, f64)], share: f64) {
    for (hypothesis, weight) in weights {
        if let Some(score) = scores.get_mut(hypothesis.0) {
            *score += share * weight;
        }
    }
}

/// What an answer weighs in full, by hypothesis.
fn full_weights(model: &Model, finding: FindingIndex, answer: Option<Answer>) -> Vec<f64> {
    let mut weights = vec![0.0; model.hypotheses().count()];
    for row in &model.finding(finding).rows {
        let weight = match answer {
            Some(Answer::Present) => row.present,
            Some(Answer::Absent) => row.absent,
            None => 0.0,
        };
        if let Some(place) = weights.get_mut(row.hypothesis.0) {
            *place += weight;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::{super::Weighing, *};
    use crate::{assessment::ranking::Ranking, catalogue::embedded};

    #[test]
    fn it_says_no_only_where_the_whole_calculation_raises_nothing() {
        let catalogue = Catalogue::compile(&embedded()).unwrap();
        let model = Model::new(&catalogue);
        let signs: Vec<FindingIndex> = model
            .findings()
            .map(|(finding, _)| finding)
            .filter(|finding| catalogue.finding_at(*finding).red_flag)
            .collect();
        // Many different cases, the same in every run.
        let mut state = 7_u64;
        let mut below = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let (mut raised, mut quiet) = (0, 0);
        for _ in 0..300 {
            let mut case = Case::new(u8::try_from(15 + below(65)).ok(), None);
            for (finding, _) in model.findings() {
                let (answer, asked) = if signs.contains(&finding) {
                    (Answer::Present, below(9) == 0)
                } else {
                    let answer = if below(2) == 0 { Answer::Present } else { Answer::Absent };
                    (answer, below(6) == 0)
                };
                if asked {
                    // A second option of a single choice is refused, which is as good here.
                    let _ = case.answer(&catalogue, finding, answer);
                }
            }
            let present: Vec<FindingIndex> =
                case.present().filter(|finding| signs.contains(finding)).take(6).collect();
            let level = TriageLevel::Routine;
            let setting_aside = SettingAside::new(&model, &case, &present);
            for combination in 1_u32..1 << present.len() {
                let taken: Vec<FindingIndex> = present
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| combination & (1 << place) != 0)
                    .map(|(_, finding)| *finding)
                    .collect();
                let rest = case.without(&taken);
                let ranking = Ranking::of(&catalogue, &model, &rest, &Weighing::of(&model, &rest));
                let raises = model.hypotheses().any(|(hypothesis, condition)| {
                    passed_threshold(catalogue.condition_at(condition), ranking.posterior(hypothesis))
                        .is_some_and(|(passed, _)| passed > level)
                });
                assert!(setting_aside.may_raise(&catalogue, &model, combination, level) || !raises);
                raised += usize::from(raises);
                quiet += usize::from(!setting_aside.may_raise(&catalogue, &model, combination, level));
            }
        }
        assert!(raised > 100 && quiet > 100, "{raised} raised, {quiet} quiet: this shows nothing");
    }
}
