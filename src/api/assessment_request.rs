//! What a client sends to have a case assessed, and how it becomes a [`Case`].

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    fields::{Faults, Fields},
    history::{self, History},
    json,
    problem::Problem,
};
use crate::{
    assessment::{Answer, Case, Conflict, derive},
    catalogue::{
        Catalogue, FindingIndex,
        entry::Measure,
        id::MeasureId,
        vocabulary::{Examiner, Sex},
    },
    escalation::Course,
};

/// The highest age that is accepted, in years.
const OLDEST: u32 = 120;

/// How many findings each list may hold; more than the catalogue has.
const MOST_FINDINGS: usize = 500;

/// The measure that a history tells as well.
const ONSET: &str = "weeks-since-onset";

/// How many conditions are returned unless asked otherwise.
const DEFAULT_LIMIT: u32 = 5;

/// The most conditions that can be asked for.
const MOST_CONDITIONS: u32 = 100;

/// A runner's answers. Nothing is required; a finding in none of the lists is unknown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentRequestBody {
    /// Age in years.
    #[schema(minimum = 0, maximum = 120, nullable = false)]
    age: Option<u8>,
    /// Sex, as far as it changes how often a condition is met: `female` or `male`.
    #[schema(nullable = false)]
    sex: Option<SexWord>,
    /// Ids of findings that are there.
    #[schema(max_items = 500, default = json!([]))]
    present: Option<Vec<String>>,
    /// Ids of findings that were looked for and are not there.
    #[schema(max_items = 500, default = json!([]))]
    absent: Option<Vec<String>>,
    /// Ids of findings that were asked for and are not known, and `age` or `sex` where the runner does not tell. They weigh
    /// nothing and are not asked again.
    #[schema(max_items = 500, default = json!([]))]
    unknown: Option<Vec<String>>,
    /// Numbers that apps know, by the id of a measure (`GET /v1/measures`). They become findings by rules of the
    /// catalogue, which the answer shows under `derived`.
    #[schema(value_type = Option<MeasureValues>)]
    measures: Option<MeasureValues>,
    /// What was tried so far. With it the next step of each condition follows from it; without it, nothing was tried.
    history: Option<History>,
    /// How to answer.
    options: Option<AssessmentOptions>,
}

/// Numbers that apps know. What is left out is unknown, never zero.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureValues {
    /// Weeks since the pain began.
    #[schema(minimum = 0, maximum = 2600)]
    weeks_since_onset: Option<f64>,
    /// Worst pain in the last week, from 0 (none) to 10 (worst imaginable).
    #[schema(minimum = 0, maximum = 10)]
    worst_pain: Option<f64>,
    /// Kilometres run in the last full week before it hurt.
    #[schema(minimum = 0, maximum = 500)]
    weekly_distance_km: Option<f64>,
    /// Kilometres run in a week four weeks before that.
    #[schema(minimum = 0, maximum = 500)]
    weekly_distance_four_weeks_earlier_km: Option<f64>,
    /// Kilometres of the longest run in the month before it hurt.
    #[schema(minimum = 0, maximum = 300)]
    longest_run_km: Option<f64>,
}

/// Sex, as far as it changes how often a condition is met.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the body")]
pub enum SexWord {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Who looks at the hip.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the body")]
pub enum ExaminerWord {
    /// The runner.
    #[serde(rename = "self")]
    Oneself,
    /// A clinician, who can also do examiner's tests and see scans.
    Clinician,
}

/// How to answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentOptions {
    /// How many conditions to return.
    #[schema(minimum = 1, maximum = 100, default = 5)]
    limit: Option<u32>,
    /// Whether to return the evidence for and against each condition.
    #[schema(default = true)]
    explain: Option<bool>,
    /// Who looks at the hip. Tests that only a clinician can do are proposed to a clinician alone.
    #[schema(default = "self")]
    examiner: Option<ExaminerWord>,
    /// Whether to say what other answers would change.
    #[schema(default = false)]
    what_if: Option<bool>,
}

/// A request that was read and makes sense.
#[derive(Debug)]
pub struct AssessmentRequest {
    /// The runner.
    pub case: Case,
    /// Ids that were given by a former name: as given, and as they are now.
    pub renamed: Vec<(String, FindingIndex)>,
    /// Values of measures.
    pub measures: Vec<(MeasureId, f64)>,
    /// How many conditions to return.
    pub limit: usize,
    /// Whether to return the evidence.
    pub explain: bool,
    /// Who looks at the hip.
    pub examiner: Examiner,
    /// Whether to say what other answers would change.
    pub what_if: bool,
    /// What was tried so far, where that is told.
    pub course: Option<Course>,
}

