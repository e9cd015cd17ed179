#include "gate/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "gate/admit.h"
#include "gate/complaint.h"
#include "gate/label.h"
#include "http/courier.h"
#include "opinion/desk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Pooled upstream connections of one worker. */
#define GATE_POOL 1024

/* --- the front door --- */

bool gate_is_type(struct span header, struct span type)
{
    struct span part;
    if (!span_split(&header, ';', &part) || !span_eq_nocase(span_trim(part), type))
        return false;
    /* JSON and event streams are UTF-8 and nothing else; a charset that says otherwise is not
     * guessed at. */
    while (span_split(&header, ';', &part)) {
        part = span_trim(part);
        if (part.len >= 8 && span_eq_nocase(span_slice(part, 0, 8), SPAN_LIT("charset=")) &&
            !span_eq_nocase(span_slice(part, 8, part.len), SPAN_LIT("utf-8")) &&
            !span_eq_nocase(span_slice(part, 8, part.len), SPAN_LIT("\"utf-8\"")))
            return false;
    }
    return true;
}

struct admission {
    enum cause cause;
    const struct dialect *dialect;
    struct access_identity who;
    struct purpose purpose;
    bool models;
    struct span detail; /* of the cause */
};

static struct admission decide(const struct door *d, struct http_request *r)
{
    struct gate *g = d->gate;
    struct admission a = {.cause = CAUSE_NONE};
    struct span path = http_request_path(r), method = http_request_method(r);
    struct span encoding = http_request_header(r, "Content-Encoding");
    a.models = span_eq(path, SPAN_LIT("/v1/models"));
    /* One may be the client's and one its front's: whose is the first nobody knows. */
    a.detail = http_request_repeated(r, SPAN_LIT("x-juyong-"));
    a.dialect = dialect_find(path);
    if (a.detail.len)
        a.cause = CAUSE_REPEATED_HEADER;
    else if (!a.dialect && !a.models)
        a.cause = CAUSE_NOT_FOUND;
    else if (!span_eq(method, a.models ? SPAN_LIT("GET") : SPAN_LIT("POST")))
        a.cause = CAUSE_METHOD;
    else
        a.cause = purpose_identify(d, r, !a.models, &a.who, &a.purpose);
    if (a.cause != CAUSE_NONE)
        return a;
    if (a.dialect &&
        !gate_is_type(http_request_header(r, "Content-Type"), SPAN_LIT("application/json")))
        a.cause = CAUSE_UNSUPPORTED_TYPE;
    else if (encoding.len && !span_eq_nocase(encoding, SPAN_LIT("identity")))
        a.cause = CAUSE_UNSUPPORTED_ENCODING;
    else if (g->draining)
        a.cause = CAUSE_DRAINING;
    else if (a.dialect && g->audit && !audit_ready(g->audit))
        a.cause = CAUSE_AUDIT_UNAVAILABLE;
    return a;
}

static void count_rejection(const struct door *d, enum cause cause)
{
    struct metrics *m = d->reviewers ? &d->gate->aside : d->gate->metrics;
    if (cause == CAUSE_NOT_FOUND || cause == CAUSE_METHOD)
        metrics_add(m, METRIC_REJECTED_ROUTE, 1);
    else if (cause == CAUSE_UNAUTHORIZED || cause == CAUSE_REVIEWER_ELSEWHERE)
        metrics_add(m, METRIC_REJECTED_AUTH, 1);
    else
        metrics_add(m, METRIC_OUTCOME_REJECTED, 1);
}

/* NULL when memory is out. */
static struct exchange *begin(struct gate *g, struct http_request *r, const struct admission *a)
{
    struct exchange *x = exchange_new(g, r, &a->purpose);
    if (!x)
        return NULL;
    x->dialect = a->dialect;
    x->who = a->who;
    if (admit_new(x) == 0)
        return x;
    exchange_free(x);
    return NULL;
}

