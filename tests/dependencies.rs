//! What `Cargo.lock` must hold: no version of the HTTP stack from before a mended fault, and nothing that was left out
//! on purpose.
//!
//! Scanners of advisories do not know all of these: faults in the framing of HTTP/1 are mended in plain releases.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests say what they expect by failing, in their helpers too"
)]

use std::{fs, path::Path};

/// Crate, the least version, and what was mended in it.
const FLOOR: [(&str, [u64; 3], &str); 4] = [
    ("actix-http", [3, 18, 11], "requests that a proxy and the service could read differently"),
    ("actix-web", [4, 14, 1], "a stop that waited for idle connections"),
    ("actix-server", [2, 10, 0], "workers that took no connection after the limit was met once"),
    ("tracing-subscriber", [0, 3, 20], "control characters of a client in log lines"),
];

/// Crates that must not be there, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    ("h2", "actix-web uses a line of it that is no longer patched"),
    ("actix-governor", "its licence is the GPL"),
    ("openssl-sys", "C code that is not needed"),
    ("aws-lc-sys", "a second library of cryptography beside ring, which wants CMake"),
];

/// Names and versions of all packages in the lock file.
fn packages() -> Vec<(String, [u64; 3])> {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let lock: toml::Table = toml::from_str(&lock).unwrap();
    let packages = lock["package"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let version = package["version"].as_str().unwrap();
            // What follows `-` or `+` is no number: a pre-release counts as its release.
            let numbers = version.split(['-', '+']).next().unwrap().split('.');
            let numbers: Vec<u64> = numbers.map(|number| number.parse().unwrap()).collect();
            (package["name"].as_str().unwrap().to_owned(), numbers.try_into().unwrap())
        })
        .collect()
}

#[test]
fn the_http_stack_is_not_older_than_its_mended_faults() {
    let packages = packages();
    for (name, least, mended) in FLOOR {
        let versions: Vec<_> = packages.iter().filter(|(package, _)| package == name).collect();
        assert!(!versions.is_empty(), "{name} is not in the lock file: remove it from the floor");
        for (_, version) in versions {
            assert!(*version >= least, "{name} {version:?} is older than {least:?}, which mended: {mended}");
        }
    }
}

#[test]
fn what_was_left_out_on_purpose_does_not_come_back() {
    let packages = packages();
    assert!(packages.len() > 100, "{} packages", packages.len());
    for (name, why) in LEFT_OUT {
        assert!(!packages.iter().any(|(package, _)| package == name), "{name}: {why}");
    }
}
