/* Opening and closing the casebook, and what its files share. */
#include "casebook/book.h"

#include "base/clock.h"
#include "base/day.h"
#include "base/log.h"
#include "json/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOK_VERSION 1
#define BUSY_MS      5000
#define WAIT_MS      30000
#define SAMPLE_US    10000000
#define WAL_PAGES    1000 /* of 4 KiB, before they are moved into the file */

static const char schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    /* Every act as it was asked for; state 0: not carried out yet. */
    "CREATE TABLE act(id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, at_us INTEGER NOT NULL,"
    " code TEXT NOT NULL, author TEXT NOT NULL, due_us INTEGER NOT NULL, body TEXT NOT NULL,"
    " salt BLOB NOT NULL, state INTEGER NOT NULL, seq INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX act_pending ON act(id) WHERE state=0;"
    /* What of the log can be reviewed: taken from there, and could be taken again. */
    "CREATE TABLE item(request_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at_us INTEGER NOT NULL,"
    " action TEXT NOT NULL, risk TEXT NOT NULL, rule TEXT NOT NULL, app TEXT NOT NULL,"
    " direction TEXT NOT NULL, caught INTEGER NOT NULL, why INTEGER NOT NULL,"
    " second INTEGER NOT NULL, assigned TEXT NOT NULL DEFAULT '') WITHOUT ROWID;"
    "CREATE INDEX item_at ON item(at_us, rule);"
    "CREATE INDEX item_seq ON item(seq);"
    "CREATE INDEX item_assigned ON item(assigned, seq) WHERE assigned<>'';"
    "CREATE TABLE review(request_id TEXT NOT NULL, slot INTEGER NOT NULL, reviewer TEXT NOT NULL,"
    " verdict INTEGER NOT NULL, note TEXT NOT NULL, at_us INTEGER NOT NULL, act INTEGER NOT NULL,"
    " PRIMARY KEY(request_id, slot)) WITHOUT ROWID;"
    "CREATE TABLE review_before(request_id TEXT NOT NULL, act INTEGER NOT NULL,"
    " slot INTEGER NOT NULL, reviewer TEXT NOT NULL, verdict INTEGER NOT NULL,"
    " note TEXT NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY(request_id, act)) WITHOUT ROWID;"
    "CREATE TABLE signoff(day TEXT NOT NULL, who TEXT NOT NULL, at_us INTEGER NOT NULL,"
    " note TEXT NOT NULL, PRIMARY KEY(day, who)) WITHOUT ROWID;"
    "CREATE TABLE ticket(id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, due_us INTEGER NOT NULL,"
    " state TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, contact TEXT NOT NULL,"
    " request_id TEXT NOT NULL, assigned TEXT NOT NULL DEFAULT '', ended_us INTEGER NOT NULL"
    " DEFAULT 0);"
    "CREATE INDEX ticket_state ON ticket(state, id);"
    "CREATE TABLE incident(id INTEGER PRIMARY KEY, opened_us INTEGER NOT NULL,"
    " at_us INTEGER NOT NULL, state TEXT NOT NULL, title TEXT NOT NULL, what TEXT NOT NULL,"
    " impact TEXT NOT NULL, measures TEXT NOT NULL, remedy TEXT NOT NULL,"
    " responsible TEXT NOT NULL);"
    "CREATE TABLE incident_request(incident INTEGER NOT NULL, request_id TEXT NOT NULL,"
    " PRIMARY KEY(incident, request_id)) WITHOUT ROWID;"
    /* Of tickets (kind t) and incidents (i). */
    "CREATE TABLE note(kind TEXT NOT NULL, number INTEGER NOT NULL, act INTEGER NOT NULL,"
    " at_us INTEGER NOT NULL, who TEXT NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY(kind, number, act)) WITHOUT ROWID;";

/* ---- statements ---- */

static int bind_all(struct db_stmt *s, const char *types, va_list ap)
{
    int r = 0;
    for (int at = 1; r == 0 && types[at - 1]; at++) {
        if (types[at - 1] == 'i') {
            r = db_bind_int(s, at, va_arg(ap, int64_t));
        } else {
            struct span text = va_arg(ap, struct span);
            r = db_bind_text(s, at, text.len ? text : SPAN_LIT(""));
        }
    }
    return r;
}

