#include "demo/model.h"

#include "base/clock.h"
#include "demo/script.h"
#include "http/server.h"
#include "json/walk.h"

#include <errno.h>
#include <stdlib.h>

#define BODY_MAX ((size_t)64 << 20)
/* Bytes that a client has not taken yet: beyond this we wait. */
#define PENDING_MAX   ((size_t)1 << 20)
#define PENDING_RETRY 2 /* ms */

struct model {
    struct loop *loop;
    struct http_server *server;
    struct script_store *scripts;
    struct plan_pace pace;
    struct list plays;
    uint64_t serial;    /* answers ever begun */
    uint64_t requests;  /* API requests since the last reset */
    uint64_t active;    /* answers being played */
    uint64_t finished;  /* answers played to their end */
    uint64_t cancelled; /* answers whose client left before */
    uint64_t bytes;     /* of bodies, written */
    struct buf last_path, last_body, last_auth;
};

/* One request from its first byte to its last. */
struct play {
    struct list link;
    struct model *model;
    struct http_request *request;
    unsigned events; /* told, not yet looked at */
    struct loop_task task;
    struct loop_timer timer;
    struct plan plan;
    bool planned, started;
    size_t next, sent; /* piece, byte */
};

static void play_free(struct play *p)
{
    loop_task_cancel(&p->task);
    loop_timer_cancel(&p->timer);
    if (p->planned)
        plan_deinit(&p->plan);
    list_remove(&p->link);
    free(p);
}

/* Without a plan any more: nothing is left to send. */
static void play_over(struct play *p, bool complete)
{
    struct model *m = p->model;
    if (!p->planned)
        return;
    loop_timer_cancel(&p->timer);
    plan_deinit(&p->plan);
    p->planned = false;
    m->active--;
    if (complete)
        m->finished++;
    else
        m->cancelled++;
}

static void reply(struct play *p, int status, struct span type, struct span body)
{
    struct http_header h = {SPAN_LIT("Content-Type"), type};
    if (http_request_reply(p->request, status, &h, 1, body, false) < 0)
        http_request_abort(p->request);
}

static void reply_json(struct play *p, int status, struct span body)
{
    reply(p, status, SPAN_LIT("application/json"), body);
}

static void reply_error(struct play *p, int status, const char *message)
{
    struct buf body = BUF_INIT(4096);
    if (buf_printf(&body,
                   "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\","
                   "\"param\":null,\"code\":null}}",
                   message) == 0)
        reply_json(p, status, buf_span(&body));
    else
        http_request_abort(p->request);
    buf_deinit(&body);
}

static size_t make_headers(const struct plan *plan, struct http_header *h)
{
    size_t n = 0;
    h[n++] = (struct http_header){SPAN_LIT("Content-Type"), buf_span(&plan->content_type)};
    for (size_t i = 0; i < plan->header_count; i++)
        h[n++] = (struct http_header){buf_span(&plan->headers[i].name),
                                      buf_span(&plan->headers[i].value)};
    return n;
}

/* Sends the head; false when the play ended with it. */
static bool play_start(struct play *p)
{
    struct http_header headers[1 + sizeof(p->plan.headers) / sizeof(p->plan.headers[0])];
    size_t count = make_headers(&p->plan, headers);
    p->started = true;
    if (p->plan.whole) {
        struct http_request *r = p->request;
        int rc =
            http_request_reply(r, p->plan.status, headers, count, buf_span(&p->plan.bytes), false);
        p->model->bytes += p->plan.bytes.len;
        play_over(p, true);
        if (rc < 0)
            http_request_abort(r);
        return false;
    }
    if (http_stream_start(p->request, p->plan.status, headers, count) < 0) {
        http_request_abort(p->request);
        return false;
    }
    return true;
}

static void play_end(struct play *p)
{
    enum plan_end end = p->plan.end;
    if (end == PLAN_STALL)
        return; /* until the client leaves */
    play_over(p, true);
    if (end == PLAN_COMPLETE)
        http_stream_end(p->request);
    else
        http_request_abort(p->request);
}

static unsigned next_delay(const struct play *p)
{
    return p->next < p->plan.piece_count ? p->plan.pieces[p->next].delay_ms : 0;
}

static void play_wait(struct play *p, unsigned ms)
{
    if (loop_timer_set(&p->timer, loop_now_ms(p->model->loop) + ms) < 0)
        http_request_abort(p->request);
}

