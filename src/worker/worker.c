#include "worker/worker.h"

#include "base/log.h"
#include "base/series.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct worker {
    struct worker_pool *pool;
    pthread_t thread;
    bool started;
    struct loop *loop;
    struct gate *gate;
    struct metrics metrics;
    int result; /* of starting */
    sem_t ready;
    /* the mailbox */
    struct loop_watch mail;
    pthread_mutex_t lock;
    struct snapshot *next; /* waits to be taken over */
    bool taking;           /* it is being taken over */
    bool drain;
};

struct worker_pool {
    struct worker_pool_options options;
    unsigned count;
    atomic_uint running;
    struct worker *workers;
};

static void drained(void *ctx)
{
    struct worker *w = ctx;
    loop_stop(w->loop);
}

static void read_mail(struct loop_watch *watch, uint32_t events)
{
    struct worker *w = list_entry(watch, struct worker, mail);
    uint64_t n;
    ssize_t r = read(watch->fd, &n, sizeof(n));
    (void)r;
    pthread_mutex_lock(&w->lock);
    struct snapshot *next = w->next;
    bool drain = w->drain;
    w->next = NULL;
    w->taking = next != NULL;
    w->drain = false;
    pthread_mutex_unlock(&w->lock);
    if (next) {
        gate_reload(w->gate, next);
        snapshot_unref(next);
        pthread_mutex_lock(&w->lock);
        w->taking = false;
        pthread_mutex_unlock(&w->lock);
    }
    if (drain)
        gate_drain(w->gate, drained, w);
}

static int begin(struct worker *w)
{
    struct gate_options o = {
        .audit = w->pool->options.audit,
        .limiter = w->pool->options.limiter,
        .reviewers = w->pool->options.reviewers,
        .serves_reviewers = w->pool->options.reviewers && w == w->pool->workers,
        .complaints = w->pool->options.complaints,
        .metrics = &w->metrics,
        .snapshot = w->pool->options.snapshot,
        .shared_port = w->pool->count > 1,
        .worker = (unsigned)(w - w->pool->workers),
    };
    w->loop = o.loop = loop_new();
    if (!w->loop)
        return -ENOMEM;
    int r = loop_watch_add(w->loop, &w->mail, EPOLLIN);
    return r < 0 ? r : gate_new(&o, &w->gate);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct worker_pool *p = w->pool;
    /* Signals are the main thread's. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    w->result = begin(w);
    int result = w->result;
    sem_post(&w->ready);
    if (result == 0) {
        int r = loop_run(w->loop);
        if (r < 0)
            log_error("a worker's loop failed: %s", strerror(-r));
    }
    gate_free(w->gate);
    loop_free(w->loop);
    if (atomic_fetch_sub(&p->running, 1) == 1 && result == 0 && p->options.drained)
        p->options.drained(p->options.ctx);
    return NULL;
}

static int start(struct worker_pool *p, struct worker *w)
{
    w->pool = p;
    pthread_mutex_init(&w->lock, NULL);
    sem_init(&w->ready, 0, 0);
    w->mail = (struct loop_watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .fn = read_mail};
    if (w->mail.fd < 0)
        return -errno;
    atomic_fetch_add(&p->running, 1);
    int r = pthread_create(&w->thread, NULL, run, w);
    if (r != 0) {
        atomic_fetch_sub(&p->running, 1);
        return -r;
    }
    w->started = true;
    sem_wait(&w->ready);
    return w->result;
}

int worker_pool_new(const struct worker_pool_options *o, struct worker_pool **ret_pool)
{
    struct worker_pool *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->options = *o;
    p->count = o->count;
    p->workers = calloc(o->count, sizeof(*p->workers));
    int r = p->workers ? 0 : -ENOMEM;
    if (r < 0)
        p->count = 0;
    for (unsigned i = 0; i < p->count && r == 0; i++) {
        r = start(p, &p->workers[i]);
        if (r < 0)
            p->count = i + 1; /* the rest was never begun */
    }
    if (r < 0) {
        p->options.drained = NULL;
        worker_pool_drain(p);
        worker_pool_free(p);
        return r;
    }
    *ret_pool = p;
    return 0;
}

static void tell(struct worker *w, struct snapshot *next, bool drain)
{
    uint64_t one = 1;
    pthread_mutex_lock(&w->lock);
    struct snapshot *old = next ? w->next : NULL;
    if (next)
        w->next = snapshot_ref(next);
    w->drain = w->drain || drain;
    pthread_mutex_unlock(&w->lock);
    snapshot_unref(old);
    ssize_t r = write(w->mail.fd, &one, sizeof(one));
    (void)r; /* EAGAIN: it has mail already */
}

void worker_pool_reload(struct worker_pool *p, struct snapshot *s)
{
    for (unsigned i = 0; i < p->count; i++)
        tell(&p->workers[i], s, false);
}

bool worker_pool_settled(struct worker_pool *p)
{
    bool settled = true;
    for (unsigned i = 0; i < p->count && settled; i++) {
        struct worker *w = &p->workers[i];
        pthread_mutex_lock(&w->lock);
        settled = !w->next && !w->taking;
        pthread_mutex_unlock(&w->lock);
    }
    return settled;
}

void worker_pool_drain(struct worker_pool *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->workers[i].started)
            tell(&p->workers[i], NULL, true);
}

void worker_pool_free(struct worker_pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->count; i++) {
        struct worker *w = &p->workers[i];
        if (w->started)
            pthread_join(w->thread, NULL);
        if (w->mail.fd > 0)
            close(w->mail.fd);
        snapshot_unref(w->next);
        series_free(&w->metrics);
        pthread_mutex_destroy(&w->lock);
        sem_destroy(&w->ready);
    }
    free(p->workers);
    free(p);
}

uint16_t worker_pool_port(const struct worker_pool *p)
{
    return gate_port(p->workers[0].gate);
}

unsigned worker_pool_count(const struct worker_pool *p)
{
    return p->count;
}

const struct metrics *worker_pool_metrics(const struct worker_pool *p, unsigned index)
{
    return &p->workers[index].metrics;
}
