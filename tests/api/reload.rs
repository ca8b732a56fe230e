//! The catalogue read again while the service runs.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{binary::Served, support::Api};

/// How often the catalogue is replaced under load.
const RELOADS: usize = 100;

/// A copy of the small sound catalogue that can be changed.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/sound"), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Gives the catalogue a version and a disclaimer that says the same, so that a mixture would show.
fn set_version(folder: &Path, number: usize) -> String {
    let file = folder.join("catalogue.toml");
    let version = format!("2026.1.{number}");
    let text: String = fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|line| match line.split(" = ").next() {
            Some("version") => format!("version = \"{version}\"\n"),
            Some("disclaimer") => format!("disclaimer = \"This is version {version}.\"\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    // Written beside and renamed: no reader ever sees half a file.
    let beside = folder.join("catalogue.toml.new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, file).unwrap();
    version
}

fn serve(folder: &TempDir, more: &[(&str, &str)]) -> Served {
    let path = folder.path().to_str().unwrap();
    Served::start(&[&[("COXA__CATALOGUE__PATH", path)], more].concat())
}

async fn version(api: &Api) -> String {
    api.get("/version").await.json()["catalogue"]["version"].as_str().unwrap().to_owned()
}

/// Asks until the service answers with a version; the test's own time limit is the only one.
async fn until(api: &Api, wanted: &str) {
    while version(api).await != wanted {
        tokio::task::yield_now().await;
    }
}

fn check(answer: &Value) -> String {
    let version = answer["catalogue"]["version"].as_str().unwrap();
    assert_eq!(answer["disclaimer"], json!(format!("This is version {version}.")), "{answer}");
    version.to_owned()
}

#[tokio::test]
async fn under_load_every_answer_is_wholly_of_one_catalogue_and_none_fails() {
    let folder = folder();
    set_version(folder.path(), 1);
    let served = serve(&folder, &[("COXA__TELEMETRY__ACCESS_LOG", "false")]);
    let api = Arc::new(Api::at(served.address));
    let ended = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let (api, ended) = (Arc::clone(&api), Arc::clone(&ended));
            tokio::spawn(async move {
                let (mut seen, mut asked) = (BTreeSet::new(), 0);
                while !ended.load(Ordering::Relaxed) {
                    seen.insert(check(&api.assess(&json!({ "age": 40, "present": ["loc-lateral"] })).await));
                    let kept = api.get("/v1/catalogue").await;
                    assert_eq!(kept.status, 200);
                    seen.insert(check(&kept.json()));
                    assert_eq!(api.get("/readyz").await.status, 200);
                    asked += 3;
                }
                (seen, asked)
            })
        })
        .collect();
    for number in 2..2 + RELOADS {
        let wanted = set_version(folder.path(), number);
        served.signal("HUP");
        until(&api, &wanted).await;
    }
    ended.store(true, Ordering::Relaxed);
    let (mut seen, mut asked) = (BTreeSet::new(), 0);
    for task in asking {
        let (versions, requests) = task.await.unwrap();
        seen.extend(versions);
        asked += requests;
    }
    assert!(seen.len() > RELOADS / 4, "only {} versions were seen", seen.len());
    println!("reload: {RELOADS} reloads, {asked} requests, 0 failed, {} versions seen", seen.len());
    served.signal("TERM");
    let (status, _, log) = served.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(log.matches("catalogue reloaded").count(), RELOADS, "{log}");
}

#[tokio::test]
async fn a_faulty_catalogue_is_refused_and_the_old_one_goes_on() {
    let folder = folder();
    let first = set_version(folder.path(), 1);
    let mut served = serve(&folder, &[]);
    let api = Api::at(served.address);
    assert_eq!(version(&api).await, first);
    let condition = folder.path().join("conditions/gluteal-tendinopathy.toml");
    let sound = fs::read_to_string(&condition).unwrap();
    fs::write(&condition, sound.replace("probability", "probabillity")).unwrap();
    served.signal("HUP");
    let log = served.logged("not reloaded");
    assert!(log.contains("probabillity"), "{log}");
    assert_eq!(version(&api).await, first);
    assert_eq!(api.get("/readyz").await.status, 200);
    fs::write(&condition, sound).unwrap();
    let second = set_version(folder.path(), 2);
    served.signal("HUP");
    until(&api, &second).await;
}

#[tokio::test]
async fn a_folder_that_is_watched_is_read_again_when_it_changes() {
    let folder = folder();
    set_version(folder.path(), 1);
    let served = serve(&folder, &[("COXA__CATALOGUE__WATCH_SECONDS", "1")]);
    let api = Api::at(served.address);
    let second = set_version(folder.path(), 2);
    until(&api, &second).await;
}

#[tokio::test]
async fn a_hangup_without_a_folder_changes_nothing_and_is_told() {
    let mut served = Served::start(&[]);
    let api = Api::at(served.address);
    let before = version(&api).await;
    served.signal("HUP");
    let log = served.logged("nothing to reload");
    assert!(log.contains("catalogue.path"), "{log}");
    assert_eq!(version(&api).await, before);
}
