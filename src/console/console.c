#include "console/console.h"

#include "console/answer.h"
#include "console/call.h"
#include "console/guard.h"
#include "console/lookups.h"
#include "console/memo.h"
#include "console/page.h"
#include "console/routes.h"
#include "console/verifier.h"

#include "base/log.h"
#include "casebook/export.h"
#include "config/value.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

#include <errno.h>
#include <stdlib.h>

/* Listeners of before, whose certificate is no longer the one: what they have goes on. */
#define RETIRED    4
#define WATCH_MS   1000
#define CLERKS     4 /* trying a change on the log takes one of them some seconds */
#define CLERK_JOBS 64
/* Who isn't logged in waits in a queue of his own: guessing keeps nobody from his work, and no work
 * of others keeps anybody from logging in. */
#define DOOR_JOBS        16
#define BODY_MAX         ((size_t)1 << 20)
#define COVERAGE_MAX     ((size_t)4 << 20)
#define METRICS_MAX      ((size_t)32 << 20) /* many models make many histograms */
#define LOGIN_MAX        ((size_t)16 << 10) /* of who isn't logged in */
#define CONNECTIONS      512
#define CONNECTIONS_EACH 64 /* of one address */

struct console {
    struct loop *loop;
    struct http_server *server, *retired[RETIRED];
    struct loop_timer watch;
    unsigned char served[SHA256_SIZE]; /* the digest of certificate and key */
    struct clerk *clerk, *door;
    struct audit_port *ports[CLERKS + 1]; /* of each clerk, the door's last; NULL without a log */
    struct list calls;
    struct guard guard;
    struct memo coverage;
    struct lookups *lookups;
    unsigned reloads;
    struct verifier *verifier, *own; /* own: the same, if it is to be freed here */
    struct config_console plain;     /* what holds without a configuration, in tests */
    struct snapshot *snapshot;
    struct audit *audit;
    struct casebook *casebook;
    struct console_ops ops;
    void *ctx;
};

static const struct config_console *settings_of(const struct console *c,
                                                const struct snapshot *snapshot)
{
    return snapshot ? &snapshot_config(snapshot)->console : &c->plain;
}

/* --- for machines --- */

static int say(struct http_request *r, int status, struct span type, struct span body)
{
    struct answer a = {.status = status, .type = type, .body = body, .close = true};
    return answer_send(r, &a);
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
        rc = say(r, reason.len ? 503 : 200, SPAN_LIT("text/plain; charset=utf-8"), buf_span(&body));
    buf_deinit(&body);
    return rc;
}

static int answer_metrics(struct console *c, struct http_request *r)
{
    struct buf body = BUF_INIT(METRICS_MAX);
    int rc = c->ops.stats(c->ctx, &body);
    if (rc == 0)
        rc = say(r, 200, SPAN_LIT("text/plain; version=0.0.4; charset=utf-8"), buf_span(&body));
    buf_deinit(&body);
    return rc;
}

/* Answers at once; false when it is none of theirs. */
static bool answer_machine(struct console *c, struct http_request *r)
{
    struct span path = http_request_path(r);
    bool health = span_eq(path, SPAN_LIT("/healthz")), ready = span_eq(path, SPAN_LIT("/readyz"));
    if (!health && !ready && !span_eq(path, SPAN_LIT("/metrics")))
        return false;
    if (!span_eq(http_request_method(r), SPAN_LIT("GET"))) {
        struct answer a = {.status = 405,
                           .type = SPAN_LIT("text/plain; charset=utf-8"),
                           .body = SPAN_LIT("method not allowed\n"),
                           .allow = "GET", /* RFC 9110, 15.5.6 */
                           .close = true};
        answer_send(r, &a);
    } else if (health) {
        say(r, 200, SPAN_LIT("text/plain; charset=utf-8"), SPAN_LIT("ok\n"));
    } else if (ready) {
        answer_ready(c, r);
    } else if (settings_of(c, c->snapshot)->guarded_metrics) {
        return false; /* a route like others */
    } else {
        answer_metrics(c, r);
    }
    return true;
}

