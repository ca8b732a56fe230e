//! What was looked for in one runner, and what was seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{
    Catalogue, FindingIndex,
    entry::Group,
    vocabulary::{GroupKind, Sex},
};

/// What is known of one finding. "Not asked" and "do not know" are neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is there.
    Present,
    /// It was looked for and is not there.
    Absent,
}

/// Why an answer does not fit those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The same finding was given another answer.
    Contradiction,
    /// Another option of the same single choice is present.
    SecondChoice(FindingIndex),
}

/// One runner at one moment: age, sex, answers. Nothing in it is required.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Case {
    age: Option<u8>,
    sex: Option<Sex>,
    answers: BTreeMap<FindingIndex, Answer>,
    unknown: BTreeSet<FindingIndex>,
    age_is_unknown: bool,
    sex_is_unknown: bool,
}

impl Case {
    /// A case without answers. An age in years or a sex that is not known is left out.
    #[must_use]
    pub fn new(age: Option<u8>, sex: Option<Sex>) -> Self {
        Self { age, sex, ..Self::default() }
    }

    /// Adds an answer.
    ///
    /// # Errors
    /// [`Conflict`] when it contradicts an answer given before, or is a second option of a single choice; the
    /// case is then unchanged.
    pub fn answer(
        &mut self,
        catalogue: &Catalogue,
        finding: FindingIndex,
        answer: Answer,
    ) -> Result<(), Conflict> {
        if self.unknown.contains(&finding)
            || self.answers.get(&finding).is_some_and(|before| *before != answer)
        {
            return Err(Conflict::Contradiction);
        }
        if answer == Answer::Present
            && let Some(other) = self.chosen_beside(catalogue, finding)
        {
            return Err(Conflict::SecondChoice(other));
        }
        self.answers.insert(finding, answer);
        Ok(())
    }

    /// Notes that a finding was asked for and is not known. This weighs nothing.
    ///
    /// # Errors
    /// [`Conflict::Contradiction`] when it was answered before.
    pub fn unknown(&mut self, finding: FindingIndex) -> Result<(), Conflict> {
        if self.answers.contains_key(&finding) {
            return Err(Conflict::Contradiction);
        }
        self.unknown.insert(finding);
        Ok(())
    }

    /// Notes that the age was asked for and is not known.
    pub const fn age_unknown(&mut self) {
        self.age_is_unknown = true;
    }

    /// Notes that the sex was asked for and is not known, or not told.
    pub const fn sex_unknown(&mut self) {
        self.sex_is_unknown = true;
    }

    /// Whether the age was asked for and is not known.
    #[must_use]
    pub const fn age_is_unknown(&self) -> bool {
        self.age_is_unknown
    }

    /// Whether the sex was asked for and is not known, or not told.
    #[must_use]
    pub const fn sex_is_unknown(&self) -> bool {
        self.sex_is_unknown
    }

    /// The same answers of a runner of this age and sex.
    #[must_use]
    pub fn with_profile(&self, age: Option<u8>, sex: Option<Sex>) -> Self {
        Self { age, sex, ..self.clone() }
    }

    /// The case as it would be had these findings not been answered.
    #[must_use]
    pub fn without(&self, findings: &[FindingIndex]) -> Self {
        let mut rest = self.clone();
        rest.answers.retain(|finding, _| !findings.contains(finding));
        rest
    }

    fn chosen_beside(&self, catalogue: &Catalogue, finding: FindingIndex) -> Option<FindingIndex> {
        let group = single_choice(catalogue, finding)?;
        self.present().find(|other| {
            *other != finding && single_choice(catalogue, *other).is_some_and(|beside| beside.id == group.id)
        })
    }

    /// Age in years, if known.
    #[must_use]
    pub const fn age(&self) -> Option<u8> {
        self.age
    }

    /// Sex, if known.
    #[must_use]
    pub const fn sex(&self) -> Option<Sex> {
        self.sex
    }

    /// Present and absent answers, in the catalogue's order.
    pub fn answers(&self) -> impl Iterator<Item = (FindingIndex, Answer)> {
        self.answers.iter().map(|(finding, answer)| (*finding, *answer))
    }

    /// Findings that are present, in the catalogue's order.
    pub fn present(&self) -> impl Iterator<Item = FindingIndex> {
        self.answers().filter(|(_, answer)| *answer == Answer::Present).map(|(finding, _)| finding)
    }

    /// The answer to one finding, if there is one.
    #[must_use]
    pub fn answer_to(&self, finding: FindingIndex) -> Option<Answer> {
        self.answers.get(&finding).copied()
    }

    /// Whether a finding was answered with "do not know".
    #[must_use]
    pub fn is_unknown(&self, finding: FindingIndex) -> bool {
        self.unknown.contains(&finding)
    }
}

fn single_choice(catalogue: &Catalogue, finding: FindingIndex) -> Option<&Group> {
    let id = catalogue.finding_at(finding).group.as_ref()?;
    catalogue.group(id.as_str()).filter(|group| group.kind == GroupKind::SingleChoice)
}
