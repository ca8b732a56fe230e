#!/usr/bin/env bash
# Builds the binary twice, in two folders of different names, and compares the bytes.
#
#     .ci/reproducible.sh [PROFILE]
#
# PROFILE is `release`, or `dist` as in the image. Two builds from nothing take several minutes each. The flags are those
# of the Dockerfile; it says what each is for. Prints the SHA-256 that both builds have.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

profile="${1:-release}"
target="$(rustc --print host-tuple)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

flags="$(sed -n "s/^ENV RUSTFLAGS='\(.*\)'$/\1/p" Dockerfile)"
for copy in one another-name; do
    mkdir "$work/$copy"
    git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -c | tar -x -C "$work/$copy"
    # In the image, checkout and registry stand where the Dockerfile says; here they are named by the same words.
    (cd "$work/$copy" &&
        RUSTFLAGS="$flags --remap-path-prefix=$PWD=/build --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/usr/local/cargo" \
            SOURCE_DATE_EPOCH=0 CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$work/$copy/target" COXA_COMMIT=unknown \
            cargo build --quiet --locked --profile "$profile" --target "$target" --bin coxa)
    sha256sum <"$work/$copy/target/$target/$profile/coxa" | cut -d' ' -f1 >"$work/$copy.sha256"
    rm -rf "$work/$copy/target"/*/*/build "$work/$copy/target"/*/*/deps
done
cat "$work/one.sha256" "$work/another-name.sha256"
cmp "$work/one.sha256" "$work/another-name.sha256"
