#include "audit/indexer.h"

#include "audit/fill.h"
#include "audit/index.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STEP_RECORDS 8192 /* one transaction */
#define STEP_TEXTS   200
#define POLL_US      1000000u
#define REVIEW_US    30000000u /* older months are looked at again */
#define RETRY_US     60000000u /* after failures in a row, at most */
#define PATIENCE     3         /* failures in a row that are worth a line */
#define NICE         10

/* A month whose files are open. */
struct slot {
    files_month month;
    struct fill_rows *rows;
    struct fill_text *text;
};

struct indexer {
    char dir[PATH_MAX];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;

    /* The thread's own. */
    struct files files;
    struct slot newest, older;
    files_month oldest_done; /* all months from here to the last but one are complete */
    uint64_t review_us;
    unsigned failures; /* in a row */
};

static void close_slot(struct slot *s)
{
    fill_rows_close(s->rows);
    fill_text_close(s->text);
    *s = (struct slot){0};
}

static bool is_stopping(struct indexer *i)
{
    pthread_mutex_lock(&i->lock);
    bool stopping = i->stopping;
    pthread_mutex_unlock(&i->lock);
    return stopping;
}

/* One transaction for each file of a month. 1: there is more; 0: it is up to date. */
static int step(struct span dir, struct slot *s, files_month month)
{
    int more_rows = 0, more_text = 0, r = 0;
    if (s->month != month)
        close_slot(s);
    s->month = month;
    if (!s->rows)
        r = fill_rows_open(dir, month, &s->rows);
    if (r == 0)
        r = more_rows = fill_rows_step(s->rows, STEP_RECORDS);
    if (r >= 0 && !s->text) {
        r = fill_text_open(dir, month, &s->text);
        if (r == -ENOENT)
            r = 0;
    }
    if (r >= 0 && s->text)
        r = more_text = fill_text_step(s->text, STEP_TEXTS);
    if (r >= 0)
        return more_rows || more_text;
    close_slot(s);
    return r == -ENOENT ? 0 : r;
}

/*
 * The newest month until it is up to date, then one step in an older one. 1: there is more to do;
 * 0: nothing.
 */
static int work(struct indexer *i)
{
    struct span dir = span_str(i->dir);
    int r = files_list(dir, 0, &i->files);
    if (r < 0 || i->files.count == 0)
        return r;
    size_t n = i->files.count;
    files_month newest = i->files.months[n - 1];
    r = step(dir, &i->newest, newest);
    if (r)
        return r;
    uint64_t now = clock_mono_us();
    if (now - i->review_us >= REVIEW_US || i->review_us == 0) {
        i->review_us = now;
        i->oldest_done = newest;
        r = index_sweep(dir);
        if (r < 0)
            return r;
    }
    while (n > 1 && i->files.months[n - 2] >= i->oldest_done)
        n--;
    if (n < 2)
        return 0;
    r = step(dir, &i->older, i->files.months[n - 2]);
    if (r)
        return r;
    close_slot(&i->older);
    i->oldest_done = i->files.months[n - 2];
    return 1;
}

/* How long until there may be something to do, after that result. */
static uint64_t pause_after(struct indexer *i, int r)
{
    if (r == 1) {
        i->failures = 0;
        return 0;
    }
    if (r == 0 || r == -ESTALE || r == -EBUSY) {
        i->failures = r == 0 ? 0 : i->failures;
        return POLL_US;
    }
    if (++i->failures == PATIENCE)
        log_warning("audit: the index of %s can't be kept up: %s; searches read the log itself",
                    i->dir, strerror(-r));
    uint64_t pause = (uint64_t)POLL_US << (i->failures < 10 ? i->failures - 1 : 9);
    return pause < RETRY_US ? pause : RETRY_US;
}

static void *run(void *arg)
{
    struct indexer *i = arg;
    /* Behind everything that serves: on Linux a thread has a niceness of its own. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    while (!is_stopping(i)) {
        uint64_t until = pause_after(i, work(i));
        if (until == 0)
            continue;
        until += clock_mono_us();
        struct timespec t = {.tv_sec = (time_t)(until / 1000000u),
                             .tv_nsec = (long)(until % 1000000u) * 1000};
        pthread_mutex_lock(&i->lock);
        while (!i->stopping && pthread_cond_timedwait(&i->wake, &i->lock, &t) == 0)
            ;
        pthread_mutex_unlock(&i->lock);
    }
    close_slot(&i->newest);
    close_slot(&i->older);
    return NULL;
}

static int make(struct span dir, struct indexer **ret_indexer)
{
    if (dir.len == 0 || dir.len >= PATH_MAX - 64 || memchr(dir.data, 0, dir.len))
        return -EINVAL;
    struct indexer *i = calloc(1, sizeof(*i));
    if (!i)
        return -ENOMEM;
    memcpy(i->dir, dir.data, dir.len);
    *ret_indexer = i;
    return 0;
}

int indexer_start(struct span dir, struct indexer **ret_indexer)
{
    struct indexer *i = NULL;
    int r = make(dir, &i);
    if (r < 0)
        return r;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&i->lock, NULL);
    pthread_cond_init(&i->wake, &attr);
    pthread_condattr_destroy(&attr);
    r = -pthread_create(&i->thread, NULL, run, i);
    if (r < 0) {
        pthread_cond_destroy(&i->wake);
        pthread_mutex_destroy(&i->lock);
        free(i);
        return r;
    }
    *ret_indexer = i;
    return 0;
}

void indexer_stop(struct indexer *i)
{
    if (!i)
        return;
    pthread_mutex_lock(&i->lock);
    i->stopping = true;
    pthread_mutex_unlock(&i->lock);
    pthread_cond_signal(&i->wake);
    pthread_join(i->thread, NULL);
    pthread_cond_destroy(&i->wake);
    pthread_mutex_destroy(&i->lock);
    free(i);
}

int indexer_run(struct span dir)
{
    struct indexer *i = NULL;
    int r = make(dir, &i);
    if (r < 0)
        return r;
    r = files_list(dir, 0, &i->files);
    for (size_t n = i->files.count; r >= 0 && n > 0; n--)
        while ((r = step(dir, &i->newest, i->files.months[n - 1])) == 1)
            ;
    close_slot(&i->newest);
    if (r == 0)
        r = index_sweep(dir);
    free(i);
    return r;
}
