/*
 * What was shown can't be unsaid, but an app can take it off the screen: the stream's last event
 * tells it, and where the policy names a place, a signed message does, for apps whose screen is fed
 * by somebody else.
 */
#include "gate/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "opinion/notice.h"

static int write(struct exchange *x, struct span replacement, struct buf *out)
{
    int r = buf_append(out, SPAN_LIT("{\"type\":\"retract\",\"request_id\":\""));
    if (r == 0)
        r = json_escape(out, record_request_id(x));
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"app\":\""));
    if (r == 0)
        r = json_escape(out, x->who.app->name);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"end_user\":\""));
    if (r == 0)
        r = json_escape(out, record_end_user(x));
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"model\":\""));
    if (r == 0)
        r = json_escape(out, x->asked.model);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"code\":\"content_filter\",\"replacement\":\""));
    if (r == 0)
        r = json_escape(out, replacement);
    if (r == 0)
        r = buf_printf(out, "\",\"time\":%lld}", (long long)clock_wall_s());
    return r;
}

/* The exchange may be long over. */
static void told(void *ctx, bool delivered)
{
    struct gate *g = ctx;
    metrics_add(g->metrics, delivered ? METRIC_RETRACTIONS_TOLD : METRIC_RETRACTIONS_UNTOLD, 1);
}

void retract_tell(struct exchange *x, struct span replacement)
{
    const struct config_retraction *to = &x->who.app->policy.retraction;
    metrics_add(x->purpose.metrics, METRIC_RETRACTIONS, 1);
    if (to->url.len == 0)
        return;
    struct buf body = BUF_INIT(65536);
    struct span about =
        arena_printf(&x->arena, "the retraction of %.*s", SPAN_ARG(record_request_id(x)));
    int r = write(x, replacement, &body);
    if (r == 0)
        r = notice_send(x->gate->courier, to, buf_span(&body), about, told, x->gate);
    if (r < 0) {
        told(x->gate, false);
        log_warning("%.*s could not be sent: %s", SPAN_ARG(about), strerror(-r));
    }
    buf_deinit(&body);
}
