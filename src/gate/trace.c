/*
 * The client's trace (W3C Trace Context). The gateway reports no spans of its own: a parent-id that
 * it made would name a span that nobody ever sees, and would cut the tree between the app's and
 * the provider's. So it takes the part that the specification gives to such a middleman: both
 * headers go on as they came.
 */
#include "gate/exchange.h"

#include "crypto/secret.h"

static bool from_client(const struct exchange *x, struct tracecontext *ret)
{
    /* Two of them name two traces; a tracestate may be split over several headers, and is then as
     * good as one that can't be read. */
    if (http_request_header_count(x->client, "traceparent") != 1)
        return false;
    bool one = http_request_header_count(x->client, "tracestate") == 1;
    struct span state = one ? http_request_header(x->client, "tracestate") : SPAN_NULL;
    return tracecontext_read(http_request_header(x->client, "traceparent"), state, ret);
}

void trace_read(struct exchange *x)
{
    enum trace_mode mode = exchange_config(x)->trace_context;
    unsigned char random[24];
    struct tracecontext t;
    if (x->trace || mode == TRACE_OFF || exchange_probes(x))
        return;
    if (!from_client(x, &t)) {
        if (mode != TRACE_START || secret_random(random, sizeof(random)) < 0)
            return;
        tracecontext_begin(random, &t);
    }
    x->trace = arena_alloc(&x->arena, sizeof(*x->trace));
    if (x->trace)
        *x->trace = t;
}

size_t trace_headers(const struct exchange *x, struct http_header *h)
{
    size_t n = 0;
    if (!x->trace)
        return 0;
    h[n++] = (struct http_header){SPAN_LIT("traceparent"), span_str(x->trace->parent)};
    if (x->trace->state.len)
        h[n++] = (struct http_header){SPAN_LIT("tracestate"), x->trace->state};
    return n;
}
