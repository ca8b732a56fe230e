//! The catalogue as numbers: priors by age and sex, and for each finding the few hypotheses it speaks about.
//!
//! Compiled once; read by everything in this room. Logarithms are natural; `libm` gives the same bits on
//! every platform, which the standard library does not promise.

use std::collections::HashMap;

use super::information::entropy;
use crate::catalogue::{
    Catalogue, ConditionIndex, FindingIndex,
    entry::{Condition, Finding},
    vocabulary::{AgeBand, GroupKind, Role, Sex},
};

/// The least probability that an option without a row of its own keeps in a single choice.
///
/// Keeps one unlisted place from excluding a condition outright; lies just above the lowest probability
/// that a row may state.
const LEAST_OPTION: f64 = 0.006;

/// The place of a hypothesis in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hypothesis(pub(super) usize);

/// The compiled catalogue.
#[derive(Debug)]
pub struct Model {
    hypotheses: Vec<ConditionIndex>,
    unexplained: Hypothesis,
    /// Normalised priors for every age band or none (outer) and sex or none (inner).
    priors: Vec<Vec<Vec<f64>>>,
    findings: Vec<FindingColumn>,
    groups: Vec<GroupColumn>,
}

/// What the model holds of one finding.
#[derive(Debug)]
pub(super) struct FindingColumn {
    /// P(present | none of the listed causes).
    pub(super) background: f64,
    /// The entropy of an answer at the background rate, in nats.
    pub(super) background_entropy: f64,
    /// Hypotheses whose probability differs from the background, in order.
    pub(super) rows: Vec<Row>,
    /// Its group, as a place in [`Model::groups`].
    pub(super) group: Option<usize>,
}

/// One hypothesis that a finding speaks about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) hypothesis: Hypothesis,
    /// P(present | hypothesis).
    pub(super) probability: f64,
    /// Weight of its presence, in nats.
    pub(super) present: f64,
    /// Weight of its absence, in nats.
    pub(super) absent: f64,
    /// The entropy of the answer under the hypothesis, in nats.
    pub(super) entropy: f64,
}

/// What the model holds of one group.
#[derive(Debug)]
pub(super) struct GroupColumn {
    pub(super) kind: GroupKind,
    /// How much its findings repeat each other, from 0 to 1; 0 for a single choice.
    pub(super) coefficient: f64,
}

impl Model {
    /// Compiles a catalogue.
    #[must_use]
    pub fn new(catalogue: &Catalogue) -> Self {
        let conditions: Vec<(ConditionIndex, &Condition)> = catalogue.hypotheses().collect();
        let groups: Vec<GroupColumn> = catalogue
            .groups()
            .iter()
            .map(|group| GroupColumn {
                kind: group.kind,
                coefficient: group.coefficient.map_or(0.0, |coefficient| coefficient.get()),
            })
            .collect();
        let unexplained = conditions.iter().position(|(_, condition)| condition.role == Role::Unexplained);
        Self {
            hypotheses: conditions.iter().map(|(index, _)| *index).collect(),
            // The gate lets no catalogue pass without exactly one.
            unexplained: Hypothesis(unexplained.unwrap_or_default()),
            priors: priors(catalogue, &conditions),
            findings: columns(catalogue, &conditions),
            groups,
        }
    }

    /// The same model as plain naive Bayes: every answer counts in full, however related. For comparison only.
    #[must_use]
    pub fn without_dependence(mut self) -> Self {
        for group in &mut self.groups {
            group.coefficient = 0.0;
        }
        self
    }

    /// Every hypothesis, in the order of the conditions' ids.
    pub fn hypotheses(&self) -> impl Iterator<Item = (Hypothesis, ConditionIndex)> {
        self.hypotheses.iter().enumerate().map(|(place, condition)| (Hypothesis(place), *condition))
    }

    /// "None of these".
    #[must_use]
    pub const fn unexplained(&self) -> Hypothesis {
        self.unexplained
    }

    /// The condition of a hypothesis.
    ///
    /// # Panics
    /// On a hypothesis of a larger model.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "hypotheses are given out by this model alone")]
    pub fn condition(&self, hypothesis: Hypothesis) -> ConditionIndex {
        self.hypotheses[hypothesis.0]
    }

    /// Pre-test probabilities of all hypotheses; they sum to 1. What is not known is averaged over.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "the table has a place for every band and sex and for neither"
    )]
    pub fn priors(&self, age: Option<u8>, sex: Option<Sex>) -> &[f64] {
        &self.priors[age_place(age.map(AgeBand::of))][sex_place(sex)]
    }

    /// P(finding present | hypothesis), from 0 to 1.
    #[must_use]
    pub fn probability(&self, finding: FindingIndex, hypothesis: Hypothesis) -> f64 {
        self.finding(finding).probability(hypothesis)
    }

    #[expect(clippy::indexing_slicing, reason = "the model has a column for every finding of its catalogue")]
    pub(super) fn finding(&self, finding: FindingIndex) -> &FindingColumn {
        &self.findings[finding.0]
    }

    #[expect(clippy::indexing_slicing, reason = "columns name groups of this model alone")]
    pub(super) fn group(&self, group: usize) -> &GroupColumn {
        &self.groups[group]
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = (FindingIndex, &FindingColumn)> {
        self.findings.iter().enumerate().map(|(place, column)| (FindingIndex(place), column))
    }
}

impl FindingColumn {
    /// The row for a hypothesis; without one the finding says nothing about it.
    pub(super) fn row(&self, hypothesis: Hypothesis) -> Option<&Row> {
        self.rows
            .binary_search_by_key(&hypothesis, |row| row.hypothesis)
            .ok()
            .and_then(|place| self.rows.get(place))
    }