static size_t admit(void *ctx, struct http_request *r)
{
    struct door *d = ctx;
    struct gate *g = d->gate;
    size_t max;
    if (!d->reviewers && complaint_admit(g->complaints, r, snapshot_config(g->snapshot), &max))
        return max;
    struct admission a = decide(d, r);
    struct exchange *x = a.cause == CAUSE_NONE ? begin(g, r, &a) : NULL;
    if (a.cause == CAUSE_NONE && !x)
        a.cause = CAUSE_OVERLOADED;
    if (a.cause != CAUSE_NONE) {
        count_rejection(d, a.cause);
        reply_rejection(g, r, a.cause, a.detail);
        return 0;
    }
    http_request_set_owner(r, x);
    return a.dialect ? admit_body_max(exchange_config(x), a.who.app) : 0;
}

static void client_event(void *ctx, struct http_request *r, unsigned events)
{
    if (complaint_event(((struct door *)ctx)->gate->complaints, r, events))
        return;
    struct exchange *x = http_request_owner(r);
    if (!x) { /* was rejected when its head was read */
        if (events & HTTP_DONE)
            http_request_release(r);
        else if (events & (HTTP_BODY | HTTP_GONE))
            http_request_abort(r); /* memory was out when it should have been answered */
        return;
    }
    x->client_events |= events;
    exchange_post(x);
}

static bool is_proxy(void *ctx, struct span address)
{
    const struct gate *g = ((const struct door *)ctx)->gate;
    return access_trusts(snapshot_config(g->snapshot), address);
}

/* The server refuses: in the words, and with the id, that any other answer has. */
static void refused(void *ctx, struct http_request *r, enum http_refusal why, struct span detail)
{
    static const enum cause causes[] = {
        [HTTP_REFUSED_FRAMING] = CAUSE_BAD_FRAMING,
        [HTTP_REFUSED_EXPECTATION] = CAUSE_EXPECTATION,
        [HTTP_REFUSED_HEADERS] = CAUSE_HEADERS_TOO_LARGE,
        [HTTP_REFUSED_BODY] = CAUSE_TOO_LARGE,
        [HTTP_REFUSED_MEMORY] = CAUSE_OVERLOADED,
    };
    struct door *d = ctx;
    struct exchange *x = r ? http_request_owner(r) : NULL;
    metrics_add(d->reviewers ? &d->gate->aside : d->gate->metrics, METRIC_REJECTED_FRAMING, 1);
    if (r &&
        complaint_refuse(d->gate->complaints, r, why == HTTP_REFUSED_MEMORY ? -ENOMEM : -EFBIG))
        return;
    if (x)
        ask_reject(x, causes[why], SPAN_NULL, SPAN_NULL);
    else if (r)
        reply_rejection(d->gate, r, causes[why], detail);
}

/* --- exchanges by number, for the way back from the log --- */

int gate_add(struct gate *g, struct exchange *x)
{
    size_t slot = g->free_slot;
    while (slot < g->slot_count && g->slots[slot])
        slot++;
    if (slot == g->slot_count) {
        size_t count = g->slot_count ? g->slot_count * 2 : 256;
        struct exchange **slots = realloc(g->slots, count * sizeof(struct exchange *));
        if (!slots)
            return -ENOMEM;
        g->slots = slots;
        uint32_t *generations = realloc(g->generations, count * sizeof(uint32_t));
        if (!generations)
            return -ENOMEM;
        g->generations = generations;
        for (size_t i = g->slot_count; i < count; i++) {
            g->slots[i] = NULL;
            g->generations[i] = 0;
        }
        g->slot_count = count;
    }
    g->slots[slot] = x;
    g->free_slot = slot + 1;
    x->id = (uint64_t)++g->generations[slot] << 32 | slot;
    g->active++;
    list_append(&g->exchanges, &x->link);
    metrics_add(x->purpose.metrics, METRIC_ACTIVE, 1);
    return 0;
}

