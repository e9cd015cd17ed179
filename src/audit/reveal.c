#include "audit/reveal.h"

#include "audit/entry.h"
#include "audit/files.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "db/db.h"

#include <errno.h>
#include <stdlib.h>

#define SALT_SIZE   16
#define DOMAIN      SPAN_LIT("juyong.original.v1\0")
#define KEY_DOMAIN  SPAN_LIT("juyong.original.key.v1\0")
#define PLAIN_MAX   ((size_t)8 << 20)
#define PIECES_MAX  256 /* of one exchange */
#define RECORDS_MAX 512

/* ---- one row ---- */

int reveal_open(const struct textkeys *keys, struct span key_id, struct span wrapped,
                struct span sealed, struct buf *plain)
{
    struct buf key = BUF_INIT(64);
    const struct textkey *k = textkeys_find(keys, key_id);
    if (!k)
        return -ENOKEY;
    int r = seal_open(k->key, KEY_DOMAIN, wrapped, &key);
    if (r == 0 && key.len != SEAL_KEY_SIZE)
        r = -EBADMSG;
    if (r == 0)
        r = seal_open((const unsigned char *)key.data, DOMAIN, sealed, plain);
    if (key.data)
        secret_cleanse(key.data, key.cap);
    buf_deinit(&key);
    return r == -EMSGSIZE ? -EBADMSG : r;
}

static bool take_bytes(struct span *s, size_t len, struct span *ret)
{
    if (len > s->len)
        return false;
    *ret = span_slice(*s, 0, len);
    *s = span_slice(*s, len, s->len);
    return true;
}

static bool take_number(struct span *s, size_t size, uint64_t *ret)
{
    struct span bytes;
    if (!take_bytes(s, size, &bytes))
        return false;
    *ret = 0;
    for (size_t i = 0; i < size; i++)
        *ret |= (uint64_t)(unsigned char)bytes.data[i] << (8 * i);
    return true;
}

static bool take_sized(struct span *s, struct span *ret)
{
    uint64_t len;
    return take_number(s, 4, &len) && take_bytes(s, (size_t)len, ret);
}

int reveal_next(struct span *plain, struct sha256 *digest, struct reveal_text *ret_text)
{
    struct span salt, entry, rest;
    uint64_t cut;
    if (plain->len == 0)
        return 0;
    if (!take_bytes(plain, SALT_SIZE, &salt) || !take_sized(plain, &entry))
        return -EBADMSG;
    rest = entry;
    if (!take_sized(&rest, &ret_text->direction) || !take_sized(&rest, &ret_text->role) ||
        !take_sized(&rest, &ret_text->path) || !take_number(&rest, 8, &ret_text->from) ||
        !take_number(&rest, 8, &ret_text->hits) || !take_number(&rest, 1, &cut) || cut > 3 ||
        !take_sized(&rest, &ret_text->text) || rest.len)
        return -EBADMSG;
    ret_text->cut_before = cut & 1;
    ret_text->cut_after = cut & 2;
    int r = sha256_begin(digest);
    if (r == 0)
        r = sha256_add(digest, DOMAIN);
    if (r == 0)
        r = sha256_add(digest, salt);
    if (r == 0)
        r = sha256_add(digest, entry);
    if (r == 0)
        r = sha256_end(digest, ret_text->commit);
    return r < 0 ? r : 1;
}

/* ---- an exchange ---- */

struct record {
    uint64_t seq;
    struct entry entry;
};

struct reading {
    struct span dir, request;
    struct arena *arena;
    struct textkeys keys;
    int keys_read; /* what reading them gave */
    struct sha256 *digest;
    struct record *records;
    size_t record_count;
    struct original *list; /* room for PIECES_MAX */
    uint64_t *from;        /* of each */
    size_t count, absent;
};

