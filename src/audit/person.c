#include "audit/person.h"

#include "audit/query.h"
#include "base/codec.h"

#include <errno.h>

struct search {
    struct span begins; /* of the hash */
    struct span hash;   /* of it as an id */
    struct person_found *found;
};

static void meet(struct search *s, struct span hash)
{
    struct person_found *f = s->found;
    f->id_known = f->id_known || span_eq(hash, s->hash);
    if (hash.len != 64 || !span_starts(hash, s->begins))
        return;
    for (size_t i = 0; i < f->count; i++)
        if (span_eq(hash, span_str(f->begin[i])))
            return;
    if (f->count < PERSON_FOUND) /* more don't make it any clearer */
        memcpy(f->begin[f->count++], hash.data, hash.len);
}

static void meet_entry(void *ctx, const struct strike_entry *e)
{
    char hash[65];
    codec_hex(span_from((const char *)e->end_user, sizeof(e->end_user)), hash);
    meet(ctx, span_str(hash));
}

static int search_log(struct search *s, const struct person_search *p, struct query_filter *f)
{
    struct query *q = NULL;
    const struct query_row *row;
    f->all = f->any_purpose = true;
    f->budget_us = p->budget_us;
    int r = query_open(p->log_dir, f, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1)
        meet(s, row->entry.end_user);
    if (r == 0 && !query_is_complete(q))
        r = -ETIMEDOUT;
    query_close(q);
    return r == -ENOENT ? 0 : r;
}

/* The digits of what may be the beginning of a hash; empty: it is none. */
static struct span short_hash(struct span id)
{
    static const struct span more[] = {SPAN_LIT("…"), SPAN_LIT("...")};
    for (size_t i = 0; i < 2; i++)
        if (id.len > more[i].len && span_eq(span_slice(id, id.len - more[i].len, id.len), more[i]))
            id.len -= more[i].len;
    bool digits = id.len >= PERSON_SHORT && id.len < 64;
    for (size_t i = 0; digits && i < id.len; i++)
        digits = strchr("0123456789abcdef", id.data[i]) && id.data[i];
    return digits ? id : SPAN_NULL;
}

static void settle(struct person_found *f, struct span hash)
{
    memcpy(f->hash, hash.data, hash.len);
    f->hash[hash.len] = '\0';
}

static int decide(struct search *s)
{
    struct person_found *f = s->found;
    if (f->count + f->id_known != 1)
        return f->count ? -EEXIST : -ENOENT;
    settle(f, f->count ? span_str(f->begin[0]) : s->hash);
    return 0;
}

int person_find(const struct person_search *p, struct person_found *ret_found)
{
    unsigned char bytes[32];
    struct search s = {.hash = p->hash, .found = ret_found};
    *ret_found = (struct person_found){0};
    if (!(p->flags & PERSON_AS_ID) && codec_unhex(p->id, bytes, sizeof(bytes))) {
        codec_hex(span_from((const char *)bytes, sizeof(bytes)), ret_found->hash);
        return 0;
    }
    if (p->hash.len != 64)
        return -EINVAL;
    s.begins = p->flags & PERSON_AS_ID ? SPAN_NULL : short_hash(p->id);
    if (s.begins.len == 0) {
        settle(ret_found, p->hash);
        return 0;
    }
    if (p->strikes) {
        strikes_lock(p->strikes);
        strikes_each(p->strikes, meet_entry, &s);
        strikes_unlock(p->strikes);
    }
    struct query_filter begins = {.end_user_begins = s.begins};
    struct query_filter whole = {.end_user = s.hash, .limit = 1}; /* which the index knows */
    int r = p->flags & PERSON_IN_LOG ? search_log(&s, p, &begins) : 0;
    if (r == 0 && p->flags & PERSON_IN_LOG && !ret_found->id_known)
        r = search_log(&s, p, &whole);
    if (r < 0)
        return r;
    if (ret_found->count == 0 && p->flags & PERSON_OR_ID)
        ret_found->id_known = true;
    return decide(&s);
}
