//! What one person did so far, and what is known of them, as far as a step of care asks for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{
    Catalogue,
    entry::Treatment,
    id::{CircumstanceId, ConditionId, ContraindicationId, TreatmentId},
    vocabulary::{Imaging, Response, Sex, Stage, TreatmentClass, TriageLevel},
};

/// From this age on no growth plate of hip or pelvis is open, in years.
const GROWN_FROM: u8 = 25;

/// From this age on nobody is taken to be pregnant, in years.
const NOT_PREGNANT_FROM: u8 = 60;

/// Weeks in a year.
const YEAR: f64 = 52.0;

/// A treatment that was tried. What is left out is unknown.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The treatment.
    pub treatment: TreatmentId,
    /// For how many weeks.
    pub weeks: Option<f64>,
    /// How it is since. Relief that wore off is partial.
    pub response: Option<Response>,
    /// Whether it still goes on.
    pub ongoing: Option<bool>,
    /// How many injections; at least one.
    pub count: Option<u32>,
    /// Weeks since the last injection.
    pub weeks_since_last: Option<f64>,
    /// Whether the injections were in the area that hurts now; unknown counts as yes.
    pub same_area: Option<bool>,
}

impl Tried {
    /// A treatment of which nothing is known but that it was tried.
    #[must_use]
    pub const fn new(treatment: TreatmentId) -> Self {
        Self {
            treatment,
            weeks: None,
            response: None,
            ongoing: None,
            count: None,
            weeks_since_last: None,
            same_area: None,
        }
    }

    /// Whether it still goes on. Where that is not said, care that neither failed nor cured is taken to.
    #[must_use]
    pub fn goes_on(&self, treatment: &Treatment) -> bool {
        treatment.stage == Stage::Conservative
            && self.ongoing.unwrap_or_else(|| {
                treatment.class != TreatmentClass::ImagingOrReview
                    && matches!(self.response, None | Some(Response::Partial))
            })
    }
}

/// Corticosteroid injections so far, where they are known as numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct InjectionNumbers {
    /// In the area that hurts now, ever.
    pub same_area: Option<u32>,
    /// Anywhere in the past year.
    pub past_year: Option<u32>,
    /// Weeks since the last one anywhere.
    pub weeks_since_last: Option<f64>,
}

/// What others found to be possible and nobody has excluded yet.
#[derive(Debug, Clone, Default)]
pub struct Danger {
    /// How urgent the case is that nobody has looked at yet.
    pub triage: Option<TriageLevel>,
    /// Conditions that are suspected.
    pub suspected: BTreeSet<ConditionId>,
    /// Whether an infection is suspected.
    pub infection: Option<bool>,
    /// Whether a fracture, also one by stress, is suspected.
    pub fracture: Option<bool>,
    /// Whether a torn tendon is suspected.
    pub tendon_rupture: Option<bool>,
}

impl Danger {
    /// What an assessment leaves open.
    ///
    /// Fracture, infection and torn tendon count as not suspected once every warning sign that matters was asked for,
    /// the case is below `soon`, running goes on and nothing dangerous is suspected; before that they are unknown.
    #[must_use]
    pub fn assessed(
        level: TriageLevel,
        stop_running: bool,
        provisional: bool,
        suspected: BTreeSet<ConditionId>,
    ) -> Self {
        let cleared = suspected.is_empty() && !stop_running && !provisional && level < TriageLevel::Soon;
        let suspicion = cleared.then_some(false);
        Self {
            triage: Some(level),
            suspected,
            infection: suspicion,
            fracture: suspicion,
            tendon_rupture: suspicion,
        }
    }
}

/// What one person did and is.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// Age in years.
    pub age: Option<u8>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Weeks since the pain began.
    pub weeks_since_onset: Option<f64>,
    /// Weeks of conservative care in all, where one treatment followed another.
    pub weeks_of_conservative_care: Option<f64>,
    /// All that was tried; what is not in it was not tried.
    pub treatments: Vec<Tried>,
    /// Corticosteroid injections as numbers.
    pub injections: InjectionNumbers,
    /// Reasons against a treatment that are there or not; the others are unknown.
    pub contraindications: BTreeMap<ContraindicationId, bool>,
    /// States of recovery or of the injury that hold or not; the others are unknown.
    pub circumstances: BTreeMap<CircumstanceId, bool>,
    /// Scans and tests that were made.
    pub imaging: BTreeSet<Imaging>,
    /// What is suspected.
    pub danger: Danger,
}

/// A number that is known to lie between two others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// At least this.
    pub least: f64,
    /// At most this; none where there is no telling.
    pub most: Option<f64>,
}

