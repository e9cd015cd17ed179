/*
 * One event loop of one thread: descriptors (epoll), timers, tasks. Nothing here is thread-safe but
 * loop_wake().
 *
 * A turn is: wait; call the watches that have events; call the timers that are due; run the tasks
 * until none is left; call the hooks, which may post further tasks; sleep only when none was
 * posted. So what a callback stores and posts is handled within the same turn.
 */
#pragma once

#include "base/list.h"

#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* Embedded in its owner; must be deleted before it is freed. */
struct loop_watch {
    int fd;
    void (*fn)(struct loop_watch *w, uint32_t events); /* EPOLLIN, EPOLLRDHUP, … */
};

struct loop_timer {
    struct loop *loop;
    uint64_t due_ms; /* when it should fire, loop_now_ms() time */
    uint64_t key_ms; /* where it stands in the heap; at most due_ms */
    size_t index;    /* 1 + place in the heap; 0: not armed */
    void (*fn)(struct loop_timer *t);
};

struct loop_task {
    struct list link;
    void (*fn)(struct loop_task *t);
};

/* Called at the end of each turn, in the order of addition. */
struct loop_hook {
    struct list link;
    void (*fn)(struct loop_hook *h);
};

/* NULL when memory or descriptors are out (errno). */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/* Events are level-triggered unless EPOLLET is asked for. 0 or -errno. */
int loop_watch_add(struct loop *l, struct loop_watch *w, uint32_t events);
int loop_watch_change(struct loop *l, struct loop_watch *w, uint32_t events);
/* Events already fetched in this turn are forgotten too. The descriptor stays open. */
void loop_watch_remove(struct loop *l, struct loop_watch *w);

void loop_timer_init(struct loop *l, struct loop_timer *t, void (*fn)(struct loop_timer *t));
/*
 * Arms the timer, or moves it. Moving it later costs O(1): a deadline that every event pushes on is
 * touched in the heap only when it would have fired. -ENOMEM when the heap can't grow.
 */
int loop_timer_set(struct loop_timer *t, uint64_t due_ms);
void loop_timer_cancel(struct loop_timer *t);

void loop_task_init(struct loop_task *t, void (*fn)(struct loop_task *t));
/* Runs in this turn, or in the next when posted from a hook. Posting twice runs once. */
void loop_task_post(struct loop *l, struct loop_task *t);
void loop_task_cancel(struct loop_task *t);

void loop_hook_add(struct loop *l, struct loop_hook *h, void (*fn)(struct loop_hook *h));
void loop_hook_remove(struct loop_hook *h);

/* The time at which this turn woke up, monotonic. */
uint64_t loop_now_ms(const struct loop *l);
uint64_t loop_now_us(const struct loop *l);
/* Runs until loop_stop(). Returns 0 or -errno of epoll. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* Ends the sleep of a loop in another thread; safe from any thread and from signal handlers. */
void loop_wake(struct loop *l);
