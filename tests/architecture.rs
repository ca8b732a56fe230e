//! Dependencies point one way, and the core touches nothing outside itself.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::{fs, path::Path};

/// For each room, words that may not stand in it.
const FORBIDDEN: [(&str, &[&str]); 3] = [
    ("catalogue", &["crate::assessment", "crate::escalation"]),
    ("assessment", &["crate::escalation"]),
    ("escalation", &["crate::assessment"]),
];

/// Rooms that stand on the core: none of it knows them.
const ABOVE: [&str; 10] = [
    "crate::api",
    "crate::command_line",
    "crate::evaluation",
    "crate::server",
    "crate::operations_listener",
    "crate::health",
    "crate::reload",
    "crate::settings",
    "crate::startup",
    "crate::telemetry",
];

/// What no part of the core may use: files, network, clock, environment, randomness, logs, HTTP, JSON.
const OUTSIDE: [&str; 12] = [
    "actix_web",
    "std::fs",
    "std::net",
    "std::io",
    "std::time",
    "std::env",
    "tokio",
    "tracing",
    "serde_json",
    "utoipa",
    "println!",
    "rand::",
];

fn texts(folder: &Path) -> Vec<(String, String)> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                texts(&path)
            } else {
                vec![(path.display().to_string(), fs::read_to_string(&path).unwrap())]
            }
        })
        .collect()
}

#[test]
fn rooms_of_the_core_look_downwards_alone() {
    for (room, forbidden) in FORBIDDEN {
        for (file, text) in texts(&Path::new("src").join(room)) {
            for word in forbidden.iter().chain(&ABOVE).chain(&OUTSIDE) {
                assert!(!text.contains(word), "{file} uses {word}");
            }
        }
    }
}

#[test]
fn the_api_knows_no_settings_and_opens_no_files() {
    for (file, text) in texts(Path::new("src/api")) {
        for word in [
            "crate::settings",
            "crate::server",
            "crate::startup",
            "crate::command_line",
            "crate::health",
            "crate::reload",
            "crate::operations_listener",
            "crate::telemetry",
            "std::fs",
            "std::net",
        ] {
            assert!(!text.contains(word), "{file} uses {word}");
        }
    }
}

#[test]
fn evaluation_looks_at_the_core_alone() {
    for (file, text) in texts(Path::new("src/evaluation")) {
        for word in ABOVE.iter().filter(|word| **word != "crate::evaluation").chain(&["actix_web", "std::fs"])
        {
            assert!(!text.contains(word), "{file} uses {word}");
        }
    }
}

#[test]
fn the_core_keeps_its_own_logarithms() {
    for room in ["assessment", "catalogue", "escalation"] {
        for (file, text) in texts(&Path::new("src").join(room)) {
            let bare = [".ln()", ".exp()", ".powf(", ".log2()", ".log10("];
            assert!(
                !bare.iter().any(|word| text.contains(word)),
                "{file}: use libm, which gives the same bits everywhere"
            );
        }
    }
}

#[test]
fn no_handler_takes_its_methods_from_a_set_in_random_order() {
    for (file, text) in texts(Path::new("src/api")) {
        assert!(
            !text.contains("#[route("),
            "{file}: two builds of it differ; write #[routes] with one attribute for each method"
        );
    }
}
