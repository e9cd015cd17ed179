#include "opinion/desk.h"

#include "base/codec.h"
#include "crypto/hmac.h"
#include "opinion/cache.h"
#include "opinion/sign.h"

#include <errno.h>
#include <stdlib.h>

#define DESK_ANSWER_MAX ((size_t)1 << 20)

/* One source's turns; kept while anything of it is under way. */
struct window {
    struct list link;
    struct span name; /* owned */
    unsigned active, waiting;
    unsigned users;    /* asks that point here: also those whose turn came and failed */
    struct list queue; /* of asks, first come first served */
};

struct opinion_desk {
    struct loop *loop;
    struct http_client *client;
    struct opinion_cache *cache;
    struct list windows;
};

struct opinion_ask {
    struct opinion_desk *desk;
    struct window *window;
    const struct config_opinion *source;
    struct list link; /* in the window's queue while it waits */
    struct loop_task task;
    struct loop_timer deadline;
    struct http_fetch *fetch; /* NULL while it waits */
    bool active, late, failed;
    struct buf body, answer;
    unsigned char key[OPINION_KEY_SIZE];
    bool keyed;
    uint64_t since_us;
    opinion_fn fn;
    void *ctx;
};

const char *opinion_failure_name(enum opinion_failure f)
{
    static const char *const names[OPINION_FAILURES] = {
        "", "timeout", "connect", "status", "malformed", "overloaded", "too_long", "withdrawn"};
    return names[f];
}

int opinion_desk_new(struct loop *l, struct http_client *c, struct opinion_desk **ret_desk)
{
    struct opinion_desk *d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->loop = l;
    d->client = c;
    d->cache = opinion_cache_new();
    list_init(&d->windows);
    if (!d->cache) {
        free(d);
        return -ENOMEM;
    }
    *ret_desk = d;
    return 0;
}

void opinion_desk_free(struct opinion_desk *d)
{
    if (!d)
        return;
    opinion_cache_free(d->cache);
    free(d);
}

/* --- turns --- */

static struct window *window_of(struct opinion_desk *d, struct span name)
{
    list_for_each (e, &d->windows) {
        struct window *w = list_entry(e, struct window, link);
        if (span_eq(w->name, name))
            return w;
    }
    struct window *w = malloc(sizeof(*w) + name.len);
    if (!w)
        return NULL;
    *w = (struct window){.name = span_from((char *)(w + 1), name.len)};
    memcpy((char *)(w + 1), name.data, name.len);
    list_init(&w->queue);
    list_append(&d->windows, &w->link);
    return w;
}

static void close_window(struct window *w)
{
    if (w->users)
        return;
    list_remove(&w->link);
    free(w);
}

static int start(struct opinion_ask *a);

/* Somebody's turn came free. */
static void next(struct window *w)
{
    while (!list_empty(&w->queue)) {
        struct opinion_ask *a = list_entry(w->queue.next, struct opinion_ask, link);
        if (w->active >= a->source->concurrency)
            return;
        list_remove(&a->link);
        w->waiting--;
        if (start(a) < 0) {
            a->failed = true;
            loop_task_post(a->desk->loop, &a->task);
        }
    }
}

static void finish(struct opinion_ask *a)
{
    struct window *w = a->window;
    w->users--;
    http_fetch_free(a->fetch);
    loop_timer_cancel(&a->deadline);
    loop_task_cancel(&a->task);
    if (a->active)
        w->active--;
    else if (!list_empty(&a->link)) {
        list_remove(&a->link);
        w->waiting--;
    }
    buf_deinit(&a->body);
    buf_deinit(&a->answer);
    free(a);
    next(w);
    close_window(w);
}

/* --- one question --- */

static void tell(struct opinion_ask *a, struct opinion_answer *answer)
{
    opinion_fn fn = a->fn;
    void *ctx = a->ctx;
    answer->us = loop_now_us(a->desk->loop) - a->since_us;
    finish(a);
    fn(ctx, answer);
}

static enum opinion_failure failure_of(enum http_fetch_result result)
{
    return result == HTTP_FETCH_CONNECT || result == HTTP_FETCH_TIMEOUT ? OPINION_CONNECT
           : result == HTTP_FETCH_MEMORY                                ? OPINION_OVERLOADED
                                                                        : OPINION_MALFORMED;
}

/* The answer is whole: what does it say? */
static enum opinion_failure conclude(struct opinion_ask *a, struct opinion_verdict *ret_verdict)
{
    enum http_fetch_result result = http_fetch_result(a->fetch);
    struct span encoding = http_fetch_header(a->fetch, "content-encoding");
    if (result != HTTP_FETCH_OK)
        return failure_of(result);
    if (http_fetch_status(a->fetch) != 200)
        return OPINION_STATUS;
    if (http_fetch_malformed(a->fetch) ||
        (encoding.len && !span_eq_nocase(encoding, SPAN_LIT("identity"))))
        return OPINION_MALFORMED;
    int r = opinion_adapter(a->source)->read(buf_span(&a->answer), ret_verdict);
    return r == 0 ? OPINION_SAID : r == -ENOMEM ? OPINION_OVERLOADED : OPINION_MALFORMED;
}