/* --- for people --- */

static void step(struct loop_task *t);

/* What is asked for: 0, or the status that refuses it with *ret_code and *ret_message. */
static int find(struct call *call, const char **ret_code, const char **ret_message)
{
    struct http_request *r = call->r;
    struct api_request *q = &call->q;
    q->method = http_request_method(r);
    q->path = http_request_path(r);
    *ret_code = "not_found";
    *ret_message = "There is nothing of that name.";
    if (!span_starts(q->path, SPAN_LIT("/api/")) && !span_eq(q->path, SPAN_LIT("/metrics"))) {
        call->file = page_find(q->path, &call->immutable);
        if (!call->file)
            return 404;
        *ret_code = "method_not_allowed";
        *ret_message = "The page can be read, not written.";
        return span_eq(q->method, SPAN_LIT("GET")) ? 0 : 405;
    }
    switch (route_find(q->method, q->path, &call->arena, &call->route, q->parts)) {
    case ROUTE_FOUND:
        break;
    case ROUTE_NOT_SO:
        *ret_code = "method_not_allowed";
        *ret_message = "It can't be done in that way.";
        return 405;
    case ROUTE_UNREADABLE:
        *ret_code = "bad_path";
        *ret_message = "The path has escapes or characters that name nothing.";
        return 400;
    case ROUTE_UNKNOWN:
        return 404;
    }
    *ret_code = "bad_parameter";
    *ret_message = "The query can't be read, or says something twice.";
    return route_query(http_request_query(r), &call->arena, q->query, &q->query_count) < 0 ? 400
                                                                                           : 0;
}

/* The client's address: a trusted proxy's word for it counts, but not where the client put in one
 * of his own as well. */
static int read_client(struct console *c, struct call *call)
{
    struct span peer = http_request_peer(call->r, &call->q.client_port);
    struct span named = http_request_header(call->r, "X-Juyong-Client-IP");
    const struct config *config = c->snapshot ? snapshot_config(c->snapshot) : NULL;
    unsigned char address[16], told[16];
    if (http_request_header_count(call->r, "X-Juyong-Client-IP") != 1)
        named = SPAN_NULL;
    for (size_t i = 0; config && i < config->trusted_proxy_count && named.len; i++)
        if (network_read_address(peer, address) &&
            network_contains(&config->trusted_proxies[i], address) &&
            network_read_address(named, told)) {
            peer = named;
            call->q.client_port = 0;
            break;
        }
    call->q.client_ip = arena_copy(&call->arena, peer);
    return call->q.client_ip.data ? 0 : -ENOMEM;
}

static struct guard_refusal judge(struct console *c, struct call *call)
{
    struct guard_refusal no = {0};
    no.status = find(call, &no.code, &no.message);
    /* A foreign name is told nothing of what there is. */
    struct guard_refusal other = guard_check(&c->guard, settings_of(c, c->snapshot), call->r,
                                             call->route, &call->arena, &call->q);
    return other.status == 421 || no.status == 0 ? other : no;
}

static size_t admit(void *ctx, struct http_request *r)
{
    struct console *c = ctx;
    struct guard_refusal no = {503, "out_of_memory", "Memory is out. Try again later."};
    if (answer_machine(c, r))
        return 0;
    struct call *call = call_new(c, r);
    if (call && read_client(c, call) == 0)
        no = judge(c, call);
    if (no.status) {
        call_free(call);
        answer_error(r, no.status, no.code, no.message);
        return 0;
    }
    loop_task_init(&call->task, step);
    http_request_set_owner(r, call);
    list_append(&c->calls, &call->link);
    if (call->file || span_eq(call->q.method, SPAN_LIT("GET")))
        return 0;
    return call->route->may ? BODY_MAX : LOGIN_MAX;
}

