#!/usr/bin/env bash
# Builds and runs all tests of the given presets, the last one's closing line last.
# usage: tools/run_tests.sh JOBS [PRESET ...]     default: asan promises
# asan tests the modules that do not link DuckDB, under the sanitizers; promises all else.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$1
shift
[ $# -gt 0 ] || set -- asan promises

python3 tools/check_layers.py
mkdir -p build
for preset in "$@"; do
  cmake --preset "$preset" >"build/$preset.log" 2>&1 || { cat "build/$preset.log"; exit 1; }
  nice cmake --build --preset "$preset" -j "$jobs"
done

LAKEMILL_TEST_ENV=$(tools/test_env.sh env)
LAKEMILL_DELTA_JARS=$(tools/test_env.sh jars)
LAKEMILL_SQLGLOT=$(tools/test_env.sh sqlglot)
export LAKEMILL_TEST_ENV LAKEMILL_DELTA_JARS LAKEMILL_SQLGLOT
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
failed=0
for preset in "$@"; do
  echo "== tests, preset $preset"
  nice ctest --preset "$preset" -j "$jobs" --no-tests=error || failed=1
done
exit $failed
