//! What was done so far, as a client sends it: the `history` object.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    fields::{Faults, Fields},
    json::Json,
};
use crate::{
    catalogue::{
        Catalogue,
        entry::Treatment,
        vocabulary::{Imaging, Response, Stage},
    },
    escalation::{Course, InjectionNumbers, Tried},
};

/// The most weeks that are accepted: fifty years.
const MOST_WEEKS: f64 = 2600.0;

/// The most treatments that are accepted.
const MOST_TREATMENTS: usize = 100;

/// The most injections that are accepted.
const MOST_INJECTIONS: u32 = 100;

/// The most ids in a list.
const MOST_IDS: usize = 100;

/// What was done so far and what is known of the person. What is left out is unknown, never "no".
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Weeks since the pain began, this time.
    #[schema(minimum = 0, maximum = 2600, nullable = false)]
    weeks_since_onset: Option<f64>,
    /// All that was tried this time. What is not in the list was not tried.
    #[schema(max_items = 100, default = json!([]))]
    treatments: Option<Vec<TriedTreatment>>,
    /// Weeks of conservative care in all. Needed where one treatment followed another: side by side they count once.
    #[schema(minimum = 0, maximum = 2600, nullable = false)]
    weeks_of_conservative_care: Option<f64>,
    /// Scans and tests that were made this time.
    #[schema(max_items = 6, default = json!([]))]
    imaging_done: Option<Vec<ImagingMethod>>,
    /// Corticosteroid injections as numbers, earlier ones included. Where they differ from the treatments, the more
    /// cautious number counts.
    injections: Option<InjectionHistory>,
    /// Reasons against a treatment, by the ids that the treatments list (`GET /v1/treatments`).
    contraindications: Option<KnownIds>,
    /// States of recovery or of the injury, by the ids that the gates of a ladder list.
    circumstances: Option<KnownIds>,
}

/// A treatment that was tried.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TriedTreatment {
    /// Id of a treatment.
    #[schema(max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    id: String,
    /// For how many weeks.
    #[schema(minimum = 0, maximum = 2600, nullable = false)]
    weeks: Option<f64>,
    /// How it is since: `none` (no better), `partial` (somewhat better, or better for a while), `full` (well again) or
    /// `worse`.
    response: Option<TreatmentResponse>,
    /// Whether it still goes on. Where that is not said, conservative care that neither failed nor cured is taken to.
    #[schema(nullable = false)]
    ongoing: Option<bool>,
    /// For an injection: how many.
    #[schema(minimum = 1, maximum = 100, nullable = false)]
    count: Option<u32>,
    /// For an injection: weeks since the last one.
    #[schema(minimum = 0, maximum = 2600, nullable = false)]
    weeks_since_last: Option<f64>,
    /// For an injection: whether it was in the area that hurts now. Unknown counts as yes.
    #[schema(nullable = false)]
    same_area: Option<bool>,
}

/// How a treatment so far worked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TreatmentResponse {
    /// No better.
    None,
    /// Somewhat better.
    Partial,
    /// Well again.
    Full,
    /// Worse.
    Worse,
}

/// A scan or test.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImagingMethod {
    /// X-ray.
    Xray,
    /// Magnetic resonance imaging.
    Mri,
    /// Magnetic resonance imaging with contrast in the joint.
    MriArthrogram,
    /// Computed tomography.
    Ct,
    /// Ultrasound.
    Ultrasound,
    /// Fluid drawn from the joint with a needle.
    JointAspiration,
}

/// Corticosteroid injections as numbers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectionHistory {
    /// In the area that hurts now, ever.
    #[schema(minimum = 0, maximum = 100, nullable = false)]
    same_area: Option<u32>,
    /// Anywhere in the past year.
    #[schema(minimum = 0, maximum = 100, nullable = false)]
    past_year: Option<u32>,
    /// Weeks since the last one anywhere.
    #[schema(minimum = 0, maximum = 2600, nullable = false)]
    weeks_since_last: Option<f64>,
}

