#include "audit/verifier.h"

#include "base/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- texts ---- */

static int step_text(struct verify *v)
{
    v->texts_row = db_step(v->texts);
    return v->texts_row < 0 ? v->texts_row : 0;
}

static int add_sized(struct sha256 *h, struct span text)
{
    unsigned char size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)text.len >> (8 * i));
    int r = sha256_add(h, span_from((const char *)size, 8));
    return r < 0 ? r : sha256_add(h, text);
}

/* The commitment that the text under the statement would have. */
static int hash_text(struct verify *v, unsigned char ret_hash[HASH_SIZE])
{
    struct db_stmt *s = v->texts;
    unsigned char at[8];
    uint64_t start = (uint64_t)db_column_int(s, 6), end = (uint64_t)db_column_int(s, 7);
    for (int i = 0; i < 4; i++) {
        at[i] = (unsigned char)(start >> (8 * i));
        at[4 + i] = (unsigned char)(end >> (8 * i));
    }
    int r = sha256_begin(v->digest);
    if (r == 0)
        r = sha256_add(v->digest, SPAN_LIT("juyong.text.v1\0"));
    if (r == 0)
        r = sha256_add(v->digest, db_column_blob(s, 2));
    for (int i = 3; r == 0 && i < 6; i++)
        r = add_sized(v->digest, db_column_text(s, i));
    if (r == 0)
        r = add_sized(v->digest, db_column_text(s, 8));
    if (r == 0)
        r = sha256_add(v->digest, span_from((const char *)at, sizeof(at)));
    return r < 0 ? r : sha256_end(v->digest, ret_hash);
}

static int check_texts(struct verify *v, const struct entry *e)
{
    size_t found = 0;
    while (v->texts && v->texts_row == 1) {
        uint64_t seq = (uint64_t)db_column_int(v->texts, 0);
        uint64_t at = (uint64_t)db_column_int(v->texts, 1);
        if (seq > e->seq)
            break;
        if (seq < e->seq || at >= e->hit_count)
            return verify_wrong(v, seq, "a text (number %" PRIu64 ") that no record commits to",
                                at);
        unsigned char hash[HASH_SIZE];
        char digits[2 * HASH_SIZE + 1];
        int r = hash_text(v, hash);
        if (r < 0)
            return r;
        codec_hex(span_from((const char *)hash, HASH_SIZE), digits);
        if (!db_column_int(v->texts, 9) ||
            !span_eq(e->hits[at].commit, span_from(digits, 2 * HASH_SIZE)))
            return verify_wrong(
                v, seq, "text %" PRIu64 " was changed: it does not match its commitment", at);
        /* Beside the commitment: it says how long the text is kept. */
        if ((db_column_int(v->texts, 10) != 0) != (e->sample.len > 0))
            return verify_wrong(v, seq, "text %" PRIu64 " was changed: whether it is of a sample",
                                at);
        found++;
        r = step_text(v);
        if (r < 0)
            return r;
    }
    v->report->texts += found;
    v->report->texts_absent += e->hit_count - found;
    v->misses_texts = v->misses_texts || e->hit_count > found;
    return 0;
}

/* ---- original texts ---- */

static int step_original(struct verify *v)
{
    v->originals_row = db_step(v->originals);
    return v->originals_row < 0 ? v->originals_row : 0;
}

/* Is it sealed by a key that we have, though it names another? */
static bool names_wrong_key(struct verify *v, struct db_stmt *s)
{
    bool opens = false;
    for (size_t i = 0; !opens && i < v->keys.count; i++) {
        opens = reveal_open(&v->keys, span_str(v->keys.list[i].id), db_column_blob(s, 2),
                            db_column_blob(s, 3), &v->plain) == 0;
        buf_clear(&v->plain);
    }
    return opens;
}

/* The sealed row under the statement against the record's commitments. */
static int check_sealed(struct verify *v, const struct entry *e)
{
    struct db_stmt *s = v->originals;
    struct reveal_text t;
    size_t n = 0;
    buf_clear(&v->plain);
    if (!db_column_int(s, 4))
        return verify_wrong(v, e->seq,
                            "its original texts were changed: they are not what was sealed");
    int r = reveal_open(&v->keys, db_column_text(s, 1), db_column_blob(s, 2), db_column_blob(s, 3),
                        &v->plain);
    if (r == -ENOKEY && names_wrong_key(v, s))
        return verify_wrong(v, e->seq,
                            "its original texts name another key than the one that seals them");
    if (r == -ENOKEY) {
        v->report->originals_closed += e->original_count;
        return 0;
    }
    struct span rest = buf_span(&v->plain);
    while (r == 0 && (r = reveal_next(&rest, v->digest, &t)) == 1) {
        char digits[2 * HASH_SIZE + 1];
        codec_hex(span_from((const char *)t.commit, HASH_SIZE), digits);
        if (n == e->original_count || !span_eq(e->originals[n++], span_from(digits, 2 * HASH_SIZE)))
            return verify_wrong(
                v, e->seq, "original text %zu was changed: it does not match its commitment", n);
        r = 0;
    }
    if (r == -EBADMSG)
        return verify_wrong(v, e->seq,
                            "its original texts were changed: they are not what was sealed");
    if (r == 0 && n != e->original_count)
        return verify_wrong(v, e->seq,
                            "an original text that a commitment speaks of was taken out");
    v->report->originals += n;
    return r;
}

