#!/usr/bin/env bash
# Writes the bill of materials of the binary as CycloneDX 1.5 JSON: every crate in it, with version, licence and hash.
#
#     .ci/sbom.sh FILE
#
# Needs `cargo install cargo-cyclonedx@0.5.7 --locked` and jq. Crates that only the tests or the build need are left out.
# The same Cargo.lock gives the same bytes: serial number, time and the folder of the checkout are taken out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=coxa-sbom-$$
trap 'rm -f "$name.json"' EXIT
cargo cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps \
    --target "$(rustc --print host-tuple)" --override-filename "$name"
jq --arg here "$PWD" 'del(.serialNumber, .metadata.timestamp)
    | walk(if type == "string" then split($here) | join(".") else . end)' "$name.json" >"$1"

# What the list must hold, whatever the tool: each crate that cargo builds in, each entry with version, purl and licence.
# It may hold a few more: crates that only features would need which are not switched on.
missing="$(comm -13 \
    <(jq -r '.components[] | .name + " v" + .version' "$1" | sort -u) \
    <(cargo tree --locked --edges normal --prefix none --format '{p}' --target "$(rustc --print host-tuple)" |
        sed 's/ (.*//' | grep -v '^coxa ' | sort -u))"
if [ -n "$missing" ]; then
    printf 'not in the list:\n%s\n' "$missing" >&2
    exit 1
fi
jq -e '.bomFormat == "CycloneDX" and .metadata.component.name == "coxa"
    and all(.components[]; .version and (.purl | startswith("pkg:cargo/")) and .licenses)' "$1" >/dev/null ||
    { printf 'a crate in the list lacks version, purl or licence\n' >&2; exit 1; }
printf '%s crates in %s\n' "$(jq '.components | length' "$1")" "$1"
