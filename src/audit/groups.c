#include "audit/groups.h"

#include "audit/rowjson.h"
#include "base/arena.h"
#include "crypto/sha256.h"
#include "text/fold.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define ARENA_MAX ((size_t)64 << 20)
#define SLOTS     32768 /* a power of two, more than there can be groups */
#define FOLD_MAX  8192  /* bytes of a context that tell it from others */

struct request {
    struct request *next; /* newest first */
    struct span id;
};

struct group {
    unsigned char key[SHA256_SIZE];
    struct span rule, risk, action, direction, context, text; /* in the arena */
    uint64_t count, open, first_us, last_us;
    size_t told;
    struct request *requests, **last;
};

struct groups {
    const struct groups_options *o;
    struct arena arena;
    struct sha256 *digest;
    struct group **slots;
    size_t count;
    struct buf folded;
};

/* The context without what a reader looks past. */
static int fold_context(struct groups *g, struct span context)
{
    int r = 0;
    buf_clear(&g->folded);
    if (context.len > FOLD_MAX)
        context.len = FOLD_MAX;
    while (r == 0 && context.len) {
        uint32_t cp, cps[FOLD_EXPANSION_MAX];
        int n = utf8_decode(context, false, &cp);
        context = span_slice(context, n > 0 ? (size_t)n : 1, context.len);
        if (n <= 0)
            continue;
        unsigned count = fold_code_point(cp, cps);
        for (unsigned i = 0; r == 0 && i < count; i++) {
            enum fold_class class = fold_entry_class(fold_entry(cps[i]));
            char bytes[4];
            if (class == FOLD_HAN || class == FOLD_WORD)
                r = buf_append(&g->folded, span_from(bytes, utf8_encode(cps[i], bytes)));
        }
    }
    return r;
}

static int make_key(struct groups *g, const struct query_row *row,
                    unsigned char ret_key[SHA256_SIZE])
{
    static const struct entry_hit nothing;
    const struct entry_hit *h = row->main_hit ? row->main_hit->entry : &nothing;
    int r = fold_context(g, row->main_hit ? row->main_hit->context : SPAN_NULL);
    const struct span parts[] = {h->rule, h->risk, row->entry.action, h->direction,
                                 buf_span(&g->folded)};
    if (r == 0)
        r = sha256_begin(g->digest);
    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        r = sha256_add(g->digest, parts[i]);
        if (r == 0)
            r = sha256_add(g->digest, SPAN_LIT("\0"));
    }
    return r < 0 ? r : sha256_end(g->digest, ret_key);
}

static bool keep(struct arena *a, struct span from, struct span *to)
{
    *to = from.len ? arena_copy(a, from) : SPAN_NULL;
    return from.len == 0 || to->data;
}

static struct group *make_group(struct groups *g, const struct query_row *row,
                                const unsigned char key[SHA256_SIZE])
{
    struct group *p = arena_alloc(&g->arena, sizeof(*p));
    const struct query_hit *h = row->main_hit;
    if (!p)
        return NULL;
    memcpy(p->key, key, SHA256_SIZE);
    p->last = &p->requests;
    p->first_us = p->last_us = row->entry.time;
    bool good = keep(&g->arena, row->entry.action, &p->action);
    if (h)
        good = good && keep(&g->arena, h->entry->rule, &p->rule) &&
               keep(&g->arena, h->entry->risk, &p->risk) &&
               keep(&g->arena, h->entry->direction, &p->direction) &&
               keep(&g->arena, h->context, &p->context) && keep(&g->arena, h->text, &p->text);
    if (!good)
        return NULL;
    g->count++;
    return p;
}

static struct group *group_of(struct groups *g, const struct query_row *row,
                              const unsigned char key[SHA256_SIZE])
{
    uint32_t at;
    memcpy(&at, key, sizeof(at));
    for (;; at++) {
        struct group **slot = &g->slots[at % SLOTS];
        if (!*slot)
            return *slot = make_group(g, row, key);
        if (memcmp((*slot)->key, key, SHA256_SIZE) == 0)
            return *slot;
    }
}

