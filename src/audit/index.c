#include "audit/index.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define VERSION   4
#define BUSY_MS   5000
#define HASH_SIZE 32

#define STATE                                                                                      \
    "CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL,"             \
    " hash BLOB NOT NULL);"                                                                        \
    "INSERT INTO state VALUES (1, 0, x'');"

/*
 * interception: one row a record of weight, with what is known of its whole exchange, so that rows
 * come in the order of records; `x` is the first such record of the exchange. app to purpose are
 * codes (index_code). loose: not all of the exchange is known here, for its end has not been seen,
 * its beginning is in the month before, or a sample of it was kept; whatever is asked for, such a
 * row may be it. hit: what was hit in the exchange, by each of its rows. who: all records by end
 * user and by session, and what is no exchange's, chunk by chunk (INDEX_CHUNK). block: between
 * which times runs of records lie. roll, held (durations, by their classes), caught (rule 0: the
 * risk as a whole): roll-ups by `step` seconds, see rollup.h.
 */
static const char rows_schema[] = STATE
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "CREATE TABLE interception (seq INTEGER PRIMARY KEY, x INTEGER NOT NULL, time INTEGER NOT NULL,"
    " action INTEGER NOT NULL, app INTEGER NOT NULL, model INTEGER NOT NULL,"
    " answered INTEGER NOT NULL, user INTEGER NOT NULL, session INTEGER NOT NULL,"
    " ip INTEGER NOT NULL, purpose INTEGER NOT NULL, loose INTEGER NOT NULL);"
    "CREATE INDEX interception_loose ON interception (seq) WHERE loose = 1;"
    "CREATE INDEX interception_x ON interception (x);"
    "CREATE INDEX interception_user ON interception (user);"
    "CREATE INDEX interception_session ON interception (session);"
    "CREATE INDEX interception_ip ON interception (ip);"
    "CREATE TABLE hit (seq INTEGER NOT NULL, rule INTEGER NOT NULL, risk INTEGER NOT NULL,"
    " direction INTEGER NOT NULL, PRIMARY KEY (seq, rule, risk, direction)) WITHOUT ROWID;"
    "CREATE INDEX hit_rule ON hit (rule, seq);"
    "CREATE TABLE who (chunk INTEGER NOT NULL, code INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " PRIMARY KEY (chunk, code, seq)) WITHOUT ROWID;"
    "CREATE TABLE block (block INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL);"
    "CREATE TABLE roll (step INTEGER NOT NULL, at INTEGER NOT NULL, app INTEGER NOT NULL,"
    " model INTEGER NOT NULL, test INTEGER NOT NULL, action INTEGER NOT NULL, n INTEGER NOT NULL,"
    " held_us INTEGER NOT NULL, PRIMARY KEY (step, at, app, model, test, action)) WITHOUT ROWID;"
    "CREATE TABLE held (step INTEGER NOT NULL, at INTEGER NOT NULL, app INTEGER NOT NULL,"
    " test INTEGER NOT NULL, class INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY (step, at, app, test, class)) WITHOUT ROWID;"
    "CREATE TABLE caught (step INTEGER NOT NULL, at INTEGER NOT NULL, app INTEGER NOT NULL,"
    " test INTEGER NOT NULL, risk INTEGER NOT NULL, rule INTEGER NOT NULL,"
    " direction INTEGER NOT NULL, action INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY (step, at, app, test, risk, rule, direction, action)) WITHOUT ROWID;"
    "PRAGMA user_version = 4";

#define GRAM                                                                                       \
    "CREATE VIRTUAL TABLE gram USING fts5(t, content='', columnsize=0, detail=none,"               \
    " tokenize='ascii');"
static const char text_schema[] = STATE GRAM "PRAGMA user_version = 4";

bool index_path(struct span dir, enum index_file file, files_month month, char ret_path[PATH_MAX])
{
    char name[48];
    snprintf(name, sizeof(name), "%s-%04d-%02d.db", file == INDEX_ROWS ? "ix" : "tx", month / 12,
             month % 12 + 1);
    return files_join(dir, name, ret_path);
}

static int remove_file(const char *path)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    char name[PATH_MAX + 8];
    int r = 0;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        if (unlink(name) < 0 && errno != ENOENT && r == 0)
            r = -errno;
    }
    return r;
}

int index_remove(struct span dir, enum index_file file, files_month month)
{
    char path[PATH_MAX];
    return index_path(dir, file, month, path) ? remove_file(path) : -ENAMETOOLONG;
}

