#include "console/call.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Path, query and body's names of one request; heads of more than 8 KiB never get here. */
#define CALL_ARENA ((size_t)64 << 10)

struct call *call_new(struct console *c, struct http_request *r)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    call->console = c;
    call->r = r;
    call->q.gone = &call->gone;
    buf_init(&call->a.body, API_BODY_MAX);
    arena_init(&call->arena, CALL_ARENA);
    list_init(&call->job.link);
    list_init(&call->link);
    loop_task_init(&call->task, NULL);
    return call;
}

void call_free(struct call *call)
{
    if (!call)
        return;
    loop_task_cancel(&call->task);
    list_remove(&call->link);
    if (call->a.file > 0)
        close(call->a.file);
    /* Passwords and texts don't stay in freed memory. */
    if (call->a.body.data)
        explicit_bzero(call->a.body.data, call->a.body.cap);
    explicit_bzero(&call->a.cookie, sizeof(call->a.cookie));
    buf_deinit(&call->a.body);
    arena_deinit(&call->arena);
    snapshot_unref(call->snapshot);
    free(call);
}

static int run(struct call *call, const struct api *api)
{
    struct json_value *body = NULL;
    if (span_eq(call->q.method, SPAN_LIT("POST"))) {
        struct buf why = BUF_INIT(512);
        body = value_parse(call->raw, &why);
        bool good = value_is_object(body);
        int r = good ? 0
                     : api_error(&call->a, 400, "bad_json", "The body is no JSON object%s%.*s",
                                 why.len ? ": " : "", SPAN_ARG(buf_span(&why)));
        buf_deinit(&why);
        if (!good) {
            value_free(body);
            return r;
        }
    }
    call->q.body = body;
    int r = call->route->fn(api, &call->q, &call->a);
    call->q.body = NULL;
    value_free(body);
    return r;
}

void call_work(struct call *call, const struct api *api)
{
    call->result = api_gone(&call->q) ? -ECANCELED : run(call, api);
    if (call->result < 0 && call->result != -ECANCELED)
        log_warning("console: %s %s: %s", call->route->method, call->route->path,
                    strerror(-call->result));
}
