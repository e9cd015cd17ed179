#!/bin/sh
# Builds everything and runs every test. On a fresh Debian 12 it first installs what is absent.
#
#   sh tests/run.sh [--quick] [--no-install] [SUITE...]
#
#   --quick        for developers: seconds of fuzzing instead of minutes, fewer kill -9 rounds
#   --no-install   never touch the system's packages
#   SUITE          one or more of: layers format unit asan tsan fuzz e2e e2e-asan e2e-tsan fault
#                  (default: all; with --quick all but e2e-asan and e2e-tsan)
#
# Prints one line a suite and keeps the logs under build-logs/. The last line is
# "N passed, N failed", counted over the single test cases; the exit status is 1 when any failed.

set -eu
cd "$(dirname "$0")/.."

quick=0
install=1
suites=""
for arg in "$@"; do
    case "$arg" in
    --quick) quick=1 ;;
    --no-install) install=0 ;;
    --help | -h) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    layers | format | unit | asan | tsan | fuzz | e2e | e2e-asan | e2e-tsan | fault) suites="$suites $arg" ;;
    *) echo "unknown option or suite: $arg (see --help)" >&2; exit 2 ;;
    esac
done
if [ -z "$suites" ]; then
    suites="layers format unit asan tsan fuzz e2e e2e-asan e2e-tsan fault"
    [ $quick -eq 0 ] || suites="layers format unit asan tsan fuzz e2e fault"
fi

logs=build-logs
mkdir -p $logs
total_passed=0
total_failed=0
started=$(date +%s)

# Sanitizers end the program at the first finding, so that it is a failed test and not a line.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
export CMOCKA_MESSAGE_OUTPUT=TAP
wrapper= # runs the unit tests' programs

# report SUITE LOG SECONDS PASSED FAILED
report() {
    total_passed=$((total_passed + $4))
    total_failed=$((total_failed + $5))
    if [ "$5" -eq 0 ]; then
        printf '%-8s %5d passed %21s %4d s\n' "$1" "$4" "" "$3"
    else
        printf '%-8s %5d passed, %5d FAILED %6s %4d s   see %s\n' "$1" "$4" "$5" "" "$3" "$2"
    fi
}

# Lines "ok" and "not ok" of TAP at any depth; skipped cases count as neither.
count_tap() {
    awk '/^ *ok / && !/# (SKIP|skip|TODO)/ { ok++ } /^ *not ok / { bad++ } END { print ok + 0, bad + 0 }' "$1"
}

# finish SUITE STATUS LOG SINCE "PASSED FAILED": a suite that ended badly without naming a failed
# case, or that ran no case at all, counts as one failed case.
finish() {
    # shellcheck disable=SC2086 # two numbers
    set -- "$1" "$2" "$3" "$4" $5
    bad=$6
    if [ "$bad" -eq 0 ] && { [ "$2" -ne 0 ] || [ "$5" -eq 0 ]; }; then
        bad=1
    fi
    report "$1" "$3" $(($(date +%s) - $4)) "$5" "$bad"
    if [ "$bad" -gt 0 ]; then
        grep -E -A 12 '^ *not ok|FAILED|ERROR: |error: |runtime error' "$3" | grep -v '^ *ok ' |
            head -n 60 | sed 's/^/    /'
    fi
}

# build DIRECTORY MESON-OPTIONS...: configures once, then compiles. The log ends up in $logs. Warnings
# are errors in the release build alone: with a sanitizer's code in between, gcc sees ghosts.
build() {
    dir=$1
    shift
    {
        # A folder of before may know neither today's options nor a library that came since.
        if [ -f "$dir/build.ninja" ]; then
            meson setup --reconfigure "$dir" "$@"
        else
            meson setup "$dir" "$@"
        fi
        ninja -C "$dir"
    } >"$logs/$dir.log" 2>&1 && return 0
    grep -E -A 5 'error:|ERROR|FAILED:' "$logs/$dir.log" | head -n 60 | sed 's/^/    /'
    return 1
}

# meson_suite SUITE DIRECTORY MESON-TEST-ARGUMENTS...: runs unit tests and counts their cases. A
# program that died outside its cases, or that speaks no TAP, is one case.
meson_suite() {
    suite=$1
    dir=$2
    shift 2
    since=$(date +%s)
    status=0
    $wrapper meson test -C "$dir" --no-rebuild --timeout-multiplier 4 --logbase "juyong-$suite" "$@" \
        >"$logs/$suite.console.log" 2>&1 || status=$?
    cp "$dir/meson-logs/juyong-$suite.txt" "$logs/$suite.log" 2>/dev/null ||
        cp "$logs/$suite.console.log" "$logs/$suite.log"
    finish "$suite" $status "$logs/$suite.log" "$since" "$(awk '
        function close_program() {
            if (result == "")
                return
            if (result != "exit status 0" && bad_here == 0)
                bad++
            else if (result == "exit status 0" && ok_here == 0 && bad_here == 0)
                ok++
            result = ""
        }
        /^=+ [0-9]+\/[0-9]+ =+$/ { close_program(); ok_here = bad_here = 0 }
        /^result: / { result = $0; sub(/^result: */, "", result) }
        /^ok / && !/# SKIP/ { ok++; ok_here++ }
        /^not ok / { bad++; bad_here++ }
        END { close_program(); print ok + 0, bad + 0 }' "$logs/$suite.log")"
}

# build_failed SUITE LOG
build_failed() {
    report "$1" "$2" $(($(date +%s) - since)) 0 1
}

