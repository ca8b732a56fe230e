#!/usr/bin/env bash
# Builds the binary twice, in two folders of different names, and fails where one byte differs.
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
# In the image, checkout and crates stand in these folders; here they are named so. A wrapper says it to the compiler: in
# RUSTFLAGS the folder would get into the names of cargo's own folders, and one of those stands in the binary.
cat >"$work/rustc" <<'WRAPPER'
#!/bin/sh
exec "$@" --remap-path-prefix="$CHECKOUT=/build" --remap-path-prefix="$CRATES=/usr/local/cargo"
WRAPPER
chmod +x "$work/rustc"
# Both copies are taken before the first build, so that a change meanwhile does not count as a difference.
for copy in one another-name; do
    mkdir "$work/$copy"
    git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -c | tar -x -C "$work/$copy"
done
for copy in one another-name; do
    began=$SECONDS
    (cd "$work/$copy" &&
        CHECKOUT="$PWD" CRATES="${CARGO_HOME:-$HOME/.cargo}" RUSTC_WRAPPER="$work/rustc" RUSTFLAGS="$flags" \
            SOURCE_DATE_EPOCH=0 CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$work/$copy/target" COXA_COMMIT=unknown \
            cargo build --quiet --locked --profile "$profile" --target "$target" --bin coxa)
    mv "$work/$copy/target/$target/$profile/coxa" "$work/coxa-$copy"
    rm -rf "${work:?}/$copy"
    printf 'built in %d s: %s\n' $((SECONDS - began)) "$(cd "$work" && sha256sum "coxa-$copy")"
done
if ! differing="$(cmp -l "$work/coxa-one" "$work/coxa-another-name" | wc -l)" || [ "$differing" -ne 0 ]; then
    printf 'two builds of the same source differ, in %d bytes or in length\n' "$differing" >&2
    exit 1
fi
printf 'reproducible: two builds, %d bytes, 0 differ\n' "$(stat -c %s "$work/coxa-one")"