static int add_hit(struct reading *g, struct original *o, uint64_t from, const struct entry_hit *h)
{
    uint64_t start = h->start > from ? h->start - from : 0;
    uint64_t end = h->end > from ? h->end - from : 0;
    struct original_hit *hits = arena_alloc(g->arena, (o->hit_count + 1) * sizeof(*hits));
    if (!hits)
        return -ENOMEM;
    if (o->hit_count)
        memcpy(hits, o->hits, o->hit_count * sizeof(*hits));
    hits[o->hit_count++] = (struct original_hit){
        .start = start < o->text.len ? (size_t)start : o->text.len,
        .end = end < o->text.len ? (size_t)end : o->text.len,
        .rule = h->rule,
        .risk = h->risk,
        .action = h->action,
        .layers = h->layers,
    };
    o->hits = hits;
    return 0;
}

/* What goes on where an earlier piece ended is one text with it. */
static int place(struct reading *g, uint64_t seq, const struct reveal_text *t, size_t *ret_index)
{
    for (size_t i = 0; i < g->count; i++) {
        struct original *o = &g->list[i];
        /* Two records of one exchange may keep the same text. */
        if (g->from[i] == t->from && span_eq(o->path, t->path) && span_eq(o->text, t->text) &&
            span_eq(o->direction, t->direction)) {
            *ret_index = i;
            return 0;
        }
        if (g->from[i] + o->text.len != t->from || !span_eq(o->path, t->path) ||
            !span_eq(o->direction, t->direction))
            continue;
        char *joined = arena_alloc(g->arena, o->text.len + t->text.len + 1);
        if (!joined)
            return -ENOMEM;
        if (o->text.len)
            memcpy(joined, o->text.data, o->text.len);
        if (t->text.len)
            memcpy(joined + o->text.len, t->text.data, t->text.len);
        o->text = span_from(joined, o->text.len + t->text.len);
        o->cut_after = t->cut_after;
        *ret_index = i;
        return 0;
    }
    if (g->count == PIECES_MAX)
        return -E2BIG;
    struct original *o = &g->list[g->count];
    *o = (struct original){
        .seq = seq,
        .direction = arena_copy(g->arena, t->direction),
        .role = arena_copy(g->arena, t->role),
        .path = arena_copy(g->arena, t->path),
        .text = arena_copy(g->arena, t->text),
        .cut_before = t->cut_before,
        .cut_after = t->cut_after,
    };
    if (!o->direction.data || !o->role.data || !o->path.data || !o->text.data)
        return -ENOMEM;
    g->from[g->count] = t->from;
    *ret_index = g->count++;
    return 0;
}

static int add_text(struct reading *g, const struct record *rec, size_t n,
                    const struct reveal_text *t)
{
    char digits[2 * SHA256_SIZE + 1];
    size_t at = 0;
    codec_hex(span_from((const char *)t->commit, SHA256_SIZE), digits);
    if (n >= rec->entry.original_count ||
        !span_eq(rec->entry.originals[n], span_from(digits, 2 * SHA256_SIZE)))
        return -EBADMSG;
    int r = place(g, rec->seq, t, &at);
    for (size_t i = 0; r == 0 && i < rec->entry.hit_count && i < 64; i++)
        if (t->hits >> i & 1)
            r = add_hit(g, &g->list[at], g->from[at], &rec->entry.hits[i]);
    return r;
}

static int read_row(struct reading *g, const struct record *rec, struct db_stmt *s)
{
    struct buf plain = BUF_INIT(PLAIN_MAX);
    struct reveal_text t;
    if (g->keys_read < 0)
        return g->keys_read == -ENOENT ? -ENOKEY : g->keys_read;
    int r = reveal_open(&g->keys, db_column_text(s, 0), db_column_blob(s, 1), db_column_blob(s, 2),
                        &plain);
    struct span rest = buf_span(&plain);
    size_t n = 0;
    while (r == 0 && (r = reveal_next(&rest, g->digest, &t)) == 1)
        r = add_text(g, rec, n++, &t);
    if (r == 0 && n != rec->entry.original_count)
        r = -EBADMSG;
    if (plain.data)
        secret_cleanse(plain.data, plain.cap);
    buf_deinit(&plain);
    return r;
}

