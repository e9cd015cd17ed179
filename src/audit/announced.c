#include "audit/announced.h"

#include "base/codec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more in a list that doubles. */
static void *grow(void *list, size_t count, size_t size)
{
    if (count & (count - 1))
        return list;
    return realloc(list, (count ? 2 * count : 1) * size);
}

static bool skip(struct span *s, struct span word)
{
    size_t at = span_find(*s, word);
    if (at == s->len)
        return false;
    *s = span_slice(*s, at + word.len, s->len);
    return true;
}

static bool number(struct span *s, uint64_t *ret)
{
    size_t n = 0;
    unsigned long long value;
    while (n < s->len && s->data[n] >= '0' && s->data[n] <= '9')
        n++;
    if (!span_to_u64(span_slice(*s, 0, n), &value))
        return false;
    *s = span_slice(*s, n, s->len);
    *ret = value;
    return true;
}

/* Texts within the detail have their quotes escaped: what is found here is no part of one. */
static int add_files(struct announced *a, struct span detail)
{
    while (skip(&detail, SPAN_LIT("{\"file\":\""))) {
        struct announced_file f = {0};
        size_t n = span_find(detail, SPAN_LIT("\""));
        if (n >= sizeof(f.name))
            continue;
        memcpy(f.name, detail.data, n);
        if (!skip(&detail, SPAN_LIT(",\"last\":")) || !number(&detail, &f.last) ||
            !skip(&detail, SPAN_LIT(",\"hash\":\"")) || detail.len < 2 * SHA256_SIZE ||
            !codec_unhex(span_slice(detail, 0, 2 * SHA256_SIZE), f.hash, SHA256_SIZE))
            break;
        void *list = grow(a->files, a->file_count, sizeof(f));
        if (!list)
            return -ENOMEM;
        a->files = list;
        a->files[a->file_count++] = f;
    }
    return 0;
}

static int add_hold(struct announced *a, uint64_t seq)
{
    void *list = grow(a->holds, a->hold_count, sizeof(seq));
    if (!list)
        return -ENOMEM;
    a->holds = list;
    a->holds[a->hold_count++] = seq;
    return 0;
}

static void release(struct announced *a, struct span detail)
{
    uint64_t seq;
    if (!skip(&detail, SPAN_LIT("{\"hold\":")) || !number(&detail, &seq))
        return;
    for (size_t i = 0; i < a->hold_count; i++)
        if (a->holds[i] == seq) {
            a->holds[i] = 0;
            return;
        }
}

int announced_add(struct announced *a, const struct entry *e)
{
    if (!span_eq(e->kind, SPAN_LIT("admin")))
        return 0;
    if (span_eq(e->reason, SPAN_LIT("prune")))
        return add_files(a, e->detail);
    if (span_eq(e->reason, SPAN_LIT("hold")))
        return add_hold(a, e->seq);
    if (span_eq(e->reason, SPAN_LIT("hold_release")))
        release(a, e->detail);
    return 0;
}

int announced_miss(struct announced *a, const char *name, uint64_t seq,
                   const unsigned char *hash_or_null)
{
    void *list = grow(a->missed, a->missed_count, sizeof(*a->missed));
    if (!list)
        return -ENOMEM;
    a->missed = list;
    struct missed_file *m = &a->missed[a->missed_count++];
    *m = (struct missed_file){.seq = seq, .has_hash = hash_or_null != NULL};
    snprintf(m->name, sizeof(m->name), "%s", name);
    if (hash_or_null)
        memcpy(m->hash, hash_or_null, SHA256_SIZE);
    return 0;
}

static bool is_told(const struct announced *a, const struct missed_file *m)
{
    for (size_t i = 0; i < a->file_count; i++) {
        const struct announced_file *f = &a->files[i];
        /* Of records it is told by where they ended: the file's month need not be known. */
        if (m->has_hash ? strncmp(f->name, "l0-", 3) == 0 && f->last == m->seq &&
                              memcmp(f->hash, m->hash, SHA256_SIZE) == 0
                        : strcmp(f->name, m->name) == 0)
            return true;
    }
    return false;
}

const struct missed_file *announced_check(const struct announced *a)
{
    for (size_t i = 0; i < a->missed_count; i++)
        if (!is_told(a, &a->missed[i]))
            return &a->missed[i];
    return NULL;
}

void announced_deinit(struct announced *a)
{
    free(a->files);
    free(a->missed);
    free(a->holds);
    *a = (struct announced){0};
}
