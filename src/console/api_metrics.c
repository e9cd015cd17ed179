/* /metrics for who is logged in, where `console.metrics: session` wants that. */
#include "console/areas.h"

#include <errno.h>

struct wanted {
    const struct api *api;
    struct buf *out;
    int result;
};

static void on_loop(void *arg)
{
    struct wanted *w = arg;
    w->result = w->api->ops->stats(w->api->ops_ctx, w->out);
}

static int get_metrics(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct wanted w = {api, &a->body, -ECANCELED};
    int r = api_on_loop(api, on_loop, &w);
    a->type = SPAN_LIT("text/plain; version=0.0.4; charset=utf-8");
    return r < 0 ? r : w.result;
}

const struct api_route api_metrics_routes[] = {
    {"GET", "/metrics", MAY_SEE, get_metrics},
    {NULL},
};