int book_prepare(struct db *db, const char *sql, struct db_stmt **ret, const char *types, ...)
{
    *ret = NULL;
    int r = db_prepare(db, span_str(sql), ret);
    va_list ap;
    va_start(ap, types);
    if (r == 0)
        r = bind_all(*ret, types, ap);
    va_end(ap);
    return r;
}

int book_run(struct db *db, const char *sql, const char *types, ...)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(db, span_str(sql), &s);
    va_list ap;
    va_start(ap, types);
    if (r == 0)
        r = bind_all(s, types, ap);
    va_end(ap);
    if (r == 0)
        r = db_run(s);
    db_finalize(s);
    return r;
}

int book_int(struct db *db, const char *sql, int64_t *ret, const char *types, ...)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(db, span_str(sql), &s);
    va_list ap;
    va_start(ap, types);
    if (r == 0)
        r = bind_all(s, types, ap);
    va_end(ap);
    if (r == 0)
        r = db_step(s);
    if (r == 1)
        *ret = db_column_int(s, 0);
    db_finalize(s);
    return r < 0 ? r : r == 1 ? 0 : -ENOENT;
}

/* ---- JSON and days ---- */

/* What failed once fails to the end, so that nobody takes a torn object for a whole one. */
static void put(struct buf *out, struct span text)
{
    if (buf_append(out, text) < 0)
        out->max = 0;
}

static void put_key(struct buf *out, const char *key)
{
    if (out->len && out->data[out->len - 1] != '{')
        put(out, SPAN_LIT(","));
    put(out, SPAN_LIT("\""));
    put(out, span_str(key));
    put(out, SPAN_LIT("\":"));
}

void book_json_text(struct buf *out, struct span text)
{
    put(out, SPAN_LIT("\""));
    if (json_escape(out, text) < 0)
        out->max = 0;
    put(out, SPAN_LIT("\""));
}

void book_json(struct buf *out, const char *key, struct span text)
{
    put_key(out, key);
    book_json_text(out, text);
}

void book_json_int(struct buf *out, const char *key, int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%lld", (long long)value);
    put_key(out, key);
    put(out, span_from(digits, (size_t)n));
}

void book_json_bool(struct buf *out, const char *key, bool value)
{
    put_key(out, key);
    put(out, value ? SPAN_LIT("true") : SPAN_LIT("false"));
}

void book_json_null(struct buf *out, const char *key, struct span text)
{
    if (text.len) {
        book_json(out, key, text);
    } else {
        put_key(out, key);
        put(out, SPAN_LIT("null"));
    }
}

bool casebook_day(struct span day, uint64_t *ret_begin_us, uint64_t *ret_end_us)
{
    char text[16];
    int64_t end;
    if (day.len == 0) {
        casebook_day_text(clock_wall_us() - BOOK_DAY_US, text);
        day = span_str(text);
    }
    if (!day_end(day, &end) || end <= 86400)
        return false;
    *ret_end_us = (uint64_t)end * 1000000;
    *ret_begin_us = *ret_end_us - BOOK_DAY_US;
    return true;
}

void casebook_day_text(uint64_t at_us, char ret_text[16])
{
    char text[DAY_TEXT_SIZE];
    day_format((int64_t)(at_us / 1000000) + 1, text); /* the day that holds the second before */
    snprintf(ret_text, 16, "%.15s", text);
}

/* ---- open, close ---- */

static int make_schema(struct db *db)
{
    int version;
    int r = db_get_version(db, &version);
    if (r == 0 && version > BOOK_VERSION)
        return -EPROTO;
    if (r < 0 || version == BOOK_VERSION)
        return r;
    /* Another process may be about to do the same. */
    r = db_begin(db);
    if (r == 0)
        r = db_get_version(db, &version);
    if (r == 0 && version == 0)
        r = db_exec(db, schema);
    if (r == 0 && version == 0)
        r = db_set_version(db, BOOK_VERSION);
    if (r == 0)
        return db_commit(db);
    db_rollback(db);
    return r;
}

