#include "cli/stats.h"

#include "base/series.h"
#include "cli/watch.h"

size_t stats_workers(const struct worker_pool *pool, const struct metrics *ret[STATS_WORKERS])
{
    unsigned n = worker_pool_count(pool);
    for (unsigned i = 0; i < n; i++)
        ret[i] = worker_pool_metrics(pool, i);
    return n;
}

static int print_one(struct buf *out, const char *name, const char *type, const char *help,
                     uint64_t value)
{
    return buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                      (unsigned long long)value);
}

static int print_log(const struct stats_sources *from, struct buf *out)
{
    struct audit_health h;
    audit_get_health(from->audit, &h);
    int r = print_one(out, "juyong_log_records_total", "counter",
                      "Records written to the decision log.", h.written);
    if (r == 0)
        r = print_one(out, "juyong_log_lost_total", "counter", "Events that could not be recorded.",
                      h.lost);
    if (r == 0)
        r = print_one(out, "juyong_log_queued", "gauge", "Events that wait to be written.",
                      h.queued);
    if (r == 0)
        r = print_one(out, "juyong_log_failed", "gauge", "1 when the log can't be written.",
                      h.failed);
    if (r == 0)
        r = print_one(out, "juyong_log_degraded", "gauge", "1 when records are only in memory.",
                      h.degraded);
    return r < 0 ? r
                 : print_one(out, "juyong_log_disk_percent", "gauge",
                             "Use of the log's file system.", h.disk_percent);
}

static int print_state(const struct stats_sources *from, struct buf *out)
{
    int r = print_one(out, "juyong_limits_forgotten_total", "counter",
                      "End users that were forgotten, whose limits began anew.",
                      limiter_forgotten(from->limiter));
    if (r == 0)
        r = print_one(out, "juyong_weakenings", "gauge",
                      "Settings that weaken protection, see /readyz.", from->weakenings);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("# HELP juyong_rules Rules in force.\n"
                                     "# TYPE juyong_rules gauge\njuyong_rules{version=\""));
    if (r == 0)
        r = series_escape(out, ruleset_version(from->rules));
    return r < 0 ? r
                 : buf_printf(out,
                              "\"} %zu\n# HELP juyong_build_info The running program.\n"
                              "# TYPE juyong_build_info gauge\n"
                              "juyong_build_info{version=\"" JUYONG_VERSION "\"} 1\n",
                              ruleset_count(from->rules));
}

int stats_print(const struct stats_sources *from, struct buf *out)
{
    const struct metrics *all[STATS_WORKERS];
    size_t n = stats_workers(from->pool, all);
    int r = metrics_print(all, n, out);
    if (r == 0)
        r = series_print(all, n, out);
    if (r == 0)
        r = print_log(from, out);
    if (r == 0)
        r = print_state(from, out);
    if (r == 0)
        r = keeper_stats(from->keeper, out);
    if (r == 0)
        r = alerts_stats(from->alerts, out);
    if (r == 0)
        r = filingclock_stats(from->filing, out);
    return r < 0 ? r : watch_stats(from->canary, out);
}
