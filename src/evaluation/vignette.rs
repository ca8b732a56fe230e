//! A case whose answer is known, one JSON object a line.

use serde::Deserialize;
use thiserror::Error;

use crate::{
    assessment::{Answer, Case},
    catalogue::{
        Catalogue, nearest,
        vocabulary::{Sex, TriageLevel},
    },
};

/// A case with its answer.
#[derive(Debug, Clone)]
pub struct Vignette {
    /// Its id.
    pub id: String,
    /// The collection it belongs to, for figures by collection.
    pub set: String,
    /// The runner.
    pub case: Case,
    /// Conditions that count as right; `other` where the catalogue has none.
    pub acceptable: Vec<String>,
    /// The triage level that a careful clinician would want.
    pub triage: TriageLevel,
    /// The levels that are acceptable.
    pub triage_acceptable: Vec<TriageLevel>,
    /// Whether running should stop until someone has looked, where that was judged.
    pub stop_running: Option<bool>,
}

/// Why a line is not a vignette.
#[derive(Debug, Error)]
#[error("line {line}: {reason}")]
pub struct VignetteError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// A line as it is written. Fields that only people read are passed over.
#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    set: Option<String>,
    age: Option<u8>,
    sex: Option<String>,
    #[serde(default)]
    present: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    #[serde(alias = "conditions")]
    acceptable: Vec<String>,
    #[serde(alias = "urgency")]
    triage: String,
    #[serde(default, alias = "urgency_acceptable")]
    triage_acceptable: Vec<String>,
    stop_running: Option<bool>,
}

impl Vignette {
    /// Reads every line of a file; empty lines are passed over.
    ///
    /// # Errors
    /// [`VignetteError`] names the first line that cannot be used, and the nearest known id where one is wrong.
    pub fn read_all(catalogue: &Catalogue, text: &str) -> Result<Vec<Self>, VignetteError> {
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(place, line)| {
                Self::read(catalogue, line).map_err(|reason| VignetteError { line: place + 1, reason })
            })
            .collect()
    }

    /// The lines of a file that fit a catalogue, and how many do not: a vignette may name what an older one lacks.
    #[must_use]
    pub fn read_known(catalogue: &Catalogue, text: &str) -> (Vec<Self>, usize) {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let (known, unknown): (Vec<_>, Vec<_>) =
            lines.map(|line| Self::read(catalogue, line)).partition(Result::is_ok);
        (known.into_iter().flatten().collect(), unknown.len())
    }

    fn read(catalogue: &Catalogue, line: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let sex = match line.sex.as_deref() {
            None => None,
            Some(word) => {
                Some(Sex::from_wire(word).ok_or_else(|| format!("{}: `{word}` is not a sex", line.id))?)
            }
        };
        let mut case = Case::new(line.age, sex);
        for (ids, answer) in [(&line.present, Answer::Present), (&line.absent, Answer::Absent)] {
            for id in ids {
                let (finding, _) = catalogue.resolve_finding(id).ok_or_else(|| {
                    let known = catalogue.findings().iter().map(|finding| finding.id.as_str());
                    let hint = nearest(id, known)
                        .map(|meant| format!(" (did you mean {meant}?)"))
                        .unwrap_or_default();
                    format!("{}: `{id}` names no finding{hint}", line.id)
                })?;
                case.answer(catalogue, finding, answer)
                    .map_err(|_| format!("{}: `{id}` contradicts another answer", line.id))?;
            }
        }
        for id in &line.acceptable {
            if catalogue.condition(id).is_none() {
                return Err(format!("{}: `{id}` names no condition", line.id));
            }
        }
        let level = |word: &str| {
            TriageLevel::from_wire(word).ok_or_else(|| format!("{}: `{word}` is not a triage level", line.id))
        };
        let triage = level(&line.triage)?;
        let mut triage_acceptable =
            line.triage_acceptable.iter().map(|word| level(word)).collect::<Result<Vec<_>, _>>()?;
        if triage_acceptable.is_empty() {
            triage_acceptable.push(triage);
        }
        Ok(Self {
            id: line.id,
            set: line.set.unwrap_or_else(|| "all".into()),
            case,
            acceptable: line.acceptable,
            triage,
            triage_acceptable,
            stop_running: line.stop_running,
        })
    }
}
