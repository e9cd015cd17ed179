#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define EMPTY_TRIES    40
#define EMPTY_TRY_MS   5
#define EMPTY_PAUSE_US 120000

struct db {
    sqlite3 *handle;
    unsigned wal_pages;
    int busy_ms;
};

struct db_stmt {
    struct db *db;
    sqlite3_stmt *handle;
};

static int from_system(int e)
{
    switch (e) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EROFS:
    case ENOENT:
    case EACCES:
    case EMFILE:
        return -e;
    default:
        return -EIO;
    }
}

/*
 * Why the operating system refused: errno still tells, if it was zeroed before the call. SQLite's
 * own copy knows only failures within a statement, not those of a COMMIT, and may be an old one.
 */
static int system_error(sqlite3 *handle, int seen)
{
    int kept = handle ? sqlite3_system_errno(handle) : 0;
    return from_system(seen ? seen : kept);
}

/* Translates SQLite's result codes; 0 for its several ways to say yes. */
static int translate(sqlite3 *handle, int rc)
{
    int seen = errno;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_NOMEM)
            return -ENOMEM;
        /* Only a failed write may be a matter of room; whatever else failed is the disk's fault. */
        if (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_TRUNCATE || rc == SQLITE_IOERR_SHMSIZE)
            return system_error(handle, seen);
        return -EIO;
    case SQLITE_CANTOPEN:
        return system_error(handle, seen);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return -EBADMSG;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EROFS;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_INTERRUPT:
        return -EINTR;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return -EINVAL;
    default:
        return -EIO;
    }
}

/* Called by SQLite after each commit: remembers how long the write-ahead log has become. */
static int note_wal(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = arg;
    db->wal_pages = pages > 0 ? (unsigned)pages : 0;
    return SQLITE_OK;
}

static int configure(struct db *db, const struct db_options *o)
{
    sqlite3 *h = db->handle;
    sqlite3_extended_result_codes(h, 1);
    db->busy_ms = (int)o->busy_ms;
    sqlite3_busy_timeout(h, db->busy_ms);
    int rc = sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    if (rc != SQLITE_OK)
        return translate(h, rc);
    if (o->readonly)
        return db_exec(db, "PRAGMA query_only=1");
    int r = db_exec(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                        "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY");
    if (r < 0)
        return r;
    struct db_stmt *s;
    r = db_prepare(db, SPAN_LIT("PRAGMA journal_mode=WAL"), &s);
    if (r < 0)
        return r;
    r = db_step(s);
    if (r == 1)
        r = span_eq(db_column_text(s, 0), SPAN_LIT("wal")) ? 0 : -EIO;
    db_finalize(s);
    if (r < 0)
        return r;
    sqlite3_wal_hook(h, note_wal, db);
    return 0;
}

int db_open(struct span path, const struct db_options *o, struct db **ret_db)
{
    char name[PATH_MAX];
    if (path.len == 0 || path.len >= sizeof(name) || memchr(path.data, 0, path.len))
        return -EINVAL;
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    if (o->create && !o->readonly) {
        /* SQLite would create it with the umask's mode; -wal and -shm copy the mode of the file.
         * A file that is there is never opened here: closing it would drop the locks of every
         * other connection of this process, and another program take their -wal away. */
        int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct stat st;
        if (fd < 0 && (errno != EEXIST || lstat(name, &st) < 0))
            return -errno;
        if (fd < 0 && S_ISLNK(st.st_mode))
            return -ELOOP;
        if (fd >= 0)
            close(fd);
    }
    struct db *db = calloc(1, sizeof(*db));
    if (!db)
        return -ENOMEM;
    int flags = (o->readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
    errno = 0;
    int r = translate(NULL, sqlite3_open_v2(name, &db->handle, flags, NULL));
    if (r < 0 && db->handle)
        r = translate(db->handle, sqlite3_extended_errcode(db->handle));
    if (r == 0)
        r = configure(db, o);
    if (r < 0) {
        db_close(db);
        return r;
    }
    *ret_db = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->handle);
    free(db);
}

struct span db_message(const struct db *db)
{
    return span_str(sqlite3_errmsg(db->handle));
}

