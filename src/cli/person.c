#include "cli/person.h"

#include "access/access.h"
#include "audit/query.h"
#include "audit/strikes.h"
#include "base/codec.h"
#include "cli/setup.h"

#include <errno.h>

#define FOUND_MAX 4 /* that a message names */

struct search {
    struct span begins; /* of the hash */
    char hash[65];      /* of it as an id */
    bool id_known;      /* that one is there */
    char found[FOUND_MAX][65];
    size_t count;
};

static void meet(struct search *s, struct span hash)
{
    s->id_known = s->id_known || span_eq(hash, span_str(s->hash));
    if (hash.len != 64 || !span_starts(hash, s->begins))
        return;
    for (size_t i = 0; i < s->count && i < FOUND_MAX; i++)
        if (span_eq(hash, span_str(s->found[i])))
            return;
    if (s->count < FOUND_MAX)
        memcpy(s->found[s->count], hash.data, hash.len);
    s->count += s->count < FOUND_MAX; /* more don't make it any clearer */
}

static void meet_entry(void *ctx, const struct strike_entry *e)
{
    char hash[65];
    codec_hex(span_from((const char *)e->end_user, sizeof(e->end_user)), hash);
    meet(ctx, span_str(hash));
}

static int search_strikes(struct search *s, const struct config *c)
{
    struct strikes *t = NULL;
    int r = strikes_open(c->state_dir, c->strikes.users, true, &t);
    if (r == 0) {
        strikes_lock(t);
        strikes_each(t, meet_entry, s);
        strikes_unlock(t);
    }
    strikes_close(t);
    return r == -ENOENT ? 0 : r;
}

static int search_log(struct search *s, struct span dir, struct span begins)
{
    struct query *q = NULL;
    const struct query_row *row;
    struct query_filter f = {.end_user_begins = begins, .all = true, .any_purpose = true};
    int r = query_open(dir, &f, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1)
        meet(s, row->entry.end_user);
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

static bool decide(const char *program, const struct search *s, struct span id, char ret_hex[65])
{
    if (s->count == 1 && !s->id_known) {
        memcpy(ret_hex, s->found[0], 65);
        return true;
    }
    if (s->count == 0 && s->id_known) {
        memcpy(ret_hex, s->hash, 65);
        return true;
    }
    if (s->count == 0)
        fprintf(stderr,
                "%s: nobody known has the id '%.*s', nor a hash that begins so; with --id it is "
                "taken for an id\n",
                program, SPAN_ARG(id));
    else
        fprintf(stderr, "%s: '%.*s' may be more than one; give the whole hash, or --id:\n", program,
                SPAN_ARG(id));
    for (size_t i = 0; i < s->count; i++)
        fprintf(stderr, "  %s\n", s->found[i]);
    if (s->count && s->id_known)
        fprintf(stderr, "  %s (of that id)\n", s->hash);
    return false;
}

static bool hash_id(const struct config *c, struct span id, char ret_hex[65])
{
    struct buf messages = BUF_INIT(1u << 20);
    struct access *access = NULL;
    ret_hex[0] = '\0';
    if (access_load(c, &messages, &access) == 0)
        access_hash_end_user(access, NULL, id, ret_hex);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    access_unref(access);
    return ret_hex[0] != '\0';
}

bool person_find(const char *program, const struct config *c, struct span log_dir, struct span id,
                 unsigned flags, char ret_hex[65])
{
    unsigned char bytes[32];
    if (!(flags & PERSON_AS_ID) && codec_unhex(id, bytes, sizeof(bytes))) {
        codec_hex(span_from((const char *)bytes, sizeof(bytes)), ret_hex);
        return true;
    }
    struct search s = {.begins = flags & PERSON_AS_ID ? SPAN_NULL : short_hash(id)};
    if (!hash_id(c, id, s.hash)) {
        fprintf(stderr, "%s: the end user's id can't be hashed\n", program);
        return false;
    }
    if (s.begins.len == 0) {
        memcpy(ret_hex, s.hash, 65);
        return true;
    }
    int r = search_strikes(&s, c);
    if (r == 0 && flags & PERSON_IN_LOG)
        r = search_log(&s, log_dir, s.begins);
    if (r == 0 && flags & PERSON_IN_LOG && !s.id_known)
        r = search_log(&s, log_dir, span_str(s.hash));
    if (r < 0) {
        fprintf(stderr, "%s: who '%.*s' is can't be looked up: %s\n", program, SPAN_ARG(id),
                strerror(-r));
        return false;
    }
    if (s.count == 0 && flags & PERSON_OR_ID)
        s.id_known = true;
    return decide(program, &s, id, ret_hex);
}
