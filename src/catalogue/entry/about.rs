//! What is said of the catalogue as a whole, of the people it is for and of its words: `catalogue.toml`.

use serde::Deserialize;

use super::super::{
    id::SourceId,
    quantity::Share,
    vocabulary::{AgeBand, Grade, Sex},
};

/// What is said of the catalogue as a whole: `catalogue.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Version of the knowledge, `year.month.number`.
    pub version: String,
    /// Name of the catalogue.
    pub title: String,
    /// Languages of its texts, as BCP 47 tags.
    pub languages: Vec<String>,
    /// Licence of the data, as an SPDX expression.
    pub licence: String,
    /// What it is for.
    pub intended_use: String,
    /// What it is not for.
    pub not_for: Vec<String>,
    /// The sentence that goes with every assessment.
    pub disclaimer: String,
    /// What each evidence grade means.
    pub grades: Vec<GradeMeaning>,
    /// Who the runners are, for answers without age or sex.
    pub population: Population,
    /// Words for probabilities, from the highest down.
    pub likelihood_words: Vec<LikelihoodWord>,
    /// The ages that the catalogue is made for, in years.
    pub supported_ages: SupportedAges,
    /// How the catalogue was evaluated, in words; the figures stand in `evaluation.json`.
    pub evaluation: Option<EvaluationNotes>,
}

/// The ages that a catalogue is made for, in years, both included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportedAges {
    /// The youngest.
    pub from: u8,
    /// The oldest.
    pub to: u8,
}

/// How a catalogue was evaluated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationNotes {
    /// On what, by whom, with which judgements.
    pub method: String,
    /// What the figures do not show.
    pub limits: Vec<String>,
}

/// The meaning of one evidence grade.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeMeaning {
    /// The grade.
    pub grade: Grade,
    /// What it stands for.
    pub meaning: String,
}

/// The mix of runners with hip pain over which an unknown age or sex is averaged.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Share of each age band; they sum to 1.
    pub age: PerAgeBand<Share>,
    /// Share of each sex; they sum to 1.
    pub sex: PerSex<Share>,
    /// Where the shares come from.
    pub basis: String,
    /// How good that is.
    pub grade: Grade,
    /// The sources.
    pub sources: Vec<SourceId>,
}

/// A word for probabilities from `from` upwards.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LikelihoodWord {
    /// The least probability that the word covers.
    pub from: Share,
    /// The word.
    pub word: String,
}

/// One value for each age band.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerAgeBand<T> {
    /// Below 14.
    pub under_14: T,
    /// 14 to 17.
    pub from_14_to_17: T,
    /// 18 to 39.
    pub from_18_to_39: T,
    /// 40 to 59.
    pub from_40_to_59: T,
    /// 60 and over.
    pub from_60: T,
}

impl<T: Copy> PerAgeBand<T> {
    /// The value for a band.
    pub const fn of(&self, band: AgeBand) -> T {
        match band {
            AgeBand::Under14 => self.under_14,
            AgeBand::From14To17 => self.from_14_to_17,
            AgeBand::From18To39 => self.from_18_to_39,
            AgeBand::From40To59 => self.from_40_to_59,
            AgeBand::From60 => self.from_60,
        }
    }
}

/// One value for each sex.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerSex<T> {
    /// Female.
    pub female: T,
    /// Male.
    pub male: T,
}

impl<T: Copy> PerSex<T> {
    /// The value for a sex.
    pub const fn of(&self, sex: Sex) -> T {
        match sex {
            Sex::Female => self.female,
            Sex::Male => self.male,
        }
    }
}