static int add_row(struct groups *g, const struct query_row *row)
{
    unsigned char key[SHA256_SIZE];
    int r = make_key(g, row, key);
    struct group *p = r == 0 ? group_of(g, row, key) : NULL;
    if (!p)
        return r < 0 ? r : -ENOMEM;
    p->count++;
    if (row->entry.time < p->first_us)
        p->first_us = row->entry.time;
    if (row->entry.time > p->last_us)
        p->last_us = row->entry.time;
    struct span id = row->entry.request_id;
    if (g->o->is_open && id.len) {
        r = g->o->is_open(g->o->ctx, id);
        if (r < 0)
            return r;
        p->open += r > 0;
    }
    if (p->told == GROUPS_REQUESTS_MAX || id.len == 0)
        return 0;
    struct request *q = arena_alloc(&g->arena, sizeof(*q));
    if (!q || !keep(&g->arena, id, &q->id))
        return -ENOMEM;
    *p->last = q;
    p->last = &q->next;
    p->told++;
    return 0;
}

static int by_count(const void *a, const void *b)
{
    const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->last_us < y->last_us) - (x->last_us > y->last_us);
}

static void write_member(struct buf *out, const char *key, struct span text)
{
    rowjson_put(out, "\"%s\":", key);
    if (text.len)
        rowjson_string(out, text);
    else
        rowjson_put(out, "null");
    rowjson_put(out, ",");
}

static void write_group(const struct groups *g, const struct group *p, struct buf *out)
{
    rowjson_put(out, "{");
    write_member(out, "rule", p->rule);
    write_member(out, "risk", p->risk);
    write_member(out, "action", p->action);
    write_member(out, "direction", p->direction);
    write_member(out, "context", g->o->texts ? p->context : SPAN_NULL);
    write_member(out, "text", g->o->texts ? p->text : SPAN_NULL);
    rowjson_put(out, "\"count\":%" PRIu64 ",\"first_us\":%" PRIu64 ",\"last_us\":%" PRIu64,
                p->count, p->first_us, p->last_us);
    if (g->o->is_open)
        rowjson_put(out, ",\"open\":%" PRIu64, p->open);
    rowjson_put(out, ",\"requests\":[");
    for (const struct request *q = p->requests; q; q = q->next) {
        rowjson_string(out, q->id);
        if (q->next)
            rowjson_put(out, ",");
    }
    rowjson_put(out, "]}");
}

static int write(struct groups *g, bool complete, struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (g->slots[i])
            g->slots[n++] = g->slots[i];
    qsort(g->slots, n, sizeof(g->slots[0]), by_count);
    rowjson_put(out, "{\"groups\":[");
    for (size_t i = 0; i < n && i < GROUPS_MAX; i++) {
        if (i)
            rowjson_put(out, ",");
        write_group(g, g->slots[i], out);
    }
    return buf_printf(out, "],\"complete\":%s}", complete && n <= GROUPS_MAX ? "true" : "false");
}

static int gather(struct groups *g, struct span dir, bool *ret_complete)
{
    struct query_filter f = g->o->filter;
    struct query *q = NULL;
    const struct query_row *row;
    size_t rows = 0;
    f.limit = GROUPS_ROWS_MAX;
    f.oldest_first = f.follow = false;
    int r = query_open(dir, &f, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1) {
        r = add_row(g, row);
        rows++;
    }
    *ret_complete = r >= 0 && query_is_complete(q) && rows < GROUPS_ROWS_MAX;
    query_close(q);
    return r;
}

int groups_write(struct span dir, const struct groups_options *o, struct buf *out)
{
    struct groups g = {.o = o, .folded = BUF_INIT(4 * FOLD_EXPANSION_MAX * FOLD_MAX)};
    bool complete = false;
    arena_init(&g.arena, ARENA_MAX);
    g.digest = sha256_new();
    g.slots = calloc(SLOTS, sizeof(struct group *));
    int r = g.digest && g.slots ? gather(&g, dir, &complete) : -ENOMEM;
    if (r == 0)
        r = write(&g, complete, out);
    buf_deinit(&g.folded);
    free(g.slots);
    sha256_free(g.digest);
    arena_deinit(&g.arena);
    return r;
}
