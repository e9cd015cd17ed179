#include "text/kinship.h"

#include <errno.h>
#include <stdlib.h>

void kinship_deinit(struct kinship *k)
{
    free(k->kin);
    *k = (struct kinship){0};
}

/* The place of the first kin that is not before member. */
static size_t kinship_place(const struct kinship *k, uint32_t member)
{
    size_t low = 0, high = k->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (k->kin[middle].member < member)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t kinship_chief(const struct kinship *k, uint32_t member)
{
    size_t at = kinship_place(k, member);
    return at < k->count && k->kin[at].member == member ? k->kin[at].chief : member;
}

int kinship_join(struct kinship *k, uint32_t a, uint32_t b)
{
    uint32_t x = kinship_chief(k, a), y = kinship_chief(k, b);
    if (x == y)
        return 0;
    uint32_t chief = x < y ? x : y, old = x < y ? y : x;
    if (k->count == k->cap) {
        size_t cap = k->cap ? k->cap * 2 : 64;
        struct kin *kin = realloc(k->kin, cap * sizeof(*kin));
        if (!kin)
            return -ENOMEM;
        k->kin = kin;
        k->cap = cap;
    }
    for (size_t i = 0; i < k->count; i++)
        if (k->kin[i].chief == old)
            k->kin[i].chief = chief;
    size_t at = kinship_place(k, old);
    memmove(k->kin + at + 1, k->kin + at, (k->count - at) * sizeof(*k->kin));
    k->kin[at] = (struct kin){old, chief};
    k->count++;
    return 0;
}

void splits_deinit(struct splits *s)
{
    free(s->splits);
    *s = (struct splits){0};
}

size_t splits_find(const struct splits *s, uint32_t cp, const struct split **ret_first)
{
    size_t low = 0, high = s->count, n = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->splits[middle].cp < cp)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + n < s->count && s->splits[low + n].cp == cp)
        n++;
    *ret_first = s->splits ? s->splits + low : NULL;
    return n;
}

int splits_add(struct splits *s, const struct split *split)
{
    const struct split *first;
    size_t n = splits_find(s, split->cp, &first);
    for (size_t i = 0; i < n; i++)
        if (first[i].count == split->count &&
            memcmp(first[i].parts, split->parts, split->count * sizeof(*split->parts)) == 0)
            return 0;
    size_t at = first ? (size_t)(first - s->splits) + n : 0;
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        struct split *splits = realloc(s->splits, cap * sizeof(*splits));
        if (!splits)
            return -ENOMEM;
        s->splits = splits;
        s->cap = cap;
    }
    memmove(s->splits + at + 1, s->splits + at, (s->count - at) * sizeof(*s->splits));
    s->splits[at] = *split;
    s->count++;
    return 0;
}
