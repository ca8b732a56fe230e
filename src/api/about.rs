//! `GET /v1/catalogue`: what the catalogue is, what it is for and what it is not for.

use actix_web::{HttpRequest, HttpResponse, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    knowledge::Current, list, openapi::ListProblems, problem::Problem, query::Parameters, sources,
    stamp::CatalogueStamp,
};
use crate::catalogue::{
    Catalogue,
    entry::{Condition, PerAgeBand, PerSex},
    quantity::Share,
    vocabulary::{Grade, Role},
};

/// The catalogue as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogueOverview<'a> {
    /// Its name.
    pub title: &'a str,
    /// Languages of its texts, as BCP 47 tags.
    pub languages: Vec<&'a str>,
    /// Licence of the data, as an SPDX expression.
    pub licence: &'a str,
    /// What it is for.
    pub intended_use: &'a str,
    /// What it is not for.
    pub not_for: Vec<&'a str>,
    /// The sentence that goes with every assessment.
    pub disclaimer: &'a str,
    /// How much it holds.
    pub counts: CatalogueCounts,
    /// What each evidence grade means, and how many likelihoods have it.
    pub grades: Vec<GradeView<'a>>,
    /// The mix of runners over which an unknown age or sex is averaged.
    pub population: PopulationView<'a>,
    /// Words for probabilities, from the highest down.
    pub likelihood_words: Vec<LikelihoodWordView<'a>>,
    /// The stamp.
    pub catalogue: CatalogueStamp,
}

/// How much the catalogue holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogueCounts {
    /// Conditions that are ranked.
    #[schema(minimum = 0)]
    pub ranked_conditions: usize,
    /// Umbrellas over several conditions.
    #[schema(minimum = 0)]
    pub umbrellas: usize,
    /// Findings.
    #[schema(minimum = 0)]
    pub findings: usize,
    /// Groups of findings that exclude or repeat each other.
    #[schema(minimum = 0)]
    pub groups: usize,
    /// Numbers that apps know.
    #[schema(minimum = 0)]
    pub measures: usize,
    /// Probabilities of a finding in a condition.
    #[schema(minimum = 0)]
    pub likelihoods: usize,
    /// Red-flag rules.
    #[schema(minimum = 0)]
    pub red_flags: usize,
    /// Steps on all ladders of care.
    #[schema(minimum = 0)]
    pub escalation_steps: usize,
    /// Treatments.
    #[schema(minimum = 0)]
    pub treatments: usize,
    /// Stretches, strengthening exercises and warm-ups.
    #[schema(minimum = 0)]
    pub exercises: usize,
    /// Prevention steps and rules.
    #[schema(minimum = 0)]
    pub prevention: usize,
    /// Sources.
    #[schema(minimum = 0)]
    pub sources: usize,
}

/// An evidence grade.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grade)]
pub struct GradeView<'a> {
    /// The grade, `A` to `D`.
    pub grade: &'static str,
    /// What it means.
    pub meaning: &'a str,
    /// How many likelihoods have it.
    #[schema(minimum = 0)]
    pub likelihoods: usize,
}

/// The mix of runners over which an unknown age or sex is averaged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Population)]
pub struct PopulationView<'a> {
    /// Share of each age band.
    pub age: AgeShares,
    /// Share of each sex.
    pub sex: SexShares,
    /// Where the shares come from.
    pub basis: &'a str,
    /// Evidence grade, `A` to `D`; `D` is an estimate.
    pub grade: &'static str,
    /// The sources.
    pub sources: Vec<&'a str>,
}

/// Shares of the age bands, in years; they sum to 1.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgeShares {
    /// Below 14.
    #[schema(minimum = 0, maximum = 1)]
    pub under_14: f64,
    /// 14 to 17.
    #[schema(minimum = 0, maximum = 1)]
    pub from_14_to_17: f64,
    /// 18 to 39.
    #[schema(minimum = 0, maximum = 1)]
    pub from_18_to_39: f64,
    /// 40 to 59.
    #[schema(minimum = 0, maximum = 1)]
    pub from_40_to_59: f64,
    /// 60 and over.
    #[schema(minimum = 0, maximum = 1)]
    pub from_60: f64,
}

