#include "rules/importing.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t hash_of(struct span key)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.data[i]) * 0x100000001B3u;
    return h ^ h >> 29;
}

/* Its slot, or the free one where it would be. */
static struct index_slot *slot(const struct index *x, struct span key, uint64_t hash)
{
    size_t i = hash & x->mask;
    while (x->slots[i].key.data && !(x->slots[i].hash == hash && span_eq(x->slots[i].key, key)))
        i = (i + 1) & x->mask;
    return &x->slots[i];
}

static bool grow(struct index *x)
{
    struct index old = *x;
    x->mask = old.slots ? 2 * old.mask + 1 : 255;
    x->slots = calloc(x->mask + 1, sizeof(*x->slots));
    if (!x->slots) {
        *x = old;
        return false;
    }
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i].key.data)
            *slot(x, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
    return true;
}

uint32_t *index_at(struct index *x, struct span key, bool add, bool *ret_new)
{
    uint64_t hash = hash_of(key);
    if (add && x->count * 4 >= x->mask * 3 && !grow(x))
        return NULL;
    if (!x->slots)
        return NULL;
    struct index_slot *s = slot(x, key, hash);
    if (s->key.data) {
        if (ret_new)
            *ret_new = false;
        return &s->value;
    }
    if (!add)
        return NULL;
    *s = (struct index_slot){.key = key, .hash = hash};
    x->count++;
    if (ret_new)
        *ret_new = true;
    return &s->value;
}

void index_deinit(struct index *x)
{
    free(x->slots);
    *x = (struct index){0};
}

int import_grow(void **array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return 0;
    size_t more = *cap ? 2 * *cap : 64;
    void *bigger = reallocarray(*array, more, size);
    if (!bigger)
        return -ENOMEM;
    *array = bigger;
    *cap = more;
    return 0;
}
