#!/bin/sh
# What the gateway costs beside nginx as a plain reverse proxy and beside a direct connection: one
# run, interleaved rounds, medians. Prints figures, asserts none. See tests/bench/README.md.
#
#   sh tests/bench/proxy.sh [--quick] [--rounds N] [--suite requests|first|full|slow]... [BUILD]
set -u
LC_ALL=C
export LC_ALL
rounds=5 quick='' suites='' build=build
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 rounds=1 ;;
    --rounds) rounds=$2; shift ;;
    --suite) suites="$suites $2"; shift ;;
    -*) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
    *) build=$1 ;;
    esac
    shift
done
[ -n "$suites" ] || suites='requests first full slow'
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$build" && pwd) || exit 2
for tool in taskset awk; do
    command -v $tool >/dev/null || { echo "proxy.sh needs $tool" >&2; exit 2; }
done
nginx=$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null)
[ -n "$nginx" ] || echo 'no nginx (Debian: nginx-light): its rows are left out'
ninja -C "$build" src/juyong tests/bench/bench-proxy tests/bench/bench-gate >/dev/null || exit 2
tool=$build/tests/bench/bench-proxy
# One processor for what is measured, another for stand-in and load.
cpus=$(nproc)
proxy_cpu=0 load_cpu=1
[ "$cpus" -gt 1 ] || { load_cpu=0; echo 'one processor only: the figures say little'; }