/* One piece a turn, so that each is a write of its own. */
static void play_step(struct loop_timer *t)
{
    struct play *p = list_entry(t, struct play, timer);
    if (!p->planned || http_request_gone(p->request))
        return;
    if (!p->started && !play_start(p))
        return;
    size_t room = p->next < p->plan.piece_count ? PENDING_MAX : 0;
    if (http_stream_pending(p->request) > room) {
        play_wait(p, PENDING_RETRY);
        return;
    }
    if (p->next < p->plan.piece_count) {
        size_t end = p->plan.pieces[p->next].end;
        struct span piece = span_slice(buf_span(&p->plan.bytes), p->sent, end);
        if (http_stream_write(p->request, piece) < 0) {
            http_request_abort(p->request);
            return;
        }
        p->model->bytes += piece.len;
        p->sent = end;
        p->next++;
    }
    if (p->next < p->plan.piece_count || http_stream_pending(p->request) > 0)
        play_wait(p, next_delay(p));
    else
        play_end(p);
}

static void remember(struct buf *b, struct span s)
{
    buf_clear(b);
    if (buf_append(b, s) < 0)
        buf_clear(b);
}

static void serve_answer(struct play *p, bool chat)
{
    struct model *m = p->model;
    struct span body = http_request_body(p->request);
    struct ask ask;
    m->requests++;
    remember(&m->last_path, http_request_path(p->request));
    remember(&m->last_body, body);
    remember(&m->last_auth, http_request_header(p->request, "Authorization"));
    if (ask_read(&ask, chat, body) < 0) {
        reply_error(p, 400, "This is no request that the stand-in model understands.");
        return;
    }
    struct json_value *made;
    const struct json_value *script = script_choose(m->scripts, buf_span(&ask.text), &made);
    int rc = script ? plan_render(&p->plan, &ask, script, m->pace, ++m->serial,
                                  clock_wall_us() / 1000000)
                    : -ENOMEM;
    value_free(made);
    ask_deinit(&ask);
    if (rc < 0) {
        if (script)
            plan_deinit(&p->plan);
        reply_error(p, 400, "The demo script makes no sense; see src/demo/README.md.");
        return;
    }
    p->planned = true;
    m->active++;
    if (p->plan.end != PLAN_SILENT)
        play_wait(p, next_delay(p));
}

static void serve_models(struct play *p)
{
    reply_json(p, 200,
               SPAN_LIT("{\"object\":\"list\",\"data\":[{\"id\":\"demo\",\"object\":\"model\","
                        "\"created\":1735689600,\"owned_by\":\"juyong\"}]}"));
}

static void serve_script(struct play *p, struct span name)
{
    int rc = script_store_put(p->model->scripts, name, http_request_body(p->request));
    if (rc < 0)
        reply_error(p, 400, "Not a script, or not a free name.");
    else
        reply_json(p, 200, SPAN_LIT("{}"));
}

static int stats_text(struct buf *out, const char *key, const struct buf *text)
{
    int rc = buf_printf(out, ",\"%s\":\"", key);
    if (rc == 0)
        rc = json_escape(out, buf_span(text));
    return rc < 0 ? rc : buf_append_char(out, '"');
}

static void serve_stats(struct play *p)
{
    const struct model *m = p->model;
    struct buf out = BUF_INIT(8 * BODY_MAX);
    int rc = buf_printf(&out,
                        "{\"requests\":%llu,\"active\":%llu,\"finished\":%llu,\"cancelled\":%llu,"
                        "\"bytes\":%llu",
                        (unsigned long long)m->requests, (unsigned long long)m->active,
                        (unsigned long long)m->finished, (unsigned long long)m->cancelled,
                        (unsigned long long)m->bytes);
    if (rc == 0)
        rc = stats_text(&out, "last_path", &m->last_path);
    if (rc == 0)
        rc = stats_text(&out, "last_authorization", &m->last_auth);
    if (rc == 0)
        rc = stats_text(&out, "last_body", &m->last_body);
    if (rc == 0)
        rc = buf_append(&out, SPAN_LIT("}\n"));
    if (rc == 0)
        reply_json(p, 200, buf_span(&out));
    else
        http_request_abort(p->request);
    buf_deinit(&out);
}

