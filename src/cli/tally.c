#include "cli/tally.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define SAVE_MS 10000

struct tally {
    struct loop *loop;
    struct loop_timer timer;
    struct limiter *limiter;
    bool failing; /* told once */
    char state_dir[PATH_MAX];
};

static void save(struct tally *t)
{
    int r = limiter_save(t->limiter, span_str(t->state_dir), clock_wall_s());
    if (r < 0 && !t->failing)
        log_warning("%s/limits: the day's counts can't be saved: %s", t->state_dir, strerror(-r));
    t->failing = r < 0;
}

static void on_time(struct loop_timer *timer)
{
    struct tally *t = list_entry(timer, struct tally, timer);
    save(t);
    loop_timer_set(timer, loop_now_ms(t->loop) + SAVE_MS);
}

struct tally *tally_new(struct loop *loop, struct span state_dir, struct buf *messages)
{
    struct tally *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->loop = loop;
    t->limiter = limiter_new();
    snprintf(t->state_dir, sizeof(t->state_dir), "%.*s", SPAN_ARG(state_dir));
    loop_timer_init(loop, &t->timer, on_time);
    if (t->limiter && limiter_restore(t->limiter, state_dir, clock_wall_s(), messages) == 0 &&
        loop_timer_set(&t->timer, loop_now_ms(loop) + SAVE_MS) == 0)
        return t;
    limiter_free(t->limiter);
    free(t);
    return NULL;
}

struct limiter *tally_limiter(const struct tally *t)
{
    return t->limiter;
}

void tally_free(struct tally *t)
{
    if (!t)
        return;
    loop_timer_cancel(&t->timer);
    save(t);
    limiter_free(t->limiter);
    free(t);
}
