#include "cli/status.h"

#include "base/clock.h"
#include "cli/stats.h"
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
    struct buf weak = BUF_INIT(65536);
    struct stats_sources from = {
        .pool = s->pool,
        .audit = s->audit,
        .limiter = tally_limiter(s->tally),
        .keeper = s->keeper,
        .canary = s->canary,
        .alerts = s->alerts,
        .rules = snapshot_rules(s->snapshot),
        .weakenings = status_weak_lines(s, &weak),
    };
    buf_deinit(&weak);
    return stats_print(&from, out);
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

static int alerts(void *ctx, struct buf *out)
{
    struct status *s = ctx;
    return alerts_print(s->alerts, out);
}

const struct console_ops status_console = {
    .stats = stats,
    .readiness = readiness,
    .weakenings = weakenings,
    .alerts = alerts,
};
