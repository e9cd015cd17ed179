/*
 * What was shown can't be unsaid, but an app can take it off the screen: the stream's last event
 * tells it, and where the policy names a place, a signed message does, for apps whose screen is fed
 * by somebody else.
 */
#include "gate/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/courier.h"
#include "opinion/sign.h"

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

void retract_tell(struct exchange *x, struct span replacement)
{
    const struct config_retraction *to = &x->who.app->policy.retraction;
    metrics_add(x->purpose.metrics, METRIC_RETRACTIONS, 1);
    if (to->url.len == 0)
        return;
    struct buf body = BUF_INIT(65536);
    struct sign signature;
    struct http_header headers[4] = {
        {SPAN_LIT("Content-Type"), SPAN_LIT("application/json")},
        {SPAN_LIT("User-Agent"), SPAN_LIT("juyong/" JUYONG_VERSION)},
    };
    size_t count = 2;
    int r = write(x, replacement, &body);
    if (r == 0 && to->secret.len) {
        r = sign_body(to->secret, buf_span(&body), &signature);
        headers[count++] =
            (struct http_header){SPAN_LIT("X-Juyong-Timestamp"), span_str(signature.timestamp)};
        headers[count++] =
            (struct http_header){SPAN_LIT("X-Juyong-Signature"), span_str(signature.text)};
    }
    struct courier_message m = {
        .url = to->url,
        .headers = headers,
        .header_count = count,
        .body = buf_span(&body),
        .tries = to->tries,
        .timeout_ms = to->timeout_ms,
    };
    if (r == 0)
        r = courier_send(x->gate->courier, &m);
    if (r < 0)
        log_warning("the retraction of %.*s could not be sent: %s", SPAN_ARG(record_request_id(x)),
                    strerror(-r));
    buf_deinit(&body);
}
