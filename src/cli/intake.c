#include "cli/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/desk.h"
#include "config/network.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define QUEUE_MAX 64
#define HOUR_MS   3600000u

/* One that was taken. */
struct arrival {
    unsigned char from[8]; /* the network that counts as one: IPv4 whole, IPv6 by its /64 */
    uint64_t at_ms;
};

struct intake {
    struct complaint_taker taker;
    struct casebook *book;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool stop;
    struct complaint *queue[QUEUE_MAX];
    size_t first, count;
    /* Arrivals of the last hour at most, as a ring: as many as may come in one. */
    struct arrival *arrivals;
    size_t ring, next, per_hour;
};

/* Those of one household or server count as one. */
static void network_of(struct span address, unsigned char ret[8])
{
    unsigned char bytes[16] = {0};
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    network_read_address(address, bytes);
    bool v4 = memcmp(bytes, mapped, sizeof(mapped)) == 0;
    memset(ret, 0, 8);
    memcpy(ret, v4 ? bytes + 12 : bytes, v4 ? 4 : 8);
}

/* May one more come from there? Then it is counted. Under the lock. O(complaints of an hour). */
static bool admit(struct intake *i, struct span address)
{
    unsigned char from[8];
    uint64_t now = clock_mono_ms();
    size_t same = 0, all = 0;
    network_of(address, from);
    for (size_t k = 0; k < i->ring; k++) {
        const struct arrival *a = &i->arrivals[k];
        if (!a->at_ms || now - a->at_ms >= HOUR_MS)
            continue;
        all++;
        same += memcmp(a->from, from, sizeof(from)) == 0;
    }
    if (same >= i->per_hour || all >= i->ring)
        return false;
    struct arrival *a = &i->arrivals[i->next];
    memcpy(a->from, from, sizeof(from));
    a->at_ms = now ? now : 1;
    i->next = (i->next + 1) % i->ring;
    return true;
}

static int take(void *ctx, struct complaint *c)
{
    struct intake *i = ctx;
    pthread_mutex_lock(&i->lock);
    int r = i->stop || i->count == QUEUE_MAX ? -EAGAIN : admit(i, c->client_ip) ? 0 : -EDQUOT;
    if (r == 0) {
        i->queue[(i->first + i->count++) % QUEUE_MAX] = c;
        pthread_cond_signal(&i->more);
    }
    pthread_mutex_unlock(&i->lock);
    return r;
}

static void keep(struct intake *i, struct complaint *c)
{
    struct casebook_act act = {.verb = CASEBOOK_COMPLAINT,
                               .author = SPAN_LIT("public"),
                               .client_ip = c->client_ip,
                               .kind = c->kind,
                               .text = c->text,
                               .contact = c->contact,
                               .requests = &c->request_id,
                               .request_count = c->request_id.len > 0};
    struct casebook_answer answer;
    c->result = casebook_do(i->book, &act, &answer);
    c->number = answer.number;
    c->due_us = answer.due_us;
    snprintf(c->why, sizeof(c->why), "%s", answer.error);
    if (c->result < 0 && c->result != -EINVAL)
        log_error("a complaint can't be taken: %s", answer.error);
    c->done(c);
}

static void *run(void *arg)
{
    struct intake *i = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&i->lock);
    for (;;) {
        while (!i->count && !i->stop)
            pthread_cond_wait(&i->more, &i->lock);
        if (!i->count)
            break;
        struct complaint *c = i->queue[i->first];
        i->first = (i->first + 1) % QUEUE_MAX;
        i->count--;
        pthread_mutex_unlock(&i->lock);
        keep(i, c);
        pthread_mutex_lock(&i->lock);
    }
    pthread_mutex_unlock(&i->lock);
    return NULL;
}

int intake_open(struct audit *a, const struct config *c, struct intake **ret_intake)
{
    struct intake *i = calloc(1, sizeof(*i));
    if (!i)
        return -ENOMEM;
    i->taker = (struct complaint_taker){take, i};
    if (desk_casebook(c, a, &i->book) < 0)
        log_error("nothing can be reviewed until the casebook is repaired or moved away");
    i->ring = c->complaints.all_per_hour;
    i->per_hour = c->complaints.per_hour;
    i->arrivals = calloc(i->ring, sizeof(*i->arrivals));
    pthread_mutex_init(&i->lock, NULL);
    pthread_cond_init(&i->more, NULL);
    int r = i->arrivals ? -pthread_create(&i->thread, NULL, run, i) : -ENOMEM;
    if (r < 0) {
        casebook_close(i->book);
        free(i->arrivals);
        free(i);
        return r;
    }
    *ret_intake = i;
    return 0;
}

const struct complaint_taker *intake_taker(const struct intake *i)
{
    return i && i->book ? &i->taker : NULL;
}

struct casebook *intake_casebook(const struct intake *i)
{
    return i ? i->book : NULL;
}

void intake_close(struct intake *i)
{
    if (!i)
        return;
    pthread_mutex_lock(&i->lock);
    i->stop = true;
    pthread_cond_signal(&i->more);
    pthread_mutex_unlock(&i->lock);
    pthread_join(i->thread, NULL);
    casebook_close(i->book);
    pthread_cond_destroy(&i->more);
    pthread_mutex_destroy(&i->lock);
    free(i->arrivals);
    free(i);
}
