//! The catalogue gate: a catalogue with a fault is refused, in words that say where, what and how to mend it.
//!
//! `faults/sound/` is a small catalogue. Each folder beside it is that catalogue with a slip in it: its files
//! replace those of the same name, `REMOVED` names those that are left out, `expected.txt` is what the gate
//! says. `UPDATE_FAULTS=1 cargo test --test faults` writes `expected.txt` anew; read what changed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use coxa::{
    catalogue::{Catalogue, CatalogueFile, Faults},
    startup::read_folder,
};
use tempfile::TempDir;

/// The fixture with faults in many files; every other one holds a single slip.
const SEVERAL: &str = "several-faults-at-once";

/// The most faults that a single slip may lead to.
const MOST_FOR_ONE_SLIP: usize = 2;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults")
}

fn texts(folder: &Path) -> BTreeMap<String, String> {
    read_folder(folder).unwrap().into_iter().map(|file| (file.name, file.text)).collect()
}

struct Fixture {
    name: String,
    files: BTreeMap<String, String>,
    removed: Vec<String>,
}

impl Fixture {
    fn named(name: &str) -> Self {
        let removed = fs::read_to_string(folder().join(name).join("REMOVED")).unwrap_or_default();
        Self {
            name: name.into(),
            files: texts(&folder().join(name)),
            removed: removed.lines().map(ToOwned::to_owned).collect(),
        }
    }

    fn all() -> Vec<Self> {
        let mut names: Vec<String> = fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "sound")
            .collect();
        names.sort();
        names.iter().map(|name| Self::named(name)).collect()
    }

    /// The sound catalogue with this fixture's files over it.
    fn catalogue(&self) -> Vec<CatalogueFile> {
        let mut merged = texts(&folder().join("sound"));
        merged.retain(|name, _| !self.removed.contains(name));
        merged.extend(self.files.clone());
        merged.into_iter().map(|(name, text)| CatalogueFile { name, text }).collect()
    }

    fn faults(&self) -> Faults {
        match Catalogue::compile(&self.catalogue()) {
            Ok(_) => panic!("{} compiles", self.name),
            Err(faults) => faults,
        }
    }

    /// The merged catalogue in a folder of its own.
    fn written_out(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in self.catalogue() {
            let path = folder.path().join(&file.name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.text).unwrap();
        }
        folder
    }
}

fn coxa(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coxa")).args(arguments).env_clear().output().unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn the_sound_catalogue_compiles() {
    let files = read_folder(&folder().join("sound")).unwrap();
    let sound = Catalogue::compile(&files).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((sound.conditions().len(), sound.findings().len()), (5, 8));
}

#[test]
fn every_slip_is_refused_in_the_expected_words() {
    let mut differing = Vec::new();
    for fixture in Fixture::all() {
        let path = folder().join(&fixture.name).join("expected.txt");
        let said = format!("{}\n", fixture.faults());
        if std::env::var_os("UPDATE_FAULTS").is_some() {
            fs::write(&path, &said).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if said != expected {
            differing.push(format!("== {}\n-- expected\n{expected}-- said\n{said}", fixture.name));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn a_slip_is_named_once_and_not_again_for_everything_that_depends_on_it() {
    for fixture in Fixture::all().iter().filter(|fixture| fixture.name != SEVERAL) {
        let faults = fixture.faults();
        assert!((1..=MOST_FOR_ONE_SLIP).contains(&faults.0.len()), "{}: {faults}", fixture.name);
    }
}

#[test]
fn every_fault_names_a_file_of_a_catalogue_a_problem_and_a_remedy() {
    for fixture in Fixture::all() {
        let known: BTreeSet<String> = fixture.catalogue().into_iter().map(|file| file.name).collect();
        for fault in fixture.faults().0 {
            let stands = known.contains(&fault.file)
                || known.iter().any(|name| name.starts_with(&fault.file) && fault.file.ends_with('/'))
                || fault.problem.contains("missing")
                || fault.problem.starts_with("there is no ");
            assert!(stands, "{}: {fault}", fixture.name);
            assert!(!fault.problem.is_empty() && !fault.remedy.is_empty(), "{}: {fault}", fixture.name);
        }
    }
}

#[test]
fn a_fixture_holds_nothing_but_what_differs_from_the_sound_catalogue() {
    let sound = texts(&folder().join("sound"));
    for Fixture { name, files, removed } in Fixture::all() {
        assert!(!files.is_empty() || !removed.is_empty(), "{name} changes nothing");
        for (file, text) in &files {
            assert_ne!(sound.get(file), Some(text), "{name}/{file} is the same");
        }
        for file in &removed {
            assert!(sound.contains_key(file) && !files.contains_key(file), "{name} cannot remove {file}");
        }
    }
}

#[test]
fn faults_of_form_and_of_soundness_in_several_files_are_reported_together() {
    let faults = Fixture::named(SEVERAL).faults().0;
    let files: BTreeSet<&str> = faults.iter().map(|fault| fault.file.as_str()).collect();
    assert!(files.len() >= 5, "{files:?}");
    for problem in ["cannot be read", "is missing", "unknown key", "names no known source", "sum to"] {
        assert!(faults.iter().any(|fault| fault.problem.contains(problem)), "{problem} is not reported");
    }
}

#[test]
fn a_lost_line_is_noticed_unless_it_need_not_be_given() {
    let optional = [
        "absent_below",
        "after",
        "bone_must_be_cleared",
        "circumstance",
        "clinician_only",
        "conditions",
        "corticosteroid",
        "group",
        "imaging",
        "inadequate_response",
        "present_from",
        "published_specificity",
        "red_flag",
        "relative_to",
        "review_after_weeks",
        "stop_running",
        "weeks",
    ];
    for (file, text) in texts(&folder().join("sound")) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let rest: Vec<&str> = text
                .lines()
                .enumerate()
                .filter_map(|(other, line)| (other != number).then_some(line))
                .collect();
            let name = format!("{file} without line {}, `{line}`", number + 1);
            let files = BTreeMap::from([(file.clone(), rest.join("\n"))]);
            let lost = Fixture { name, files, removed: Vec::new() };
            let key = line.split(" = ").next().unwrap();
            match Catalogue::compile(&lost.catalogue()) {
                Ok(_) => assert!(optional.contains(&key), "{} is sound", lost.name),
                Err(faults) => assert!(faults.0.len() <= MOST_FOR_ONE_SLIP, "{}: {faults}", lost.name),
            }
        }
    }
}

#[test]
fn check_prints_every_fault_and_fails() {
    let fixture = Fixture::named(SEVERAL);
    let faulty = fixture.written_out();
    let output = coxa(&["check", faulty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), format!("coxa: {}\n", fixture.faults()));
    assert!(output.stdout.is_empty());
}

#[test]
fn check_says_that_a_sound_catalogue_is_sound() {
    let output = coxa(&["check", folder().join("sound").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        output.stdout.starts_with(b"sound: catalogue 2026.1.1 with 5 conditions, 8 findings, 2 sources\n")
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn the_service_does_not_start_on_a_faulty_catalogue() {
    let fixture = Fixture::named(SEVERAL);
    let faulty = fixture.written_out();
    // The address is taken: a service that let the catalogue pass would end with another message, not serve on.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = coxa(&["--catalogue", faulty.path().to_str().unwrap(), "--listen", &address, "serve"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), format!("coxa: {}\n", fixture.faults()));
}