impl From<PerAgeBand<Share>> for AgeShares {
    fn from(shares: PerAgeBand<Share>) -> Self {
        Self {
            under_14: shares.under_14.get(),
            from_14_to_17: shares.from_14_to_17.get(),
            from_18_to_39: shares.from_18_to_39.get(),
            from_40_to_59: shares.from_40_to_59.get(),
            from_60: shares.from_60.get(),
        }
    }
}

/// Shares of the sexes; they sum to 1.
#[derive(Debug, Serialize, ToSchema)]
pub struct SexShares {
    /// Female.
    #[schema(minimum = 0, maximum = 1)]
    pub female: f64,
    /// Male.
    #[schema(minimum = 0, maximum = 1)]
    pub male: f64,
}

impl From<PerSex<Share>> for SexShares {
    fn from(shares: PerSex<Share>) -> Self {
        Self { female: shares.female.get(), male: shares.male.get() }
    }
}

/// A word for probabilities.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LikelihoodWord)]
pub struct LikelihoodWordView<'a> {
    /// The least probability that it covers.
    #[schema(minimum = 0, maximum = 1)]
    pub from: f64,
    /// The word.
    pub word: &'a str,
}

fn counts(catalogue: &Catalogue) -> CatalogueCounts {
    let role = |role: Role| catalogue.conditions().iter().filter(|condition| condition.role == role).count();
    let sum = |length: fn(&Condition) -> usize| catalogue.conditions().iter().map(length).sum();
    CatalogueCounts {
        ranked_conditions: role(Role::Ranked),
        umbrellas: role(Role::Umbrella),
        findings: catalogue.findings().len(),
        groups: catalogue.groups().len(),
        measures: catalogue.measures().len(),
        likelihoods: sum(|condition| condition.evidence.len()),
        red_flags: catalogue.red_flags().len(),
        escalation_steps: sum(|condition| condition.ladder.len()),
        treatments: catalogue.treatments().len(),
        exercises: catalogue.exercises().len(),
        prevention: catalogue.prevention().len(),
        sources: catalogue.sources().len(),
    }
}

fn overview(catalogue: &Catalogue) -> CatalogueOverview<'_> {
    let about = catalogue.about();
    let rows = |grade: Grade| {
        catalogue
            .conditions()
            .iter()
            .flat_map(|condition| &condition.evidence)
            .filter(|row| row.grade == grade)
            .count()
    };
    CatalogueOverview {
        title: &about.title,
        languages: about.languages.iter().map(String::as_str).collect(),
        licence: &about.licence,
        intended_use: &about.intended_use,
        not_for: about.not_for.iter().map(String::as_str).collect(),
        disclaimer: &about.disclaimer,
        counts: counts(catalogue),
        grades: about
            .grades
            .iter()
            .map(|entry| GradeView {
                grade: entry.grade.as_str(),
                meaning: &entry.meaning,
                likelihoods: rows(entry.grade),
            })
            .collect(),
        population: PopulationView {
            age: about.population.age.into(),
            sex: about.population.sex.into(),
            basis: &about.population.basis,
            grade: about.population.grade.as_str(),
            sources: sources::ids(&about.population.sources),
        },
        likelihood_words: about
            .likelihood_words
            .iter()
            .map(|word| LikelihoodWordView { from: word.from.get(), word: &word.word })
            .collect(),
        catalogue: CatalogueStamp::of(catalogue),
    }
}

/// Get what the catalogue is
#[utoipa::path(get, path = "/v1/catalogue", operation_id = "getCatalogue", tag = "catalogue",
    description = "Version, fingerprint, size, licence, intended use and limits of the knowledge behind every answer.",
    responses((status = 200, description = "The catalogue", body = CatalogueOverview), ListProblems))]
#[routes]
#[get("/v1/catalogue")]
#[head("/v1/catalogue")]
pub(super) async fn get_catalogue(request: HttpRequest, knowledge: Current) -> Result<HttpResponse, Problem> {
    Parameters::of(&request, &[])?.end()?;
    Ok(list::respond(&request, &knowledge, || overview(knowledge.catalogue())))
}