/* Within the library's callbacks: what it means is looked at in step(). */
static void event(void *ctx, struct http_request *r, unsigned events)
{
    struct console *c = ctx;
    struct call *call = http_request_owner(r);
    if (!call) {
        if (events & HTTP_DONE)
            http_request_release(r);
        else if (events & (HTTP_BODY | HTTP_GONE))
            http_request_abort(r); /* memory was out when it should have been answered */
        return;
    }
    call->events |= events;
    if (events & HTTP_GONE)
        atomic_store(&call->gone, true);
    loop_task_post(c->loop, &call->task);
}

static void refuse(struct call *call, int status, const char *code, const char *message)
{
    call->answered = true;
    if (answer_error(call->r, status, code, message) < 0)
        http_request_abort(call->r);
}

static void give_file(struct call *call)
{
    const struct page_file *f = call->file;
    bool known = span_eq(http_request_header(call->r, "If-None-Match"), span_str(f->tag));
    struct answer a = {.status = known ? 304 : 200,
                       .type = span_str(f->type),
                       .body = known ? SPAN_LIT("") : span_from((const char *)f->data, f->len),
                       .tag = f->tag,
                       .immutable = call->immutable};
    call->answered = true;
    if (answer_send(call->r, &a) < 0)
        http_request_abort(call->r);
}

static void give_answer(struct call *call)
{
    struct api_answer *got = &call->a;
    struct answer a = {.status = got->status ? got->status : 200,
                       .type = got->type,
                       .body = buf_span(&got->body),
                       .file = got->file,
                       .file_name = got->file_name[0] ? got->file_name : NULL,
                       .cookie = got->cookie[0] ? got->cookie : NULL,
                       .retry_after_s = got->retry_after_s};
    got->file = 0;
    call->answered = true;
    if (answer_send(call->r, &a) < 0)
        http_request_abort(call->r);
}

static void run(struct call *call, unsigned port)
{
    struct console *c = call->console;
    struct api api = {.snapshot = call->snapshot,
                      .audit = c->audit,
                      .port = c->ports[port],
                      .casebook = c->casebook,
                      .ops = &c->ops,
                      .ops_ctx = c->ctx,
                      .console = c,
                      .guard = &c->guard,
                      .coverage = &c->coverage,
                      .lookups = c->lookups,
                      .reloads = call->reloads,
                      .verifier = c->verifier,
                      .settings = settings_of(c, call->snapshot)};
    if (api.snapshot) {
        api.config = snapshot_config(api.snapshot);
        api.rules = snapshot_rules(api.snapshot);
        api.log_dir = api.config->audit.dir;
        api.state_dir = api.config->state_dir;
    }
    call_work(call, &api);
}

static void work(struct clerk_job *j, unsigned thread)
{
    run(list_entry(j, struct call, job), thread);
}

static void work_at_door(struct clerk_job *j, unsigned thread)
{
    run(list_entry(j, struct call, job), CLERKS);
}

static void worked(struct clerk_job *j)
{
    struct call *call = list_entry(j, struct call, job);
    call->working = false;
    step(&call->task);
}

static void begin(struct call *call)
{
    struct console *c = call->console;
    if (call->events & HTTP_TOO_LARGE) {
        refuse(call, 413, "too_large", "The body is larger than is taken.");
        return;
    }
    if (call->file) {
        give_file(call);
        return;
    }
    call->raw = http_request_body(call->r);
    call->snapshot = c->snapshot ? snapshot_ref(c->snapshot) : NULL;
    call->reloads = c->reloads;
    /* Logging in, and whatever else anybody may ask who isn't logged in. */
    bool door = call->route->may == 0 &&
                (call->q.user.len == 0 || span_eq(call->q.method, SPAN_LIT("POST")));
    call->job.work = door ? work_at_door : work;
    call->job.done = worked;
    call->working = true;
    call->result = -ECANCELED; /* unless a clerk gets to it */
    if (clerk_submit(door ? c->door : c->clerk, &call->job) < 0) {
        call->working = false;
        refuse(call, 503, "busy", "Too much is being asked at once. Try again in a moment.");
    }
}