static int open_files(struct casebook *c, struct span path, bool mine)
{
    struct db_options write = {.create = mine, .busy_ms = BUSY_MS};
    struct db_options read = {.readonly = true, .busy_ms = BUSY_MS};
    int version, r = db_open(path, &write, &c->db);
    if (r == 0)
        r = make_schema(c->db);
    /* Somebody else's, or a copy that nobody may touch: what it says can still be read. */
    if (!c->audit && (r == -EACCES || r == -EROFS || r == -EPERM)) {
        db_close(c->db);
        c->db = NULL;
        r = 0;
    }
    if (r == 0)
        r = db_open(path, &read, &c->reader);
    if (r == 0)
        r = db_get_version(c->reader, &version);
    if (r == 0 && version != BOOK_VERSION)
        r = version ? -EPROTO : -ENOENT;
    return r;
}

static void complain(struct span dir, int r)
{
    const char *why = r == -EPROTO    ? "it is of a newer juyong"
                      : r == -EBADMSG ? "it is damaged"
                                      : strerror(-r);
    if (r != -ENOENT)
        log_error("%.*s/casebook.db: reviews and tickets can't be opened: %s", SPAN_ARG(dir), why);
}

int casebook_open(const struct casebook_options *o, struct casebook **ret_casebook)
{
    char path[PATH_MAX], dir[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%.*s/casebook.db", SPAN_ARG(o->state_dir));
    int m = snprintf(dir, sizeof(dir), "%.*s", SPAN_ARG(o->state_dir));
    if (n < 0 || n >= PATH_MAX || m < 0 || o->log_dir.len >= PATH_MAX)
        return -ENAMETOOLONG;
    struct casebook *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    pthread_mutex_init(&c->write_lock, NULL);
    pthread_mutex_init(&c->read_lock, NULL);
    c->audit = o->audit;
    c->share = o->share;
    c->second = o->second;
    c->due_us = o->due_us;
    c->wait_ms = o->wait_ms ? o->wait_ms : WAIT_MS;
    c->sample_us = o->sample_us ? o->sample_us : SAMPLE_US;
    memcpy(c->path, path, sizeof(path));
    memcpy(c->log_dir, o->log_dir.data, o->log_dir.len);
    bool mine = stat(dir, &st) == 0 && (c->audit || st.st_uid == geteuid());
    int r = open_files(c, span_str(path), mine);
    if (r == 0 && lstat(path, &st) < 0)
        r = -errno;
    c->device = st.st_dev;
    c->inode = st.st_ino;
    if (r == 0 && c->audit)
        r = audit_port_open(c->audit, &c->port);
    if (r == 0 && c->audit)
        r = book_settle(c);
    if (r < 0) {
        complain(o->state_dir, r);
        casebook_close(c);
        return r;
    }
    *ret_casebook = c;
    return 0;
}

void casebook_close(struct casebook *c)
{
    if (!c)
        return;
    if (c->port)
        audit_port_close(c->port);
    if (c->db)
        db_checkpoint(c->db);
    db_close(c->reader);
    db_close(c->db);
    pthread_mutex_destroy(&c->write_lock);
    pthread_mutex_destroy(&c->read_lock);
    free(c);
}

int book_wrote(struct casebook *c, int r)
{
    if ((r != -EIO && r != -EBADMSG) || c->failed)
        return r;
    c->failed = true;
    log_error("%s: %s (%.*s); nothing more is decided until restart", c->path, strerror(-r),
              SPAN_ARG(db_message(c->db)));
    return r;
}

int book_check(struct casebook *c)
{
    struct stat st;
    if (!c->failed &&
        (lstat(c->path, &st) < 0 || st.st_dev != c->device || st.st_ino != c->inode)) {
        c->failed = true;
        log_error("%s was deleted or replaced while in use; nothing more is decided until restart",
                  c->path);
    }
    return c->failed ? -EIO : 0;
}

void book_tidy(struct casebook *c)
{
    if (db_wal_pages(c->db) > WAL_PAGES)
        book_wrote(c, db_checkpoint(c->db));
}
