#include "console/console.h"

#include "http/server.h"

#include <errno.h>
#include <stdlib.h>

struct console {
    struct loop *loop;
    struct http_server *server;
    struct console_ops ops;
    void *ctx;
};

static int answer(struct http_request *r, int status, struct span type, struct span body)
{
    struct http_header headers[] = {
        {SPAN_LIT("Content-Type"), type},
        {SPAN_LIT("Cache-Control"), SPAN_LIT("no-store")},
        {SPAN_LIT("X-Content-Type-Options"), SPAN_LIT("nosniff")},
        {SPAN_LIT("Allow"), SPAN_LIT("GET")}, /* a 405 must name what would do, RFC 9110, 15.5.6 */
    };
    return http_request_reply(r, status, headers, status == 405 ? 4 : 3, body, true);
}

static int answer_ready(struct console *c, struct http_request *r)
{
    struct span reason = c->ops.readiness(c->ctx);
    struct buf body = BUF_INIT(65536);
    int rc = reason.len ? buf_printf(&body, "not ready: %.*s\n", SPAN_ARG(reason))
                        : buf_append(&body, SPAN_LIT("ready\n"));
    if (rc == 0)
        rc = c->ops.weakenings(c->ctx, &body);
    if (rc == 0)
        rc = answer(r, reason.len ? 503 : 200, SPAN_LIT("text/plain; charset=utf-8"),
                    buf_span(&body));
    buf_deinit(&body);
    return rc;
}

static int answer_metrics(struct console *c, struct http_request *r)
{
    struct buf body = BUF_INIT(1u << 20);
    int rc = c->ops.stats(c->ctx, &body);
    if (rc == 0)
        rc = answer(r, 200, SPAN_LIT("text/plain; version=0.0.4; charset=utf-8"), buf_span(&body));
    buf_deinit(&body);
    return rc;
}

/* Answers at once: nothing here waits. */
static size_t admit(void *ctx, struct http_request *r)
{
    struct console *c = ctx;
    struct span path = http_request_path(r);
    struct span text = SPAN_LIT("text/plain; charset=utf-8");
    if (!span_eq(http_request_method(r), SPAN_LIT("GET")))
        answer(r, 405, text, SPAN_LIT("method not allowed\n"));
    else if (span_eq(path, SPAN_LIT("/healthz")))
        answer(r, 200, text, SPAN_LIT("ok\n"));
    else if (span_eq(path, SPAN_LIT("/readyz")))
        answer_ready(c, r);
    else if (span_eq(path, SPAN_LIT("/metrics")))
        answer_metrics(c, r);
    else
        answer(r, 404, text, SPAN_LIT("not found: /healthz, /readyz and /metrics are here\n"));
    return 0;
}

static void event(void *ctx, struct http_request *r, unsigned events)
{
    if (events & HTTP_DONE)
        http_request_release(r);
    else if (events & (HTTP_BODY | HTTP_GONE))
        http_request_abort(r); /* memory was out when it should have been answered */
}

int console_new(struct loop *l, struct span host, uint16_t port, const struct console_ops *ops,
                void *ctx, struct console **ret_console)
{
    static const struct http_server_ops server_ops = {admit, event, NULL};
    struct http_server_options o = {
        .host = host,
        .port = port,
        .connections = 256,
        .header_ms = 10000,
        .body_ms = 10000,
        .idle_ms = 30000,
        .write_ms = 30000,
    };
    struct console *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct console){.loop = l, .ops = *ops, .ctx = ctx};
    int r = http_server_new(l, &o, &server_ops, c, &c->server);
    if (r < 0) {
        free(c);
        return r;
    }
    *ret_console = c;
    return 0;
}

void console_free(struct console *c)
{
    if (!c)
        return;
    http_server_free(c->server);
    free(c);
}

uint16_t console_port(const struct console *c)
{
    return http_server_port(c->server);
}
