//! The shipped catalogue on the development vignettes: thresholds, and the figures of the model card.
//!
//! `UPDATE_MODEL_CARD=1 cargo test --test evaluation` rewrites the figures in `MODEL_CARD.md` and
//! `catalogue/evaluation.json`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::fs;

use coxa::{
    api::model_card::EvaluationSummary,
    assessment::Model,
    evaluation::{Outcome, Report, Thresholds, Vignette, changes},
};

mod core;
use core::KNOWLEDGE;

const VIGNETTES: &str = include_str!("vignettes/development.jsonl");
const CARD: &str = "MODEL_CARD.md";
const SUMMARY: &str = "catalogue/evaluation.json";
const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- /figures -->";

fn outcomes(model: &Model) -> Vec<Outcome> {
    let vignettes = Vignette::read_all(&KNOWLEDGE.0, VIGNETTES).unwrap();
    vignettes.iter().map(|vignette| Outcome::of(&KNOWLEDGE.0, model, vignette)).collect()
}

fn report(model: &Model) -> Report {
    Report::of(&KNOWLEDGE.0.about().version, KNOWLEDGE.0.sha256(), outcomes(model))
}

#[test]
fn the_shipped_catalogue_meets_its_thresholds_on_the_development_vignettes() {
    let report = report(&KNOWLEDGE.1);
    let thresholds = Thresholds {
        min_top_1: Some(0.75),
        min_top_3: Some(0.85),
        max_under_triage: Some(0.03),
        max_over_triage: Some(0.20),
        max_calibration_error: Some(0.10),
    };
    assert_eq!(thresholds.missed(&report), Vec::<String>::new());
    let everyday = &report.by_set["everyday"];
    assert!(everyday.top_1.share >= 0.75 && everyday.top_3.share >= 0.92, "{everyday:?}");
    let published = &report.by_set["published"];
    assert!(published.top_1.share >= 0.65 && published.top_3.share >= 0.85, "{published:?}");
    assert_eq!(report.dangerous_below_soon.count, 0);
}

#[test]
fn a_threshold_that_is_missed_is_named() {
    let strict = Thresholds { min_top_1: Some(1.0), max_under_triage: Some(-1.0), ..Thresholds::default() };
    let missed = strict.missed(&report(&KNOWLEDGE.1));
    assert_eq!(missed.len(), 2, "{missed:?}");
    assert!(missed[0].starts_with("top-1 is 0.") && missed[1].starts_with("under-triage is 0."));
}

#[test]
fn the_model_card_holds_the_figures_of_this_catalogue() {
    let report = report(&KNOWLEDGE.1);
    let card = fs::read_to_string(CARD).unwrap();
    let (before, rest) = card.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let made = format!("{before}{BEGIN}\n{}\n{END}{after}", report.to_markdown());
    let summary = serde_json::to_string_pretty(&EvaluationSummary::of(&report)).unwrap() + "\n";
    if std::env::var_os("UPDATE_MODEL_CARD").is_some() {
        fs::write(CARD, made).unwrap();
        return fs::write(SUMMARY, summary).unwrap();
    }
    let remedy = "run UPDATE_MODEL_CARD=1 cargo test --test evaluation";
    assert!(card == made, "{CARD} is out of date: {remedy}");
    assert!(fs::read_to_string(SUMMARY).unwrap() == summary, "{SUMMARY} is out of date: {remedy}");
}

#[test]
fn a_catalogue_does_not_differ_from_itself_and_the_plain_formula_does() {
    let ours = outcomes(&KNOWLEDGE.1);
    assert_eq!(changes(&ours, &ours), []);
    let plain = outcomes(&Model::new(&KNOWLEDGE.0).without_dependence());
    assert!(!changes(&plain, &ours).is_empty());
}

#[test]
fn a_line_that_is_no_vignette_is_named() {
    let unknown =
        r#"{"id":"x","age":30,"sex":"male","present":["loc-gorin"],"acceptable":["other"],"triage":"soon"}"#;
    let error = Vignette::read_all(&KNOWLEDGE.0, &format!("\n{unknown}\n")).unwrap_err();
    assert_eq!(error.to_string(), "line 2: x: `loc-gorin` names no finding (did you mean loc-groin?)");
}