static int open_file(struct reading *g, int tier, files_month month, struct db **ret_db)
{
    char path[PATH_MAX];
    int version = 0;
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    if (!files_path(g->dir, tier, month, path))
        return -ENAMETOOLONG;
    int r = db_open(span_str(path), &o, ret_db);
    if (r == 0)
        r = db_get_version(*ret_db, &version);
    if (r == 0 && version == 0)
        r = -ENOENT;
    return r == 0 && version > FILES_SCHEMA ? -EPROTO : r;
}

/* The month's records of the exchange, behind those that are there. */
static int find_records(struct reading *g, files_month month)
{
    struct db *db = NULL;
    struct db_stmt *s = NULL;
    int r = open_file(g, 0, month, &db);
    if (r == 0)
        r = db_prepare(db,
                       SPAN_LIT("SELECT seq, body FROM record WHERE request = ?1 AND request <> ''"
                                " ORDER BY seq"),
                       &s);
    if (r == 0)
        db_bind_text(s, 1, g->request);
    while (r == 0 && g->record_count < RECORDS_MAX && (r = db_step(s)) == 1) {
        struct record *rec = &g->records[g->record_count];
        struct span body = arena_copy(g->arena, db_column_text(s, 1));
        rec->seq = (uint64_t)db_column_int(s, 0);
        r = body.data ? entry_parse(body, g->arena, &rec->entry) : -ENOMEM;
        g->record_count += r == 0;
    }
    db_finalize(s);
    db_close(db);
    return r == -ENOENT ? 0 : r;
}

static int read_month(struct reading *g, files_month month)
{
    struct db *db = NULL;
    struct db_stmt *s = NULL;
    size_t first = g->record_count;
    int r = find_records(g, month);
    if (r < 0 || g->record_count == first)
        return r;
    r = open_file(g, 2, month, &db);
    if (r == 0)
        r = db_prepare(db, SPAN_LIT("SELECT key, wrapped, sealed FROM original WHERE seq = ?1"),
                       &s);
    if (r == -ENOENT)
        r = 0; /* the tier has expired, or this log is older than it */
    for (size_t i = first; r == 0 && i < g->record_count; i++) {
        const struct record *rec = &g->records[i];
        if (rec->entry.original_count == 0)
            continue;
        int found = 0;
        if (s) {
            db_bind_int(s, 1, (int64_t)rec->seq);
            found = db_step(s);
        }
        if (found == 1)
            r = read_row(g, rec, s);
        else if (found < 0)
            r = found;
        else
            g->absent += rec->entry.original_count;
        if (s)
            db_reset(s);
    }
    db_finalize(s);
    db_close(db);
    return r;
}

int originals_read(struct span dir, struct span request_id, struct arena *arena,
                   struct originals *ret_originals)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    struct reading g = {.dir = dir, .request = request_id, .arena = arena};
    g.records = calloc(RECORDS_MAX, sizeof(*g.records));
    g.list = arena_alloc(arena, PIECES_MAX * sizeof(*g.list));
    g.from = arena_alloc(arena, PIECES_MAX * sizeof(*g.from));
    g.digest = sha256_new();
    int r =
        files && g.records && g.list && g.from && g.digest ? files_list(dir, 0, files) : -ENOMEM;
    if (r == 0)
        g.keys_read = textkeys_load(dir, false, &g.keys);
    for (size_t i = 0; r == 0 && i < files->count; i++)
        r = read_month(&g, files->months[i]);
    if (r == 0 && g.record_count == 0)
        r = -ENOENT;
    if (r == 0)
        *ret_originals = (struct originals){.list = g.list, .count = g.count, .absent = g.absent};
    textkeys_forget(&g.keys);
    sha256_free(g.digest);
    free(g.records);
    return r;
}
