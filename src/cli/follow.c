#include "cli/follow.h"

#include "base/log.h"
#include "rules/vault.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOOK_MS  1000
#define RETRY_MS 60000

struct follow {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    void (*changed)(void *ctx);
    void *ctx;
    uint64_t retry_ms; /* 0: none is due */
    bool complained;
    char seen[RULE_DIGEST_SIZE]; /* the last one that was told */
    char state_dir[PATH_MAX];
};

static void complain(struct follow *f, const struct buf *messages)
{
    struct span rest = buf_span(messages), line;
    if (span_split(&rest, '\n', &line) && !f->complained)
        log_error("%.*s", SPAN_ARG(line));
    f->complained = messages->len > 0;
}

/* What is to be served; "" when that is nothing published, or can't be known. */
static void read_current(struct follow *f, char ret_digest[RULE_DIGEST_SIZE])
{
    struct buf messages = BUF_INIT(8192);
    struct vault *s = NULL;
    ret_digest[0] = '\0';
    if (vault_open(span_str(f->state_dir), &messages, &s) == 0 &&
        vault_current(s, &messages, ret_digest) < 0)
        ret_digest[0] = '\0';
    vault_close(s);
    complain(f, &messages);
    buf_deinit(&messages);
}

static void look(struct follow *f)
{
    char digest[RULE_DIGEST_SIZE];
    read_current(f, digest);
    bool due = f->retry_ms && loop_now_ms(f->loop) >= f->retry_ms;
    /* One that vanished changes nothing: what was decided stays in force. */
    if (!due && (digest[0] == '\0' || strcmp(digest, f->seen) == 0))
        return;
    f->retry_ms = 0;
    memcpy(f->seen, digest, sizeof(f->seen));
    f->changed(f->ctx);
}

static void on_event(struct loop_watch *w, uint32_t events)
{
    struct follow *f = list_entry(w, struct follow, watch);
    char piece[4096] __attribute__((aligned(8)));
    while (read(w->fd, piece, sizeof(piece)) > 0)
        ; /* whatever it was: the file itself tells */
    look(f);
}

static void on_time(struct loop_timer *t)
{
    struct follow *f = list_entry(t, struct follow, timer);
    look(f);
    loop_timer_set(t, loop_now_ms(f->loop) + LOOK_MS);
}

static void watch(struct follow *f)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof(path), "%s/rules", f->state_dir);
    f->watch.fn = on_event;
    f->watch.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (f->watch.fd < 0)
        return;
    if (inotify_add_watch(f->watch.fd, path, IN_MOVED_TO | IN_CLOSE_WRITE) < 0 ||
        loop_watch_add(f->loop, &f->watch, EPOLLIN) < 0) {
        close(f->watch.fd);
        f->watch.fd = -1;
    }
}

struct follow *follow_new(struct loop *loop, struct span state_dir, struct span served,
                          void (*changed)(void *ctx), void *ctx)
{
    struct follow *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->loop = loop;
    f->changed = changed;
    f->ctx = ctx;
    snprintf(f->seen, sizeof(f->seen), "%.*s", SPAN_ARG(served));
    snprintf(f->state_dir, sizeof(f->state_dir), "%.*s", SPAN_ARG(state_dir));
    watch(f);
    loop_timer_init(loop, &f->timer, on_time);
    if (loop_timer_set(&f->timer, loop_now_ms(loop) + LOOK_MS) < 0) {
        follow_free(f);
        return NULL;
    }
    return f;
}

void follow_retry(struct follow *f)
{
    f->retry_ms = loop_now_ms(f->loop) + RETRY_MS;
}

void follow_free(struct follow *f)
{
    if (!f)
        return;
    loop_timer_cancel(&f->timer);
    if (f->watch.fd >= 0) {
        loop_watch_remove(f->loop, &f->watch);
        close(f->watch.fd);
    }
    free(f);
}