/* Whatever happened: the one place where a call's state changes. */
static void step(struct loop_task *t)
{
    struct call *call = list_entry(t, struct call, task);
    if (call->working)
        return; /* his spans point into the request: both stay */
    loop_task_cancel(t);
    if (call->events & (HTTP_DONE | HTTP_GONE)) {
        /* Not sent, or sent: nothing is left to be done. */
        http_request_release(call->r);
        call_free(call);
        return;
    }
    if (call->answered)
        return;
    if (call->job.done && call->result == -ECANCELED)
        http_request_abort(call->r);
    else if (call->job.done && call->result < 0)
        refuse(call, 500, "failed", "It could not be done; the gateway's messages say why.");
    else if (call->job.done)
        give_answer(call);
    else if (call->events & (HTTP_BODY | HTTP_TOO_LARGE))
        begin(call);
}

int api_on_loop(const struct api *api, void (*fn)(void *arg), void *arg)
{
    /* The one that is freed first: nobody is left waiting for a loop that ends. */
    return clerk_on_loop(api->console->clerk, fn, arg);
}

/* --- life --- */

static int open_clerks(struct console *c)
{
    int r = 0;
    for (unsigned i = 0; i < CLERKS + 1 && r == 0 && c->audit; i++)
        r = audit_port_open(c->audit, &c->ports[i]);
    if (r == 0)
        r = clerk_new(c->loop, CLERKS, CLERK_JOBS, &c->clerk);
    return r < 0 ? r : clerk_new(c->loop, 1, DOOR_JOBS, &c->door);
}

static int listen_with(struct console *c, struct span host, uint16_t port,
                       struct http_server *heir_of, struct http_server **ret_server)
{
    static const struct http_server_ops ops = {admit, event, NULL};
    const struct config_console *s = settings_of(c, c->snapshot);
    size_t security;
    struct http_server_options o = {
        .host = host,
        .port = port,
        .connections = CONNECTIONS,
        .yielding = true,
        /* A front or a tunnel is one address for all. */
        .per_ip = value_is_loopback(host) ? 0 : CONNECTIONS_EACH,
        .refusal_headers = answer_security(&security),
        .header_ms = 10000,
        .body_ms = 10000,
        .idle_ms = 30000,
        .write_ms = 30000,
        .certificate = s->certificate,
        .key = s->key,
        .heir_of = heir_of,
    };
    o.refusal_header_count = security;
    return http_server_new(c->loop, &o, &ops, c, ret_server);
}

/* Forgets listeners that nobody uses any more. Returns a free place, or RETIRED. */
static unsigned let_go(struct console *c)
{
    unsigned place = RETIRED;
    for (unsigned i = 0; i < RETIRED; i++) {
        if (c->retired[i] && http_server_connections(c->retired[i]) == 0) {
            http_server_free(c->retired[i]);
            c->retired[i] = NULL;
        }
        if (!c->retired[i])
            place = i;
    }
    return place;
}

static int digest_pair(const struct config_console *s, unsigned char ret[SHA256_SIZE])
{
    struct buf text = BUF_INIT(1u << 20);
    int r = buf_append(&text, s->certificate);
    if (r == 0)
        r = buf_append(&text, s->key);
    if (r == 0)
        r = sha256_once(buf_span(&text), ret);
    if (text.data)
        secret_cleanse(text.data, text.len);
    buf_deinit(&text);
    return r;
}

