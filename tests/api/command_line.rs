//! What each command prints and how it ends.

use std::{fs, net::TcpListener};

use serde_json::{Value, json};

use crate::{
    binary::{command, run, run_with, text},
    support::{Api, address, outer_hip_case},
};

#[tokio::test]
async fn assess_prints_the_bytes_that_the_service_answers() {
    let api = Api::new();
    for case in
        [json!({}), outer_hip_case(), json!({ "age": 16, "present": ["fever"], "options": { "limit": 2 } })]
    {
        let case = case.to_string();
        let answer = api.try_assess(&case).await;
        let printed = run_with(&["assess"], case.as_bytes());
        assert_eq!(text(&printed.stdout), format!("{}\n", answer.text()));
        assert_eq!(printed.status.code(), Some(0));
        assert_eq!(text(&printed.stderr), "");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("case.json");
        fs::write(&file, &case).unwrap();
        assert_eq!(run(&["assess", file.to_str().unwrap()]).stdout, printed.stdout);
        assert_eq!(run_with(&["assess", "-"], case.as_bytes()).stdout, printed.stdout);
    }
}

#[tokio::test]
async fn assess_prints_the_problem_of_a_bad_case_and_fails() {
    for case in [r#"{"age":-1,"presnt":[]}"#, "{", "", "[30]", r#"{"age":1,"age":2}"#] {
        let printed = run_with(&["assess"], case.as_bytes());
        assert_eq!(printed.status.code(), Some(1), "{case}");
        let answer = Api::new().try_assess(case).await;
        let (mut printed, mut served): (Value, Value) =
            (serde_json::from_slice(&printed.stdout).unwrap(), answer.json());
        for problem in [&mut printed, &mut served] {
            problem.as_object_mut().unwrap().remove("instance").unwrap();
            problem.as_object_mut().unwrap().remove("request_id").unwrap();
        }
        assert_eq!(printed, served, "{case}");
    }
}

#[tokio::test]
async fn assess_line_by_line_keeps_the_order_and_goes_on_after_a_bad_line() {
    let api = Api::new();
    let (first, last) = (json!({}).to_string(), outer_hip_case().to_string());
    let lines = format!("{first}\n\n{{\"age\":-1}}\nnot json\r\n  {last}  ");
    let printed = run_with(&["assess", "--ndjson"], lines.as_bytes());
    assert_eq!(printed.status.code(), Some(1));
    let printed = text(&printed.stdout);
    let answers: Vec<&str> = printed.lines().collect();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0], api.try_assess(&first).await.text());
    assert_eq!(answers[3], api.try_assess(&last).await.text());
    for (answer, status, line) in [(answers[1], 422, "line-3"), (answers[2], 400, "line-4")] {
        let problem: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], format!("urn:coxa:request:{line}"));
    }
    let good = format!("{first}\n{last}\n");
    assert_eq!(run_with(&["assess", "--ndjson"], good.as_bytes()).status.code(), Some(0));
    assert_eq!(run_with(&["assess", "--ndjson"], b"").stdout, b"");
}

#[test]
fn assess_names_a_file_that_is_not_there() {
    let printed = run(&["assess", "no-such-file.json"]);
    assert_eq!(printed.status.code(), Some(1));
    assert!(text(&printed.stderr).starts_with("coxa: no-such-file.json: "), "{}", text(&printed.stderr));
    assert_eq!(printed.stdout, b"");
}

#[test]
fn the_embedded_catalogue_is_the_one_of_the_folder() {
    let embedded = run(&["check"]);
    assert_eq!(embedded.status.code(), Some(0));
    assert!(text(&embedded.stdout).starts_with("sound: catalogue "), "{}", text(&embedded.stdout));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/catalogue");
    assert_eq!(run(&["check", folder]).stdout, embedded.stdout);
    assert_eq!(run(&["check", "--catalogue", folder]).stdout, embedded.stdout);
    let case = outer_hip_case().to_string();
    let assessed = run_with(&["assess", "--catalogue", folder], case.as_bytes());
    assert_eq!(assessed.stdout, run_with(&["assess"], case.as_bytes()).stdout);
}

#[test]
fn a_catalogue_with_a_fault_is_refused_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("catalogue.toml"), "title = 1\n").unwrap();
    let path = folder.path().to_str().unwrap();
    for arguments in [
        &["check", path][..],
        &["assess", "--catalogue", path],
        &["serve", "--listen", "127.0.0.1:0", "--catalogue", path],
        &["check", "no-such-folder"],
    ] {
        let printed = run_with(arguments, b"");
        assert_eq!(printed.status.code(), Some(1), "{arguments:?}");
        let message = text(&printed.stderr);
        assert!(
            message.contains("catalogue.toml") || message.contains("no-such-folder"),
            "{arguments:?}: {message}"
        );
    }
}

