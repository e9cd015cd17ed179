#include "console/clerk.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 8

struct errand { /* of a clerk on the loop, on his stack */
    struct list link;
    void (*fn)(void *arg);
    void *arg;
    bool over;
    int result;
};

struct clerk {
    struct loop *loop;
    struct loop_hook hook;
    pthread_mutex_t lock;
    pthread_cond_t come, gone; /* something to do; an errand is over */
    /* Under the lock. */
    struct list waiting, finished, errands;
    size_t waiting_count, queue;
    bool ending;
    unsigned started; /* threads, for their numbers */
    unsigned thread_count;
    pthread_t threads[THREADS_MAX];
};

static struct clerk_job *first_job(struct list *l)
{
    return list_empty(l) ? NULL : list_entry(l->next, struct clerk_job, link);
}

static void *run(void *arg)
{
    struct clerk *c = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    pthread_mutex_lock(&c->lock);
    unsigned number = c->started++;
    for (;;) {
        while (list_empty(&c->waiting) && !c->ending)
            pthread_cond_wait(&c->come, &c->lock);
        if (c->ending)
            break;
        struct clerk_job *j = first_job(&c->waiting);
        list_remove(&j->link);
        c->waiting_count--;
        pthread_mutex_unlock(&c->lock);
        j->work(j, number);
        pthread_mutex_lock(&c->lock);
        list_append(&c->finished, &j->link);
        loop_wake(c->loop);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void run_errands(struct clerk *c)
{
    pthread_mutex_lock(&c->lock);
    while (!list_empty(&c->errands)) {
        struct errand *e = list_entry(c->errands.next, struct errand, link);
        list_remove(&e->link);
        bool cancelled = c->ending;
        pthread_mutex_unlock(&c->lock);
        if (!cancelled)
            e->fn(e->arg);
        pthread_mutex_lock(&c->lock);
        e->result = cancelled ? -ECANCELED : 0;
        e->over = true;
        pthread_cond_broadcast(&c->gone);
    }
    pthread_mutex_unlock(&c->lock);
}

/* On the loop's thread: what came back. */
static void collect(struct clerk *c, struct list *from)
{
    for (;;) {
        pthread_mutex_lock(&c->lock);
        struct clerk_job *j = first_job(from);
        if (j)
            list_remove(&j->link);
        pthread_mutex_unlock(&c->lock);
        if (!j)
            return;
        j->done(j);
    }
}

static void turn(struct loop_hook *h)
{
    struct clerk *c = list_entry(h, struct clerk, hook);
    run_errands(c);
    collect(c, &c->finished);
}

int clerk_new(struct loop *l, unsigned threads, size_t queue, struct clerk **ret_clerk)
{
    struct clerk *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct clerk){.loop = l, .queue = queue};
    list_init(&c->waiting);
    list_init(&c->finished);
    list_init(&c->errands);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->come, NULL);
    pthread_cond_init(&c->gone, NULL);
    loop_hook_add(l, &c->hook, turn);
    for (unsigned i = 0; i < threads && i < THREADS_MAX; i++) {
        int e = pthread_create(&c->threads[i], NULL, run, c);
        if (e) {
            clerk_free(c);
            return -e;
        }
        c->thread_count++;
    }
    *ret_clerk = c;
    return 0;
}

void clerk_free(struct clerk *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    /* Who waits for the loop would wait for us, who wait for him. */
    list_for_each_safe (e, next, &c->errands) {
        struct errand *errand = list_entry(e, struct errand, link);
        list_remove(&errand->link);
        errand->result = -ECANCELED;
        errand->over = true;
    }
    pthread_cond_broadcast(&c->gone);
    pthread_cond_broadcast(&c->come);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->thread_count; i++)
        pthread_join(c->threads[i], NULL);
    collect(c, &c->finished);
    collect(c, &c->waiting);
    loop_hook_remove(&c->hook);
    pthread_cond_destroy(&c->gone);
    pthread_cond_destroy(&c->come);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

int clerk_submit(struct clerk *c, struct clerk_job *j)
{
    int r = -EAGAIN;
    pthread_mutex_lock(&c->lock);
    if (c->waiting_count < c->queue && !c->ending) {
        list_append(&c->waiting, &j->link);
        c->waiting_count++;
        pthread_cond_signal(&c->come);
        r = 0;
    }
    pthread_mutex_unlock(&c->lock);
    return r;
}

int clerk_on_loop(struct clerk *c, void (*fn)(void *arg), void *arg)
{
    struct errand e = {.fn = fn, .arg = arg, .result = -ECANCELED};
    pthread_mutex_lock(&c->lock);
    if (!c->ending) {
        list_append(&c->errands, &e.link);
        loop_wake(c->loop);
        while (!e.over)
            pthread_cond_wait(&c->gone, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return e.result;
}
