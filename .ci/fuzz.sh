#!/usr/bin/env bash
# Tries new inputs on every fuzz target, or on those that are named.
#
#     .ci/fuzz.sh SECONDS [TARGET...]
#
# Needs `cargo install cargo-fuzz@0.13.2 --locked`, and builds the service anew with a sanitizer: minutes the first time.
# The stable compiler does; RUSTC_BOOTSTRAP only opens the flags that the sanitizer is asked for with. New inputs that
# reach new code go to a folder that is thrown away; an input that breaks a promise stays in fuzz/artifacts. Once the
# fault is mended, put that input into fuzz/corpus/TARGET: `cargo test --test api corpus` tries it again for good.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=$1
shift
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then mapfile -t targets < <(sed -n 's/^name = "\(.*_.*\|headers\)"$/\1/p' fuzz/Cargo.toml); fi

export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="${XDG_CACHE_HOME:-$HOME/.cache}/coxa-ci/fuzz"
# Leaks are left to the soak: the framework's router keeps the names of its routes for good, once at the start.
export ASAN_OPTIONS=detect_leaks=0
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cargo fuzz build
for target in "${targets[@]}"; do
    mkdir "$work/$target"
    if ! cargo fuzz run "$target" "$work/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -verbosity=0 -print_final_stats=1 >"$work/log" 2>&1; then
        tail -n 60 "$work/log" >&2
        exit 1
    fi
    printf '%s: %s inputs tried, none broke a promise\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")"
done