# Beside the build, so that the log is on a disk and not in memory.
dir=$(mktemp -d "$build/bench-proxy.XXXXXX") || exit 2
started=''
cleanup() {
    for p in $started; do kill "$p" 2>/dev/null; done
    for p in $started; do wait "$p" 2>/dev/null; done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
ulimit -n "$(ulimit -H -n)" 2>/dev/null

fail() {
    echo "proxy.sh: $1" >&2
    cat "$dir"/*.err >&2 2>/dev/null
    exit 1
}
# Waits until the first line of a file is there, and prints it.
first_line() {
    i=0
    while [ $i -lt 100 ]; do
        line=$(sed -n 1p "$1" 2>/dev/null)
        [ -n "$line" ] && { echo "$line"; return; }
        sleep 0.05
        i=$((i + 1))
    done
    fail "nothing in $1"
}
stop() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    left=''
    for p in $started; do [ "$p" = "$1" ] || left="$left $p"; done
    started=$left
}

# --- what is measured; each start_NAME sets pid and port ---

mkdir "$dir/bare-rules" "$dir/bare-rules/keywords" || exit 2
cp "$root/rules/risks.yaml" "$dir/bare-rules/"
echo 'qqzzxxjjvvkkww' >"$dir/bare-rules/keywords/A1-a.txt"

juyong_conf() { # NAME RULES LISTEN [MORE]
    cat >"$dir/$1.yaml" <<END
listen: $3
console: { listen: 127.0.0.1:$($tool port) }
state_dir: $dir/$1-state
rules_dir: $2
workers: 1
limits: { connections: 6000, connections_per_ip: 6000 }
upstreams:
  - name: bench
    base_url: http://127.0.0.1:$stub_port/v1
    models: [{ id: bench, display_name: Bench, filing_number: Bench-1 }]
END
    [ $# -eq 4 ] || return 0
    (umask 077; echo sk-bench >"$dir/provider.key")
    sed 's|^    base_url.*|&\n    api_key_file: '"$dir"'/provider.key|' "$dir/$1.yaml" >"$dir/$1.more"
    echo "$4" >>"$dir/$1.more"
    mv "$dir/$1.more" "$dir/$1.yaml"
}
start_direct() { pid=$stub_pid port=$stub_port; }
serve() { # NAME
    taskset -c $proxy_cpu "$build/src/juyong" serve -c "$dir/$1.yaml" 2>"$dir/$1.err" &
    pid=$!
    started="$started $pid"
    i=0
    until grep -q console: "$dir/$1.err"; do
        i=$((i + 1))
        [ $i -lt 100 ] || fail 'juyong does not start'
        sleep 0.05
    done
}
start_juyong() {
    port=$($tool port)
    juyong_conf juyong "$root/rules" "127.0.0.1:$port" 'trusted_proxies: [127.0.0.1]
end_users: { field: ignore }'
    rm -rf "$dir/juyong-state"
    serve juyong
}
# The same with a key, named end users, and limits of every kind that nobody reaches.
start_limited() {
    port=$($tool port)
    many='requests_per_minute: 900000000, requests_per_day: 900000000, tokens_per_minute: 900000000000'
    many="$many, tokens_per_day: 900000000000, concurrent: 90000"
    rm -rf "$dir/limited-state"
    juyong_conf limited "$root/rules" "127.0.0.1:$port" "auth: keys
end_users: { field: anyone }
apps: [{ name: default, addresses: [127.0.0.0/8], limits: { $many, key: { $many }, end_user: { $many } } }]"
    limited_key=$("$build/src/juyong" key create -c "$dir/limited.yaml" 2>>"$dir/limited.err") ||
        fail 'no key'
    serve limited
}
start_bare() {
    juyong_conf bare "$dir/bare-rules" "127.0.0.1:$($tool port)"
    mkdir -p "$dir/bare-state"
    : >"$dir/bare.out"
    taskset -c $proxy_cpu "$build/tests/bench/bench-gate" "$dir/bare.yaml" \
        >"$dir/bare.out" 2>"$dir/bare.err" &
    pid=$!
    started="$started $pid"
    port=$(first_line "$dir/bare.out") || exit 1
}
start_nginx() {
    port=$($tool port)
    user=''
    [ "$(id -u)" -ne 0 ] || user='user root;'
    cat >"$dir/nginx.conf" <<END
$user
daemon off;
master_process off; # one process: one worker
worker_rlimit_nofile $(ulimit -n);
error_log $dir/nginx.err;
pid $dir/nginx.pid;
events { worker_connections 16384; use epoll; }
http {
    access_log off;
    client_body_temp_path $dir/nginx-body;
    proxy_temp_path $dir/nginx-proxy;
    fastcgi_temp_path $dir/nginx-f;
    uwsgi_temp_path $dir/nginx-u;
    scgi_temp_path $dir/nginx-s;
    upstream stub { server 127.0.0.1:$stub_port; keepalive 512; keepalive_requests 100000000; }
    server {
        listen 127.0.0.1:$port backlog=4096;
        keepalive_requests 100000000;
        location / {
            proxy_pass http://stub;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }
    }
}
END
    taskset -c $proxy_cpu "$nginx" -c "$dir/nginx.conf" -p "$dir" 2>"$dir/nginx.start.err" &
    pid=$!
    started="$started $pid"
    i=0
    until [ -s "$dir/nginx.pid" ]; do
        i=$((i + 1))
        [ $i -lt 100 ] || fail 'nginx does not start'
        sleep 0.05
    done
}

# --- measuring ---

results=$dir/results
: >"$results"
measure() { # SUITE TARGET CONNECTIONS TENTHS
    eval "p=\$$2_pid q=\$$2_port"
    key=''
    [ "$2" != limited ] || key=$limited_key
    line=$(${key:+env BENCH_KEY="$key"} taskset -c $load_cpu "$tool" load "$1" "$q" "$3" "$4" "$p") || fail "$1 $2 $3"
    echo "$1 $2 $3 $line" >>"$results"
    [ -z "${VERBOSE:-}" ] || echo "$1 $2 $3 $line"
}
has() { case " $suites " in *" $1 "*) return 0 ;; esac; return 1; }

targets='direct nginx juyong limited bare'
[ -n "$nginx" ] || targets='direct juyong limited bare'
short=15 long=20 slow_time=80 slow_sizes='1000 5000' slow_rounds=1
[ -z "$quick" ] || short=5 long=8 slow_time=30 slow_sizes='200'
[ "$rounds" -lt 5 ] || slow_rounds=2

taskset -c $load_cpu "$tool" stub 900 >"$dir/stub.out" 2>"$dir/stub.err" &
stub_pid=$!
started="$started $stub_pid"
stub_port=$(first_line "$dir/stub.out") || exit 1

echo "machine: $cpus processors, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)," \
    "Linux $(uname -r)"
[ -z "$nginx" ] || "$nginx" -v 2>&1
echo "$rounds rounds; what is measured has processor $proxy_cpu, stand-in and load share $load_cpu"
if has requests || has first || has full; then
    for t in $targets; do
        start_$t
        eval "${t}_pid=\$pid ${t}_port=\$port"
    done
    round=0
    while [ $round -lt "$rounds" ]; do
        for c in 1 32 256; do
            has requests && for t in $targets; do measure requests $t $c $short; done
            has requests && measure traced juyong $c $short
        done
        for c in 1 32; do
            has first && for t in $targets; do measure first $t $c $short; done
        done
        has full && for t in $targets; do measure full $t 32 $long; done
        round=$((round + 1))
    done
    for t in $targets; do
        eval "p=\$${t}_pid"
        [ $t = direct ] || stop "$p"
    done
fi
if has slow; then # a fresh process each, so that the memory is that of the streams
    round=0
    while [ $round -lt "$slow_rounds" ]; do
        for c in $slow_sizes; do
            for t in $targets; do
                start_$t
                eval "${t}_pid=\$pid ${t}_port=\$port"
                measure slow $t "$c" $slow_time
                [ $t = direct ] || stop "$pid"
            done
        done
        round=$((round + 1))
    done
fi

# --- medians, ratios, goals ---

awk '
function median(key,    n, i, j, t, a) {
    n = split(values[key], a, " ")
    if (n == 0) return ""
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
function get(s, t, c, k) { return median(s " " t " " c " " k) }
function ratio(s, t, c, k,    n) { n = get(s, "nginx", c, k); return n > 0 ? sprintf("%.2f", get(s, t, c, k) / n) : "-" }
function goal(what, value, want) {
    if (value != "" && value != "-") goals[++goal_count] = sprintf("  %-58s %8s   goal %s", what, value, want)
}
function over(s, what, c, want) {
    if (get(s, "bare", c, "cpu_us") != "")
        goal(what, sprintf("%.2f", get(s, "juyong", c, "cpu_us") - get(s, "bare", c, "cpu_us")), want)
}
function table(s, title, unit,    i, j, c, t) {
    if (!(s in sizes)) return
    printf "\n%s\n  %-8s %5s %10s %8s %6s %9s %9s %6s", title, "target", "c", "per s", unit, "busy%", "p50 us", "p99 us", "errors"
    if (s == "slow") printf " %8s %10s", "PSS MB", "KB/stream"
    printf "   rate and CPU beside nginx\n"
    nc = split(sizes[s], c, " ")
    for (i = 1; i <= nc; i++)
        for (j = 1; j <= target_count; j++) {
            t = target[j]
            if (get(s, t, c[i], "rate") == "") continue
            printf "  %-8s %5s %10.0f %8.2f %6.0f %9s %9s %6d", t, c[i], get(s, t, c[i], "rate"), get(s, t, c[i], "cpu_us"), get(s, t, c[i], "busy"), s == "full" ? "-" : get(s, t, c[i], "p50"), s == "full" ? "-" : get(s, t, c[i], "p99"), get(s, t, c[i], "errors")
            if (s == "slow") printf " %8.1f %10.1f", get(s, t, c[i], "pss_mb"), get(s, t, c[i], "kb_stream")
            printf "   %5s %5s\n", ratio(s, t, c[i], "rate"), ratio(s, t, c[i], "cpu_us")
        }
}
{
    if (!($2 in known)) { known[$2] = 1; target[++target_count] = $2 }
    if (!(($1, $3) in sized)) { sized[$1, $3] = 1; sizes[$1] = sizes[$1] " " $3 }
    for (i = 4; i <= NF; i++) {
        split($i, kv, "=")
        key = $1 " " $2 " " $3 " " kv[1]
        values[key] = values[key] " " kv[2]
    }
}
END {
    table("requests", "Whole answers of 600 B JSON", "CPU us")
    table("traced", "The same with a trusted front that names end user, address, device and session", "CPU us")
    table("first", "Time to the first event, streams of 2 events", "CPU us")
    table("full", "Streams at full speed: 32 x 200 events of 250 B, per event", "CPU us")
    table("slow", "Slow streams, an event each 500 ms; p50 and p99: transit of an event", "CPU us")
    goal("CPU per request beside nginx, 32 connections", ratio("requests", "juyong", 32, "cpu_us"), "<= 3")
    goal("CPU per request beside nginx, 256 connections", ratio("requests", "juyong", 256, "cpu_us"), "<= 3")
    for (k = 1; k <= 32; k += 31)
        if (get("first", "nginx", k, "p50") != "")
            goal("first event later than with nginx, us, c=" k, get("first", "juyong", k, "p50") - get("first", "nginx", k, "p50"), "<= 100")
    goal("events per s at full speed beside nginx", ratio("full", "juyong", 32, "rate"), ">= 0.9")
    n = split(sizes["slow"], all, " ")
    for (i = 1; i <= n; i++) {
        k = all[i]
        goal("CPU per slow event beside nginx, " k " streams", ratio("slow", "juyong", k, "cpu_us"), "<= 2.5")
        goal("KB per slow stream, " k " streams", get("slow", "juyong", k, "kb_stream"), "<= 32")
    }
    for (k = 32; k <= 256; k += 224)
        if (get("traced", "juyong", k, "cpu_us") != "")
            goal("strikes and trace, CPU us per request, c=" k, sprintf("%.2f", get("traced", "juyong", k, "cpu_us") - get("requests", "juyong", k, "cpu_us")), "<= 5")
    for (k = 32; k <= 256; k += 224)
        over("requests", "checks and log, CPU us per request over bare, c=" k, k, "<= 20")
    for (k = 32; k <= 256; k += 224)
        if (get("requests", "limited", k, "cpu_us") != "")
            goal("key, limits and end user, CPU us per request over juyong, c=" k,
                sprintf("%.2f", get("requests", "limited", k, "cpu_us") - get("requests", "juyong", k, "cpu_us")), "<= 5")
    over("full", "checks and log, CPU us per event over bare, full speed", 32, "<= 3")
    for (i = 1; i <= n; i++)
        over("slow", "checks and log, CPU us per slow event over bare, " all[i], all[i], "<= 3")
    printf "\nGoals\n"
    for (i = 1; i <= goal_count; i++) print goals[i]
}' "$results"
