//! `HAZARDS.md` keeps its form, names tests and rules that exist, and leaves no red-flag rule out.
//!
//! Below that stand a few tests of the shipped catalogue that hazards rely on and that no other file holds.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use coxa::{
    assessment::{Answer, Case, Model, assess},
    catalogue::{
        Catalogue, embedded,
        vocabulary::{Category, Role, Stage, TriageLevel},
    },
    escalation::{FirstStep, FirstStepFacts, first_step},
};

const FIELDS: [&str; 8] = [
    "Cause",
    "Effect",
    "Severity",
    "Likelihood before control",
    "Control",
    "Guarded by",
    "Red flags",
    "What remains",
];

const SEVERITIES: [&str; 4] = ["negligible", "minor", "serious", "critical"];

const LIKELIHOODS: [&str; 5] = ["very low", "low", "medium", "high", "very high"];

const LEAST_HAZARDS: usize = 25;

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::compile(&embedded()).unwrap_or_else(|faults| panic!("{faults}")));

static FILE: LazyLock<String> = LazyLock::new(|| fs::read_to_string(root().join("HAZARDS.md")).unwrap());

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

struct Hazard {
    id: String,
    title: String,
    /// Name and text of each field, in the order of the file.
    fields: Vec<(String, String)>,
}

impl Hazard {
    /// Reads a heading and the list below it, in which a field may run over several lines.
    fn read(section: &str) -> Self {
        let (heading, list) = section.split_once('\n').unwrap_or((section, ""));
        let (id, title) = heading.split_once(' ').unwrap_or((heading, ""));
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in list.lines().filter(|line| !line.trim().is_empty()) {
            if let Some(field) = line.strip_prefix("- ") {
                let (name, text) = field.split_once(':').unwrap_or((field, ""));
                fields.push((name.into(), text.trim().into()));
            } else {
                let (_, text) = fields.last_mut().unwrap_or_else(|| panic!("{id}: `{line}` is in no field"));
                assert!(line.starts_with("  "), "{id}: `{line}` is in no field");
                text.push(' ');
                text.push_str(line.trim());
            }
        }
        Self { id: id.into(), title: title.into(), fields }
    }

    fn all() -> Vec<Self> {
        FILE.split("\n## ").skip(1).map(Self::read).collect()
    }

    fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("{} has no field `{name}`", self.id)).1
    }

    /// The names of a field that holds nothing but names in backticks with commas between them.
    fn names(&self, field: &str) -> Vec<&str> {
        self.field(field)
            .split(", ")
            .map(|part| {
                let inner = part.strip_prefix('`').and_then(|part| part.strip_suffix('`'));
                inner.unwrap_or_else(|| panic!("{}: `{part}` of `{field}` is not in backticks", self.id))
            })
            .collect()
    }

    fn red_flags(&self) -> Vec<&str> {
        if self.field("Red flags") == "none" { Vec::new() } else { self.names("Red flags") }
    }
}

/// The names of the test functions of a Rust file that are run.
fn tests_in(text: &str) -> BTreeSet<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut found = BTreeSet::new();
    for (place, line) in lines.iter().enumerate() {
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let Some(name) = function.and_then(|rest| rest.split('(').next()) else { continue };
        let attributes: Vec<&str> =
            lines[..place].iter().rev().take_while(|above| above.starts_with('#')).copied().collect();
        let test = ["#[test]", "#[tokio::test]", "#[actix_web::test]"];
        let is_test = attributes.iter().any(|attribute| test.contains(attribute));
        if is_test && !attributes.iter().any(|attribute| attribute.starts_with("#[ignore")) {
            found.insert(name);
        }
    }
    found
}

#[test]
fn there_are_hazards_enough_and_their_numbers_have_no_gap() {
    let hazards = Hazard::all();
    assert!(hazards.len() >= LEAST_HAZARDS, "only {} hazards", hazards.len());
    for (number, hazard) in (1..).zip(&hazards) {
        assert_eq!(hazard.id, format!("H{number:02}"));
        assert!(!hazard.title.trim().is_empty(), "{} has no title", hazard.id);
    }
    let titles: BTreeSet<&str> = hazards.iter().map(|hazard| hazard.title.as_str()).collect();
    assert_eq!(titles.len(), hazards.len(), "two hazards have the same title");
}

#[test]
fn every_hazard_has_every_field_once_in_order_and_none_is_empty() {
    for hazard in Hazard::all() {
        let names: Vec<&str> = hazard.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, FIELDS, "{}", hazard.id);
        for (name, text) in &hazard.fields {
            assert!(!text.is_empty(), "{}: `{name}` is empty", hazard.id);
        }
    }
}

#[test]
fn every_severity_and_likelihood_is_a_known_word() {
    for hazard in Hazard::all() {
        let severity = hazard.field("Severity");
        assert!(SEVERITIES.contains(&severity), "{}: {severity}", hazard.id);
        let likelihood = hazard.field("Likelihood before control");
        assert!(LIKELIHOODS.contains(&likelihood), "{}: {likelihood}", hazard.id);
    }
}