/// Ids of what is known to be there and not to be there. The others are unknown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownIds {
    /// What is there.
    #[schema(max_items = 100, default = json!([]))]
    present: Option<Vec<String>>,
    /// What is not there.
    #[schema(max_items = 100, default = json!([]))]
    absent: Option<Vec<String>>,
}

/// Reads the `history` of a body; an empty course where there is none.
pub(super) fn read(catalogue: &Catalogue, body: &Fields<'_, '_>, faults: &mut Faults) -> Course {
    let mut course = Course::default();
    let known = [
        "weeks_since_onset",
        "treatments",
        "weeks_of_conservative_care",
        "imaging_done",
        "injections",
        "contraindications",
        "circumstances",
    ];
    let Some((pointer, value)) = body.get("history") else { return course };
    let Some(fields) = Fields::of(value, &pointer, &known, faults) else { return course };
    course.weeks_since_onset = fields.number("weeks_since_onset", 0.0, MOST_WEEKS, faults);
    course.weeks_of_conservative_care = fields.number("weeks_of_conservative_care", 0.0, MOST_WEEKS, faults);
    course.treatments = treatments(catalogue, &fields, course.weeks_since_onset, faults);
    if let Some(weeks) = course.weeks_of_conservative_care {
        not_before_onset(&pointer, "weeks_of_conservative_care", weeks, course.weeks_since_onset, faults);
        let conservative = |tried: &&Tried| {
            let treatment = catalogue.treatment(tried.treatment.as_str());
            treatment.is_some_and(|treatment| treatment.stage == Stage::Conservative)
        };
        let longest = course.treatments.iter().filter(conservative).filter_map(|tried| tried.weeks);
        if longest.fold(0.0, f64::max) > weeks {
            let detail =
                "a treatment in the list went on for longer than this; give the weeks of all care together";
            faults.add(&format!("{pointer}/weeks_of_conservative_care"), "contradiction", detail);
        }
    }
    course.imaging = imaging(&fields, faults);
    course.injections = injections(&fields, faults);
    let reasons: BTreeMap<&str, _> = catalogue
        .treatments()
        .iter()
        .flat_map(|treatment| &treatment.contraindications)
        .map(|reason| (reason.id.as_str(), &reason.id))
        .collect();
    course.contraindications =
        known_ids(&fields, "contraindications", "unknown_contraindication", &reasons, faults);
    let circumstances: BTreeMap<&str, _> =
        catalogue.circumstances().iter().map(|entry| (entry.id.as_str(), &entry.id)).collect();
    course.circumstances =
        known_ids(&fields, "circumstances", "unknown_circumstance", &circumstances, faults);
    course
}

/// The entries of a list of objects with their places.
fn objects<'a, 'j>(
    fields: &Fields<'a, 'j>,
    key: &str,
    most: usize,
    faults: &mut Faults,
) -> Vec<(String, &'a Json<'j>)> {
    let Some((pointer, value)) = fields.get(key) else { return Vec::new() };
    let Json::List(items) = value else {
        faults.wrong_type(&pointer, "a list of objects", value);
        return Vec::new();
    };
    if items.len() > most {
        faults.add(&pointer, "too_many_items", format!("expected at most {most} entries"));
        return Vec::new();
    }
    items.iter().enumerate().map(|(place, item)| (format!("{pointer}/{place}"), item)).collect()
}

fn not_before_onset(pointer: &str, key: &str, weeks: f64, onset: Option<f64>, faults: &mut Faults) {
    if onset.is_some_and(|onset| weeks > onset) {
        let detail = "this is longer than weeks_since_onset; count only what was done for this pain";
        faults.add(&format!("{pointer}/{key}"), "contradiction", detail);
    }
}

