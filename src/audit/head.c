#include "audit/head.h"

#include "audit/checkpoint.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

/* Records at the end that every opening checks. */
#define TAIL_RECORDS 1000

int head_is_blank(struct db *db, bool *ret_blank)
{
    int version = 0;
    int r = db_get_version(db, &version);
    if (r < 0)
        return r;
    struct db_stmt *q;
    r = db_prepare(db, SPAN_LIT("SELECT count(*) FROM sqlite_master"), &q);
    if (r < 0)
        return r;
    r = db_step(q);
    *ret_blank = r == 1 && version == 0 && db_column_int(q, 0) == 0;
    db_finalize(q);
    return r < 0 ? r : 0;
}

int head_check_version(struct db *db, const char *path)
{
    int version = 0;
    int r = db_get_version(db, &version);
    if (r < 0)
        return r;
    if (version > FILES_SCHEMA) {
        log_error("audit: %s has schema version %d, this program knows %d: it was written by a "
                  "newer juyong",
                  path, version, FILES_SCHEMA);
        return -EPROTO;
    }
    if (version < 1) {
        log_error("audit: %s is no decision log", path);
        return -EBADMSG;
    }
    return 0;
}

/* What each version lacks of the next one. Of older tables nothing is ever lost. */
int head_upgrade(struct db *db, int tier, const char *path)
{
    int version = 0;
    int r = db_get_version(db, &version);
    if (r < 0 || version == FILES_SCHEMA)
        return r;
    r = db_begin(db);
    if (r == 0 && tier == 1)
        r = db_exec(db, "ALTER TABLE text ADD COLUMN sample INTEGER NOT NULL DEFAULT 0");
    if (r == 0)
        r = db_set_version(db, FILES_SCHEMA);
    if (r == 0)
        r = db_commit(db);
    else
        db_rollback(db);
    if (r == 0)
        log_info("audit: %s was brought from schema version %d to %d", path, version, FILES_SCHEMA);
    return r;
}

int head_read(struct db *db, const char *path, struct head *ret_head)
{
    struct db_stmt *q = NULL;
    int r = db_prepare(db, SPAN_LIT("SELECT seq, hash FROM head"), &q);
    if (r == 0)
        r = db_step(q);
    if (r == 1 && db_column_blob(q, 1).len == SHA256_SIZE) {
        ret_head->seq = (uint64_t)db_column_int(q, 0);
        memcpy(ret_head->hash, db_column_blob(q, 1).data, SHA256_SIZE);
        r = 0;
    } else if (r >= 0) {
        r = -EBADMSG;
    }
    db_finalize(q);
    if (r < 0)
        log_error("audit: the head of %s is missing", path);
    return r;
}

int head_chain(struct sha256 *digest, const unsigned char previous[SHA256_SIZE], struct span body,
               unsigned char ret_hash[SHA256_SIZE])
{
    int r = sha256_begin(digest);
    if (r == 0)
        r = sha256_add(digest, SPAN_LIT("juyong.record.v1\0"));
    if (r == 0)
        r = sha256_add(digest, span_from((const char *)previous, SHA256_SIZE));
    if (r == 0)
        r = sha256_add(digest, body);
    return r < 0 ? r : sha256_end(digest, ret_hash);
}

/* Recomputes the hashes of the last records of one file. */
static int check_tail(struct sha256 *digest, const struct head *head, struct db *db,
                      const char *path)
{
    struct db_stmt *q;
    int r = db_prepare(db,
                       SPAN_LIT("SELECT seq, body, hash FROM (SELECT first - 1 AS seq, '' AS body,"
                                " anchor AS hash FROM head UNION ALL SELECT seq, body, hash FROM"
                                " record) WHERE seq >= ?1 ORDER BY seq"),
                       &q);
    if (r < 0)
        return r;
    uint64_t from = head->seq > TAIL_RECORDS ? head->seq - TAIL_RECORDS : 0, seq = 0;
    unsigned char hash[SHA256_SIZE], want[SHA256_SIZE];
    bool first = true;
    db_bind_int(q, 1, (int64_t)from);
    while ((r = db_step(q)) == 1) {
        struct span stored = db_column_blob(q, 2);
        uint64_t next = (uint64_t)db_column_int(q, 0);
        if (stored.len != SHA256_SIZE || (!first && next != seq + 1)) {
            r = -EBADMSG;
            break;
        }
        if (!first) {
            r = head_chain(digest, hash, db_column_text(q, 1), want);
            if (r == 0 && memcmp(want, stored.data, sizeof(want)) != 0)
                r = -EBADMSG;
            if (r < 0)
                break;
        }
        memcpy(hash, stored.data, sizeof(hash));
        seq = next;
        first = false;
    }
    db_finalize(q);
    if (r == 0 && (first || seq != head->seq || memcmp(hash, head->hash, sizeof(hash)) != 0))
        r = -EBADMSG;
    if (r == -EBADMSG)
        log_error("audit: record %llu of %s does not fit the chain; `juyong log verify` tells more",
                  (unsigned long long)seq + 1, path);
    return r;
}