static bool has_tier(struct span dir, int tier, files_month month)
{
    char path[PATH_MAX];
    return !files_path(dir, tier, month, path) || access(path, F_OK) == 0 || errno != ENOENT;
}

int index_sweep(struct span dir)
{
    char path[PATH_MAX];
    if (!files_join(dir, "", path))
        return -ENAMETOOLONG;
    DIR *d = opendir(path);
    if (!d)
        return -errno;
    int r = 0;
    for (struct dirent *e = readdir(d); e && r == 0; e = readdir(d)) {
        char which[2];
        int year, month, end = 0;
        if (sscanf(e->d_name, "%1[it]x-%4d-%2d.db%n", which, &year, &month, &end) != 3 ||
            end == 0 || e->d_name[end] || month < 1 || month > 12)
            continue;
        files_month m = year * 12 + month - 1;
        bool text = e->d_name[0] == 't';
        if (!has_tier(dir, 0, m) || (text && !has_tier(dir, 1, m)))
            r = index_remove(dir, text ? INDEX_TEXT : INDEX_ROWS, m);
    }
    closedir(d);
    return r;
}

int64_t index_code(char kind, struct span value)
{
    if (value.len == 0)
        return 0;
    uint64_t h = 0xcbf29ce484222325u ^ (unsigned char)kind;
    for (size_t i = 0; i < value.len; i++)
        h = (h ^ (unsigned char)value.data[i]) * 0x100000001b3u;
    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
    return (int64_t)(h >> 1) | 1;
}

/* The hash of a record into ret_hash. 1, 0 when there is no such record, or negative. */
static int hash_of(struct db *l0, uint64_t seq, unsigned char ret_hash[HASH_SIZE])
{
    struct db_stmt *s = NULL;
    int r = db_prepare(l0, SPAN_LIT("SELECT hash FROM record WHERE seq = ?1"), &s);
    if (r < 0)
        return r;
    db_bind_int(s, 1, (int64_t)seq);
    r = db_step(s);
    if (r == 1) {
        struct span hash = db_column_blob(s, 0);
        r = hash.len == HASH_SIZE;
        if (r)
            memcpy(ret_hash, hash.data, HASH_SIZE);
    }
    db_finalize(s);
    return r;
}

/* -ESTALE: of another version, or of another log. */
static int read_mark(struct db *db, struct db *l0, uint64_t *ret_seq)
{
    unsigned char hash[HASH_SIZE];
    struct db_stmt *s = NULL;
    int version = 0;
    int r = db_get_version(db, &version);
    if (r < 0)
        return r;
    if (version != VERSION)
        return -ESTALE;
    r = db_prepare(db, SPAN_LIT("SELECT seq, hash FROM state"), &s);
    if (r < 0)
        return r;
    r = db_step(s);
    if (r == 1) {
        uint64_t seq = (uint64_t)db_column_int(s, 0);
        r = seq ? hash_of(l0, seq, hash) : 1;
        if (r == 1 && seq && !span_eq(db_column_blob(s, 1), span_from((char *)hash, HASH_SIZE)))
            r = 0;
        *ret_seq = seq;
    }
    db_finalize(s);
    return r == 0 ? -ESTALE : r < 0 ? r : 0;
}

int index_mark(struct db *db, struct db *l0, uint64_t seq)
{
    unsigned char hash[HASH_SIZE];
    struct db_stmt *s = NULL;
    int r = hash_of(l0, seq, hash);
    if (r <= 0)
        return r < 0 ? r : -ESTALE;
    r = db_prepare(db, SPAN_LIT("UPDATE state SET seq = ?1, hash = ?2"), &s);
    if (r < 0)
        return r;
    db_bind_int(s, 1, (int64_t)seq);
    db_bind_blob(s, 2, span_from((const char *)hash, HASH_SIZE));
    r = db_run(s);
    db_finalize(s);
    return r;
}

static int create(struct db *db, enum index_file file)
{
    int version = 0;
    int r = db_get_version(db, &version);
    if (r < 0 || version)
        return r;
    r = db_begin(db);
    if (r == 0)
        r = db_exec(db, file == INDEX_ROWS ? rows_schema : text_schema);
    if (r == 0)
        return db_commit(db);
    db_rollback(db);
    return r;
}

/* Power may take what was written last, never more: it is made again. What is removed from the
 * texts' index is overwritten, too. */
