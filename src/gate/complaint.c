#include "gate/complaint.h"

#include "gate/complaint_page.h"
#include "gate/enduser.h"
#include "gate/exchange.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define VISITS_MAX 64 /* at one time; more are told to come back */

/* One request, from its head to its end. */
struct visit {
    struct list link;
    struct list back; /* among those that came back */
    struct loop_task task;
    struct complaint_desk *desk;
    struct http_request *request;
    unsigned events;
    bool away;    /* with the taker */
    bool counted; /* among what keeps a drain waiting */
    bool answered, html;
    struct complaint complaint;
    char *room;
    char address[64];
};

struct complaint_desk {
    struct gate *gate;
    struct complaint_taker taker;
    struct list visits;
    size_t count;
    pthread_mutex_t lock; /* of what follows */
    struct list returned;
    size_t away;
    bool closed; /* who comes back now finds nobody: the last one locks up */
    struct loop_watch watch;
};

/* ---- answers ---- */

static int send(struct http_request *r, int status, bool html, struct span body, bool close)
{
    struct http_header headers[] = {
        {SPAN_LIT("Content-Type"),
         html ? SPAN_LIT("text/html; charset=utf-8") : SPAN_LIT("application/json")},
        {SPAN_LIT("Cache-Control"), SPAN_LIT("no-store")},
        {SPAN_LIT("X-Content-Type-Options"), SPAN_LIT("nosniff")},
        {SPAN_LIT("Content-Security-Policy"),
         SPAN_LIT("default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri "
                  "'none'")},
        {SPAN_LIT("Referrer-Policy"), SPAN_LIT("no-referrer")},
        {SPAN_LIT("Retry-After"), SPAN_LIT("600")},
    };
    return http_request_reply(r, status, headers, status == 429 || status == 503 ? 6 : 5, body,
                              close);
}

static void answer(struct visit *v)
{
    struct buf body = BUF_INIT(65536);
    int r = v->html ? complaint_page_answer(&v->complaint, &body)
                    : complaint_json_answer(&v->complaint, &body);
    v->answered = true;
    if (r == 0)
        r = send(v->request, complaint_status(&v->complaint), v->html, buf_span(&body), false);
    if (r < 0)
        http_request_abort(v->request);
    buf_deinit(&body);
}

/* "request_id=…" of the query; the page decides whether it looks like one. */
static struct span query_id(const struct http_request *r)
{
    struct span query = http_request_query(r), part;
    while (span_split(&query, '&', &part))
        if (span_starts(part, SPAN_LIT("request_id=")))
            return span_slice(part, strlen("request_id="), part.len);
    return SPAN_NULL;
}

static void answer_form(struct http_request *r, const struct config *c)
{
    struct buf body = BUF_INIT(65536);
    if (complaint_page_form(c, query_id(r), &body) == 0)
        send(r, 200, true, buf_span(&body), false);
    buf_deinit(&body);
}

/* ---- a visit ---- */

static void leave(struct visit *v)
{
    http_request_release(v->request);
    loop_task_cancel(&v->task);
    list_remove(&v->link);
    v->desk->count--;
    free(v->room);
    free(v);
}

/* The visitor is gone; what he said is still with the taker, who gives it back to nobody. */
static void abandon(struct visit *v)
{
    http_request_release(v->request);
    loop_task_cancel(&v->task);
    list_remove(&v->link);
}

/* A drain waits for what is with the taker, as for an exchange. */
static void count(struct visit *v, bool under_way)
{
    struct gate *g = v->desk->gate;
    if (v->counted == under_way)
        return;
    v->counted = under_way;
    if (under_way)
        g->active++;
    else if (--g->active == 0 && g->draining)
        loop_timer_set(&g->drain_timer, 0);
}