static int check_originals(struct verify *v, const struct entry *e)
{
    bool found = false;
    while (v->originals && v->originals_row == 1) {
        uint64_t seq = (uint64_t)db_column_int(v->originals, 0);
        if (seq > e->seq)
            break;
        if (seq < e->seq || e->original_count == 0)
            return verify_wrong(v, seq, "an original text that no record commits to");
        int r = check_sealed(v, e);
        if (r == 0)
            r = step_original(v);
        if (r)
            return r;
        found = true;
    }
    if (!found && e->original_count) {
        v->report->originals_absent += e->original_count;
        v->misses_originals = true;
    }
    return 0;
}

int verifytexts_check(struct verify *v, const struct entry *e)
{
    int r = check_texts(v, e);
    return r ? r : check_originals(v, e);
}

/* ---- files ---- */

/* A text tier's rows in the order of records; *ret_stmt stays NULL where the tier has expired. */
static int open_tier(struct verify *v, const char *name, struct span sql, struct db **ret_db,
                     struct db_stmt **ret_stmt)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    int r = verify_path(v->o->dir, name, path);
    if (r == 0)
        r = db_open(span_str(path), &o, ret_db);
    if (r == -ENOENT)
        return 0; /* the tier has expired */
    if (r == 0)
        r = db_prepare(*ret_db, sql, ret_stmt);
    if (r == -EINVAL && verify_blank(*ret_db)) {
        db_close(*ret_db);
        *ret_db = NULL;
        return 0;
    }
    return r;
}

/* Bytes of another type compare as another value. */
#define TYPES                                                                                      \
    " typeof(salt) = 'blob' AND typeof(path) = 'text' AND typeof(text) = 'text' AND"               \
    " typeof(context) = 'text' AND typeof(folded) = 'text' AND typeof(start) = 'integer' AND"      \
    " typeof(end) = 'integer'"

static int open_texts(struct verify *v, const char *name)
{
    int r =
        open_tier(v, name,
                  SPAN_LIT("SELECT seq, at, salt, path, text, context, start, end, folded," TYPES
                           ", sample FROM text ORDER BY seq, at"),
                  &v->text_db, &v->texts);
    int version = 0;
    /* The first version of the tables knew no samples. */
    if (r == -EINVAL && v->text_db && db_get_version(v->text_db, &version) == 0 && version == 1)
        r = db_prepare(
            v->text_db,
            SPAN_LIT("SELECT seq, at, salt, path, text, context, start, end, folded," TYPES
                     ", 0 FROM text ORDER BY seq, at"),
            &v->texts);
    return r == 0 && v->texts ? step_text(v) : r;
}

static int open_originals(struct verify *v, const char *name)
{
    int r = open_tier(v, name,
                      SPAN_LIT("SELECT seq, key, wrapped, sealed, typeof(key) = 'text' AND"
                               " typeof(wrapped) = 'blob' AND typeof(sealed) = 'blob' FROM original"
                               " ORDER BY seq"),
                      &v->original_db, &v->originals);
    return r == 0 && v->originals ? step_original(v) : r;
}

/* Beside "l0-2026-11.db": "l1-2026-11.db". */
static void tier_name(const char *name, int tier, char ret_name[64])
{
    snprintf(ret_name, 64, "l%d%.60s", tier, name + 2);
}

int verifytexts_open(struct verify *v, const char *name)
{
    static int (*const open[])(struct verify *, const char *) = {open_texts, open_originals};
    int r = 0;
    v->misses_texts = v->misses_originals = false;
    for (int i = 0; r == 0 && i < 2; i++) {
        char tier[64];
        tier_name(name, i + 1, tier);
        r = open[i](v, tier);
        if (r == -EBADMSG || r == -EINVAL) {
            snprintf(v->report->file, sizeof(v->report->file), "%s", tier);
            r = verify_wrong(v, 0, "corrupt: not readable as a database");
        }
    }
    return r;
}

int verifytexts_end(struct verify *v, const char *name)
{
    char tier[64];
    int r = 0;
    tier_name(name, 1, tier);
    if (!v->text_db && v->misses_texts)
        r = announced_miss(&v->announced, tier, v->seq, NULL);
    tier_name(name, 2, tier);
    if (r == 0 && !v->original_db && v->misses_originals)
        r = announced_miss(&v->announced, tier, v->seq, NULL);
    return r;
}

void verifytexts_close(struct verify *v)
{
    db_finalize(v->texts);
    db_finalize(v->originals);
    db_close(v->text_db);
    db_close(v->original_db);
    v->texts = v->originals = NULL;
    v->text_db = v->original_db = NULL;
}
