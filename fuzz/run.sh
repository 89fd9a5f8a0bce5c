#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS (60) each; stops at the first that finds something.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${BIN:-.venv/bin}/python
seconds=${FUZZ_SECONDS:-60}

for target in fuzz/fuzz_*.py; do
    name=$(basename "$target" .py)
    corpus=fuzz/corpus/$name
    mkdir -p "$corpus"
    echo "== $name for $seconds s"
    PYTHONPATH=. "$python" "$target" -max_total_time="$seconds" -print_final_stats=1 -rss_limit_mb=2048 \
        -artifact_prefix="$corpus/found-" "$corpus" 2>&1 | grep -E '^(stat::number_of_executed_units|==|SUMMARY|.*Error|.*found-)' || true
    if compgen -G "$corpus/found-*" >/dev/null; then
        echo "$name found something: $corpus/found-*"
        exit 1
    fi
done
echo "nothing found"