static void serve_demo(struct play *p, struct span method, struct span path)
{
    struct model *m = p->model;
    struct span scripts = SPAN_LIT("/demo/scripts/");
    if (span_eq(method, SPAN_LIT("PUT")) && span_starts(path, scripts)) {
        serve_script(p, span_slice(path, scripts.len, path.len));
    } else if (span_eq(method, SPAN_LIT("DELETE")) && span_eq(path, SPAN_LIT("/demo/scripts"))) {
        script_store_clear(m->scripts);
        reply_json(p, 200, SPAN_LIT("{}"));
    } else if (span_eq(method, SPAN_LIT("GET")) && span_eq(path, SPAN_LIT("/demo/stats"))) {
        serve_stats(p);
    } else if (span_eq(method, SPAN_LIT("POST")) && span_eq(path, SPAN_LIT("/demo/reset"))) {
        m->requests = m->finished = m->cancelled = m->bytes = 0;
        reply_json(p, 200, SPAN_LIT("{}"));
    } else {
        reply_error(p, 404, "No such path.");
    }
}

static void serve(struct play *p)
{
    struct span method = http_request_method(p->request), path = http_request_path(p->request);
    bool post = span_eq(method, SPAN_LIT("POST"));
    if (post && span_eq(path, SPAN_LIT("/v1/chat/completions")))
        serve_answer(p, true);
    else if (post && span_eq(path, SPAN_LIT("/v1/completions")))
        serve_answer(p, false);
    else if (span_eq(method, SPAN_LIT("GET")) && span_eq(path, SPAN_LIT("/v1/models")))
        serve_models(p);
    else
        serve_demo(p, method, path);
}

static void play_task(struct loop_task *t)
{
    struct play *p = list_entry(t, struct play, task);
    unsigned events = p->events;
    p->events = 0;
    if (events & (HTTP_GONE | HTTP_DONE))
        play_over(p, false);
    if (events & HTTP_DONE) {
        http_request_release(p->request);
        play_free(p);
        return;
    }
    if (events & HTTP_GONE) {
        http_request_abort(p->request);
        return;
    }
    if (events & HTTP_TOO_LARGE)
        reply_error(p, 413, "Too large for a demo.");
    else if (events & HTTP_BODY)
        serve(p);
}

static size_t admit(void *ctx, struct http_request *r)
{
    struct model *m = ctx;
    struct play *p = calloc(1, sizeof(*p));
    if (!p) {
        http_request_reply(r, 503, NULL, 0, SPAN_NULL, true);
        return 0;
    }
    p->model = m;
    p->request = r;
    loop_task_init(&p->task, play_task);
    loop_timer_init(m->loop, &p->timer, play_step);
    list_append(&m->plays, &p->link);
    http_request_set_owner(r, p);
    return BODY_MAX;
}

static void event(void *ctx, struct http_request *r, unsigned events)
{
    struct model *m = ctx;
    struct play *p = http_request_owner(r);
    if (!p) {
        if (events & HTTP_DONE)
            http_request_release(r);
        return;
    }
    p->events |= events;
    loop_task_post(m->loop, &p->task);
}

int model_new(struct loop *l, const struct model_options *o, struct model **ret_model)
{
    static const struct http_server_ops ops = {admit, event, NULL};
    struct http_server_options http = {
        .host = o->host,
        .port = o->port,
        .connections = 20000,
        .header_ms = 60000,
        .body_ms = 60000,
        .idle_ms = 600000,
        .write_ms = 600000,
        .lenient = true,
    };
    struct model *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    m->loop = l;
    m->pace = o->pace;
    m->last_path = m->last_auth = BUF_INIT((size_t)64 << 10);
    m->last_body = BUF_INIT(BODY_MAX);
    list_init(&m->plays);
    m->scripts = script_store_new();
    int rc = m->scripts ? http_server_new(l, &http, &ops, m, &m->server) : -ENOMEM;
    if (rc < 0) {
        script_store_free(m->scripts);
        free(m);
        return rc;
    }
    *ret_model = m;
    return 0;
}

void model_free(struct model *m)
{
    if (!m)
        return;
    list_for_each_safe (it, next, &m->plays) {
        struct play *p = list_entry(it, struct play, link);
        http_request_release(p->request);
        play_free(p);
    }
    http_server_free(m->server);
    script_store_free(m->scripts);
    buf_deinit(&m->last_path);
    buf_deinit(&m->last_auth);
    buf_deinit(&m->last_body);
    free(m);
}

uint16_t model_port(const struct model *m)
{
    return http_server_port(m->server);
}