/// How many corticosteroid injections were given, and when.
#[derive(Debug, Clone, Copy, Default)]
pub struct Injections {
    /// At least so many in the area that hurts now.
    pub same_area: u32,
    /// At least so many in the past year.
    pub past_year: u32,
    /// Whether both numbers are sure.
    pub counted: bool,
    /// Weeks since the last one, where there was one and it is known.
    pub weeks_since_last: Option<f64>,
}

impl Injections {
    /// Whether there was any.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.same_area > 0 || self.past_year > 0 || self.weeks_since_last.is_some() || !self.counted
    }
}

impl Course {
    /// Every treatment that was tried, with its entry.
    pub fn tried<'a>(&'a self, catalogue: &'a Catalogue) -> impl Iterator<Item = (&'a Tried, &'a Treatment)> {
        self.treatments
            .iter()
            .filter_map(|tried| Some((tried, catalogue.treatment(tried.treatment.as_str())?)))
    }

    /// How many weeks of care some treatments come to.
    ///
    /// Treatments may have run side by side or one after the other: the longest is the least, the sum the most.
    /// No care lasts longer than the pain.
    #[must_use]
    pub fn weeks_of<'a>(&self, treatments: impl Iterator<Item = &'a Tried>, stage: Option<Stage>) -> Span {
        let (mut longest, mut sum, mut none) = (0.0_f64, Some(0.0), true);
        for tried in treatments {
            none = false;
            longest = longest.max(tried.weeks.unwrap_or(0.0));
            sum = sum.zip(tried.weeks).map(|(sum, weeks)| sum + weeks);
        }
        let mut span = Span { least: longest, most: sum };
        if let Some(weeks) = self.weeks_of_conservative_care
            && stage == Some(Stage::Conservative)
            && !none
        {
            let weeks = weeks.max(longest);
            span = Span { least: weeks, most: Some(weeks) };
        }
        if let Some(onset) = self.weeks_since_onset {
            span.least = span.least.min(onset);
            span.most = Some(span.most.map_or(onset, |most| most.min(onset)));
        }
        span
    }

    /// The corticosteroid injections, from the treatments and from the numbers; where they differ, the more.
    #[must_use]
    pub fn corticosteroids(&self, catalogue: &Catalogue) -> Injections {
        let mut found = Injections { counted: true, ..Injections::default() };
        let mut timed = true;
        for (tried, _) in self.tried(catalogue).filter(|(_, treatment)| treatment.corticosteroid) {
            let count = tried.count.unwrap_or(1).max(1);
            found.counted &= tried.count.is_some();
            if tried.same_area != Some(false) {
                found.same_area = found.same_area.saturating_add(count);
            }
            if tried.weeks_since_last.is_none_or(|weeks| weeks < YEAR) {
                found.past_year = found.past_year.saturating_add(count);
            }
            timed &= tried.weeks_since_last.is_some();
            found.weeks_since_last = earlier(found.weeks_since_last, tried.weeks_since_last);
        }
        let numbers = self.injections;
        if let (Some(same_area), Some(past_year)) = (numbers.same_area, numbers.past_year) {
            found.counted = true;
            timed |= same_area == 0 && past_year == 0;
        }
        found.same_area = found.same_area.max(numbers.same_area.unwrap_or(0));
        found.past_year = found.past_year.max(numbers.past_year.unwrap_or(0));
        found.weeks_since_last = if numbers.weeks_since_last.is_some() || timed {
            earlier(found.weeks_since_last, numbers.weeks_since_last)
        } else {
            None
        };
        found
    }

    /// Whether a reason against a treatment is there; none where it is unknown.
    #[must_use]
    pub fn contraindication(&self, id: &ContraindicationId) -> Option<bool> {
        let said = self.contraindications.get(id).copied();
        let derived = match id.as_str() {
            "suspected-infection" => self.danger.infection,
            "suspected-fracture" => self.danger.fracture,
            "suspected-tendon-rupture" => self.danger.tendon_rupture,
            "pregnancy" => {
                let not = self.sex == Some(Sex::Male) || self.age.is_some_and(|age| age >= NOT_PREGNANT_FROM);
                not.then_some(false)
            }
            "open-growth-plates" => self.age.is_some_and(|age| age >= GROWN_FROM).then_some(false),
            _ => None,
        };
        // One voice that it is there is enough.
        match (said, derived) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            (None, None) => None,
        }
    }

    /// Whether one of the three suspicions that weigh most is there; none where it is unknown.
    pub(super) fn suspicion(&self, id: &str) -> Option<bool> {
        let id: ContraindicationId = id.parse().ok()?;
        self.contraindication(&id)
    }
}

/// The smaller of two numbers that may be unknown.
fn earlier(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
