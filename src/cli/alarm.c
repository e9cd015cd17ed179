#include "cli/alarm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/series.h"
#include "cli/stats.h"
#include "console/verifier.h"
#include "filing/changes.h"

#include <errno.h>
#include <stdlib.h>

struct alarm {
    struct status *status;
    struct alerts *alerts;
    int64_t library_s;
    struct buf weakened, overdue;
    struct verifier *verifier;
    uint64_t verified_ms;                /* when it was last begun from here, or the start */
    struct verifier_report verification; /* the last that ended */
};

/* --- what it reads --- */

/* Masked, answered or blocked: what is only flagged or observed is no interception. */
static bool intercepts(struct span action)
{
    return span_eq(action, SPAN_LIT("mask")) || span_eq(action, SPAN_LIT("answer")) ||
           span_eq(action, SPAN_LIT("block"));
}

static bool fits(void *ctx, const struct span *labels)
{
    const struct span *row = ctx;
    return intercepts(labels[3]) && board_covers(*row, labels[1]);
}

static bool fits_any(void *ctx, const struct span *labels)
{
    return intercepts(labels[1]);
}

static uint64_t intercepted(void *ctx, struct span risk)
{
    const struct alarm *a = ctx;
    const struct metrics *all[STATS_WORKERS];
    size_t n = stats_workers(a->status->pool, all);
    /* Of all risks together exchanges are counted: one may be intercepted for several. */
    if (span_eq(risk, SPAN_LIT("*")))
        return series_sum(all, n, SERIES_APP_EXCHANGES, fits_any, NULL);
    return series_sum(all, n, SERIES_INTERCEPTIONS, fits, &risk);
}

static unsigned count_misses(const struct canary *c)
{
    struct canary_status status;
    struct span line;
    unsigned n = 0;
    if (!c)
        return 0;
    canary_get_status(c, &status);
    while (span_split(&status.misses, '\n', &line))
        n += line.len > 0;
    return status.state == CANARY_MISSED && n == 0 ? 1 : n;
}

/* What the last one found stands until the next has ended. */
static struct span read_finding(struct alarm *a)
{
    struct verifier_report now;
    const struct config *c = snapshot_config(a->status->snapshot);
    uint64_t ms = clock_mono_ms();
    if (c->alerts.verify_every_ms && ms - a->verified_ms >= c->alerts.verify_every_ms) {
        a->verified_ms = ms;
        int r = verifier_begin(a->verifier, audit_dir(a->status->audit));
        if (r < 0)
            log_error("the log can't be verified: %s", strerror(-r));
    }
    verifier_get(a->verifier, &now);
    if (now.state != VERIFIER_NEVER && now.state != VERIFIER_RUNNING)
        a->verification = now;
    return a->verification.state == VERIFIER_BAD || a->verification.state == VERIFIER_FAILED
               ? span_str(a->verification.finding)
               : SPAN_LIT("");
}

static void read_all(void *ctx, struct board_reading *ret)
{
    struct alarm *a = ctx;
    struct audit_health h;
    audit_get_health(a->status->audit, &h);
    buf_clear(&a->weakened);
    /* Those of the configuration alone: other lines have numbers that change all the time. */
    config_weakenings(snapshot_config(a->status->snapshot), &a->weakened);
    buf_clear(&a->overdue);
    if (snapshot_config(a->status->snapshot)->alerts.filing)
        filingclock_overdue(a->status->filing, &a->overdue);
    *ret = (struct board_reading){
        .intercepted = intercepted,
        .ctx = a,
        .log_failed = h.failed,
        .log_degraded = h.degraded && !h.failed,
        .disk_percent = h.disk_percent,
        .canary_missed = count_misses(a->status->canary),
        .library_s = a->library_s,
        .finding = read_finding(a),
        .weakened = buf_span(&a->weakened),
        .overdue = buf_span(&a->overdue),
    };
}

/* --- life --- */

int alarm_open(struct loop *l, struct status *status, struct alarm **ret_alarm)
{
    struct alarm *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->status = status;
    a->weakened = BUF_INIT(65536);
    a->overdue = BUF_INIT(65536);
    a->library_s = changes_newest(snapshot_config(status->snapshot)->state_dir);
    a->verified_ms = clock_mono_ms();
    a->verifier = verifier_new(status->audit);
    struct alerts_options o = {
        .loop = l,
        .config = (struct config *)snapshot_config(status->snapshot),
        .read = read_all,
        .ctx = a,
    };
    int r = a->verifier ? alerts_new(&o, &a->alerts) : -ENOMEM;
    if (r < 0) {
        alarm_close(a);
        return r;
    }
    *ret_alarm = a;
    return 0;
}

void alarm_reload(struct alarm *a)
{
    if (!a)
        return;
    a->library_s = changes_newest(snapshot_config(a->status->snapshot)->state_dir);
    alerts_reload(a->alerts, (struct config *)snapshot_config(a->status->snapshot));
}

void alarm_close(struct alarm *a)
{
    if (!a)
        return;
    alerts_free(a->alerts);
    verifier_free(a->verifier);
    buf_deinit(&a->weakened);
    buf_deinit(&a->overdue);
    free(a);
}

struct verifier *alarm_verifier(struct alarm *a)
{
    return a->verifier;
}

struct alerts *alarm_alerts(struct alarm *a)
{
    return a ? a->alerts : NULL;
}
