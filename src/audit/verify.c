#include "audit/verify.h"

#include "audit/announced.h"
#include "audit/entry.h"
#include "audit/holds.h"
#include "audit/reveal.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "db/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HASH_SIZE   SHA256_SIZE
#define ASK_RECORDS 4096 /* between two questions whether it is to end */

/* One line of the checkpoints file whose signature was good. */
struct mark {
    uint64_t size, line;
    unsigned char head[HASH_SIZE];
};

struct verify {
    const struct verify_options *o;
    struct verify_report *report;
    struct sha256 *digest;
    struct arena arena;
    unsigned char hash[HASH_SIZE]; /* of the last record */
    uint64_t seq;
    bool begun; /* some file has been read */
    struct mark *marks;
    size_t mark_count, mark_next;
    struct db_stmt *texts;     /* L1 of the current month, NULL when it is gone */
    int texts_row;             /* 1: the statement stands on a row */
    struct db_stmt *originals; /* likewise, L2 */
    int originals_row;
    struct textkeys keys;
    struct buf plain;
    bool misses_texts, misses_originals; /* of this month, that records commit to */
    struct announced announced;
};

/* Notes what is wrong, gives 1. */
__attribute__((format(printf, 3, 4))) static int wrong(struct verify *v, uint64_t seq,
                                                       const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(v->report->what, sizeof(v->report->what), fmt, ap);
    va_end(ap);
    v->report->seq = seq;
    return 1;
}

static int path_of(struct span dir, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", SPAN_ARG(dir), name);
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int is_record_file(const struct dirent *e)
{
    return fnmatch("l0-[0-9][0-9][0-9][0-9]-[0-9][0-9].db", e->d_name, 0) == 0;
}

/* ---- checkpoints ---- */

static int read_file(const char *path, struct buf *out)
{
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (;;) {
        int r = buf_reserve(out, 65536);
        if (r < 0)
            return r;
        ssize_t n = read(fd, out->data + out->len, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        out->len += (size_t)n;
    }
}

static bool take_literal(struct span *s, struct span literal)
{
    if (!span_starts(*s, literal))
        return false;
    *s = span_slice(*s, literal.len, s->len);
    return true;
}

static bool take_number(struct span *s, uint64_t *ret_value)
{
    size_t n = 0;
    unsigned long long value;
    while (n < s->len && s->data[n] >= '0' && s->data[n] <= '9')
        n++;
    if (!span_to_u64(span_slice(*s, 0, n), &value))
        return false;
    *s = span_slice(*s, n, s->len);
    *ret_value = value;
    return true;
}

static bool take_hex(struct span *s, unsigned char *ret_bytes, size_t size)
{
    if (s->len < 2 * size || !codec_unhex(span_slice(*s, 0, 2 * size), ret_bytes, size))
        return false;
    *s = span_slice(*s, 2 * size, s->len);
    return true;
}

/* True when the line has the form of a checkpoint and the key's signature. */
static bool read_mark(struct span line, const unsigned char key[SIGN_PUBLIC_SIZE],
                      struct mark *ret_mark)
{
    static const char domain[] = "juyong.checkpoint.v1";
    unsigned char key_id[8], signature[SIGN_SIGNATURE_SIZE];
    char text[256];
    uint64_t time_us;
    struct span s = line;
    if (!take_literal(&s, SPAN_LIT("{\"v\":1,\"size\":")) || !take_number(&s, &ret_mark->size) ||
        !take_literal(&s, SPAN_LIT(",\"head\":\"")) || !take_hex(&s, ret_mark->head, HASH_SIZE) ||
        !take_literal(&s, SPAN_LIT("\",\"time\":")) || !take_number(&s, &time_us))
        return false;
    size_t len = line.len - s.len;
    if (!take_literal(&s, SPAN_LIT(",\"key\":\"")) || !take_hex(&s, key_id, sizeof(key_id)) ||
        !take_literal(&s, SPAN_LIT("\",\"sig\":\"")) ||
        !take_hex(&s, signature, sizeof(signature)) || !span_eq(s, SPAN_LIT("\"}")) ||
        len > sizeof(text) - sizeof(domain))
        return false;
    memcpy(text, domain, sizeof(domain));
    memcpy(text + sizeof(domain), line.data, len);
    return sign_verify(key, span_from(text, sizeof(domain) + len), signature);
}

static int read_key(struct verify *v, unsigned char ret_key[SIGN_PUBLIC_SIZE])
{
    char path[PATH_MAX];
    struct buf text = BUF_INIT(1u << 17);
    int r = 0;
    if (v->o->public_key.len)
        r = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(v->o->public_key)) < PATH_MAX
                ? 0
                : -ENAMETOOLONG;
    else
        r = path_of(v->o->dir, "keys/checkpoint.pub", path);
    if (r == 0)
        r = read_file(path, &text);
    if (r == 0 && !codec_unhex(span_trim(buf_span(&text)), ret_key, SIGN_PUBLIC_SIZE))
        r = -EBADMSG;
    buf_deinit(&text);
    return r;
}

static int add_mark(struct verify *v, const struct mark *m)
{
    if ((v->mark_count & (v->mark_count - 1)) == 0) {
        size_t room = v->mark_count ? 2 * v->mark_count : 1;
        struct mark *marks = realloc(v->marks, room * sizeof(*marks));
        if (!marks)
            return -ENOMEM;
        v->marks = marks;
    }
    v->marks[v->mark_count++] = *m;
    return 0;
}

static int compare_marks(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    return x->size != y->size ? (x->size > y->size) - (x->size < y->size)
                              : (x->line > y->line) - (x->line < y->line);
}

/* In any order: an export that a crash interrupted sends lines again. Each must fit the chain. */
static int check_lines(struct verify *v, struct span text)
{
    unsigned char key[SIGN_PUBLIC_SIZE];
    uint64_t number = 0;
    int r = read_key(v, key);
    if (r == -ENOENT)
        return wrong(v, 0, "the public key of the checkpoints is missing");
    if (r == -EBADMSG)
        return wrong(v, 0, "the public key of the checkpoints is unreadable");
    if (r < 0)
        return r;
    /* What a crash left of a last line has no newline and counts for nothing. */
    while (text.len && text.data[text.len - 1] != '\n')
        text.len--;
    struct span line;
    while (r == 0 && span_split(&text, '\n', &line)) {
        struct mark m = {.line = ++number};
        if (line.len == 0 && text.len == 0)
            break;
        if (!read_mark(line, key, &m))
            return wrong(v, 0, "line %" PRIu64 ": not signed by this key", number);
        r = add_mark(v, &m);
    }
    if (v->mark_count)
        qsort(v->marks, v->mark_count, sizeof(*v->marks), compare_marks);
    return r;
}

static int read_checkpoints(struct verify *v)
{
    char path[PATH_MAX];
    struct buf text = BUF_INIT(1u << 30);
    snprintf(v->report->file, sizeof(v->report->file), "checkpoints.jsonl");
    int r = 0;
    if (v->o->checkpoints.len)
        r = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(v->o->checkpoints)) < PATH_MAX
                ? 0
                : -ENAMETOOLONG;
    else
        r = path_of(v->o->dir, "checkpoints.jsonl", path);
    if (r == 0)
        r = read_file(path, &text);
    if (r == -ENOENT && v->o->checkpoints.len == 0)
        r = 0; /* a log that never ran a minute has none */
    else if (r == 0 && text.len)
        r = check_lines(v, buf_span(&text));
    buf_deinit(&text);
    return r;
}

