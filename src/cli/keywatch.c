#include "cli/keywatch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOOK_MS 1000

struct keywatch {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    void (*changed)(void *ctx);
    void *ctx;
    struct access_stamp seen;
    char state_dir[PATH_MAX];
};

static void look(struct keywatch *k)
{
    struct access_stamp now = access_stamp(span_str(k->state_dir));
    /* One that vanished revokes nothing: what was created stays in force. */
    if (!now.exists || access_stamp_eq(&now, &k->seen))
        return;
    k->seen = now;
    k->changed(k->ctx);
}

static void on_event(struct loop_watch *w, uint32_t events)
{
    struct keywatch *k = list_entry(w, struct keywatch, watch);
    char piece[4096] __attribute__((aligned(8)));
    while (read(w->fd, piece, sizeof(piece)) > 0)
        ; /* whatever it was: the file itself tells */
    look(k);
}

static void on_time(struct loop_timer *t)
{
    struct keywatch *k = list_entry(t, struct keywatch, timer);
    look(k);
    loop_timer_set(t, loop_now_ms(k->loop) + LOOK_MS);
}

static void watch(struct keywatch *k)
{
    k->watch.fn = on_event;
    k->watch.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (k->watch.fd < 0)
        return;
    if (inotify_add_watch(k->watch.fd, k->state_dir, IN_MOVED_TO | IN_CLOSE_WRITE) < 0 ||
        loop_watch_add(k->loop, &k->watch, EPOLLIN) < 0) {
        close(k->watch.fd);
        k->watch.fd = -1;
    }
}

struct keywatch *keywatch_new(struct loop *loop, struct span state_dir, const struct access *served,
                              void (*changed)(void *ctx), void *ctx)
{
    struct keywatch *k = calloc(1, sizeof(*k));
    if (!k)
        return NULL;
    k->loop = loop;
    k->changed = changed;
    k->ctx = ctx;
    k->seen = access_stamp_of(served);
    snprintf(k->state_dir, sizeof(k->state_dir), "%.*s", SPAN_ARG(state_dir));
    watch(k);
    loop_timer_init(loop, &k->timer, on_time);
    if (loop_timer_set(&k->timer, loop_now_ms(loop)) < 0) {
        keywatch_free(k);
        return NULL;
    }
    return k;
}

void keywatch_free(struct keywatch *k)
{
    if (!k)
        return;
    loop_timer_cancel(&k->timer);
    if (k->watch.fd >= 0) {
        loop_watch_remove(k->loop, &k->watch);
        close(k->watch.fd);
    }
    free(k);
}
