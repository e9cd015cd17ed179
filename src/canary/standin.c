#include "canary/standin.h"

#include "crypto/secret.h"
#include "gate/gate.h"
#include "http/server.h"

#include <errno.h>
#include <stdlib.h>

#define REQUEST_MAX 65536

struct standin {
    struct loop *loop;
    struct http_server *server;
    struct loop_task task;
    struct http_request *request; /* the one that is served */
    unsigned events;
    struct span token, answer;
    bool stream, asked, answered;
    struct buf body;
};

static const struct http_header stream_head = {SPAN_LIT("Content-Type"),
                                               SPAN_LIT("text/event-stream")};
static const struct http_header json_head = {SPAN_LIT("Content-Type"),
                                             SPAN_LIT("application/json")};

static size_t admit(void *ctx, struct http_request *r)
{
    struct standin *s = ctx;
    bool known = secret_equal(http_request_header(r, GATE_PROBE_HEADER), s->token);
    if (!known || s->request) {
        http_request_reply(r, 404, NULL, 0, SPAN_LIT("nothing is here\n"), true);
        return 0;
    }
    s->request = r;
    s->answered = false;
    http_request_set_owner(r, s);
    return REQUEST_MAX;
}

static void event(void *ctx, struct http_request *r, unsigned events)
{
    struct standin *s = ctx;
    if (http_request_owner(r) == s) {
        s->events |= events;
        loop_task_post(s->loop, &s->task);
    } else if (events & HTTP_DONE) {
        http_request_release(r);
    } else if (events & (HTTP_BODY | HTTP_GONE)) {
        http_request_abort(r);
    }
}

static void answer(struct standin *s)
{
    struct http_request *r = s->request;
    s->answered = s->asked = true;
    buf_clear(&s->body);
    int rc = buf_append(&s->body, http_request_body(r));
    if (rc == 0 && s->stream) {
        rc = http_stream_start(r, 200, &stream_head, 1);
        if (rc == 0)
            rc = http_stream_write(r, s->answer);
        if (rc == 0)
            http_stream_end(r);
    } else if (rc == 0) {
        rc = http_request_reply(r, 200, &json_head, 1, s->answer, false);
    }
    if (rc < 0)
        http_request_abort(r);
}

static void step(struct loop_task *t)
{
    struct standin *s = list_entry(t, struct standin, task);
    unsigned events = s->events;
    s->events = 0;
    if (!s->request)
        return;
    if (events & HTTP_DONE) {
        http_request_release(s->request);
        s->request = NULL;
    } else if (events & (HTTP_GONE | HTTP_TOO_LARGE)) {
        http_request_abort(s->request);
    } else if (events & HTTP_BODY && !s->answered) {
        answer(s);
    }
}

int standin_new(struct loop *l, struct span token, struct standin **ret_standin)
{
    static const struct http_server_ops ops = {admit, event, NULL};
    struct http_server_options o = {
        .host = SPAN_LIT("127.0.0.1"),
        .connections = 16,
        .header_ms = 10000,
        .body_ms = 10000,
        .idle_ms = 600000,
        .write_ms = 10000,
    };
    struct standin *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    *s = (struct standin){.loop = l, .token = token, .body = BUF_INIT(REQUEST_MAX)};
    loop_task_init(&s->task, step);
    int r = http_server_new(l, &o, &ops, s, &s->server);
    if (r < 0) {
        free(s);
        return r;
    }
    *ret_standin = s;
    return 0;
}

void standin_free(struct standin *s)
{
    if (!s)
        return;
    http_server_free(s->server);
    loop_task_cancel(&s->task);
    buf_deinit(&s->body);
    free(s);
}

uint16_t standin_port(const struct standin *s)
{
    return http_server_port(s->server);
}

void standin_expect(struct standin *s, struct span answer_text, bool stream)
{
    s->answer = answer_text;
    s->stream = stream;
    s->asked = false;
    buf_clear(&s->body);
}

bool standin_asked(const struct standin *s, struct span *ret_body)
{
    *ret_body = buf_span(&s->body);
    return s->asked;
}

bool standin_busy(const struct standin *s)
{
    return s->request != NULL;
}