static void step(struct loop_task *t)
{
    struct opinion_ask *a = list_entry(t, struct opinion_ask, task);
    struct opinion_answer answer = {.failure = OPINION_OVERLOADED};
    if (a->late) {
        answer.failure = OPINION_TIMEOUT;
        tell(a, &answer);
        return;
    }
    if (a->failed || !a->fetch) {
        tell(a, &answer);
        return;
    }
    bool over = false;
    for (struct span data; (data = http_fetch_data(a->fetch)).len;
         http_fetch_consume(a->fetch, data.len)) {
        int r = buf_append(&a->answer, data);
        if (r < 0) {
            answer.failure = r == -ENOMEM ? OPINION_OVERLOADED : OPINION_MALFORMED;
            tell(a, &answer);
            return;
        }
    }
    over = http_fetch_over(a->fetch);
    if (!over)
        return;
    answer.failure = conclude(a, &answer.verdict);
    if (answer.failure == OPINION_SAID && a->keyed)
        opinion_cache_put(a->desk->cache, a->source, a->key, loop_now_ms(a->desk->loop),
                          &answer.verdict);
    tell(a, &answer);
}

/* The library speaks: the task looks. */
static void fetch_event(void *ctx, unsigned events)
{
    struct opinion_ask *a = ctx;
    loop_task_post(a->desk->loop, &a->task);
}

static void expired(struct loop_timer *t)
{
    struct opinion_ask *a = list_entry(t, struct opinion_ask, deadline);
    a->late = true;
    loop_task_post(a->desk->loop, &a->task);
}

static int start(struct opinion_ask *a)
{
    const struct config_opinion *source = a->source;
    struct http_header headers[8];
    size_t n = 0;
    struct buf bearer = BUF_INIT(8192);
    struct sign signature;
    int r = 0;
    headers[n++] = (struct http_header){SPAN_LIT("Content-Type"), SPAN_LIT("application/json")};
    headers[n++] = (struct http_header){SPAN_LIT("Accept"), SPAN_LIT("application/json")};
    headers[n++] = (struct http_header){SPAN_LIT("Accept-Encoding"), SPAN_LIT("identity")};
    headers[n++] = (struct http_header){SPAN_LIT("User-Agent"), SPAN_LIT("juyong/" JUYONG_VERSION)};
    if (source->api_key.len) {
        r = buf_printf(&bearer, "Bearer %.*s", SPAN_ARG(source->api_key));
        headers[n++] = (struct http_header){SPAN_LIT("Authorization"), buf_span(&bearer)};
    }
    if (r == 0 && source->secret.len) {
        r = sign_body(source->secret, buf_span(&a->body), &signature);
        headers[n++] =
            (struct http_header){SPAN_LIT("X-Juyong-Timestamp"), span_str(signature.timestamp)};
        headers[n++] =
            (struct http_header){SPAN_LIT("X-Juyong-Signature"), span_str(signature.text)};
    }
    struct http_fetch_options o = {
        .method = SPAN_LIT("POST"),
        .url = source->url,
        .headers = headers,
        .header_count = n,
        .body = buf_span(&a->body),
        .connect_ms = source->connect_ms,
        .buffer_max = 65536,
        .event = fetch_event,
        .ctx = a,
    };
    if (r == 0)
        r = http_fetch_start(a->desk->client, &o, &a->fetch);
    buf_deinit(&bearer);
    if (r == 0) {
        a->active = true;
        a->window->active++;
    }
    return r;
}

int opinion_ask(struct opinion_desk *d, const struct config_opinion *source,
                const struct opinion_question *q, unsigned timeout_ms, opinion_fn fn, void *ctx,
                struct opinion_ask **ret_ask, struct opinion_answer *ret_answer)
{
    unsigned char key[OPINION_KEY_SIZE];
    bool keyed = source->cache && opinion_cache_key(d->cache, source, q, key) == 0;
    *ret_answer = (struct opinion_answer){.failure = OPINION_OVERLOADED};
    if (keyed &&
        opinion_cache_get(d->cache, source, key, loop_now_ms(d->loop), &ret_answer->verdict)) {
        ret_answer->failure = OPINION_SAID;
        ret_answer->cached = true;
        return 1;
    }
    struct window *w = window_of(d, source->name);
    if (!w)
        return 1;
    bool waits = w->active >= source->concurrency;
    struct opinion_ask *a = waits && w->waiting >= source->queue ? NULL : calloc(1, sizeof(*a));
    if (!a) {
        close_window(w);
        return 1;
    }
    *a = (struct opinion_ask){
        .desk = d,
        .window = w,
        .source = source,
        .body = BUF_INIT(SIZE_MAX / 4), /* the text has its ceiling */
        .answer = BUF_INIT(DESK_ANSWER_MAX),
        .keyed = keyed,
        .since_us = loop_now_us(d->loop),
        .fn = fn,
        .ctx = ctx,
    };
    w->users++;
    if (keyed)
        memcpy(a->key, key, sizeof(key));
    list_init(&a->link);
    loop_task_init(&a->task, step);
    loop_timer_init(d->loop, &a->deadline, expired);
    int r = opinion_adapter(source)->write(source, q, &a->body);
    if (r == 0)
        r = loop_timer_set(&a->deadline, loop_now_ms(d->loop) + timeout_ms);
    if (r == 0 && waits) {
        list_append(&w->queue, &a->link);
        w->waiting++;
    } else if (r == 0) {
        r = start(a);
    }
    if (r < 0) {
        finish(a);
        return 1;
    }
    *ret_ask = a;
    return 0;
}

void opinion_withdraw(struct opinion_ask *a)
{
    if (a)
        finish(a);
}
