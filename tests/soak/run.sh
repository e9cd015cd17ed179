#!/bin/sh
# The tests that take hours, run once before a release: every cell of the sampled matrices, millions of
# random texts against the plain readings of match/, a hundred publications of rules under load, a
# thousand kill -9 rounds of the gateway, five hundred of publishing, ten thousand of the log, two thousand
# power cuts, ten thousand changes of a log that verify must find, and fuzzing for an hour.
#
#   sh tests/soak/run.sh [--fuzz-seconds N] [PART...]
#
#   PART   one or more of: split match publish kill log power tamper fuzz (default: all), or bench-log: the log's
#          figures at 10 million records (10 GiB under /tmp, for minutes)
#
# Prints each part's result as it comes; exits non-zero when any failed. `sh tests/run.sh` must have
# run before: it installs and builds.

set -u
cd "$(dirname "$0")/../.." || exit 1

seconds=3600
parts=""
while [ $# -gt 0 ]; do
    case "$1" in
    --fuzz-seconds) seconds=$2; shift 2 ;;
    --help | -h) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    split | match | publish | kill | log | power | tamper | bench-log | fuzz) parts="$parts $1"; shift ;;
    *) echo "unknown option or part: $1 (see --help)" >&2; exit 2 ;;
    esac
done
[ -n "$parts" ] || parts="split match publish kill log power tamper fuzz"
[ -x build/src/juyong ] || { echo "build first: sh tests/run.sh" >&2; exit 1; }

node=tests/e2e/node_modules/.bin/node
export JUYONG_SOAK=1
failed=0
mkdir -p build-logs

# part NAME COMMAND...
part() {
    name=$1
    shift
    since=$(date +%s)
    if "$@" >"build-logs/soak-$name.log" 2>&1; then
        printf '%-7s passed in %d s\n' "$name" $(($(date +%s) - since))
    else
        printf '%-7s FAILED after %d s, see build-logs/soak-%s.log\n' "$name" $(($(date +%s) - since)) "$name"
        failed=$((failed + 1))
    fi
}

for p in $parts; do
    case $p in
    split) part split $node --test tests/e2e/split.test.js ;;
    match) part match sh -c 'for t in property near skip; do build/tests/unit/match/test-match-$t || exit 1; done' ;;
    publish) part publish $node --test --test-name-pattern=publications tests/e2e/publish.test.js ;;
    kill) part kill $node --test tests/fault/kill9.test.js tests/fault/publish.test.js ;;
    log) part log build/tests/fault/test-log-kill 10000 1 ;;
    power) part power $node --test tests/fault/powercut.test.js ;;
    tamper) part tamper build/tests/fault/test-log-tamper 10000 1 ;;
    bench-log) part bench-log sh -c 'ninja -C build tests/bench/bench-log && build/tests/bench/bench-log 10000000' ;;
    fuzz) part fuzz sh tests/fuzz/run.sh --seconds "$seconds" ;;
    esac
done
[ $failed -eq 0 ]