run_layers() {
    since=$(date +%s)
    status=0
    log=$logs/layers.log
    if tests/layers >$log 2>&1; then
        echo "ok - the tree" >>$log
    else
        sed 's/^/    /' $log
        echo "not ok - the tree" >>$log
        status=1
    fi
    tests/layers --self-test >>$log 2>&1 || status=1
    finish layers $status $log "$since" "$(count_tap $log)"
}

run_format() {
    since=$(date +%s)
    status=0
    log=$logs/format.log
    : >$log
    for file in $(find src tests -name node_modules -prune -o -name '*.[ch]' -print | sort); do
        if clang-format --dry-run --Werror "$file" >>$log 2>&1; then
            echo "ok - $file" >>$log
        else
            echo "not ok - $file" >>$log
            status=1
        fi
    done
    finish format $status $log "$since" "$(count_tap $log)"
}

run_unit() {
    since=$(date +%s)
    build build -Dwerror=true || { build_failed unit $logs/build.log; return; }
    meson_suite unit build
}

build_asan() {
    build build-asan -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false ||
        { build_failed "$1" $logs/build-asan.log; return 1; }
}

run_asan() {
    since=$(date +%s)
    build_asan asan || return 0
    meson_suite asan build-asan
}

# Unit tests only where threads meet. A kernel that spreads mappings too widely stops TSan at start; setarch -R
# takes the randomness away.
build_tsan() {
    build build-tsan -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false ||
        { build_failed "$1" $logs/build-tsan.log; return 1; }
}

run_tsan() {
    since=$(date +%s)
    build_tsan tsan || return 0
    ! setarch -R true 2>/dev/null || wrapper="setarch -R"
    meson_suite tsan build-tsan --suite base --suite access --suite audit --suite cli --suite console
    wrapper=
}

run_fuzz() {
    since=$(date +%s)
    status=0
    seconds=300
    [ $quick -eq 0 ] || seconds=20
    sh tests/fuzz/run.sh --seconds $seconds >$logs/fuzz.log 2>&1 || status=$?
    finish fuzz $status $logs/fuzz.log "$since" "$(count_tap $logs/fuzz.log)"
}

# The second Node and the vendors' SDKs, pinned by package-lock.json.
npm_ready() {
    stamp=tests/e2e/node_modules/.package-lock.json
    [ -f $stamp ] && [ ! tests/e2e/package-lock.json -nt $stamp ] && return 0
    (cd tests/e2e && npm ci --no-audit --no-fund) >$logs/npm.log 2>&1 && return 0
    tail -n 20 $logs/npm.log | sed 's/^/    /'
    return 1
}

# node_suite SUITE BINARY FILES...: runs the suite against that binary.
node_suite() {
    suite=$1
    tested=$2
    shift 2
    npm_ready || { build_failed "$suite" $logs/npm.log; return; }
    status=0
    # A test that leaves a server behind would keep its process, and the suite, for ever.
    JUYONG=$(pwd)/$tested JUYONG_QUICK=$quick timeout 1200 tests/e2e/node_modules/.bin/node --test \
        --test-reporter=tap --test-concurrency=2 "$@" >"$logs/$suite.log" 2>&1 || status=$?
    finish "$suite" $status "$logs/$suite.log" "$since" "$(awk '
        /^# pass / { ok = $3 } /^# (fail|cancelled) / { bad += $3 } END { print ok + 0, bad + 0 }' \
        "$logs/$suite.log")"
}

run_e2e() {
    since=$(date +%s)
    build build -Dwerror=true || { build_failed e2e $logs/build.log; return; }
    node_suite e2e build/src/juyong tests/e2e/*.test.js
}

# Without what looks at the page rather than at the gateway (pagegate.test.js walks through both).
run_e2e_asan() {
    since=$(date +%s)
    build_asan e2e-asan || return 0
    JUYONG_SLOW=1 node_suite e2e-asan build-asan/src/juyong \
        $(ls tests/e2e/*.test.js | grep -vE '/page(|day|filing|full)\.test\.js$')
}

# What runs threads against each other: many exchanges, reloads, the drain.
run_e2e_tsan() {
    since=$(date +%s)
    build_tsan e2e-tsan || return 0
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' \
        "$(! setarch -R true 2>/dev/null || echo setarch -R)" "$(pwd)/build-tsan/src/juyong" \
        >build-tsan/juyong.sh
    chmod +x build-tsan/juyong.sh
    JUYONG_SLOW=1 node_suite e2e-tsan build-tsan/juyong.sh tests/e2e/chat.test.js \
        tests/e2e/life.test.js tests/e2e/record.test.js tests/e2e/publish.test.js \
        tests/e2e/limits.test.js tests/e2e/strikes.test.js tests/e2e/user.test.js
}

run_fault() {
    since=$(date +%s)
    build build -Dwerror=true || { build_failed fault $logs/build.log; return; }
    node_suite fault build/src/juyong tests/fault/*.test.js
}

if [ $install -eq 1 ]; then
    . deploy/packages.sh
    need_build
    need_tests
    packages_install $logs/packages.log || { echo "0 passed, 1 failed"; exit 1; }
fi

for name in $suites; do
    "run_$(echo "$name" | tr - _)"
done

printf 'in %d s, logs in %s/\n' $(($(date +%s) - started)) $logs
echo "$total_passed passed, $total_failed failed"
[ $total_failed -eq 0 ]
