#include "cli/keeper.h"

#include "audit/export.h"
#include "audit/prune.h"
#include "audit/witness.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "http/client.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#define TICK_MS  1000
#define DAY_MS   86400000u
#define AGAIN_MS 3600000u /* after a pruning that failed */
#define POST_MS  10000

struct keeper;

/* A post under way to one sink. */
struct delivery {
    struct keeper *keeper;
    struct http_fetch *fetch; /* NULL: none */
    struct loop_task task;
    struct loop_timer timer;
    bool late;
    struct buf authorization;
};

struct keeper {
    struct audit *audit;
    struct snapshot *snapshot; /* whose configuration names the places */
    struct loop *loop;
    struct http_client *client;
    struct export *export;
    struct loop_timer tick;
    struct loop_hook hook;
    uint64_t prune_ms; /* when next */
    pthread_t thread;
    bool running;
    atomic_bool stopping;
    struct export_sink *sinks;
    struct delivery *deliveries; /* one a sink */
    size_t count;
};

/* ---- posting ---- */

static void finish(struct delivery *d, int result, int status)
{
    struct keeper *k = d->keeper;
    http_fetch_free(d->fetch);
    d->fetch = NULL;
    loop_timer_cancel(&d->timer);
    export_posted(k->export, (size_t)(d - k->deliveries), result, status);
}

static void look(struct loop_task *t)
{
    struct delivery *d = list_entry(t, struct delivery, task);
    if (!d->fetch)
        return;
    for (struct span data; (data = http_fetch_data(d->fetch)).len;)
        http_fetch_consume(d->fetch, data.len); /* what it says does not matter */
    if (d->late) {
        finish(d, -ETIMEDOUT, 0);
    } else if (http_fetch_over(d->fetch)) {
        bool answered = http_fetch_result(d->fetch) == HTTP_FETCH_OK;
        int status = answered ? http_fetch_status(d->fetch) : 0;
        finish(d, status >= 200 && status <= 299 ? 0 : answered ? -EPROTO : -ECONNREFUSED, status);
    }
}

static void event(void *ctx, unsigned events)
{
    struct delivery *d = ctx;
    loop_task_post(d->keeper->loop, &d->task);
}

static void expired(struct loop_timer *t)
{
    struct delivery *d = list_entry(t, struct delivery, timer);
    d->late = true;
    loop_task_post(d->keeper->loop, &d->task);
}

static int post(void *ctx, size_t sink, struct span lines)
{
    struct keeper *k = ctx;
    if (atomic_load(&k->stopping)) /* it could not be waited for: it goes with the next start */
        return -ECANCELED;
    struct delivery *d = &k->deliveries[sink];
    struct http_header headers[3] = {
        {SPAN_LIT("Content-Type"), SPAN_LIT("application/jsonl")},
        {SPAN_LIT("User-Agent"), SPAN_LIT("juyong/" JUYONG_VERSION)},
        {SPAN_LIT("Authorization"), buf_span(&d->authorization)},
    };
    struct http_fetch_options o = {
        .method = SPAN_LIT("POST"),
        .url = k->sinks[sink].url,
        .headers = headers,
        .header_count = d->authorization.len ? 3 : 2,
        .body = lines,
        .connect_ms = POST_MS,
        .buffer_max = 65536,
        .event = event,
        .ctx = d,
    };
    d->late = false;
    int r = http_fetch_start(k->client, &o, &d->fetch);
    if (r == 0)
        r = loop_timer_set(&d->timer, loop_now_ms(k->loop) + POST_MS);
    if (r < 0) {
        http_fetch_free(d->fetch);
        d->fetch = NULL;
    }
    return r;
}

/* ---- pruning ---- */

static void prune(struct keeper *k)
{
    struct prune_report *report = calloc(1, sizeof(*report));
    const struct audit_retention *keep = audit_retention(k->audit);
    struct prune_options o = {.dir = audit_dir(k->audit),
                              .records = keep->records,
                              .texts = keep->texts,
                              .originals = keep->originals,
                              .samples = keep->samples,
                              .now_us = clock_wall_us(),
                              .who = SPAN_LIT("\"author\":\"retention\"")};
    int r = report ? witness_clock(o.dir, o.now_us, &o.witnessed_us) : -ENOMEM;
    if (r == 0)
        r = prune_run(k->audit, &o, report);
    k->prune_ms = loop_now_ms(k->loop) + (r < 0 ? AGAIN_MS : DAY_MS);
    if (r < 0)
        log_error("audit: the log can't be pruned: %s; trying again in an hour", strerror(-r));
    else if (report->file_count || report->texts || report->originals || report->samples)
        log_info("audit: pruned %zu files, and from others %llu texts, %llu samples, %llu original "
                 "texts",
                 report->file_count, (unsigned long long)report->texts,
                 (unsigned long long)report->samples, (unsigned long long)report->originals);
    free(report);
}

/* ---- the thread ---- */

static void tick(struct loop_timer *t)
{
    struct keeper *k = list_entry(t, struct keeper, tick);
    export_step(k->export, loop_now_ms(k->loop), clock_wall_us());
    if (loop_now_ms(k->loop) >= k->prune_ms)
        prune(k);
    if (loop_timer_set(t, loop_now_ms(k->loop) + TICK_MS) < 0)
        log_error("audit: no memory: the log is no longer pruned and exported");
}

