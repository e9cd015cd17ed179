#include "cli/status.h"

#include "base/clock.h"
#include "cli/watch.h"
#include "filing/library.h"

void status_count_library(struct status *s)
{
    buf_clear(&s->library_weak);
    s->library_lines =
        library_weakening(snapshot_rules(s->snapshot), &snapshot_config(s->snapshot)->apps[0],
                          clock_wall_s(), &s->library_weak) +
        policy_weakenings(snapshot_config(s->snapshot), snapshot_rules(s->snapshot),
                          &s->library_weak);
}

unsigned status_weak_lines(struct status *s, struct buf *out)
{
    unsigned n = config_weakenings(snapshot_config(s->snapshot), out);
    buf_append(out, buf_span(&s->library_weak));
    n += s->library_lines;
    n += keeper_weakenings(s->keeper, out);
    uint64_t differs = 0;
    for (unsigned i = 0; i < worker_pool_count(s->pool); i++)
        differs += metrics_get(worker_pool_metrics(s->pool, i), METRIC_MODEL_DIFFERS);
    if (differs && ++n)
        buf_printf(out,
                   "%llu answers since the start name another model than was asked for; `juyong "
                   "log list --all --json` has them as model_differs\n",
                   (unsigned long long)differs);
    return n;
}

static int stats(void *ctx, struct buf *out)
{
    struct status *s = ctx;
    const struct metrics *all[256];
    unsigned n = worker_pool_count(s->pool);
    for (unsigned i = 0; i < n; i++)
        all[i] = worker_pool_metrics(s->pool, i);
    int r = metrics_print(all, n, out);
    struct audit_health h;
    audit_get_health(s->audit, &h);
    struct buf weak = BUF_INIT(65536);
    unsigned weakenings = status_weak_lines(s, &weak);
    buf_deinit(&weak);
    if (r == 0)
        r = buf_printf(out,
                       "# HELP juyong_log_records_total Records written to the decision log.\n"
                       "# TYPE juyong_log_records_total counter\njuyong_log_records_total %llu\n"
                       "# HELP juyong_log_lost_total Events that could not be recorded.\n"
                       "# TYPE juyong_log_lost_total counter\njuyong_log_lost_total %llu\n"
                       "# HELP juyong_log_queued Events that wait to be written.\n"
                       "# TYPE juyong_log_queued gauge\njuyong_log_queued %zu\n"
                       "# HELP juyong_log_failed 1 when the log can't be written.\n"
                       "# TYPE juyong_log_failed gauge\njuyong_log_failed %d\n"
                       "# HELP juyong_log_degraded 1 when records are only in memory.\n"
                       "# TYPE juyong_log_degraded gauge\njuyong_log_degraded %d\n"
                       "# HELP juyong_log_disk_percent Use of the log's file system.\n"
                       "# TYPE juyong_log_disk_percent gauge\njuyong_log_disk_percent %u\n"
                       "# HELP juyong_limits_forgotten_total End users that were forgotten, whose "
                       "limits began anew.\n"
                       "# TYPE juyong_limits_forgotten_total counter\n"
                       "juyong_limits_forgotten_total %llu\n"
                       "# HELP juyong_weakenings Settings that weaken protection, see /readyz.\n"
                       "# TYPE juyong_weakenings gauge\njuyong_weakenings %u\n"
                       "# HELP juyong_rules Rules in force.\n"
                       "# TYPE juyong_rules gauge\njuyong_rules{version=\"%.*s\"} %zu\n"
                       "# HELP juyong_build_info The running program.\n"
                       "# TYPE juyong_build_info gauge\n"
                       "juyong_build_info{version=\"" JUYONG_VERSION "\"} 1\n",
                       (unsigned long long)h.written, (unsigned long long)h.lost, h.queued,
                       h.failed, h.degraded, h.disk_percent,
                       (unsigned long long)limiter_forgotten(tally_limiter(s->tally)), weakenings,
                       SPAN_ARG(ruleset_version(snapshot_rules(s->snapshot))),
                       ruleset_count(snapshot_rules(s->snapshot)));
    if (r == 0)
        r = keeper_stats(s->keeper, out);
    return r == 0 ? watch_stats(s->canary, out) : r;
}

static struct span readiness(void *ctx)
{
    struct status *s = ctx;
    if (s->stopping)
        return SPAN_LIT("draining");
    if (!audit_ready(s->audit))
        return SPAN_LIT("audit_unavailable");
    return watch_reason(s->canary, snapshot_config(s->snapshot));
}

static int weakenings(void *ctx, struct buf *out)
{
    struct status *s = ctx;
    struct buf lines = BUF_INIT(65536);
    status_weak_lines(s, &lines);
    int r = 0;
    struct span rest = buf_span(&lines), line;
    while (r == 0 && span_split(&rest, '\n', &line))
        if (line.len)
            r = buf_printf(out, "weakened: %.*s\n", SPAN_ARG(line));
    struct audit_health h;
    audit_get_health(s->audit, &h);
    if (r == 0)
        r = watch_weakenings(s->canary, out);
    if (r == 0)
        r = reviewing_weakenings(s->reviewing, snapshot_config(s->snapshot)->reviewers.port, out);
    if (r == 0 && h.degraded)
        r = buf_append(out, SPAN_LIT("weakened: the decision log is only in memory\n"));
    buf_deinit(&lines);
    return r;
}

const struct console_ops status_console = {stats, readiness, weakenings};