void gate_remove(struct gate *g, struct exchange *x)
{
    size_t slot = (size_t)(x->id & 0xFFFFFFFF);
    g->slots[slot] = NULL;
    if (slot < g->free_slot)
        g->free_slot = slot;
    g->active--;
    list_remove(&x->link);
    metrics_add(x->purpose.metrics, METRIC_ACTIVE, -1);
    if (g->draining && g->active == 0)
        loop_timer_set(&g->drain_timer,
                       0); /* a turn later: the library may still hold its socket */
}

static void recorded(struct loop_watch *w, uint32_t events)
{
    struct gate *g = list_entry(w, struct gate, port_watch);
    struct audit_done done[64];
    size_t n;
    while ((n = audit_port_collect(g->port, done, 64)) > 0) {
        for (size_t i = 0; i < n; i++) {
            size_t slot = (size_t)(done[i].exchange & 0xFFFFFFFF);
            struct exchange *x = slot < g->slot_count ? g->slots[slot] : NULL;
            if (x && x->id == done[i].exchange)
                record_done(x, done[i].kind, done[i].status);
        }
    }
}

/* --- life --- */

struct span gate_request_id(struct gate *g, char ret_text[GATE_ID_SIZE])
{
    int n =
        snprintf(ret_text, GATE_ID_SIZE, "req_%011llx%02x%04x%05llx",
                 (unsigned long long)(clock_wall_us() / 1000), g->options.worker & 0xFF,
                 (unsigned)(g->boot & 0xFFFF), (unsigned long long)(g->next_request++ & 0xFFFFF));
    return span_from(ret_text, (size_t)n);
}

static void drain_step(struct loop_timer *t)
{
    struct gate *g = list_entry(t, struct gate, drain_timer);
    if (g->active == 0) {
        if (g->drained)
            g->drained(g->drained_ctx);
        return;
    }
    /* Time is up: each exchange ends as if a deadline had passed. */
    log_warning("drain: %zu exchanges are cut", g->active);
    g->cutting = true;
    list_for_each (e, &g->exchanges) {
        struct exchange *x = list_entry(e, struct exchange, link);
        x->timed_out = true;
        if (x->state == EXCHANGE_READING || x->state == EXCHANGE_ENDING)
            http_request_abort(x->client);
        exchange_post(x);
    }
    loop_timer_set(&g->drain_timer, loop_now_ms(g->loop) + 1000);
}

/* -ENOMEM leaves those that are there. */
static int find_limit_apps(struct gate *g, const struct config *c)
{
    struct limit_app **apps = calloc(c->app_count, sizeof(struct limit_app *));
    bool whole = apps != NULL;
    for (size_t i = 0; whole && g->options.limiter && i < c->app_count; i++) {
        apps[i] = limiter_app(g->options.limiter, c->apps[i].name);
        whole = apps[i] != NULL;
    }
    if (!whole) {
        free(apps);
        return -ENOMEM;
    }
    free(g->limit_apps);
    g->limit_apps = apps;
    return 0;
}

