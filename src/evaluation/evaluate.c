#include "evaluation/evaluating.h"

#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FAILURES_MAX 10 /* in a row */

/* ---- the end ---- */

/* What is under way is dropped: it was not told, and is asked again another time. */
void evaluation_end(struct evaluation *e, enum evaluation_end how, const char *reason)
{
    if (e->ended)
        return;
    e->ended = true;
    e->end = how;
    snprintf(e->reason, sizeof(e->reason), "%s", reason);
    loop_stop(e->loop);
}

void evaluation_fail(struct evaluation *e, const char *what, int error)
{
    char text[256];
    snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
    evaluation_end(e, EVALUATION_FAILED, text);
}

static void on_turn(struct loop_hook *h)
{
    struct evaluation *e = (struct evaluation *)((char *)h - offsetof(struct evaluation, hook));
    if (atomic_load(&e->interrupted))
        evaluation_end(e, EVALUATION_INTERRUPTED, "interrupted");
}

void evaluation_interrupt(struct evaluation *e)
{
    atomic_store(&e->interrupted, true);
    loop_wake(e->loop);
}

struct span evaluation_reason(const struct evaluation *e)
{
    return span_str(e->reason);
}

struct span evaluation_served(const struct evaluation *e)
{
    return span_str(e->served);
}

/* ---- one answer ---- */

static void tell(struct evaluation *e)
{
    struct evaluation_progress p = {.done = e->done,
                                    .total = e->total,
                                    .failed = e->failed,
                                    .errors = e->errors,
                                    .elapsed_ms = clock_mono_ms() - e->begun_ms};
    if (e->session) { /* not sooner than the pace lets it be */
        uint64_t paced = (uint64_t)((double)(e->total - e->done) * 1000 / e->o.rate);
        p.left_ms = p.elapsed_ms * (e->total - e->done) / e->session;
        p.left_ms = p.left_ms > paced ? p.left_ms : paced;
    }
    if (e->o.progress)
        e->o.progress(e->o.ctx, &p);
}

static bool machines_fail(const struct run_answer *a)
{
    return a->keywords == RUN_FAIL || a->opinion == RUN_FAIL;
}

/* It is on the disk before anybody hears of it. */
void evaluation_keep(struct slot *s)
{
    struct evaluation *e = s->e;
    struct run_answer *a = &s->answer;
    a->question = s->question;
    a->route = s->route;
    a->time = clock_wall_us();
    a->ms = (unsigned)((clock_mono_us() - s->began_us) / 1000);
    int r = run_add(e->o.run, a);
    if (r < 0) {
        evaluation_fail(e, "an answer can't be kept", r);
        return;
    }
    e->session++;
    if (a->error.len) {
        e->errors++;
        e->row[s->route]++;
    } else {
        e->done++;
        e->failed += machines_fail(a);
        e->row[s->route] = 0;
    }
    char why[300];
    bool gone = e->row[s->route] >= FAILURES_MAX;
    if (gone)
        snprintf(why, sizeof(why), "%s: %u questions in a row have no answer: %.*s",
                 run_route_name(s->route), e->row[s->route], SPAN_ARG(a->error));
    slot_drop(s);
    tell(e);
    if (gone)
        evaluation_end(e, EVALUATION_FAILED, why);
    else
        evaluation_go_on(e);
}

/* ---- what is asked next ---- */

/* Goes to the next that has no answer; false when all were looked at. */
static bool seek(struct evaluation *e)
{
    for (; e->next < run_count(e->o.run) * RUN_ROUTES; e->next++) {
        enum run_route route = (enum run_route)(e->next % RUN_ROUTES);
        const struct run_answer *a = run_answer(e->o.run, e->next / RUN_ROUTES, route);
        if (run_settings(e->o.run)->routes[route] && (!a || a->error.len))
            return true;
    }
    return false;
}

static bool is_idle(const struct evaluation *e)
{
    for (unsigned i = 0; i < e->o.concurrency; i++)
        if (e->slots[i].busy)
            return false;
    return true;
}

