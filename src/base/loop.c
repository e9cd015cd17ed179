#include "base/loop.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOOP_EVENTS 256 /* fetched at once */

struct loop {
    int epoll;
    struct loop_watch wake;
    struct list tasks, hooks;
    struct loop_timer **heap;
    size_t timers, heap_cap;
    uint64_t now_us;
    bool stopping;
    /* The batch being handled: an entry whose watch goes away is set to NULL. */
    struct epoll_event batch[LOOP_EVENTS];
    int batch_len;
};

static void drain_wake(struct loop_watch *w, uint32_t events)
{
    uint64_t n;
    ssize_t r = read(w->fd, &n, sizeof(n));
    (void)r; /* EAGAIN: somebody was faster */
}

struct loop *loop_new(void)
{
    struct loop *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    list_init(&l->tasks);
    list_init(&l->hooks);
    l->now_us = clock_mono_us();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = (struct loop_watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .fn = drain_wake};
    if (l->epoll < 0 || l->wake.fd < 0 || loop_watch_add(l, &l->wake, EPOLLIN) < 0) {
        loop_free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    if (l->epoll >= 0)
        close(l->epoll);
    if (l->wake.fd >= 0)
        close(l->wake.fd);
    free(l->heap);
    free(l);
}

static int control(struct loop *l, int op, struct loop_watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};
    return epoll_ctl(l->epoll, op, w->fd, &e) < 0 ? -errno : 0;
}

int loop_watch_add(struct loop *l, struct loop_watch *w, uint32_t events)
{
    return control(l, EPOLL_CTL_ADD, w, events);
}

int loop_watch_change(struct loop *l, struct loop_watch *w, uint32_t events)
{
    return control(l, EPOLL_CTL_MOD, w, events);
}

void loop_watch_remove(struct loop *l, struct loop_watch *w)
{
    control(l, EPOLL_CTL_DEL, w, 0);
    for (int i = 0; i < l->batch_len; i++)
        if (l->batch[i].data.ptr == w)
            l->batch[i].data.ptr = NULL;
}

/* --- timers: a binary heap by key_ms --- */

static void heap_put(struct loop *l, size_t i, struct loop_timer *t)
{
    l->heap[i] = t;
    t->index = i + 1;
}

static void heap_up(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];
    while (i > 0 && l->heap[(i - 1) / 2]->key_ms > t->key_ms) {
        heap_put(l, i, l->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i)
{
    struct loop_timer *t = l->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= l->timers)
            break;
        if (child + 1 < l->timers && l->heap[child + 1]->key_ms < l->heap[child]->key_ms)
            child++;
        if (l->heap[child]->key_ms >= t->key_ms)
            break;
        heap_put(l, i, l->heap[child]);
        i = child;
    }
    heap_put(l, i, t);
}

void loop_timer_init(struct loop *l, struct loop_timer *t, void (*fn)(struct loop_timer *t))
{
    *t = (struct loop_timer){.loop = l, .fn = fn};
}

int loop_timer_set(struct loop_timer *t, uint64_t due_ms)
{
    struct loop *l = t->loop;
    t->due_ms = due_ms;
    if (t->index) {
        if (due_ms < t->key_ms) {
            t->key_ms = due_ms;
            heap_up(l, t->index - 1);
        }
        return 0;
    }
    if (l->timers == l->heap_cap) {
        size_t cap = l->heap_cap ? l->heap_cap * 2 : 64;
        struct loop_timer **heap = realloc(l->heap, cap * sizeof(struct loop_timer *));
        if (!heap)
            return -ENOMEM;
        l->heap = heap;
        l->heap_cap = cap;
    }
    t->key_ms = due_ms;
    heap_put(l, l->timers++, t);
    heap_up(l, t->index - 1);
    return 0;
}

void loop_timer_cancel(struct loop_timer *t)
{
    if (!t->index)
        return;
    struct loop *l = t->loop;
    size_t i = t->index - 1;
    struct loop_timer *last = l->heap[--l->timers];
    t->index = 0;
    if (last == t)
        return;
    heap_put(l, i, last);
    heap_up(l, i);
    heap_down(l, last->index - 1);
}

static void run_timers(struct loop *l)
{
    uint64_t now = loop_now_ms(l);
    while (l->timers && l->heap[0]->key_ms <= now) {
        struct loop_timer *t = l->heap[0];
        if (t->due_ms > now) { /* was moved later since */
            t->key_ms = t->due_ms;
            heap_down(l, 0);
            continue;
        }
        loop_timer_cancel(t);
        t->fn(t);
    }
}

/* --- tasks and hooks --- */

void loop_task_init(struct loop_task *t, void (*fn)(struct loop_task *t))
{
    list_init(&t->link);
    t->fn = fn;
}

void loop_task_post(struct loop *l, struct loop_task *t)
{
    if (list_empty(&t->link))
        list_append(&l->tasks, &t->link);
}

void loop_task_cancel(struct loop_task *t)
{
    list_remove(&t->link);
}

void loop_hook_add(struct loop *l, struct loop_hook *h, void (*fn)(struct loop_hook *h))
{
    h->fn = fn;
    list_append(&l->hooks, &h->link);
}

void loop_hook_remove(struct loop_hook *h)
{
    list_remove(&h->link);
}

/* A hook may remove any hook: a mark keeps the place. */
static void run_hooks(struct loop *l)
{
    struct list mark;
    for (struct list *e = l->hooks.next; e != &l->hooks; e = mark.next, list_remove(&mark)) {
        struct loop_hook *h = list_entry(e, struct loop_hook, link);
        list_append(e->next, &mark);
        h->fn(h);
    }
}

uint64_t loop_now_us(const struct loop *l)
{
    return l->now_us;
}

uint64_t loop_now_ms(const struct loop *l)
{
    return l->now_us / 1000;
}

static int sleep_ms(const struct loop *l)
{
    if (!list_empty(&l->tasks))
        return 0;
    if (!l->timers)
        return -1;
    uint64_t now = clock_mono_us() / 1000, due = l->heap[0]->key_ms;
    if (due <= now)
        return 0;
    return due - now > 60000 ? 60000 : (int)(due - now);
}

int loop_run(struct loop *l)
{
    l->stopping = false;
    while (!l->stopping) {
        int n = epoll_wait(l->epoll, l->batch, LOOP_EVENTS, sleep_ms(l));
        l->now_us = clock_mono_us();
        if (n < 0) {
            if (errno != EINTR)
                return -errno;
            n = 0;
        }
        l->batch_len = n;
        for (int i = 0; i < n; i++) {
            struct loop_watch *w = l->batch[i].data.ptr;
            if (w)
                w->fn(w, l->batch[i].events);
        }
        l->batch_len = 0;
        run_timers(l);
        for (struct list *e; (e = list_pop(&l->tasks));) {
            struct loop_task *t = list_entry(e, struct loop_task, link);
            t->fn(t);
        }
        run_hooks(l);
    }
    return 0;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
}

void loop_wake(struct loop *l)
{
    uint64_t one = 1;
    ssize_t r = write(l->wake.fd, &one, sizeof(one));
    (void)r; /* EAGAIN: it is awake */
}
