#include "audit/port.h"

#include "audit/item.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct audit_port {
    atomic_uint refs;
    int fd;
    pthread_mutex_t lock;
    bool closed;
    struct item *first, **last;
};

int audit_port_open(struct audit *a, struct audit_port **ret_port)
{
    struct audit_port *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->fd < 0) {
        int r = -errno;
        free(p);
        return r;
    }
    atomic_init(&p->refs, 1);
    pthread_mutex_init(&p->lock, NULL);
    p->last = &p->first;
    *ret_port = p;
    return 0;
}

struct audit_port *port_ref(struct audit_port *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

void port_unref(struct audit_port *p)
{
    if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&p->lock);
    close(p->fd);
    free(p);
}

void audit_port_close(struct audit_port *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closed = true;
    struct item *i = p->first;
    p->first = NULL;
    p->last = &p->first;
    pthread_mutex_unlock(&p->lock);
    while (i) {
        struct item *next = i->done_next;
        item_unref(i);
        i = next;
    }
    port_unref(p);
}

int audit_port_fd(const struct audit_port *p)
{
    return p->fd;
}

bool port_push(struct audit_port *p, struct item *i)
{
    i->done_next = NULL;
    pthread_mutex_lock(&p->lock);
    bool closed = p->closed, first = !p->first;
    if (!closed) {
        *p->last = i;
        p->last = &i->done_next;
    }
    pthread_mutex_unlock(&p->lock);
    if (closed)
        item_unref(i);
    return first && !closed;
}

void port_signal(struct audit_port *p)
{
    uint64_t one = 1;
    ssize_t n = write(p->fd, &one, sizeof(one));
    (void)n; /* fails only when the counter is at its end: readable all the same */
}

size_t audit_port_collect(struct audit_port *p, struct audit_done *ret_done, size_t max)
{
    uint64_t count;
    ssize_t got = read(p->fd, &count, sizeof(count));
    (void)got; /* nothing to read: the list is looked at all the same */
    pthread_mutex_lock(&p->lock);
    struct item *first = p->first;
    size_t n = 0;
    for (; p->first && n < max; n++) {
        ret_done[n] = p->first->done;
        p->first = p->first->done_next;
    }
    struct item *rest = p->first;
    if (!rest)
        p->last = &p->first;
    pthread_mutex_unlock(&p->lock);
    if (rest)
        port_signal(p);
    while (first != rest) {
        struct item *next = first->done_next;
        item_unref(first);
        first = next;
    }
    return n;
}