/* The anchor of the newest file must be the head of the one before it, if that is still there. */
static int check_link(struct span dir, files_month newest, files_month before)
{
    char path[PATH_MAX], older[PATH_MAX];
    struct db *a = NULL, *b = NULL;
    struct db_stmt *qa = NULL, *qb = NULL;
    struct db_options o = {.readonly = true, .busy_ms = HEAD_BUSY_MS};
    if (!files_path(dir, 0, newest, path) || !files_path(dir, 0, before, older))
        return -ENAMETOOLONG;
    int r = db_open(span_str(path), &o, &a);
    if (r == 0)
        r = db_open(span_str(older), &o, &b);
    if (r == 0)
        r = db_prepare(a, SPAN_LIT("SELECT first - 1, anchor FROM head"), &qa);
    if (r == 0)
        r = db_prepare(b, SPAN_LIT("SELECT seq, hash FROM head"), &qb);
    if (r == 0)
        r = db_step(qa);
    if (r == 1)
        r = db_step(qb);
    if (r >= 0)
        r = r == 1 && db_column_int(qa, 0) == db_column_int(qb, 0) &&
                    span_eq(db_column_blob(qa, 1), db_column_blob(qb, 1))
                ? 0
                : -EBADMSG;
    db_finalize(qa);
    db_finalize(qb);
    db_close(a);
    db_close(b);
    if (r < 0)
        log_error("audit: %s does not begin where %s ends, or that can't be read (%s)", path, older,
                  strerror(-r));
    return r;
}

/* What was signed must still be there. */
static int check_checkpoint(struct span dir, const struct head *head)
{
    struct checkpoint_line last;
    int r = checkpoint_last(dir, &last);
    if (r <= 0)
        return r;
    if (last.size > head->seq ||
        (last.size == head->seq && memcmp(last.head, head->hash, SHA256_SIZE) != 0)) {
        log_error(
            "audit: a signed checkpoint speaks of %llu records, the files in %.*s end at %llu: "
            "a month file is missing or was put back; restore it, or move the whole directory "
            "away to begin a new log",
            (unsigned long long)last.size, SPAN_ARG(dir), (unsigned long long)head->seq);
        return -EBADMSG;
    }
    return 0;
}

int head_find(struct span dir, struct sha256 *digest, struct head *ret_head,
              files_month *ret_newest)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    if (!files)
        return -ENOMEM;
    int r = files_list(dir, 0, files);
    if (r < 0)
        return r;
    *ret_head = (struct head){0};
    *ret_newest = files->count ? files->months[files->count - 1] : 0;
    for (size_t n = files->count; n > 0; n--) {
        struct db *db = NULL;
        char path[PATH_MAX];
        struct db_options o = {.busy_ms = HEAD_BUSY_MS};
        bool blank = false;
        if (!files_path(dir, 0, files->months[n - 1], path))
            return -ENAMETOOLONG;
        r = db_open(span_str(path), &o, &db);
        if (r == 0)
            r = head_is_blank(db, &blank);
        if (r < 0)
            log_error("audit: %s can't be opened: %s", path,
                      r == -EBADMSG ? "corrupt or no database" : strerror(-r));
        if (r == 0 && !blank)
            r = head_check_version(db, path);
        if (r == 0 && !blank)
            r = head_read(db, path, ret_head);
        if (r == 0 && !blank)
            r = check_tail(digest, ret_head, db, path);
        db_close(db);
        if (r == 0 && !blank && n > 1)
            r = check_link(dir, files->months[n - 1], files->months[n - 2]);
        if (r < 0)
            return r;
        if (!blank)
            break;
    }
    return check_checkpoint(dir, ret_head);
}
