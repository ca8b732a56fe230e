#!/usr/bin/env bash
# Holds a service that runs against its OpenAPI document: every check of schemathesis, in every phase.
#
#     .ci/schemathesis.sh PROGRAM URL
#
# PROGRAM is schemathesis' `st` (`pip install schemathesis==4.32.5`). The same seed gives the same requests, so that a
# failure comes back.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

"$1" --config-file .ci/schemathesis.toml run openapi/openapi.json --url "$2" \
    --checks all --phases examples,coverage,fuzzing,stateful --mode all \
    --generation-deterministic --max-examples "${EXAMPLES:-25}" --max-response-time 2 --no-color