#[tokio::test]
async fn the_document_is_printed_as_it_is_served() {
    let api = Api::new();
    for (arguments, path) in [(&["openapi"][..], "/openapi.json"), (&["openapi", "--yaml"], "/openapi.yaml")]
    {
        let printed = run(arguments);
        assert_eq!(printed.status.code(), Some(0));
        assert_eq!(text(&printed.stdout), api.get(path).await.text());
    }
}

#[test]
fn settings_prints_what_is_in_force() {
    let settings = |output: &[u8]| -> toml::Table { toml::from_str(&text(output)).unwrap() };
    let defaults = run(&["settings"]);
    assert_eq!(defaults.status.code(), Some(0));
    let defaults = settings(&defaults.stdout);
    let reference: toml::Table = toml::from_str(coxa::settings::DEFAULTS).unwrap();
    assert_eq!(defaults, reference);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    fs::write(&file, "[server]\nkeep_alive = 9\nbody_limit = 1000\n").unwrap();
    let mut command = command(&["settings", "--config", file.to_str().unwrap(), "--listen", "127.0.0.1:7"]);
    let changed = command.env("COXA__SERVER__BODY_LIMIT", "2000").output().unwrap();
    let mut wanted = reference;
    let server = wanted["server"].as_table_mut().unwrap();
    server.insert("keep_alive".into(), 9.into());
    server.insert("body_limit".into(), 2000.into());
    server.insert("listen".into(), "127.0.0.1:7".into());
    assert_eq!(settings(&changed.stdout), wanted);
}

#[test]
fn a_misspelt_variable_stops_every_command_that_reads_settings_and_names_the_nearest() {
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["settings"], &["assess"], &["healthcheck"]]
    {
        for (name, meant) in [
            ("COXA__SERVER__LISTN", "COXA__SERVER__LISTEN"),
            ("COXA_TELEMETRY__LOG_LEVEL", "COXA__TELEMETRY__LOG_LEVEL"),
        ] {
            let ended = command(arguments).env(name, "debug").output().unwrap();
            assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
            let message = text(&ended.stderr);
            assert_eq!(
                message,
                format!("coxa: the environment variable {name} is not known; did you mean {meant}?\n"),
                "{arguments:?}"
            );
            assert_eq!(ended.stdout, b"");
        }
    }
}

#[test]
fn a_misspelt_key_or_a_bad_value_stops_the_start_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    for (content, hint) in [
        ("[server]\nlistn = \"127.0.0.1:1\"\n", "did you mean `server.listen`?"),
        ("[servr]\nlisten = \"127.0.0.1:1\"\n", "did you mean `server`?"),
        ("[server]\nkeep_alive = \"long\"\n", "server.keep_alive"),
        ("[server]\nbody_limit = 0\n", "server.body_limit"),
    ] {
        fs::write(&file, content).unwrap();
        let ended = run(&["serve", "--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()]);
        assert_eq!(ended.status.code(), Some(1), "{content}");
        assert!(text(&ended.stderr).contains(hint), "{content}: {}", text(&ended.stderr));
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_the_remedy() {
    let taken = address().to_string();
    let ended = run(&["serve", "--listen", &taken]);
    assert_eq!(ended.status.code(), Some(1));
    let message = text(&ended.stderr);
    assert!(message.contains(&taken) && message.contains("--listen"), "{message}");
}

#[test]
fn the_health_check_tells_a_live_service_from_a_dead_port() {
    let live = address().to_string();
    for url in [&live, &format!("http://{live}"), &format!("http://{live}/readyz")] {
        let ended = run(&["healthcheck", url]);
        assert_eq!(ended.status.code(), Some(0), "{url}: {}", text(&ended.stderr));
    }
    assert_eq!(run(&["healthcheck", "--listen", &live]).status.code(), Some(0));
    // A port of which the number is known and on which nobody listens any more.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ended = run(&["healthcheck", &dead]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains(&dead), "{}", text(&ended.stderr));
    assert_eq!(run(&["healthcheck", "nonsense"]).status.code(), Some(1));
}

#[test]
fn version_and_help_name_the_service() {
    let version = run(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(text(&version.stdout), format!("coxa {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for name in ["serve", "assess", "check", "openapi", "settings", "healthcheck", "completions"] {
        assert!(text(&help.stdout).contains(name), "{name}");
    }
}

#[test]
fn a_command_that_is_not_known_is_a_mistake_of_use() {
    for arguments in
        [&["asess"][..], &["--listn", "127.0.0.1:1"], &["--listen", "nowhere"], &["completions", "x"]]
    {
        let ended = run(arguments);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}");
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "{arguments:?}");
    }
    assert!(text(&run(&["asess"]).stderr).contains("assess"));
}

#[test]
fn completions_are_there_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let printed = run(&["completions", shell]);
        assert_eq!(printed.status.code(), Some(0), "{shell}");
        assert!(text(&printed.stdout).contains("healthcheck"), "{shell}");
    }
}
