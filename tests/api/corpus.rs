//! The inputs that fuzzing started from or found, tried again: `fuzz/corpus/`, a folder for each target.

#[path = "../../fuzz/src/checks.rs"]
mod checks;

use std::fs;

use crate::support::address;

/// Hands each input of a target's corpus to its check; how many there were.
fn replay(target: &str, check: impl Fn(&[u8])) -> usize {
    let folder = checks::repository().join("fuzz/corpus").join(target);
    let inputs = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    inputs
        .map(|input| {
            // Named where the check fails: the test's output is shown then.
            println!("{}", input.display());
            check(&fs::read(&input).unwrap());
        })
        .count()
}

/// For `.ci/prove`.
fn figure(target: &str, inputs: usize) {
    println!("figure {target}: {inputs} inputs, 0 crashes");
    assert!(inputs > 20, "the corpus of {target} is not there");
}

#[test]
fn any_body_comes_to_an_assessment_or_a_problem() {
    figure("corpus-assessments", replay("assess_body", checks::assess_body));
}

#[test]
fn any_file_of_a_catalogue_is_taken_or_refused_with_its_faults() {
    figure("corpus-catalogues", replay("load_catalogue", checks::load_catalogue));
}

#[test]
fn any_body_about_care_comes_to_an_answer_or_a_problem() {
    let ladders = replay("escalation_body", |bytes| checks::escalation_body(address(), bytes));
    let runs = replay("return_to_run_body", |bytes| checks::return_to_run_body(address(), bytes));
    figure("corpus-care", ladders + runs);
}

#[test]
fn any_value_of_a_header_comes_to_an_answer_that_fits_it_or_a_problem() {
    figure("corpus-headers", replay("headers", |bytes| checks::headers(address(), bytes)));
}
