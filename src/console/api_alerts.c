/* What is watched, who is told, and what was of late. */
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
    w->result = w->api->ops->alerts(w->api->ops_ctx, w->out);
}

static int get_alerts(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct wanted w = {api, &a->body, -ECANCELED};
    if (!api->ops->alerts)
        return buf_append(&a->body, SPAN_LIT("{\"rules\":[],\"targets\":[],\"recent\":[]}"));
    int r = api_on_loop(api, on_loop, &w);
    return r < 0 ? r : w.result;
}

const struct api_route api_alerts_routes[] = {
    {"GET", "/api/alerts", MAY_SEE, get_alerts},
    {NULL},
};
