#include "cli/status.h"

#include "base/clock.h"
#include "cli/announce.h"
#include "cli/setup.h"
#include "cli/stats.h"
#include "cli/watch.h"
#include "filing/library.h"

#include <errno.h>

static void note_library(struct status *s)
{
    const struct ruleset *rules = snapshot_rules(s->snapshot);
    const struct standard *standard = ruleset_standard(rules);
    struct library l;
    s->library.since_us = announce_since(s->snapshot);
    s->library.needed = standard->keyword_min;
    s->library.days = standard->keyword_days;
    if (library_read(rules, &snapshot_config(s->snapshot)->apps[0], clock_wall_s(), &l) < 0)
        return;
    s->library.met = l.met;
    s->library.asked = l.asked;
    s->library.total = l.total;
    s->library.sufficient = library_is_sufficient(&l);
    library_free(&l);
}

void status_count_library(struct status *s)
{
    buf_clear(&s->library_weak);
    s->library_lines =
        library_weakening(snapshot_rules(s->snapshot), &snapshot_config(s->snapshot)->apps[0],
                          clock_wall_s(), &s->library_weak) +
        policy_weakenings(snapshot_config(s->snapshot), snapshot_rules(s->snapshot),
                          &s->library_weak);
    note_library(s);
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
        .filing = s->filing,
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

static void put_canary(const struct status *s, struct buf *out)
{
    struct canary_status c;
    canary_get_status(s->canary, &c);
    buf_printf(out, "\"canary\":{\"ok\":%s,\"proven\":%u,\"at_us\":%llu",
               c.state == CANARY_PENDING  ? "null"
               : c.state == CANARY_PASSED ? "true"
                                          : "false",
               c.last_probes - c.last_missed, (unsigned long long)c.at_us);
    setup_json(out, "missed", c.misses);
    buf_append_char(out, '}');
}

static void put_library(const struct status *s, struct buf *out)
{
    const struct ruleset *rules = snapshot_rules(s->snapshot);
    int64_t since = s->library.since_us, days = s->library.days;
    buf_append(out, SPAN_LIT(",\"library\":{"));
    setup_json(out, "version", ruleset_version(rules));
    buf_printf(out,
               ",\"rules\":%zu,\"minima_met\":%u,\"needed\":%u,\"total\":%u,"
               "\"total_needed\":%u,\"sufficient\":%s",
               ruleset_count(rules), s->library.met, s->library.asked, s->library.total,
               s->library.needed, s->library.sufficient ? "true" : "false");
    if (since)
        buf_printf(out, ",\"last_update_us\":%lld", (long long)since);
    if (since && days)
        buf_printf(out, ",\"due_us\":%lld", (long long)(since + days * 86400 * 1000000));
    buf_append_char(out, '}');
}

static int state(void *ctx, struct buf *out)
{
    /* Appended in steps, of which each may fail: what is there in the end tells. */
    put_canary(ctx, out);
    size_t canary = out->len;
    put_library(ctx, out);
    bool whole = canary && out->data[canary - 1] == '}' && out->len > canary &&
                 out->data[out->len - 1] == '}';
    return whole ? 0 : -ENOMEM;
}

static void renew_keys(void *ctx)
{
    struct status *s = ctx;
    reload_ask_parts(s->reload, SNAPSHOT_KEYS);
}

static bool has_keys(void *ctx)
{
    struct status *s = ctx;
    struct access_stamp served = access_stamp_of(snapshot_access(s->snapshot));
    struct access_stamp now = access_stamp(snapshot_config(s->snapshot)->state_dir);
    return access_stamp_eq(&served, &now) && worker_pool_settled(s->pool);
}

const struct console_ops status_console = {
    .stats = stats,
    .readiness = readiness,
    .weakenings = weakenings,
    .alerts = alerts,
    .state = state,
    .renew_keys = renew_keys,
    .has_keys = has_keys,
};