#[test]
fn every_guard_is_a_test_that_exists_and_is_run() {
    let mut missing = Vec::new();
    for hazard in Hazard::all() {
        for guard in hazard.names("Guarded by") {
            let (file, name) = guard.split_once("::").unwrap_or((guard, ""));
            assert!(file.starts_with("tests/") || file.starts_with("src/"), "{}: {guard}", hazard.id);
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            if !tests_in(&text).contains(name) {
                missing.push(format!("{}: {guard}", hazard.id));
            }
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn every_red_flag_rule_stands_in_a_hazard_and_every_named_rule_exists() {
    let hazards = Hazard::all();
    let named: BTreeSet<&str> = hazards.iter().flat_map(Hazard::red_flags).collect();
    let rules: BTreeSet<&str> = CATALOGUE.red_flags().iter().map(|rule| rule.id.as_str()).collect();
    let left_out: Vec<&&str> = rules.difference(&named).collect();
    let unknown: Vec<&&str> = named.difference(&rules).collect();
    assert!(left_out.is_empty() && unknown.is_empty(), "left out: {left_out:?}, unknown: {unknown:?}");
}

#[test]
fn every_hazard_that_a_text_refers_to_exists() {
    let ids: BTreeSet<String> = Hazard::all().into_iter().map(|hazard| hazard.id).collect();
    let words = FILE.split(|letter: char| !letter.is_ascii_alphanumeric());
    let referred = words.filter(|word| {
        word.strip_prefix('H').is_some_and(|rest| rest.len() == 2 && rest.parse::<u8>().is_ok())
    });
    for word in referred {
        assert!(ids.contains(word), "{word} is no hazard");
    }
}

#[test]
fn the_first_step_for_an_injured_bone_never_loads_it() {
    let mut seen = 0;
    for condition in CATALOGUE.conditions().iter().filter(|condition| condition.category == Category::Bone) {
        let Some(next) = first_step(&CATALOGUE, condition, &FirstStepFacts::default()) else { continue };
        for (_, treatment) in next.steps {
            assert!(!treatment.loading, "{} opens with {}", condition.id, treatment.id);
        }
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} conditions of the bone have a first step");
}

#[test]
fn no_injection_is_ever_a_first_step() {
    for condition in CATALOGUE.conditions().iter().filter(|condition| condition.role == Role::Ranked) {
        for unloaded in [false, true] {
            let facts = FirstStepFacts { unloaded, ..FirstStepFacts::default() };
            let stage = first_step(&CATALOGUE, condition, &facts).map(|first| first.stage);
            assert_ne!(stage, Some(Stage::Injection), "{}", condition.id);
        }
    }
}

#[test]
fn every_steroid_injection_names_infection_as_a_reason_not_to() {
    let mut seen = 0;
    for treatment in CATALOGUE.treatments().iter().filter(|treatment| treatment.corticosteroid) {
        let reasons: Vec<&str> =
            treatment.contraindications.iter().map(|reason| reason.id.as_str()).collect();
        assert!(reasons.contains(&"suspected-infection"), "{}: {reasons:?}", treatment.id);
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} treatments inject a steroid");
}

#[test]
fn every_steroid_injection_names_a_suspected_break_as_a_reason_not_to() {
    for treatment in CATALOGUE.treatments().iter().filter(|treatment| treatment.corticosteroid) {
        let named =
            treatment.contraindications.iter().any(|reason| reason.id.as_str() == "suspected-fracture");
        assert!(named, "{}", treatment.id);
    }
}

#[test]
fn the_triage_level_alone_keeps_loading_out_of_the_first_step() {
    let mut left_out = 0;
    for level in TriageLevel::ALL.iter().copied().filter(|level| *level >= TriageLevel::Soon) {
        let facts = FirstStepFacts::new(level, false, BTreeSet::new());
        for condition in CATALOGUE.conditions() {
            let free = first_step(&CATALOGUE, condition, &FirstStepFacts::default());
            let loads = |first: &FirstStep<'_>| first.steps.iter().any(|(_, treatment)| treatment.loading);
            let held = first_step(&CATALOGUE, condition, &facts);
            assert!(!held.is_some_and(|first| loads(&first)), "{} at {}", condition.id, level.as_str());
            left_out += usize::from(free.is_some_and(|first| loads(&first)));
        }
    }
    assert!(left_out > 0, "no first step loads at all, and this shows nothing");
}

#[test]
fn anti_inflammatory_tablets_name_their_reasons_not_to() {
    let tablets = CATALOGUE.treatment("oral-nsaids").unwrap();
    let reasons: Vec<&str> = tablets.contraindications.iter().map(|reason| reason.id.as_str()).collect();
    for reason in
        ["kidney-disease", "stomach-ulcer-or-bleeding", "blood-thinners", "pregnancy", "dehydration"]
    {
        assert!(reasons.contains(&reason), "{reason} is missing in {reasons:?}");
    }
}

#[test]
fn hopping_is_asked_from_memory_alone() {
    let hop = CATALOGUE.finding("hop-pain").unwrap();
    assert!(hop.question.starts_with("Do not try this now"), "{}", hop.question);
    assert!(hop.help.contains("from memory only"), "{}", hop.help);
}

#[test]
fn a_rule_for_one_sex_fires_where_the_sex_is_not_known() {
    let model = Model::new(&CATALOGUE);
    let mut seen = 0;
    for rule in CATALOGUE.red_flags().iter().filter(|rule| rule.sex.is_some()) {
        let mut case = Case::new(Some(rule.age_from.unwrap_or(30)), None);
        for id in rule.all_of.iter().chain(rule.any_of.iter().take(rule.at_least.into())) {
            let finding = CATALOGUE.finding_index(id.as_str()).unwrap();
            case.answer(&CATALOGUE, finding, Answer::Present).unwrap();
        }
        let level = assess(&CATALOGUE, &model, &case).triage.level;
        assert!(level >= rule.level, "{}: {level:?}", rule.id);
        seen += 1;
    }
    assert!(seen > 0, "no rule is for one sex");
}
