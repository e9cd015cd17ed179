#include "audit/verifier.h"

#include "audit/holds.h"
#include "crypto/secret.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ASK_RECORDS 4096 /* between two questions whether it is to end */

int verify_wrong(struct verify *v, uint64_t seq, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(v->report->what, sizeof(v->report->what), fmt, ap);
    va_end(ap);
    v->report->seq = seq;
    return 1;
}

int verify_path(struct span dir, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", SPAN_ARG(dir), name);
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int is_record_file(const struct dirent *e)
{
    return fnmatch("l0-[0-9][0-9][0-9][0-9]-[0-9][0-9].db", e->d_name, 0) == 0;
}

/* ---- records ---- */

static int check_record(struct verify *v, struct db_stmt *s)
{
    uint64_t seq = (uint64_t)db_column_int(s, 0);
    struct span body = db_column_text(s, 4), stored = db_column_blob(s, 5);
    unsigned char hash[HASH_SIZE];
    struct entry e;
    if (seq != v->seq + 1)
        return verify_wrong(v, v->seq + 1, "missing: the next record that is there is %" PRIu64,
                            seq);
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
        return verify_wrong(v, seq,
                            "changed: its hash does not follow from it and the record before");
    arena_deinit(&v->arena);
    r = entry_parse(body, &v->arena, &e);
    if (r == -EPROTO)
        return verify_wrong(v, seq, "written by a newer version");
    if (r == -EBADMSG)
        return verify_wrong(v, seq, "not a record in canonical form");
    if (r < 0)
        return r;
    /* The columns beside the record serve searches; one that lies would hide a record, and so would
     * one of another type, which compares as another value. */
    if (!db_column_int(s, 6) || e.seq != seq || e.time != (uint64_t)db_column_int(s, 1) ||
        !span_eq(e.request_id, db_column_text(s, 2)) || entry_weight(&e) != db_column_int(s, 3))
        return verify_wrong(v, seq, "its search columns differ from the record");
    memcpy(v->hash, hash, HASH_SIZE);
    v->seq = seq;
    v->report->records++;
    v->report->gaps += e.lost > 0;
    v->report->lost += e.lost;
    r = verifytexts_check(v, &e);
    if (r == 0)
        r = announced_add(&v->announced, &e);
    return r ? r : verifymarks_check(v);
}

/* Where the file says it begins must be where the one before ended. */
static int check_begin(struct verify *v, struct db *db, uint64_t *ret_seq,
                       unsigned char ret_hash[HASH_SIZE])
{
    static const unsigned char zero[HASH_SIZE];
    struct db_stmt *s;
    int r = db_prepare(db, SPAN_LIT("SELECT first, anchor, seq, hash FROM head"), &s);
    if (r < 0)
        return r == -EINVAL ? verify_wrong(v, 0, "has no head") : r;
    r = db_step(s);
    struct span anchor = db_column_blob(s, 1), hash = db_column_blob(s, 3);
    uint64_t first = (uint64_t)db_column_int(s, 0);
    if (r == 0 || (r == 1 && (anchor.len != HASH_SIZE || hash.len != HASH_SIZE || first == 0))) {
        r = verify_wrong(v, 0, "has no head");
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
                r = verify_wrong(v, 1, "the first record does not begin a chain");
        } else if (first != v->seq + 1) {
            r = verify_wrong(v, v->seq + 1, "missing: this file begins with record %" PRIu64,
                             first);
        } else if (memcmp(anchor.data, v->hash, HASH_SIZE) != 0) {
            r = verify_wrong(v, first, "the file does not continue the one before");
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
                   SPAN_LIT("SELECT seq, time, request, weight, body, hash, typeof(time) ="
                            " 'integer' AND typeof(request) = 'text' AND typeof(weight) ="
                            " 'integer' AND typeof(body) = 'text' AND typeof(hash) = 'blob' FROM"
                            " record ORDER BY seq"),
                   &s);
    if (r < 0)
        return r == -EINVAL ? verify_wrong(v, 0, "has no records' table") : r;
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
        return verify_wrong(v, v->seq + 1,
                            "missing: the file says that it ends with record %" PRIu64, last);
    if (memcmp(hash, v->hash, HASH_SIZE) != 0)
        return verify_wrong(v, v->seq, "the file's head names another last record");
    /* Texts behind the last record: taken by a crash, or written since we began. */
    return 0;
}

/* ---- files ---- */

bool verify_blank(struct db *db)
{
    struct db_stmt *s = NULL;
    int version = 0;
    bool blank = db_get_version(db, &version) == 0 && version == 0 &&
                 db_prepare(db, SPAN_LIT("SELECT count(*) FROM sqlite_master"), &s) == 0 &&
                 db_step(s) == 1 && db_column_int(s, 0) == 0;
    db_finalize(s);
    return blank;
}

static int check_file(struct verify *v, const char *name)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    struct db *db = NULL;
    snprintf(v->report->file, sizeof(v->report->file), "%.63s", name);
    int r = verify_path(v->o->dir, name, path);
    if (r == 0)
        r = db_open(span_str(path), &o, &db);
    /* One view of the file, whatever the gateway writes meanwhile; texts are looked at later than
     * records, so that each record of the view has its text. */
    if (r == 0)
        r = db_exec(db, "BEGIN");
    int version = 0;
    if (r == 0)
        r = db_get_version(db, &version);
    if (r == 0 && verify_blank(db)) {
        db_close(db);
        return 0;
    }
    if (r == 0 && version > 2)
        r = verify_wrong(v, 0, "written by a newer version");
    else if (r == 0 && version == 0)
        r = verify_wrong(v, 0, "is no decision log");
    if (r == 0)
        r = verifytexts_open(v, name);
    if (r == 0)
        r = check_records(v, db);
    if (r == 0)
        r = verifytexts_end(v, name);
    verifytexts_close(v);
    db_close(db);
    if (r == -EBADMSG || r == -EINVAL)
        return verify_wrong(v, v->seq + 1, "corrupt: not readable as a database from here on");
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
        return verify_wrong(
            v, m->seq,
            "records up to this one are missing, and no record says that they were pruned");
    return verify_wrong(v, 0, "is missing, and no record says that it was pruned");
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
        r = verify_wrong(v, 0, "is damaged");
    for (size_t i = 0; r == 0 && i < v->announced.hold_count; i++) {
        uint64_t number = v->announced.holds[i];
        bool listed = number == 0;
        /* The last one may have been interrupted before the list had its number. */
        for (size_t k = 0; !listed && k < holds.count; k++)
            listed = holds.list[k].number == number ||
                     (holds.list[k].number == 0 && i + 1 == v->announced.hold_count);
        if (!listed)
            r = verify_wrong(v, number, "lacks this hold, which no record releases");
    }
    arena_deinit(&arena);
    return r;
}

static int check_all(struct verify *v)
{
    char dir[PATH_MAX];
    struct dirent **names = NULL;
    int r = verifymarks_read(v);
    if (r)
        return r;
    r = verify_path(v->o->dir, "", dir);
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
        return verify_wrong(v, v->seq + 1,
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
        r = verify_wrong(&v, 0, "keys/text.key is unreadable");
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