    /// P(present | hypothesis).
    pub(super) fn probability(&self, hypothesis: Hypothesis) -> f64 {
        self.row(hypothesis).map_or(self.background, |row| row.probability)
    }
}

impl Row {
    fn new(hypothesis: Hypothesis, probability: f64, background: f64) -> Self {
        Self {
            hypothesis,
            probability,
            present: libm::log(probability / background),
            absent: libm::log((1.0 - probability) / (1.0 - background)),
            entropy: entropy(probability),
        }
    }
}

const fn age_place(band: Option<AgeBand>) -> usize {
    match band {
        Some(band) => band as usize,
        None => AgeBand::ALL.len(),
    }
}

const fn sex_place(sex: Option<Sex>) -> usize {
    match sex {
        Some(sex) => sex as usize,
        None => Sex::ALL.len(),
    }
}

/// Priors for each band and sex, then the averages over the population where one of them is not known.
fn priors(catalogue: &Catalogue, conditions: &[(ConditionIndex, &Condition)]) -> Vec<Vec<Vec<f64>>> {
    let population = &catalogue.about().population;
    let mut by_age: Vec<Vec<Vec<f64>>> = AgeBand::ALL
        .iter()
        .map(|band| {
            let mut by_sex: Vec<Vec<f64>> =
                Sex::ALL.iter().map(|sex| normalised(conditions, *band, *sex)).collect();
            by_sex.push(average(&by_sex, Sex::ALL.iter().map(|sex| population.sex.of(*sex).get())));
            by_sex
        })
        .collect();
    let any_age: Vec<Vec<f64>> = (0..=Sex::ALL.len())
        .map(|sex| {
            let tables: Vec<Vec<f64>> = by_age.iter().filter_map(|by_sex| by_sex.get(sex).cloned()).collect();
            average(&tables, AgeBand::ALL.iter().map(|band| population.age.of(*band).get()))
        })
        .collect();
    by_age.push(any_age);
    by_age
}

fn normalised(conditions: &[(ConditionIndex, &Condition)], band: AgeBand, sex: Sex) -> Vec<f64> {
    let scaled: Vec<f64> = conditions
        .iter()
        .map(|(_, condition)| {
            let prior = &condition.pre_test;
            prior.probability.get() * prior.age.of(band).get() * prior.sex.of(sex).get()
        })
        .collect();
    let sum: f64 = scaled.iter().sum();
    scaled.into_iter().map(|value| value / sum).collect()
}

fn average(tables: &[Vec<f64>], shares: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = vec![0.0; tables.first().map_or(0, Vec::len)];
    for (table, share) in tables.iter().zip(shares) {
        for (total, value) in sum.iter_mut().zip(table) {
            *total += share * value;
        }
    }
    let whole: f64 = sum.iter().sum();
    sum.into_iter().map(|value| value / whole).collect()
}

fn columns(catalogue: &Catalogue, conditions: &[(ConditionIndex, &Condition)]) -> Vec<FindingColumn> {
    let group_places: HashMap<&str, usize> =
        catalogue.groups().iter().enumerate().map(|(place, group)| (group.id.as_str(), place)).collect();
    let stated: Vec<HashMap<&str, f64>> = conditions
        .iter()
        .map(|(_, condition)| {
            condition.evidence.iter().map(|row| (row.finding.as_str(), row.probability.get())).collect()
        })
        .collect();
    catalogue
        .findings()
        .iter()
        .map(|finding| {
            let background = finding.background.probability.get();
            let siblings = siblings(catalogue, finding);
            let rows = stated
                .iter()
                .enumerate()
                .filter_map(|(place, stated)| {
                    let probability = match stated.get(finding.id.as_str()) {
                        Some(probability) => Some(*probability),
                        None => unstated_option(background, &siblings, stated),
                    };
                    let row = Row::new(Hypothesis(place), probability?, background);
                    (row.present.abs() > 0.0).then_some(row)
                })
                .collect();
            FindingColumn {
                background,
                background_entropy: entropy(background),
                rows,
                group: finding.group.as_ref().and_then(|group| group_places.get(group.as_str()).copied()),
            }
        })
        .collect()
}

/// The findings of the same single choice, itself included; empty for any other finding.
fn siblings<'a>(catalogue: &'a Catalogue, finding: &Finding) -> Vec<&'a Finding> {
    let single = finding
        .group
        .as_ref()
        .and_then(|group| catalogue.group(group.as_str()))
        .is_some_and(|group| group.kind == GroupKind::SingleChoice);
    if !single {
        return Vec::new();
    }
    catalogue.findings().iter().filter(|other| other.group == finding.group).collect()
}

/// The probability of an option that a condition does not state, where it states others of the choice: the
/// share that the stated ones leave, in proportion to the background rates, never above the background.
fn unstated_option(background: f64, siblings: &[&Finding], stated: &HashMap<&str, f64>) -> Option<f64> {
    let given: Vec<f64> =
        siblings.iter().filter_map(|sibling| stated.get(sibling.id.as_str()).copied()).collect();
    if given.is_empty() {
        return None;
    }
    let left = (1.0 - given.iter().sum::<f64>()).max(0.0);
    let others: f64 = siblings
        .iter()
        .filter(|sibling| !stated.contains_key(sibling.id.as_str()))
        .map(|sibling| sibling.background.probability.get())
        .sum();
    Some((left * background / others).min(background).max(LEAST_OPTION))
}