static void check_stop(struct loop_hook *h)
{
    struct keeper *k = list_entry(h, struct keeper, hook);
    if (atomic_load(&k->stopping))
        loop_stop(k->loop);
}

static void *run(void *arg)
{
    struct keeper *k = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    loop_run(k->loop);
    return NULL;
}

static int prepare(struct keeper *k)
{
    const struct config *c = snapshot_config(k->snapshot);
    k->sinks = calloc(k->count + 1, sizeof(*k->sinks));
    k->deliveries = calloc(k->count + 1, sizeof(*k->deliveries));
    k->loop = loop_new();
    if (!k->sinks || !k->deliveries || !k->loop)
        return -ENOMEM;
    int r = http_client_new(k->loop, 4, &k->client);
    for (size_t i = 0; r == 0 && i < k->count; i++) {
        const struct config_export *e = &c->audit.exports[i];
        struct delivery *d = &k->deliveries[i];
        k->sinks[i] = (struct export_sink){.file = e->file, .syslog = e->syslog, .url = e->url};
        d->keeper = k;
        d->authorization = BUF_INIT(8192);
        loop_task_init(&d->task, look);
        loop_timer_init(k->loop, &d->timer, expired);
        if (e->key.len)
            r = buf_printf(&d->authorization, "Bearer %.*s", SPAN_ARG(e->key));
    }
    struct export_options o = {.dir = audit_dir(k->audit),
                               .sinks = k->sinks,
                               .sink_count = k->count,
                               .post = post,
                               .ctx = k};
    return r == 0 ? export_open(&o, &k->export) : r;
}

int keeper_open(struct audit *a, struct snapshot *s, struct keeper **ret_keeper)
{
    struct keeper *k = calloc(1, sizeof(*k));
    if (!k)
        return -ENOMEM;
    k->audit = a;
    k->snapshot = snapshot_ref(s);
    k->count = snapshot_config(s)->audit.export_count;
    int r = prepare(k);
    if (r == 0) {
        loop_hook_add(k->loop, &k->hook, check_stop);
        loop_timer_init(k->loop, &k->tick, tick);
        r = loop_timer_set(&k->tick, 0);
    }
    if (r == 0)
        r = -pthread_create(&k->thread, NULL, run, k);
    k->running = r == 0;
    if (r < 0) {
        log_error("audit: the log can't be kept: %s", strerror(-r));
        keeper_free(k);
        return r;
    }
    *ret_keeper = k;
    return 0;
}

void keeper_stop(struct keeper *k)
{
    if (!k || !k->running)
        return;
    atomic_store(&k->stopping, true);
    loop_wake(k->loop);
    pthread_join(k->thread, NULL);
    k->running = false;
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    keeper_stop(k);
    atomic_store(&k->stopping, true);
    if (k->export)
        export_step(k->export, clock_mono_ms(), clock_wall_us());
    export_close(k->export);
    if (k->tick.loop) {
        loop_timer_cancel(&k->tick);
        loop_hook_remove(&k->hook);
    }
    for (size_t i = 0; k->deliveries && i < k->count; i++) {
        if (k->deliveries[i].keeper) {
            http_fetch_free(k->deliveries[i].fetch);
            loop_timer_cancel(&k->deliveries[i].timer);
            loop_task_cancel(&k->deliveries[i].task);
        }
        buf_deinit(&k->deliveries[i].authorization);
    }
    http_client_free(k->client);
    loop_free(k->loop);
    free(k->sinks);
    free(k->deliveries);
    snapshot_unref(k->snapshot);
    free(k);
}

/* ---- what it tells ---- */

unsigned keeper_weakenings(struct keeper *k, struct buf *out)
{
    unsigned count = 0;
    uint64_t now = clock_wall_us();
    for (size_t i = 0; k && i < k->count; i++) {
        struct export_health h;
        export_get_health(k->export, i, &h);
        if (h.since_us == 0 || now < h.since_us + EXPORT_LATE_US)
            continue;
        count++;
        buf_printf(out, "audit: checkpoints don't reach %s since %llu min: %s\n", h.name,
                   (unsigned long long)((now - h.since_us) / 60000000u),
                   h.why[0] ? h.why : "under way");
    }
    return count;
}

int keeper_stats(struct keeper *k, struct buf *out)
{
    int r = 0;
    if (!k || k->count == 0)
        return 0;
    r = buf_append(out,
                   SPAN_LIT("# HELP juyong_log_export_waiting Signed checkpoints that are not yet "
                            "in their second place.\n"
                            "# TYPE juyong_log_export_waiting gauge\n"));
    for (size_t i = 0; r == 0 && i < k->count; i++) {
        struct export_health h;
        export_get_health(k->export, i, &h);
        for (char *c = h.name; *c; c++)
            if (*c == '"' || *c == '\\' || *c == '\n')
                *c = '_';
        r = buf_printf(out, "juyong_log_export_waiting{to=\"%s\"} %llu\n", h.name,
                       (unsigned long long)h.waiting);
    }
    return r;
}
