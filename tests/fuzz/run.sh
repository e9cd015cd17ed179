#!/bin/sh
# Builds the fuzz targets with clang, ASan and UBSan, and runs each on its seed corpus and then on
# for its share of the time. One TAP line a target.
#
#   tests/fuzz/run.sh [--seconds N] [TARGET...]     N seconds in all, default 300
#
# New inputs are kept under build-fuzz/corpus/, never in the tree; an input that crashes a target is
# left in build-fuzz/crashes/ and named.

set -eu
cd "$(dirname "$0")/../.."

seconds=300
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds) seconds=$2; shift 2 ;;
    --help | -h) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "unknown option $1" >&2; exit 2 ;;
    *) break ;;
    esac
done

build=build-fuzz
if [ ! -f $build/build.ninja ]; then
    CC=clang meson setup $build -Dbuildtype=debugoptimized -Db_lundef=false \
        -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link >&2
fi

# A build folder of before knows the targets of before.
ninja -C $build build.ninja >&2

# Only the targets and what they need, not the program and its unit tests.
targets=$(ninja -C $build -t targets all |
    sed -n 's|^\(tests/fuzz/[A-Za-z0-9_-]*\): c_LINKER$|\1|p' | sort)
if [ $# -gt 0 ]; then
    wanted=""
    for name in "$@"; do
        found=$(printf '%s\n' "$targets" | grep -E "/(fuzz[-_])?$name\$") ||
            { echo "no fuzz target $name" >&2; exit 2; }
        wanted="$wanted $found"
    done
    targets=$wanted
fi
[ -n "$targets" ] || { echo "1..0 # no fuzz targets"; exit 0; }
# shellcheck disable=SC2086 # lists of names without blanks
ninja -C $build $targets >&2

# shellcheck disable=SC2086
set -- $targets
jobs=$(nproc 2>/dev/null || echo 1)
share=$((seconds * jobs / $#))
[ "$share" -ge 3 ] || share=3
mkdir -p $build/crashes $build/logs

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# fuzz TARGET: leaves "ok" or "not ok" in logs/NAME.result. Paths are taken from the build folder.
fuzz() {
    name=${1##*/}
    name=${name#fuzz[-_]}
    mkdir -p "$build/corpus/$name"
    seeds=tests/fuzz/corpus/$name
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086 # $seeds is one word or none
    if "$build/$1" -max_total_time="$share" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" $seeds \
        >"$build/logs/$name.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/logs/$name.log")
        echo "ok - $name (${runs:-0} inputs in $share s)" >"$build/logs/$name.result"
    else
        echo "not ok - $name, see $build/logs/$name.log" >"$build/logs/$name.result"
    fi
}

# As many at a time as there are cores.
failed=0
while [ $# -gt 0 ]; do
    started=""
    while [ $# -gt 0 ] && [ "$(printf '%s' "$started" | wc -w)" -lt "$jobs" ]; do
        fuzz "$1" &
        name=${1##*/}
        started="$started ${name#fuzz[-_]}"
        shift
    done
    wait
    for name in $started; do
        cat "$build/logs/$name.result"
        grep -q '^not ok' "$build/logs/$name.result" || continue
        failed=1
        tail -n 30 "$build/logs/$name.log" >&2
    done
done
exit $failed