/* New connections get the certificate that is configured; none is cut off. */
static void take_certificate(struct console *c)
{
    const struct config_console *s = settings_of(c, c->snapshot);
    struct http_server *next = NULL;
    unsigned char digest[SHA256_SIZE];
    unsigned place = let_go(c);
    int r = digest_pair(s, digest);
    if (r == 0 && memcmp(digest, c->served, sizeof(digest)) == 0)
        return;
    if (r == 0)
        r = place == RETIRED
                ? -EBUSY
                : listen_with(c, s->host, http_server_port(c->server), c->server, &next);
    if (r == -EBUSY)
        return; /* when one of them has nothing to do any more */
    memcpy(c->served, digest, sizeof(digest));
    if (r < 0) {
        log_error("the console keeps its certificate: the new one can't be served: %s",
                  strerror(-r));
        return;
    }
    c->retired[place] = c->server;
    c->server = next;
    log_info("the console serves its new certificate");
}

static void look_after(struct loop_timer *t)
{
    struct console *c = list_entry(t, struct console, watch);
    take_certificate(c);
    loop_timer_set(t, loop_now_ms(c->loop) + WATCH_MS);
}

static void set_times(struct console *c)
{
    const struct config_console *s = settings_of(c, c->snapshot);
    if (s->idle_ms)
        sessions_set_times(c->guard.sessions, s->idle_ms, s->life_ms);
}

int console_new(const struct console_options *o, struct console **ret_console)
{
    struct console *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct console){.loop = o->loop, .audit = o->audit, .ops = *o->ops, .ctx = o->ctx};
    c->casebook = o->casebook;
    list_init(&c->calls);
    c->plain.host = o->host;
    c->snapshot = o->snapshot ? snapshot_ref(o->snapshot) : NULL;
    const struct config *config = c->snapshot ? snapshot_config(c->snapshot) : NULL;
    int r = guard_init(&c->guard, config ? config->state_dir : SPAN_LIT(""));
    if (r < 0) {
        snapshot_unref(c->snapshot);
        free(c);
        return r;
    }
    if (config)
        export_sweep(config->state_dir);
    memo_init(&c->coverage, COVERAGE_MAX);
    set_times(c);
    loop_timer_init(c->loop, &c->watch, look_after);
    c->verifier = o->verifier ? o->verifier : (c->own = verifier_new(c->audit));
    c->lookups = lookups_new();
    r = c->verifier && c->lookups ? open_clerks(c) : -ENOMEM;
    if (r == 0)
        r = digest_pair(settings_of(c, c->snapshot), c->served);
    if (r == 0)
        r = loop_timer_set(&c->watch, loop_now_ms(c->loop) + WATCH_MS);
    if (r == 0)
        r = listen_with(c, o->host, o->port, NULL, &c->server);
    if (r < 0) {
        console_free(c);
        return r;
    }
    *ret_console = c;
    return 0;
}

void console_reload(struct console *c, struct snapshot *next)
{
    struct snapshot *old = c->snapshot;
    c->snapshot = snapshot_ref(next);
    c->reloads++;
    snapshot_unref(old);
    set_times(c);
    /* The timer tries again for as long as all places are taken. */
    loop_timer_set(&c->watch, loop_now_ms(c->loop));
}

void console_free(struct console *c)
{
    if (!c)
        return;
    clerk_free(c->clerk); /* nobody works any more; what was asked is given back */
    clerk_free(c->door);
    verifier_free(c->own);
    list_for_each_safe (e, next, &c->calls) {
        struct call *call = list_entry(e, struct call, link);
        http_request_release(call->r);
        call_free(call);
    }
    loop_timer_cancel(&c->watch);
    for (unsigned i = 0; i < RETIRED; i++)
        http_server_free(c->retired[i]);
    http_server_free(c->server);
    for (unsigned i = 0; i < CLERKS + 1; i++)
        if (c->ports[i])
            audit_port_close(c->ports[i]);
    snapshot_unref(c->snapshot);
    guard_deinit(&c->guard);
    memo_deinit(&c->coverage);
    lookups_free(c->lookups);
    free(c);
}

uint16_t console_port(const struct console *c)
{
    return http_server_port(c->server);
}