static void remove_desk(struct complaint_desk *d)
{
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static void came_back(struct complaint *c) /* in any thread */
{
    struct visit *v = list_entry(c, struct visit, complaint);
    struct complaint_desk *d = v->desk;
    uint64_t one = 1;
    pthread_mutex_lock(&d->lock);
    bool closed = d->closed, last = --d->away == 0;
    if (!closed) {
        list_append(&d->returned, &v->back);
        ssize_t n = write(d->watch.fd, &one, sizeof(one));
        (void)n;
    }
    pthread_mutex_unlock(&d->lock);
    if (!closed)
        return;
    free(v->room);
    free(v);
    if (last)
        remove_desk(d);
}

static int send_away(struct visit *v)
{
    struct complaint_desk *d = v->desk;
    pthread_mutex_lock(&d->lock);
    d->away++;
    pthread_mutex_unlock(&d->lock);
    /* Once it is taken it may be answered at any moment: nothing of it is written here any more. */
    int r = d->taker.take(d->taker.ctx, &v->complaint);
    if (r < 0) {
        pthread_mutex_lock(&d->lock);
        d->away--;
        pthread_mutex_unlock(&d->lock);
    }
    return r;
}

static void hand_over(struct visit *v)
{
    struct complaint *c = &v->complaint;
    struct span body = http_request_body(v->request);
    /* Of its own, for it may outlive the request. */
    v->room = malloc(2 * body.len + 1);
    if (v->room && body.len)
        memcpy(v->room + body.len, body.data, body.len);
    c->result = v->room ? complaint_read(http_request_header(v->request, "Content-Type"),
                                         span_from(v->room + body.len, body.len), v->room, c)
                        : -ENOMEM;
    if (c->result < 0) {
        answer(v);
        return;
    }
    v->away = true;
    count(v, true);
    int r = send_away(v);
    if (r < 0) {
        c->result = r;
        v->away = false;
        count(v, false);
        answer(v);
    }
}

static void step(struct loop_task *t)
{
    struct visit *v = list_entry(t, struct visit, task);
    if (v->away)
        return;
    if (v->events & (HTTP_DONE | HTTP_GONE)) {
        leave(v);
        return;
    }
    if (v->answered)
        return;
    if (v->events & HTTP_TOO_LARGE) {
        v->complaint.result = -EFBIG;
        answer(v);
    } else if (v->events & HTTP_BODY) {
        hand_over(v);
    }
}

static void returned(struct loop_watch *w, uint32_t events)
{
    struct complaint_desk *d = list_entry(w, struct complaint_desk, watch);
    uint64_t n;
    ssize_t got = read(w->fd, &n, sizeof(n));
    (void)got;
    for (;;) {
        pthread_mutex_lock(&d->lock);
        struct list *first = list_pop(&d->returned);
        pthread_mutex_unlock(&d->lock);
        if (!first)
            return;
        struct visit *v = list_entry(first, struct visit, back);
        v->away = false;
        count(v, false);
        if (!(v->events & (HTTP_DONE | HTTP_GONE)))
            answer(v);
        loop_task_post(d->gate->loop, &v->task);
    }
}

/* ---- what the gate asks ---- */

static bool enter(struct complaint_desk *d, struct http_request *r, const struct config *c)
{
    struct visit *v = d->count < VISITS_MAX ? calloc(1, sizeof(*v)) : NULL;
    if (!v)
        return false;
    uint16_t port;
    struct span address = enduser_address(c, r, &port);
    size_t n = address.len < sizeof(v->address) ? address.len : sizeof(v->address) - 1;
    memcpy(v->address, address.len ? address.data : "", n);
    v->desk = d;
    v->request = r;
    v->complaint.client_ip = span_from(v->address, n);
    v->complaint.done = came_back;
    v->html = gate_is_type(http_request_header(r, "Content-Type"),
                           SPAN_LIT("application/x-www-form-urlencoded"));
    loop_task_init(&v->task, step);
    list_append(&d->visits, &v->link);
    d->count++;
    http_request_set_owner(r, v);
    return true;
}

bool complaint_admit(struct complaint_desk *d, struct http_request *r, const struct config *c,
                     size_t *ret_max)
{
    struct span path = http_request_path(r), method = http_request_method(r);
    bool form = span_eq(path, SPAN_LIT("/complaints"));
    *ret_max = 0;
    if (!d || !c->complaints.form || (!form && !span_eq(path, SPAN_LIT("/v1/complaints"))))
        return false;
    bool right = span_eq(method, form ? SPAN_LIT("GET") : SPAN_LIT("POST"));
    if (right && form)
        answer_form(r, c);
    else if (!right)
        send(r, 405, false,
             SPAN_LIT("{\"error\":{\"type\":\"gateway\",\"code\":\"method\",\"message\":\"GET "
                      "/complaints, POST /v1/complaints\"}}"),
             true);
    else if (d->gate->draining || !enter(d, r, c))
        send(r, 503, false,
             SPAN_LIT("{\"error\":{\"type\":\"gateway\",\"code\":\"unavailable\",\"message\":\"try "
                      "again later\"}}"),
             true);
    else
        *ret_max = COMPLAINT_BODY_MAX;
    return true;
}

/* An exchange may own it as well: only a visit of the list is one. */
static struct visit *visit_of(struct complaint_desk *d, struct http_request *r)
{
    void *owner = http_request_owner(r);
    if (!d || !owner)
        return NULL;
    list_for_each (e, &d->visits)
        if (list_entry(e, struct visit, link) == owner)
            return owner;
    return NULL;
}

bool complaint_refuse(struct complaint_desk *d, struct http_request *r, int result)
{
    struct visit *v = visit_of(d, r);
    if (!v)
        return false;
    v->complaint.result = result;
    answer(v);
    return true;
}

bool complaint_event(struct complaint_desk *d, struct http_request *r, unsigned events)
{
    struct visit *v = visit_of(d, r);
    if (!v)
        return false;
    v->events |= events;
    loop_task_post(d->gate->loop, &v->task);
    return true;
}

/* ---- life ---- */

int complaint_desk_new(struct gate *g, const struct complaint_taker *taker,
                       struct complaint_desk **ret_desk)
{
    struct complaint_desk *d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->gate = g;
    d->taker = *taker;
    list_init(&d->visits);
    list_init(&d->returned);
    d->watch = (struct loop_watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .fn = returned};
    int r = d->watch.fd < 0 ? -errno : loop_watch_add(g->loop, &d->watch, EPOLLIN);
    if (r < 0) {
        if (d->watch.fd >= 0)
            close(d->watch.fd);
        free(d);
        return r;
    }
    pthread_mutex_init(&d->lock, NULL);
    *ret_desk = d;
    return 0;
}

void complaint_desk_free(struct complaint_desk *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->closed = true;
    for (struct list *first; (first = list_pop(&d->returned));)
        list_entry(first, struct visit, back)->away = false;
    bool last = d->away == 0;
    list_for_each_safe (e, next, &d->visits) {
        struct visit *v = list_entry(e, struct visit, link);
        if (v->away)
            abandon(v);
        else
            leave(v);
    }
    loop_watch_remove(d->gate->loop, &d->watch);
    close(d->watch.fd);
    pthread_mutex_unlock(&d->lock);
    if (last)
        remove_desk(d);
}