static int open_once(const char *path, enum index_file file, struct db *l0, struct db **ret_db,
                     uint64_t *ret_seq)
{
    struct db_options o = {.create = true, .busy_ms = BUSY_MS};
    struct db *db = NULL;
    /* What SQLite left of a file that was removed must not get into the new one. */
    if (access(path, F_OK) < 0)
        remove_file(path);
    int r = db_open(span_str(path), &o, &db);
    if (r == 0)
        r = db_exec(db, "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384");
    if (r == 0 && file == INDEX_TEXT)
        r = db_exec(db, "PRAGMA secure_delete=ON");
    if (r == 0)
        r = create(db, file);
    if (r == 0)
        r = read_mark(db, l0, ret_seq);
    if (r < 0)
        db_close(db);
    else
        *ret_db = db;
    return r;
}

int index_open(struct span dir, enum index_file file, files_month month, struct db *l0,
               struct db **ret_db, uint64_t *ret_seq)
{
    char path[PATH_MAX];
    if (!index_path(dir, file, month, path))
        return -ENAMETOOLONG;
    int r = open_once(path, file, l0, ret_db, ret_seq);
    if (r != -ESTALE && r != -EBADMSG && r != -EINVAL && r != -ELOOP)
        return r;
    r = remove_file(path);
    return r < 0 ? r : open_once(path, file, l0, ret_db, ret_seq);
}

int index_open_read(struct span dir, enum index_file file, files_month month, struct db *l0,
                    struct db **ret_db, uint64_t *ret_seq)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = BUSY_MS};
    struct db *db = NULL;
    if (!index_path(dir, file, month, path))
        return -ENAMETOOLONG;
    int r = db_open(span_str(path), &o, &db);
    if (r == 0)
        r = read_mark(db, l0, ret_seq);
    if (r == 0 && *ret_seq == 0)
        r = -ENOENT;
    if (r < 0) {
        db_close(db);
        return r == -ENOMEM ? r : -ENOENT;
    }
    *ret_db = db;
    return 0;
}

/* -ENOENT: there is none. */
static int open_text(struct span dir, files_month month, char ret_path[PATH_MAX],
                     struct db **ret_db)
{
    struct db_options o = {.busy_ms = BUSY_MS};
    if (!index_path(dir, INDEX_TEXT, month, ret_path))
        return -ENAMETOOLONG;
    if (access(ret_path, F_OK) < 0)
        return -errno;
    int r = db_open(span_str(ret_path), &o, ret_db);
    return r < 0 ? r : db_exec(*ret_db, "PRAGMA secure_delete=ON");
}

/* A file that can't even be emptied is of no use. */
static int close_text(const char *path, struct db *db, int r)
{
    db_close(db);
    return r == -EBADMSG || r == -EINVAL ? remove_file(path) : r == -ENOENT ? 0 : r;
}

int index_condemn(struct span dir, files_month month)
{
    char path[PATH_MAX];
    struct db *db = NULL;
    int r = open_text(dir, month, path, &db);
    if (r == 0)
        r = db_exec(db, "UPDATE state SET seq = -1, hash = x''");
    return close_text(path, db, r);
}

static int empty(struct db *db)
{
    /* Whoever fills it meanwhile waits, and then begins at the first record. */
    int r = db_begin(db);
    if (r < 0)
        return r;
    r = db_exec(db, "DROP TABLE gram;" GRAM "UPDATE state SET seq = 0, hash = x''");
    if (r == 0)
        return db_commit(db);
    db_rollback(db);
    return r;
}

static int is_condemned(struct db *db, bool *ret)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(db, SPAN_LIT("SELECT seq FROM state"), &s);
    if (r == 0)
        r = db_step(s);
    *ret = r == 1 && db_column_int(s, 0) < 0;
    db_finalize(s);
    return r < 0 ? r : 0;
}

int index_forget(struct span dir, files_month month)
{
    char path[PATH_MAX];
    struct db *db = NULL;
    int r = open_text(dir, month, path, &db);
    if (r == 0)
        r = empty(db);
    if (r == 0)
        r = db_empty_wal(db); /* old pages stay in it until then */
    return close_text(path, db, r);
}

int index_settle(struct span dir, files_month month)
{
    char path[PATH_MAX];
    struct db *db = NULL;
    bool condemned = false;
    int r = open_text(dir, month, path, &db);
    if (r == 0)
        r = is_condemned(db, &condemned);
    if (r == 0 && condemned)
        r = empty(db);
    if (r == 0)
        r = db_empty_wal(db);
    return close_text(path, db, r);
}