int db_exec(struct db *db, const char *sql)
{
    errno = 0;
    return translate(db->handle, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

void db_interrupt(struct db *db)
{
    sqlite3_interrupt(db->handle);
}

int db_begin(struct db *db)
{
    return db_exec(db, "BEGIN IMMEDIATE");
}

int db_commit(struct db *db)
{
    int r = db_exec(db, "COMMIT");
    if (r < 0)
        db_rollback(db);
    return r;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

unsigned db_wal_pages(const struct db *db)
{
    return db->wal_pages;
}

int db_checkpoint(struct db *db)
{
    int left = 0, moved = 0;
    errno = 0;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &moved);
    if ((rc & 0xff) == SQLITE_BUSY)
        return 0;
    if (rc == SQLITE_OK && left == moved)
        db->wal_pages = 0;
    return translate(db->handle, rc);
}

/* While SQLite waits for readers it keeps every writer out: so it is asked for a moment at a time.
 */
int db_empty_wal(struct db *db)
{
    int rc = SQLITE_BUSY;
    sqlite3_busy_timeout(db->handle, EMPTY_TRY_MS);
    for (unsigned i = 0; i < EMPTY_TRIES && (rc & 0xff) == SQLITE_BUSY; i++) {
        if (i)
            usleep(EMPTY_PAUSE_US);
        errno = 0;
        rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    sqlite3_busy_timeout(db->handle, db->busy_ms);
    if (rc == SQLITE_OK)
        db->wal_pages = 0;
    return translate(db->handle, rc);
}

int db_get_version(struct db *db, int *ret_version)
{
    struct db_stmt *s;
    int r = db_prepare(db, SPAN_LIT("PRAGMA user_version"), &s);
    if (r < 0)
        return r;
    r = db_step(s);
    if (r == 1) {
        *ret_version = (int)db_column_int(s, 0);
        r = 0;
    } else if (r == 0) {
        r = -EIO;
    }
    db_finalize(s);
    return r;
}

int db_set_version(struct db *db, int version)
{
    char sql[48];
    snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", version);
    return db_exec(db, sql);
}

int db_check(struct db *db)
{
    struct db_stmt *s;
    int r = db_prepare(db, SPAN_LIT("PRAGMA quick_check(1)"), &s);
    if (r < 0)
        return r;
    r = db_step(s);
    if (r >= 0)
        r = r == 1 && span_eq(db_column_text(s, 0), SPAN_LIT("ok")) ? 0 : -EBADMSG;
    db_finalize(s);
    return r;
}

int db_copy(struct db *db, struct span path)
{
    char name[PATH_MAX];
    struct db_stmt *s = NULL;
    if (path.len == 0 || path.len >= sizeof(name) || memchr(path.data, 0, path.len))
        return -EINVAL;
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    /* SQLite fills an empty file, whose mode is then ours and not the umask's. */
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    /* A reader's own switch against writing would forbid the copy as well. */
    bool readonly = sqlite3_db_readonly(db->handle, "main") == 1;
    int r = readonly ? db_exec(db, "PRAGMA query_only=0") : 0;
    if (r == 0)
        r = db_prepare(db, SPAN_LIT("VACUUM INTO ?1"), &s);
    if (r == 0)
        r = db_bind_text(s, 1, path);
    if (r == 0)
        r = db_run(s);
    db_finalize(s);
    if (readonly)
        db_exec(db, "PRAGMA query_only=1");
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    close(fd);
    return r;
}

int db_prepare(struct db *db, struct span sql, struct db_stmt **ret_stmt)
{
    if (sql.len > INT_MAX)
        return -EINVAL;
    struct db_stmt *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->db = db;
    int rc = sqlite3_prepare_v3(db->handle, sql.data, (int)sql.len, SQLITE_PREPARE_PERSISTENT,
                                &s->handle, NULL);
    if (rc != SQLITE_OK || !s->handle) {
        free(s);
        return rc == SQLITE_OK ? -EINVAL : translate(db->handle, rc);
    }
    *ret_stmt = s;
    return 0;
}

void db_finalize(struct db_stmt *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->handle);
    free(s);
}

int db_bind_int(struct db_stmt *s, int at, int64_t value)
{
    return translate(s->db->handle, sqlite3_bind_int64(s->handle, at, value));
}

int db_bind_text(struct db_stmt *s, int at, struct span text)
{
    return translate(s->db->handle, sqlite3_bind_text64(s->handle, at, text.data ? text.data : "",
                                                        text.len, SQLITE_STATIC, SQLITE_UTF8));
}

int db_bind_blob(struct db_stmt *s, int at, struct span bytes)
{
    return translate(s->db->handle, sqlite3_bind_blob64(s->handle, at, bytes.data ? bytes.data : "",
                                                        bytes.len, SQLITE_STATIC));
}

int db_step(struct db_stmt *s)
{
    errno = 0;
    int rc = sqlite3_step(s->handle);
    return rc == SQLITE_ROW ? 1 : translate(s->db->handle, rc);
}

void db_reset(struct db_stmt *s)
{
    sqlite3_reset(s->handle);
    sqlite3_clear_bindings(s->handle);
}

int db_run(struct db_stmt *s)
{
    int r = db_step(s);
    db_reset(s);
    return r == 1 ? -EINVAL : r;
}

int64_t db_column_int(struct db_stmt *s, int at)
{
    return sqlite3_column_int64(s->handle, at);
}

struct span db_column_text(struct db_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s->handle, at);
    return text ? span_from(text, (size_t)sqlite3_column_bytes(s->handle, at)) : SPAN_NULL;
}

struct span db_column_blob(struct db_stmt *s, int at)
{
    const char *bytes = sqlite3_column_blob(s->handle, at);
    return bytes ? span_from(bytes, (size_t)sqlite3_column_bytes(s->handle, at)) : SPAN_NULL;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}
