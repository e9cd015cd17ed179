#include "http/courier.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define COURIER_MAX      256
#define ANSWER_MAX       4096
#define COURIER_PAUSE_MS 1000 /* before the second try; doubled each time */

struct courier {
    struct loop *loop;
    struct http_client *client;
    struct list parcels;
    size_t count;
};

struct parcel {
    struct list link;
    struct courier *courier;
    struct loop_task task;
    struct loop_timer timer;  /* of the try, or of the pause before it */
    struct http_fetch *fetch; /* NULL in a pause */
    bool late;
    unsigned tried, tries, timeout_ms;
    courier_judge_fn judge;
    struct buf answer; /* for it */
    courier_done_fn done;
    void *ctx;
    struct buf text; /* url, headers and body */
    struct span about, url, body;
    size_t header_count;
    struct http_header headers[];
};

int courier_new(struct loop *l, struct http_client *c, struct courier **ret_courier)
{
    struct courier *courier = calloc(1, sizeof(*courier));
    if (!courier)
        return -ENOMEM;
    courier->loop = l;
    courier->client = c;
    list_init(&courier->parcels);
    *ret_courier = courier;
    return 0;
}

static void drop(struct parcel *p)
{
    list_remove(&p->link);
    p->courier->count--;
    http_fetch_free(p->fetch);
    loop_timer_cancel(&p->timer);
    loop_task_cancel(&p->task);
    buf_deinit(&p->answer);
    buf_deinit(&p->text);
    free(p);
}

static void over(struct parcel *p, bool delivered)
{
    if (p->done)
        p->done(p->ctx, delivered);
    drop(p);
}

static void give_up(struct parcel *p, const char *why)
{
    log_warning("%.*s to %.*s was given up after %u tries: %s", SPAN_ARG(p->about),
                SPAN_ARG(courier_host(p->url)), p->tried, why);
    over(p, false);
}

void courier_free(struct courier *c)
{
    if (!c)
        return;
    while (!list_empty(&c->parcels)) {
        struct parcel *p = list_entry(c->parcels.next, struct parcel, link);
        give_up(p, "the gateway stops");
    }
    free(c);
}

static void event(void *ctx, unsigned events)
{
    struct parcel *p = ctx;
    loop_task_post(p->courier->loop, &p->task);
}

static int try(struct parcel *p)
{
    struct http_fetch_options o = {
        .method = SPAN_LIT("POST"),
        .url = p->url,
        .headers = p->headers,
        .header_count = p->header_count,
        .body = p->body,
        .connect_ms = p->timeout_ms,
        .buffer_max = 65536,
        .event = event,
        .ctx = p,
    };
    p->tried++;
    p->late = false;
    buf_clear(&p->answer);
    int r = http_fetch_start(p->courier->client, &o, &p->fetch);
    if (r == 0)
        r = loop_timer_set(&p->timer, loop_now_ms(p->courier->loop) + p->timeout_ms);
    return r;
}

static void failed(struct parcel *p, const char *why)
{
    http_fetch_free(p->fetch);
    p->fetch = NULL;
    if (p->tried >= p->tries) {
        give_up(p, why);
        return;
    }
    uint64_t pause = (uint64_t)COURIER_PAUSE_MS << (p->tried - 1);
    if (loop_timer_set(&p->timer, loop_now_ms(p->courier->loop) + pause) < 0)
        give_up(p, "memory");
}

/* What does not fit does not matter. */
static void listen_to(struct parcel *p)
{
    for (struct span data; (data = http_fetch_data(p->fetch)).len;) {
        size_t room = p->answer.max - p->answer.len;
        if (p->judge && room)
            buf_append(&p->answer, span_slice(data, 0, data.len < room ? data.len : room));
        http_fetch_consume(p->fetch, data.len);
    }
}

static void step(struct loop_task *t)
{
    struct parcel *p = list_entry(t, struct parcel, task);
    if (p->late) {
        failed(p, "no answer");
        return;
    }
    if (!p->fetch)
        return;
    listen_to(p);
    if (!http_fetch_over(p->fetch))
        return;
    int status = http_fetch_result(p->fetch) == HTTP_FETCH_OK ? http_fetch_status(p->fetch) : 0;
    char why[COURIER_WHY_SIZE] = "no answer";
    bool good = status >= 200 && status <= 299;
    if (good && (!p->judge || p->judge(buf_span(&p->answer), why))) {
        over(p, true);
        return;
    }
    if (status && !good)
        snprintf(why, sizeof(why), "status %d", status);
    failed(p, why);
}

static void fired(struct loop_timer *t)
{
    struct parcel *p = list_entry(t, struct parcel, timer);
    if (p->fetch) {
        p->late = true;
        loop_task_post(p->courier->loop, &p->task);
    } else if (try(p) < 0) {
        failed(p, "memory");
    }
}

static struct span keep(struct parcel *p, struct span s)
{
    struct span kept = span_from(p->text.data + p->text.len, s.len);
    buf_append(&p->text, s); /* reserved before */
    return kept;
}

int courier_send(struct courier *c, const struct courier_message *m)
{
    if (c->count >= COURIER_MAX)
        return -EAGAIN;
    size_t size = m->about.len + 16 + m->url.len + m->body.len;
    for (size_t i = 0; i < m->header_count; i++)
        size += m->headers[i].name.len + m->headers[i].value.len;
    struct parcel *p = calloc(1, sizeof(*p) + m->header_count * sizeof(*m->headers));
    if (!p)
        return -ENOMEM;
    p->courier = c;
    p->text.max = size + 1;
    list_init(&p->link);
    if (buf_reserve(&p->text, size + 1) < 0) {
        free(p);
        return -ENOMEM;
    }
    p->about = keep(p, m->about.len ? m->about : SPAN_LIT("a message"));
    p->url = keep(p, m->url);
    p->body = keep(p, m->body);
    for (size_t i = 0; i < m->header_count; i++)
        p->headers[i] =
            (struct http_header){keep(p, m->headers[i].name), keep(p, m->headers[i].value)};
    p->header_count = m->header_count;
    p->tries = m->tries;
    p->judge = m->judge;
    p->answer.max = ANSWER_MAX;
    p->done = m->done;
    p->ctx = m->ctx;
    p->timeout_ms = m->timeout_ms;
    loop_task_init(&p->task, step);
    loop_timer_init(c->loop, &p->timer, fired);
    list_append(&c->parcels, &p->link);
    c->count++;
    if (try(p) < 0) {
        drop(p);
        return -ENOMEM;
    }
    return 0;
}

struct span courier_host(struct span url)
{
    size_t begin = span_find(url, SPAN_LIT("://")), end;
    begin = begin == url.len ? 0 : begin + 3;
    for (end = begin; end < url.len && !strchr("/?#", url.data[end]); end++)
        if (url.data[end] == '@')
            begin = end + 1;
    return span_slice(url, begin, end);
}

size_t courier_count(const struct courier *c)
{
    return c->count;
}