impl AssessmentRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// A 400 problem when it is not JSON; a 422 problem with every fault when it makes no sense.
    pub fn read(catalogue: &Catalogue, body: &[u8]) -> Result<Self, Problem> {
        let tree = json::read(body)?;
        let mut faults = Faults::default();
        let known = &["age", "sex", "present", "absent", "unknown", "measures", "history", "options"];
        let Some(fields) = Fields::of(&tree, "", known, &mut faults) else {
            return Err(faults.end().err().unwrap_or_else(|| Problem::invalid(Vec::new())));
        };
        let age = fields.whole_number("age", 0, OLDEST, &mut faults).and_then(|age| u8::try_from(age).ok());
        let sex = fields.word("sex", Sex::ALL, Sex::as_str, &mut faults);
        let mut case = Case::new(age, sex);
        let mut renamed = Vec::new();
        for (list, answer) in
            [("present", Some(Answer::Present)), ("absent", Some(Answer::Absent)), ("unknown", None)]
        {
            answers(catalogue, &fields, list, answer, &mut case, &mut renamed, &mut faults);
        }
        let measures = measures(catalogue, &fields, &mut case, &mut faults);
        let course = fields.get("history").map(|_| {
            let course = history::read(catalogue, &fields, &mut faults);
            let onset = measures.iter().find(|(id, _)| id.as_str() == ONSET).map(|(_, weeks)| *weeks);
            if let (Some(told), Some(measured)) = (course.weeks_since_onset, onset)
                && told.total_cmp(&measured).is_ne()
            {
                let detail = "this differs from weeks_since_onset under measures; give it once";
                faults.add("/history/weeks_since_onset", "contradiction", detail);
            }
            Course { age, sex, weeks_since_onset: course.weeks_since_onset.or(onset), ..course }
        });
        let options = fields.get("options").and_then(|(pointer, value)| {
            Fields::of(value, &pointer, &["limit", "explain", "examiner", "what_if"], &mut faults)
        });
        let (mut limit, mut explain, mut examiner, mut what_if) =
            (DEFAULT_LIMIT, true, Examiner::Oneself, false);
        if let Some(options) = options {
            limit = options.whole_number("limit", 1, MOST_CONDITIONS, &mut faults).unwrap_or(limit);
            explain = options.truth("explain", &mut faults).unwrap_or(explain);
            examiner =
                options.word("examiner", Examiner::ALL, Examiner::as_str, &mut faults).unwrap_or(examiner);
            what_if = options.truth("what_if", &mut faults).unwrap_or(what_if);
        }
        faults.end()?;
        Ok(Self {
            case,
            renamed,
            measures,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            explain,
            examiner,
            what_if,
            course,
        })
    }
}

fn answers(
    catalogue: &Catalogue,
    fields: &Fields<'_, '_>,
    list: &str,
    answer: Option<Answer>,
    case: &mut Case,
    renamed: &mut Vec<(String, FindingIndex)>,
    faults: &mut Faults,
) {
    for (pointer, id) in fields.texts(list, MOST_FINDINGS, faults) {
        if answer.is_none() && matches!(id, "age" | "sex") {
            if fields.get(id).is_some() {
                faults.add(&pointer, "contradiction", format!("`{id}` is given, so it is not unknown"));
            } else if id == "age" {
                case.age_unknown();
            } else {
                case.sex_unknown();
            }
            continue;
        }
        let Some((finding, was_renamed)) = catalogue.resolve_finding(id) else {
            let known = catalogue.findings().iter().map(|finding| finding.id.as_str());
            faults.unknown_word(&pointer, "unknown_finding", "a finding of the catalogue", id, known);
            continue;
        };
        if was_renamed && !renamed.iter().any(|(given, _)| given == id) {
            renamed.push((id.to_owned(), finding));
        }
        let added = match answer {
            Some(answer) => case.answer(catalogue, finding, answer),
            None => case.unknown(finding),
        };
        match added {
            Ok(()) => {}
            Err(Conflict::Contradiction) => {
                let detail = format!("`{id}` is given another answer too; a finding is in one list only");
                faults.add(&pointer, "contradiction", detail);
            }
            Err(Conflict::SecondChoice(other)) => {
                let other = &catalogue.finding_at(other).id;
                let detail = format!("`{id}` and `{other}` exclude each other; name the one that fits best");
                faults.add(&pointer, "conflicting_choice", detail);
            }
        }
    }
}

/// Reads the measures and gives the case the findings that they stand for.
fn measures(
    catalogue: &Catalogue,
    fields: &Fields<'_, '_>,
    case: &mut Case,
    faults: &mut Faults,
) -> Vec<(MeasureId, f64)> {
    // On the wire a measure is a field, and fields are in snake_case.
    let known: Vec<(String, &Measure)> =
        catalogue.measures().iter().map(|measure| (measure.id.as_str().replace('-', "_"), measure)).collect();
    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    let object =
        fields.get("measures").and_then(|(pointer, value)| Fields::of(value, &pointer, &names, faults));
    let Some(object) = object else { return Vec::new() };
    let mut values = Vec::new();
    for (name, measure) in &known {
        if let Some(value) = object.number(name, measure.least, measure.most, faults) {
            values.push((measure.id.clone(), value));
        }
    }
    let by_id: BTreeMap<&MeasureId, f64> = values.iter().map(|(id, value)| (id, *value)).collect();
    for derived in derive(catalogue, &by_id) {
        if case.answer(catalogue, derived.finding, derived.answer).is_err() {
            let finding = &catalogue.finding_at(derived.finding).id;
            let name = derived.measure.id.as_str().replace('-', "_");
            let detail =
                format!("this value stands for an answer to `{finding}` that differs from the one given");
            faults.add(&format!("/measures/{name}"), "contradiction", detail);
        }
    }
    values
}