fn treatments(
    catalogue: &Catalogue,
    history: &Fields<'_, '_>,
    onset: Option<f64>,
    faults: &mut Faults,
) -> Vec<Tried> {
    let known = ["id", "weeks", "response", "ongoing", "count", "weeks_since_last", "same_area"];
    let mut tried = Vec::new();
    for (pointer, item) in objects(history, "treatments", MOST_TREATMENTS, faults) {
        let Some(fields) = Fields::of(item, &pointer, &known, faults) else { continue };
        let treatment = treatment(catalogue, &fields, &pointer, faults);
        let weeks = fields.number("weeks", 0.0, MOST_WEEKS, faults);
        if let Some(weeks) = weeks {
            not_before_onset(&pointer, "weeks", weeks, onset, faults);
        }
        let response = fields.word("response", Response::ALL, Response::as_str, faults);
        let ongoing = fields.truth("ongoing", faults);
        let count = fields.whole_number("count", 1, MOST_INJECTIONS, faults);
        let weeks_since_last = fields.number("weeks_since_last", 0.0, MOST_WEEKS, faults);
        let same_area = fields.truth("same_area", faults);
        let Some(treatment) = treatment else { continue };
        if treatment.stage != Stage::Injection {
            for key in ["count", "weeks_since_last", "same_area"] {
                if let Some((place, _)) = fields.get(key) {
                    let detail = format!("`{}` is not an injection; leave this out", treatment.id);
                    faults.add(&place, "not_applicable", detail);
                }
            }
        }
        tried.push(Tried {
            treatment: treatment.id.clone(),
            weeks,
            response,
            ongoing,
            count,
            weeks_since_last,
            same_area,
        });
    }
    tried
}

fn treatment<'a>(
    catalogue: &'a Catalogue,
    fields: &Fields<'_, '_>,
    pointer: &str,
    faults: &mut Faults,
) -> Option<&'a Treatment> {
    let Some((place, value)) = fields.get("id") else {
        faults.add(pointer, "missing_field", "expected the field `id`, the id of a treatment");
        return None;
    };
    let Json::Text(id) = value else {
        faults.wrong_type(&place, "a text", value);
        return None;
    };
    let found = catalogue.treatment(id);
    if found.is_none() {
        let known = catalogue.treatments().iter().map(|treatment| treatment.id.as_str());
        faults.unknown_word(&place, "unknown_treatment", "a treatment of the catalogue", id, known);
    }
    found
}

fn imaging(history: &Fields<'_, '_>, faults: &mut Faults) -> BTreeSet<Imaging> {
    let mut made = BTreeSet::new();
    for (pointer, text) in history.texts("imaging_done", Imaging::ALL.len(), faults) {
        match Imaging::from_wire(text) {
            Some(method) => {
                made.insert(method);
            }
            None => {
                let known = Imaging::ALL.iter().map(|method| method.as_str());
                faults.unknown_word(&pointer, "unknown_value", "a scan or test", text, known);
            }
        }
    }
    made
}

fn injections(history: &Fields<'_, '_>, faults: &mut Faults) -> InjectionNumbers {
    let fields = history.get("injections").and_then(|(pointer, value)| {
        Fields::of(value, &pointer, &["same_area", "past_year", "weeks_since_last"], faults)
    });
    fields.map_or_else(InjectionNumbers::default, |fields| InjectionNumbers {
        same_area: fields.whole_number("same_area", 0, MOST_INJECTIONS, faults),
        past_year: fields.whole_number("past_year", 0, MOST_INJECTIONS, faults),
        weeks_since_last: fields.number("weeks_since_last", 0.0, MOST_WEEKS, faults),
    })
}

fn known_ids<I: Clone + Ord>(
    history: &Fields<'_, '_>,
    key: &str,
    code: &'static str,
    known: &BTreeMap<&str, &I>,
    faults: &mut Faults,
) -> BTreeMap<I, bool> {
    let mut found = BTreeMap::new();
    let fields = history
        .get(key)
        .and_then(|(pointer, value)| Fields::of(value, &pointer, &["present", "absent"], faults));
    let Some(fields) = fields else { return found };
    for (list, state) in [("present", true), ("absent", false)] {
        for (pointer, text) in fields.texts(list, MOST_IDS, faults) {
            let Some(id) = known.get(text) else {
                faults.unknown_word(&pointer, code, "known here", text, known.keys().copied());
                continue;
            };
            if *found.entry((*id).clone()).or_insert(state) != state {
                let detail = format!("`{text}` is given as present too; it is in one list only");
                faults.add(&pointer, "contradiction", detail);
            }
        }
    }
    found
}
