#include "cli/watch.h"

#include "audit/audit.h"
#include "base/log.h"
#include "cli/setup.h"

/* What one record tells of the misses; the log line tells all. */
#define MISSES_RECORDED 2048

static void record(struct audit *audit, const struct canary_report *r)
{
    struct buf detail = BUF_INIT(16384);
    struct span version = ruleset_version(snapshot_rules(r->snapshot));
    struct span misses = r->misses;
    if (misses.len > MISSES_RECORDED)
        misses = span_slice(misses, 0, MISSES_RECORDED);
    buf_append_char(&detail, '{');
    setup_json(&detail, "ruleset", version);
    setup_json(&detail, "sha256", ruleset_digest(snapshot_rules(r->snapshot)));
    buf_printf(&detail, ",\"apps\":%u,\"probes\":%u,\"missed\":%u", r->apps, r->probes, r->missed);
    if (misses.len)
        setup_json(&detail, "misses", misses);
    buf_append_char(&detail, '}');
    struct audit_subject subject = {.ruleset = version};
    struct audit_event e = {.kind = AUDIT_ADMIN,
                            .subject = &subject,
                            .reason = r->passed ? SPAN_LIT("canary") : SPAN_LIT("canary_missed"),
                            .detail = buf_span(&detail)};
    if (audit_submit(audit, NULL, 0, &e) < 0)
        log_error("the canary's run could not be recorded");
    buf_deinit(&detail);
}

void watch_told(void *ctx, const struct canary_report *r)
{
    record(ctx, r);
    struct span rest = r->misses, line;
    while (span_split(&rest, '\n', &line))
        if (line.len)
            log_error("ALARM: canary: %.*s", SPAN_ARG(line));
    if (r->recovered)
        log_info("canary: everything is intercepted again");
    if (r->passed)
        log_debug("canary: %u probes of %u apps, all as the policy says; keywords: %.*s", r->probes,
                  r->apps, SPAN_ARG(r->words));
}

struct span watch_reason(const struct canary *c, const struct config *config)
{
    struct canary_status status;
    canary_get_status(c, &status);
    if (status.state == CANARY_PENDING)
        return SPAN_LIT("canary_pending");
    if (status.state == CANARY_MISSED && config->canary.ready)
        return SPAN_LIT("canary_missed");
    return SPAN_NULL;
}

int watch_weakenings(const struct canary *c, struct buf *out)
{
    struct canary_status status;
    canary_get_status(c, &status);
    struct span rest = status.misses, line;
    int r = 0;
    while (r == 0 && span_split(&rest, '\n', &line))
        if (line.len)
            r = buf_printf(out, "weakened: canary: %.*s\n", SPAN_ARG(line));
    return r;
}

int watch_stats(const struct canary *c, struct buf *out)
{
    struct canary_status status;
    canary_get_status(c, &status);
    return buf_printf(
        out,
        "# HELP juyong_canary_ok 1 when the last run found everything intercepted.\n"
        "# TYPE juyong_canary_ok gauge\njuyong_canary_ok %d\n"
        "# HELP juyong_canary_runs_total Runs of the canary, by result.\n"
        "# TYPE juyong_canary_runs_total counter\n"
        "juyong_canary_runs_total{result=\"passed\"} %llu\n"
        "juyong_canary_runs_total{result=\"missed\"} %llu\n"
        "# HELP juyong_canary_probes_total Texts that the canary sent through.\n"
        "# TYPE juyong_canary_probes_total counter\njuyong_canary_probes_total %llu\n",
        status.state == CANARY_PASSED, (unsigned long long)(status.runs - status.missed_runs),
        (unsigned long long)status.missed_runs, (unsigned long long)status.probes);
}
