#include "cli/filingclock.h"

#include "base/clock.h"
#include "base/log.h"
#include "filing/calendar.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define OLD_SECONDS 600
#define START_MS    60000 /* a gateway that starts has better things to do */

/* Which desk.json was read. */
struct stamp {
    ino_t inode;
    struct timespec changed;
    off_t size;
};

struct filingclock {
    pthread_t thread;
    struct buf complaints; /* the thread's own: what was logged last */
    pthread_mutex_t lock;  /* of all below */
    pthread_cond_t wake;
    bool wanted, stopping;
    uint64_t opened_ms;
    struct snapshot *snapshot;
    /* What was gathered. */
    bool known;
    struct stamp stamp;
    int64_t gathered;
    struct calendar_facts facts;
    struct progress progress;
};

static struct stamp look(struct span state_dir)
{
    char path[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%.*s/filing/desk.json", SPAN_ARG(state_dir));
    if (n <= 0 || n >= PATH_MAX || stat(path, &st) < 0)
        return (struct stamp){0};
    return (struct stamp){st.st_ino, st.st_mtim, st.st_size};
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Once, not at each look. Takes the text over. */
static void complain(struct filingclock *f, struct buf *messages)
{
    struct span rest = buf_span(messages), line;
    bool again = span_eq(rest, buf_span(&f->complaints));
    while (!again && span_split(&rest, '\n', &line))
        if (line.len)
            log_warning("filing: %.*s", SPAN_ARG(line));
    buf_deinit(&f->complaints);
    f->complaints = *messages;
}

/* Without the lock but for taking over. */
static void gather(struct filingclock *f, struct snapshot *s)
{
    const struct config *c = snapshot_config(s);
    struct buf messages = BUF_INIT(65536);
    struct progress p = {0};
    struct calendar_facts facts;
    int64_t now = clock_wall_s();
    struct stamp stamp = look(c->state_dir); /* before: a later change is seen again */
    int r = progress_read(c->state_dir, &messages, &p);
    if (r == 0)
        calendar_gather(c, snapshot_rules(s), now, &p, &messages, &facts);
    complain(f, &messages);
    pthread_mutex_lock(&f->lock);
    if (f->known)
        progress_free(&f->progress);
    f->known = r == 0; /* of a damaged file nothing is told */
    f->stamp = stamp;
    f->gathered = now;
    if (r == 0) {
        f->facts = facts;
        f->progress = p;
    }
    pthread_mutex_unlock(&f->lock);
}

static void *run(void *arg)
{
    struct filingclock *f = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&f->lock);
    while (!f->stopping) {
        if (!f->wanted) {
            pthread_cond_wait(&f->wake, &f->lock);
            continue;
        }
        f->wanted = false;
        struct snapshot *s = snapshot_ref(f->snapshot);
        pthread_mutex_unlock(&f->lock);
        gather(f, s);
        snapshot_unref(s);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

int filingclock_open(struct snapshot *s, struct filingclock **ret_clock)
{
    struct filingclock *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->snapshot = snapshot_ref(s);
    f->opened_ms = clock_mono_ms();
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    int r = -pthread_create(&f->thread, NULL, run, f);
    if (r < 0) {
        snapshot_unref(f->snapshot);
        free(f);
        return r;
    }
    *ret_clock = f;
    return 0;
}

void filingclock_reload(struct filingclock *f, struct snapshot *s)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    snapshot_unref(f->snapshot);
    f->snapshot = snapshot_ref(s);
    f->gathered = 0;
    pthread_mutex_unlock(&f->lock);
}

void filingclock_close(struct filingclock *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    buf_deinit(&f->complaints);
    if (f->known)
        progress_free(&f->progress);
    snapshot_unref(f->snapshot);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* The wall clock may have been set back. */
static bool is_old(const struct filingclock *f, int64_t now)
{
    return !f->gathered || now < f->gathered || now - f->gathered >= OLD_SECONDS;
}

/* Under the lock: has it gathered when that is needed, and judges what is known. */
static bool judge(struct filingclock *f, struct calendar *ret)
{
    int64_t now = clock_wall_s();
    struct stamp stamp = look(snapshot_config(f->snapshot)->state_dir);
    if (!f->wanted && (is_old(f, now) || !is_same(&stamp, &f->stamp))) {
        f->wanted = true;
        pthread_cond_signal(&f->wake);
    }
    if (f->known)
        calendar_judge(&f->facts, now, ret);
    return f->known;
}

int filingclock_stats(struct filingclock *f, struct buf *out)
{
    struct calendar calendar;
    int r = 0;
    if (!f)
        return 0;
    pthread_mutex_lock(&f->lock);
    if (judge(f, &calendar))
        r = calendar_metrics(&calendar, &f->progress, out);
    pthread_mutex_unlock(&f->lock);
    return r;
}

void filingclock_overdue(struct filingclock *f, struct buf *out)
{
    struct calendar calendar;
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    bool known = f->known || clock_mono_ms() >= f->opened_ms + START_MS;
    known = known && judge(f, &calendar);
    pthread_mutex_unlock(&f->lock);
    for (enum calendar_item_id i = 0; known && i < CALENDAR_ITEMS; i++)
        if (i != CALENDAR_LIBRARY && calendar.items[i].state == CALENDAR_OVERDUE)
            buf_printf(out, "%s %s\n", calendar_item_zh(i), calendar_item_en(i));
}
