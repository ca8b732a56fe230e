#!/bin/sh
# The compiler, called by cargo: has the service's own crates count which of their code an input reaches. All others are
# built as usual, so that they are shared with the tests.
rustc=$1
shift
case "$CARGO_PKG_NAME" in
coxa | coxa-fuzz)
    exec "$rustc" "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
*) exec "$rustc" "$@" ;;
esac