/* Do the checkpoints at the current record speak of this very chain? */
static int check_marks(struct verify *v)
{
    while (v->mark_next < v->mark_count && v->marks[v->mark_next].size <= v->seq) {
        const struct mark *m = &v->marks[v->mark_next++];
        if (m->size < v->seq)
            continue; /* of a file that has been removed */
        if (memcmp(m->head, v->hash, HASH_SIZE) != 0)
            return wrong(v, v->seq,
                         "the signed checkpoint on line %" PRIu64 " names another record here: the "
                         "chain was written anew",
                         m->line);
        v->report->checkpoints++;
        v->report->checkpoint_size = m->size;
    }
    return 0;
}

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

/* The texts of one record, which come in the order of records. */
static int check_texts(struct verify *v, const struct entry *e)
{
    size_t found = 0;
    while (v->texts && v->texts_row == 1) {
        uint64_t seq = (uint64_t)db_column_int(v->texts, 0);
        uint64_t at = (uint64_t)db_column_int(v->texts, 1);
        if (seq > e->seq)
            break;
        if (seq < e->seq || at >= e->hit_count)
            return wrong(v, seq, "a text (number %" PRIu64 ") that no record commits to", at);
        unsigned char hash[HASH_SIZE];
        char digits[2 * HASH_SIZE + 1];
        int r = hash_text(v, hash);
        if (r < 0)
            return r;
        codec_hex(span_from((const char *)hash, HASH_SIZE), digits);
        if (!span_eq(e->hits[at].commit, span_from(digits, 2 * HASH_SIZE)))
            return wrong(v, seq, "text %" PRIu64 " was changed: it does not match its commitment",
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

/* The sealed row under the statement against the record's commitments. */
static int check_sealed(struct verify *v, const struct entry *e)
{
    struct db_stmt *s = v->originals;
    struct reveal_text t;
    size_t n = 0;
    buf_clear(&v->plain);
    int r = reveal_open(&v->keys, db_column_text(s, 1), db_column_blob(s, 2), db_column_blob(s, 3),
                        &v->plain);
    if (r == -ENOKEY) {
        v->report->originals_closed += e->original_count;
        return 0;
    }
    struct span rest = buf_span(&v->plain);
    while (r == 0 && (r = reveal_next(&rest, v->digest, &t)) == 1) {
        char digits[2 * HASH_SIZE + 1];
        codec_hex(span_from((const char *)t.commit, HASH_SIZE), digits);
        if (n == e->original_count || !span_eq(e->originals[n++], span_from(digits, 2 * HASH_SIZE)))
            return wrong(v, e->seq,
                         "original text %zu was changed: it does not match its commitment", n);
        r = 0;
    }
    if (r == -EBADMSG)
        return wrong(v, e->seq, "its original texts were changed: they are not what was sealed");
    if (r == 0 && n != e->original_count)
        return wrong(v, e->seq, "an original text that a commitment speaks of was taken out");
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
            return wrong(v, seq, "an original text that no record commits to");
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

/* ---- records ---- */

static int check_record(struct verify *v, struct db_stmt *s)
{
    uint64_t seq = (uint64_t)db_column_int(s, 0);
    struct span body = db_column_text(s, 4), stored = db_column_blob(s, 5);
    unsigned char hash[HASH_SIZE];
    struct entry e;
    if (seq != v->seq + 1)
        return wrong(v, v->seq + 1, "missing: the next record that is there is %" PRIu64, seq);
    int r = sha256_begin(v->digest);
    if (r == 0)
        r = sha256_add(v->digest, SPAN_LIT("juyong.record.v1\0"));
    if (r == 0)
        r = sha256_add(v->digest, span_from((const char *)v->hash, HASH_SIZE));
    if (r == 0)
        r = sha256_add(v->digest, body);
    if (r == 0)
        r = sha256_end(v->digest, hash);
    if (r < 0)
        return r;
    if (!span_eq(stored, span_from((const char *)hash, HASH_SIZE)))
        return wrong(v, seq, "changed: its hash does not follow from it and the record before");
    arena_deinit(&v->arena);
    r = entry_parse(body, &v->arena, &e);
    if (r == -EPROTO)
        return wrong(v, seq, "written by a newer version");
    if (r == -EBADMSG)
        return wrong(v, seq, "not a record in canonical form");
    if (r < 0)
        return r;
    /* The columns beside the record serve searches; one that lies would hide a record. */
    if (e.seq != seq || e.time != (uint64_t)db_column_int(s, 1) ||
        !span_eq(e.request_id, db_column_text(s, 2)) || entry_weight(&e) != db_column_int(s, 3))
        return wrong(v, seq, "its search columns differ from the record");
    memcpy(v->hash, hash, HASH_SIZE);
    v->seq = seq;
    v->report->records++;
    v->report->gaps += e.lost > 0;
    v->report->lost += e.lost;
    r = check_texts(v, &e);
    if (r == 0)
        r = check_originals(v, &e);
    if (r == 0)
        r = announced_add(&v->announced, &e);
    return r ? r : check_marks(v);
}

/* Where the file says it begins must be where the one before ended. */
static int check_begin(struct verify *v, struct db *db, uint64_t *ret_seq,
                       unsigned char ret_hash[HASH_SIZE])
{
    static const unsigned char zero[HASH_SIZE];
    struct db_stmt *s;
    int r = db_prepare(db, SPAN_LIT("SELECT first, anchor, seq, hash FROM head"), &s);
    if (r < 0)
        return r == -EINVAL ? wrong(v, 0, "has no head") : r;
    r = db_step(s);
    struct span anchor = db_column_blob(s, 1), hash = db_column_blob(s, 3);
    uint64_t first = (uint64_t)db_column_int(s, 0);
    if (r == 0 || (r == 1 && (anchor.len != HASH_SIZE || hash.len != HASH_SIZE || first == 0))) {
        r = wrong(v, 0, "has no head");
    } else if (r == 1) {
        r = 0;
        *ret_seq = (uint64_t)db_column_int(s, 2);
        memcpy(ret_hash, hash.data, HASH_SIZE);
        if (!v->begun) {
            /* Retention may have taken older files; then this one's word has to do. */
            v->seq = first - 1;
            memcpy(v->hash, anchor.data, HASH_SIZE);
            v->report->first_seq = first;
            if (first > 1)
                r = announced_miss(&v->announced, v->report->file, first - 1, v->hash);
            if (first == 1 && memcmp(anchor.data, zero, HASH_SIZE) != 0)
                r = wrong(v, 1, "the first record does not begin a chain");
        } else if (first != v->seq + 1) {
            r = wrong(v, v->seq + 1, "missing: this file begins with record %" PRIu64, first);
        } else if (memcmp(anchor.data, v->hash, HASH_SIZE) != 0) {
            r = wrong(v, first, "the file does not continue the one before");
        }
    }
    db_finalize(s);
    return r;
}

static int check_records(struct verify *v, struct db *db)
{
    uint64_t last = 0;
    unsigned char hash[HASH_SIZE];
    int r = check_begin(v, db, &last, hash);
    if (r)
        return r;
    v->begun = true;
    struct db_stmt *s;
    r = db_prepare(db,
                   SPAN_LIT("SELECT seq, time, request, weight, body, hash FROM record ORDER BY"
                            " seq"),
                   &s);
    if (r < 0)
        return r == -EINVAL ? wrong(v, 0, "has no records' table") : r;
    while ((r = db_step(s)) == 1) {
        r = check_record(v, s);
        if (r == 0 && v->o->is_over && v->report->records % ASK_RECORDS == 0 &&
            v->o->is_over(v->o->ctx, v->report->records))
            r = -ECANCELED;
        if (r)
            break;
    }
    db_finalize(s);
    if (r)
        return r;
    if (v->seq != last)
        return wrong(v, v->seq + 1, "missing: the file says that it ends with record %" PRIu64,
                     last);
    if (memcmp(hash, v->hash, HASH_SIZE) != 0)
        return wrong(v, v->seq, "the file's head names another last record");
    /* Texts behind the last record: taken by a crash, or written since we began. */
    return 0;
}

/* A text tier's rows in the order of records; *ret_stmt stays NULL where the tier has expired. */
static int open_tier(struct verify *v, const char *name, struct span sql, struct db **ret_db,
                     struct db_stmt **ret_stmt)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    int r = path_of(v->o->dir, name, path);
    if (r == 0)
        r = db_open(span_str(path), &o, ret_db);
    if (r == -ENOENT)
        return 0; /* the tier has expired */
    return r == 0 ? db_prepare(*ret_db, sql, ret_stmt) : r;
}

static int open_texts(struct verify *v, const char *name, struct db **ret_db)
{
    int r = open_tier(v, name,
                      SPAN_LIT("SELECT seq, at, salt, path, text, context, start, end, folded FROM"
                               " text ORDER BY seq, at"),
                      ret_db, &v->texts);
    return r == 0 && v->texts ? step_text(v) : r;
}

static int open_originals(struct verify *v, const char *name, struct db **ret_db)
{
    int r =
        open_tier(v, name, SPAN_LIT("SELECT seq, key, wrapped, sealed FROM original ORDER BY seq"),
                  ret_db, &v->originals);
    return r == 0 && v->originals ? step_original(v) : r;
}

static int check_file(struct verify *v, const char *name)
{
    char path[PATH_MAX], texts[64], originals[64];
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    struct db *db = NULL, *text_db = NULL, *original_db = NULL;
    snprintf(v->report->file, sizeof(v->report->file), "%.63s", name);
    snprintf(texts, sizeof(texts), "l1%.60s", name + 2);
    snprintf(originals, sizeof(originals), "l2%.60s", name + 2);
    int r = path_of(v->o->dir, name, path);
    if (r == 0)
        r = db_open(span_str(path), &o, &db);
    /* One view of the file, whatever the gateway writes meanwhile; texts are looked at later than
     * records, so that each record of the view has its text. */
    if (r == 0)
        r = db_exec(db, "BEGIN");
    int version = 0;
    if (r == 0)
        r = db_get_version(db, &version);
    if (r == 0 && version > 2)
        r = wrong(v, 0, "written by a newer version");
    else if (r == 0 && version == 0)
        r = wrong(v, 0, "is no decision log");
    if (r == 0) {
        r = open_texts(v, texts, &text_db);
        if (r == -EBADMSG || r == -EINVAL) {
            snprintf(v->report->file, sizeof(v->report->file), "%s", texts);
            r = wrong(v, 0, "corrupt: not readable as a database");
        }
    }
    if (r == 0) {
        r = open_originals(v, originals, &original_db);
        if (r == -EBADMSG || r == -EINVAL) {
            snprintf(v->report->file, sizeof(v->report->file), "%s", originals);
            r = wrong(v, 0, "corrupt: not readable as a database");
        }
    }
    v->misses_texts = v->misses_originals = false;
    if (r == 0)
        r = check_records(v, db);
    if (r == 0 && !text_db && v->misses_texts)
        r = announced_miss(&v->announced, texts, v->seq, NULL);
    if (r == 0 && !original_db && v->misses_originals)
        r = announced_miss(&v->announced, originals, v->seq, NULL);
    db_finalize(v->texts);
    db_finalize(v->originals);
    v->texts = v->originals = NULL;
    db_close(text_db);
    db_close(original_db);
    db_close(db);
    if (r == -EBADMSG || r == -EINVAL)
        return wrong(v, v->seq + 1, "corrupt: not readable as a database from here on");
    if (r == 0)
        v->report->files++;
    return r;
}

/* What retention takes is announced by a record; what else is not there was taken. */
static int check_missed(struct verify *v)
{
    const struct missed_file *m = announced_check(&v->announced);
    if (!m)
        return 0;
    snprintf(v->report->file, sizeof(v->report->file), "%s", m->name);
    if (m->has_hash)
        return wrong(
            v, m->seq,
            "records up to this one are missing, and no record says that they were pruned");
    return wrong(v, 0, "is missing, and no record says that it was pruned");
}

/* A hold is lifted by a record, not by taking it off the list. */
static int check_holds(struct verify *v)
{
    struct arena arena;
    struct holds holds;
    arena_init(&arena, (size_t)16 << 20);
    int r = holds_load(v->o->dir, &arena, &holds);
    snprintf(v->report->file, sizeof(v->report->file), "holds.tsv");
    if (r == -EBADMSG)
        r = wrong(v, 0, "is damaged");
    for (size_t i = 0; r == 0 && i < v->announced.hold_count; i++) {
        uint64_t number = v->announced.holds[i];
        bool listed = number == 0;
        /* The last one may have been interrupted before the list had its number. */
        for (size_t k = 0; !listed && k < holds.count; k++)
            listed = holds.list[k].number == number ||
                     (holds.list[k].number == 0 && i + 1 == v->announced.hold_count);
        if (!listed)
            r = wrong(v, number, "lacks this hold, which no record releases");
    }
    arena_deinit(&arena);
    return r;
}

static int check_all(struct verify *v)
{
    char dir[PATH_MAX];
    struct dirent **names = NULL;
    int r = read_checkpoints(v);
    if (r)
        return r;
    r = path_of(v->o->dir, "", dir);
    if (r < 0)
        return r;
    int count = scandir(dir, &names, is_record_file, alphasort);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        if (r == 0)
            r = check_file(v, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (r)
        return r;
    v->report->last_seq = v->seq;
    if (v->mark_next < v->mark_count) {
        snprintf(v->report->file, sizeof(v->report->file), "checkpoints.jsonl");
        return wrong(v, v->seq + 1,
                     "missing: a signed checkpoint on line %" PRIu64 " speaks of %" PRIu64
                     " records; the end of the log was cut off",
                     v->marks[v->mark_count - 1].line, v->marks[v->mark_count - 1].size);
    }
    if (!v->begun)
        return -ENOENT;
    r = check_missed(v);
    if (r == 0)
        r = check_holds(v);
    if (r == 0)
        v->report->file[0] = '\0';
    return r;
}

int verify_run(const struct verify_options *o, struct verify_report *ret_report)
{
    struct verify v = {.o = o, .report = ret_report};
    *ret_report = (struct verify_report){0};
    if (memchr(o->dir.data, 0, o->dir.len) || o->dir.len == 0)
        return -EINVAL;
    v.digest = sha256_new();
    if (!v.digest)
        return -ENOMEM;
    arena_init(&v.arena, 1u << 20);
    v.plain = BUF_INIT((size_t)8 << 20);
    int r = textkeys_load(o->dir, false, &v.keys);
    if (r == 0 || r == -ENOENT) /* without them nothing is looked into */
        r = check_all(&v);
    else if (r == -EBADMSG)
        r = wrong(&v, 0, "keys/text.key is unreadable");
    announced_deinit(&v.announced);
    textkeys_forget(&v.keys);
    if (v.plain.data)
        secret_cleanse(v.plain.data, v.plain.cap);
    buf_deinit(&v.plain);
    arena_deinit(&v.arena);
    sha256_free(v.digest);
    free(v.marks);
    return r;
}
