#!/usr/bin/env bash
# Tries new inputs on every fuzz target, or on those that are named.
#
#     .ci/fuzz.sh [--quick] SECONDS [TARGET...]
#
# Quick: with the stable compiler, and most of what the tests have built is used again. Inputs are led by what they reach in
# the service's own code.
#
# Without that: needs `cargo install cargo-fuzz@0.13.2 --locked`, and builds everything anew with a sanitizer, which takes
# minutes the first time: it also sees what goes wrong with memory, and inputs are led by what they reach in all crates. The
# stable compiler does; RUSTC_BOOTSTRAP only opens the flags that the sanitizer is asked for with.
#
# New inputs that reach new code go to a folder that is thrown away; an input that breaks a promise stays in
# fuzz/artifacts. Once the fault is mended, put that input into fuzz/corpus/TARGET: `cargo test --test api corpus` tries it
# again for good.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=""
if [ "$1" = --quick ]; then
    quick=yes
    shift
fi
seconds=$1
shift
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then mapfile -t targets < <(sed -n 's/^name = "\(.*_.*\|headers\)"$/\1/p' fuzz/Cargo.toml); fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# Leaks are left to the soak: the framework's router keeps the names of its routes for good, once at the start.
export ASAN_OPTIONS=detect_leaks=0
at_once=1
if [ -n "$quick" ]; then
    at_once="$(nproc)"
    export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
    built="$CARGO_TARGET_DIR/debug"
    RUSTC_WRAPPER="$PWD/.ci/rustc_with_coverage.sh" cargo build --locked --bins --manifest-path fuzz/Cargo.toml
else
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/coxa-ci/fuzz"
    built="$CARGO_TARGET_DIR/$(rustc --print host-tuple)/release"
    cargo fuzz build
fi

try() {
    local target=$1 log="$work/$1.log"
    mkdir -p "$work/$target" "fuzz/artifacts/$target"
    if ! "$built/$target" "$work/$target" "fuzz/corpus/$target" -artifact_prefix="fuzz/artifacts/$target/" \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -verbosity=0 -print_final_stats=1 >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        return 1
    fi
    rmdir "fuzz/artifacts/$target" 2>/dev/null || true
    printf '%s: %s inputs tried, none broke a promise\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
}
export -f try
export work built seconds
printf '%s\n' "${targets[@]}" | xargs -P "$at_once" -I{} bash -euo pipefail -c 'try {}'
