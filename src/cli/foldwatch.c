#include "cli/foldwatch.h"

#include <sys/inotify.h>
#include <unistd.h>

static void on_event(struct loop_watch *l, uint32_t events)
{
    struct foldwatch *w = list_entry(l, struct foldwatch, watch);
    char piece[4096] __attribute__((aligned(8)));
    while (read(l->fd, piece, sizeof(piece)) > 0)
        ; /* whatever it was: the file itself tells */
    w->look(w);
}

static void on_time(struct loop_timer *t)
{
    struct foldwatch *w = list_entry(t, struct foldwatch, timer);
    w->look(w);
    loop_timer_set(t, loop_now_ms(w->loop) + FOLDWATCH_MS);
}

static void watch(struct foldwatch *w, const char *folder)
{
    w->watch = (struct loop_watch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .fn = on_event};
    if (w->watch.fd < 0)
        return;
    if (inotify_add_watch(w->watch.fd, folder, IN_MOVED_TO | IN_CLOSE_WRITE) < 0 ||
        loop_watch_add(w->loop, &w->watch, EPOLLIN) < 0) {
        close(w->watch.fd);
        w->watch.fd = -1;
    }
}

int foldwatch_begin(struct foldwatch *w, struct loop *loop, const char *folder, unsigned first_ms,
                    void (*look)(struct foldwatch *w))
{
    w->loop = loop;
    w->look = look;
    watch(w, folder);
    loop_timer_init(loop, &w->timer, on_time);
    return loop_timer_set(&w->timer, loop_now_ms(loop) + first_ms);
}

void foldwatch_end(struct foldwatch *w)
{
    loop_timer_cancel(&w->timer);
    if (w->watch.fd >= 0) {
        loop_watch_remove(w->loop, &w->watch);
        close(w->watch.fd);
    }
}