/* Who asks next: a free slot while there are questions, then one that tries again; NULL: nobody. */
static struct slot *choose(struct evaluation *e, bool more)
{
    struct slot *again = NULL;
    for (unsigned i = 0; i < e->o.concurrency; i++) {
        struct slot *s = &e->slots[i];
        if (more && !s->busy)
            return s;
        if (s->waits && !again)
            again = s;
    }
    return again;
}

static void start(struct evaluation *e, struct slot *s)
{
    s->question = e->next / RUN_ROUTES;
    s->route = (enum run_route)(e->next % RUN_ROUTES);
    e->next++;
    s->busy = true;
    s->tries = 0;
    s->began_us = clock_mono_us();
    buf_clear(&s->acted_by);
}

/* What is tried again counts in the pace, too: the provider sees no difference. */
void evaluation_go_on(struct evaluation *e)
{
    while (!e->ended) {
        bool more = seek(e);
        struct slot *s = choose(e, more);
        uint64_t now = clock_mono_ms();
        if (!s && !more && is_idle(e))
            evaluation_end(e, run_is_complete(e->o.run) ? EVALUATION_COMPLETE : EVALUATION_GAPS,
                           run_is_complete(e->o.run) ? "" : "some questions have no answer");
        if (!s)
            return;
        if (now < e->next_ms) {
            if (loop_timer_set(&e->pace, e->next_ms) < 0)
                evaluation_fail(e, "no timer", -ENOMEM);
            return;
        }
        e->next_ms = now + (uint64_t)ceil(1000 / e->o.rate);
        if (!s->busy)
            start(e, s);
        s->waits = false;
        slot_ask(s);
    }
}

static void on_pace(struct loop_timer *t)
{
    evaluation_go_on((struct evaluation *)((char *)t - offsetof(struct evaluation, pace)));
}

/* ---- as a whole ---- */

static void count_before(struct evaluation *e)
{
    for (size_t i = 0; i < run_count(e->o.run); i++)
        for (int route = 0; route < RUN_ROUTES; route++) {
            const struct run_answer *a = run_answer(e->o.run, i, (enum run_route)route);
            bool answered = a && a->error.len == 0;
            e->total += run_settings(e->o.run)->routes[route];
            e->done += answered;
            e->failed += answered && machines_fail(a);
        }
}

int evaluation_new(const struct evaluation_options *o, struct evaluation **ret_evaluation)
{
    struct evaluation *e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->o = *o;
    e->loop = loop_new();
    int r = e->loop ? 0 : -errno;
    for (unsigned i = 0; r == 0 && i < EVALUATION_SLOTS; i++)
        slot_init(&e->slots[i], e);
    if (r == 0)
        r = http_client_new(e->loop, 2 * EVALUATION_SLOTS, &e->client);
    if (r == 0 && o->opinion)
        r = opinion_desk_new(e->loop, e->client, &e->desk);
    if (r == 0) {
        loop_timer_init(e->loop, &e->pace, on_pace);
        loop_hook_add(e->loop, &e->hook, on_turn);
        r = machine_init(o->rules, o->app, &e->machine);
        e->has_machine = true;
    }
    if (r < 0) {
        evaluation_free(e);
        return r;
    }
    count_before(e);
    *ret_evaluation = e;
    return 0;
}

void evaluation_free(struct evaluation *e)
{
    if (!e)
        return;
    for (unsigned i = 0; i < EVALUATION_SLOTS && e->slots[i].e; i++)
        slot_deinit(&e->slots[i]);
    opinion_desk_free(e->desk);
    if (e->client)
        http_client_free(e->client);
    if (e->has_machine) {
        machine_deinit(&e->machine);
        loop_timer_cancel(&e->pace);
        loop_hook_remove(&e->hook);
    }
    if (e->loop)
        loop_free(e->loop);
    free(e);
}

enum evaluation_end evaluation_run(struct evaluation *e)
{
    e->begun_ms = clock_mono_ms();
    e->next_ms = e->begun_ms;
    evaluation_go_on(e);
    int r = e->ended ? 0 : loop_run(e->loop);
    if (r < 0)
        evaluation_fail(e, "waiting failed", r);
    for (unsigned i = 0; i < EVALUATION_SLOTS; i++)
        slot_drop(&e->slots[i]);
    return e->end;
}
