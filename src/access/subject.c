#include "access/subject.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 16

void subjects_init(struct subjects *s)
{
    *s = (struct subjects){0};
    list_init(&s->idle);
}

void subjects_deinit(struct subjects *s)
{
    for (size_t i = 0; s->buckets && i <= s->mask; i++)
        for (struct subject *e = s->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    free(s->buckets);
    subjects_init(s);
}

/* FNV-1a. Names are our own ids or keyed hashes: nobody can choose those that collide. */
static uint64_t hash(struct span name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.data[i]) * 0x100000001b3u;
    return h ^ h >> 32;
}

static struct span clip(struct span name)
{
    return span_slice(name, 0, name.len < SUBJECT_NAME_MAX ? name.len : SUBJECT_NAME_MAX);
}

struct subject *subjects_find(const struct subjects *s, struct span name)
{
    name = clip(name);
    if (!s->buckets)
        return NULL;
    for (struct subject *e = s->buckets[hash(name) & s->mask]; e; e = e->next)
        if (span_eq(span_from(e->name, e->name_len), name))
            return e;
    return NULL;
}

static bool grow(struct subjects *s)
{
    size_t size = s->buckets ? (s->mask + 1) * 2 : BUCKETS_FIRST;
    struct subject **buckets = calloc(size, sizeof(struct subject *));
    if (!buckets)
        return s->buckets != NULL; /* longer chains, then */
    for (size_t i = 0; s->buckets && i <= s->mask; i++)
        for (struct subject *e = s->buckets[i], *next; e; e = next) {
            next = e->next;
            size_t at = hash(span_from(e->name, e->name_len)) & (size - 1);
            e->next = buckets[at];
            buckets[at] = e;
        }
    free(s->buckets);
    s->buckets = buckets;
    s->mask = size - 1;
    return true;
}

static void forget(struct subjects *s, struct subject *e)
{
    struct subject **at = &s->buckets[hash(span_from(e->name, e->name_len)) & s->mask];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    list_remove(&e->link);
    free(e);
    s->count--;
    s->forgotten++;
}

struct subject *subjects_get(struct subjects *s, struct span name, size_t max)
{
    struct subject *e = subjects_find(s, name);
    name = clip(name);
    if (e && !list_empty(&e->link)) { /* also who is refused all the time is not away */
        list_remove(&e->link);
        list_append(&s->idle, &e->link);
    }
    if (e)
        return e;
    while (s->count >= max && !list_empty(&s->idle))
        forget(s, list_entry(s->idle.next, struct subject, link));
    if (s->count >= max || ((!s->buckets || s->count > s->mask) && !grow(s)))
        return NULL;
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    if (name.len) /* who is not named has no data to copy */
        memcpy(e->name, name.data, name.len);
    e->name_len = (unsigned char)name.len;
    struct subject **at = &s->buckets[hash(name) & s->mask];
    e->next = *at;
    *at = e;
    list_append(&s->idle, &e->link);
    s->count++;
    return e;
}

void subjects_busy(struct subjects *s, struct subject *e)
{
    list_remove(&e->link);
}

void subjects_idle(struct subjects *s, struct subject *e)
{
    list_append(&s->idle, &e->link);
}