int gate_new(const struct gate_options *o, struct gate **ret_gate)
{
    struct gate *g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    const struct config *c = snapshot_config(o->snapshot);
    static const struct http_server_ops ops = {admit, client_event, refused, is_proxy};
    struct http_server_options server = {
        .host = o->stand_in ? SPAN_LIT("127.0.0.1") : c->listen_host,
        .port = o->stand_in ? 0 : c->listen_port,
        .shared_port = o->shared_port,
        .proxied = c->proxy_protocol && !o->stand_in,
        .connections = c->limits.connections,
        .per_ip = c->limits.per_ip,
        .header_ms = c->limits.header_ms,
        .body_ms = c->limits.body_ms,
        .idle_ms = c->limits.idle_ms,
        .write_ms = c->limits.write_ms,
    };
    g->options = *o;
    g->loop = o->loop;
    g->metrics = o->metrics;
    g->front = (struct door){.gate = g};
    g->reviewers_door = (struct door){.gate = g, .reviewers = true};
    g->audit = o->audit;
    g->snapshot = snapshot_ref(o->snapshot);
    g->hasher = access_hasher_new(snapshot_access(g->snapshot));
    list_init(&g->exchanges);
    loop_timer_init(g->loop, &g->drain_timer, drain_step);
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    limits.nodes = c->limits.json_nodes;
    g->walk = json_walk_new(&limits, NULL);
    g->consents = label_consents_new(c->state_dir);
    int r = g->walk && g->consents ? 0 : -ENOMEM;
    if (r == 0)
        r = find_limit_apps(g, c);
    if (r == 0)
        r = secret_random(&g->boot, sizeof(g->boot));
    if (r == 0 && g->audit)
        r = audit_port_open(g->audit, &g->port);
    if (r == 0 && g->port) {
        g->port_watch = (struct loop_watch){.fd = audit_port_fd(g->port), .fn = recorded};
        r = loop_watch_add(g->loop, &g->port_watch, EPOLLIN);
    }
    if (r == 0)
        r = http_client_new(g->loop, GATE_POOL, &g->client);
    if (r == 0)
        r = opinion_desk_new(g->loop, g->client, &g->desk);
    if (r == 0 && o->complaints)
        r = complaint_desk_new(g, o->complaints, &g->complaints);
    if (r == 0)
        r = courier_new(g->loop, g->client, &g->courier);
    if (r == 0)
        r = http_server_new(g->loop, &server, &ops, &g->front, &g->server);
    if (r == 0 && o->serves_reviewers && c->reviewers.port) {
        server.host = c->reviewers.host;
        server.port = c->reviewers.port;
        server.shared_port = false;
        r = http_server_new(g->loop, &server, &ops, &g->reviewers_door, &g->reviewers_server);
        if (r < 0)
            log_error("can't listen for reviewers on %.*s port %u: %s", SPAN_ARG(c->reviewers.host),
                      c->reviewers.port, strerror(-r));
    }
    if (r < 0) {
        gate_free(g);
        return r;
    }
    *ret_gate = g;
    return 0;
}

void gate_reload(struct gate *g, struct snapshot *s)
{
    if (find_limit_apps(g, snapshot_config(s)) < 0) {
        log_error("no memory for a reload: what was in force stays in force");
        return;
    }
    struct snapshot *old = g->snapshot;
    g->snapshot = snapshot_ref(s);
    if (snapshot_access(old) != snapshot_access(s)) {
        access_hasher_free(g->hasher);
        g->hasher = access_hasher_new(snapshot_access(s));
    }
    snapshot_unref(old);
    metrics_add(g->metrics, METRIC_RELOADS, 1);
}

void gate_drain(struct gate *g, void (*done)(void *ctx), void *ctx)
{
    g->draining = true;
    g->drained = done;
    g->drained_ctx = ctx;
    http_server_quiesce(g->server);
    if (g->reviewers_server)
        http_server_quiesce(g->reviewers_server);
    list_for_each (e, &g->exchanges)
        list_entry(e, struct exchange, link)->draining = true;
    uint64_t ms = g->active ? snapshot_config(g->snapshot)->limits.drain_ms : 0;
    loop_timer_set(&g->drain_timer, loop_now_ms(g->loop) + ms);
}

void gate_free(struct gate *g)
{
    if (!g)
        return;
    label_consents_free(g->consents);
    complaint_desk_free(g->complaints);
    http_server_free(g->server);
    http_server_free(g->reviewers_server);
    opinion_desk_free(g->desk);
    courier_free(g->courier);
    http_client_free(g->client);
    if (g->port) {
        loop_watch_remove(g->loop, &g->port_watch);
        audit_port_close(g->port);
    }
    loop_timer_cancel(&g->drain_timer);
    json_walk_free(g->walk);
    snapshot_unref(g->snapshot);
    free(g->slots);
    free(g->generations);
    free(g->limit_apps);
    access_hasher_free(g->hasher);
    free(g);
}

uint16_t gate_port(const struct gate *g)
{
    return http_server_port(g->server);
}
