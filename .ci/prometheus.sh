#!/usr/bin/env bash
# Tries metrics, alerts and dashboard against a real Prometheus: `.ci/prometheus.sh COXA`, with the binary to try.
#
# Takes Prometheus from Debian; where that cannot be had, it says so and ends well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    if ! { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends prometheus; } \
        >/dev/null 2>&1; then
        printf 'SKIPPED: Prometheus cannot be installed here, so metrics, alerts and dashboard are not tried\n'
        exit 0
    fi
fi
promtool check rules operations/prometheus/alerts.yml
promtool test rules operations/prometheus/alerts.test.yml
python3 .ci/prometheus.py "$1" operations
