#include "audit/store.h"

#include "audit/checkpoint.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
#define SALT_SIZE      16
#define BUSY_MS        1000
/* Records at the end that every opening checks. */
#define TAIL_RECORDS 1000
/* The write-ahead log is moved into the file from this length on, 4 MiB. */
#define WAL_PAGES 1000

static const char l0_schema[] =
    "CREATE TABLE record (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, request TEXT NOT NULL,"
    " weight INTEGER NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL);"
    "CREATE INDEX record_time ON record (time);"
    "CREATE INDEX record_request ON record (request) WHERE request <> '';"
    "CREATE INDEX record_weight ON record (seq) WHERE weight > 0;"
    "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), first INTEGER NOT NULL,"
    " anchor BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL);"
    "PRAGMA user_version = 1";
static const char l1_schema[] =
    "CREATE TABLE text (seq INTEGER NOT NULL, at INTEGER NOT NULL, salt BLOB NOT NULL,"
    " path TEXT NOT NULL, text TEXT NOT NULL, context TEXT NOT NULL, start INTEGER NOT NULL,"
    " end INTEGER NOT NULL, folded TEXT NOT NULL, PRIMARY KEY (seq, at)) WITHOUT ROWID;"
    "PRAGMA user_version = 1";

struct tier {
    struct db *db;
    struct db_stmt *put;
    struct db_stmt *aux; /* L0: update the head; L1: remove strays */
    dev_t device;
    ino_t inode;
    char path[PATH_MAX];
};

struct store {
    char dir[PATH_MAX];
    int lock;
    struct tier l0, l1;
    files_month month;
    uint64_t seq, next_seq; /* committed, and within the open group */
    unsigned char hash[RECORD_HASH_SIZE], next_hash[RECORD_HASH_SIZE];
    bool l1_begun;
    bool l1_strays; /* texts of a group that L0 refused may be in the file */
    struct sha256 *digest;
    struct buf body;
    struct db *blame; /* the connection that failed last */
    char run[RECORD_RUN_SIZE + 1];
    char node[RECORD_FIELD_MAX];
};

static int blame(struct store *s, struct db *db, int r)
{
    if (r < 0)
        s->blame = db;
    return r;
}

struct span store_message(const struct store *s)
{
    return s->blame ? db_message(s->blame) : SPAN_LIT("no further detail");
}

struct span store_dir(const struct store *s)
{
    return span_str(s->dir);
}

uint64_t store_head(const struct store *s, unsigned char ret_hash[RECORD_HASH_SIZE])
{
    memcpy(ret_hash, s->hash, RECORD_HASH_SIZE);
    return s->seq;
}

static int sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static void tier_close(struct store *s, struct tier *t)
{
    db_finalize(t->put);
    db_finalize(t->aux);
    if (s->blame == t->db)
        s->blame = NULL;
    db_close(t->db);
    *t = (struct tier){0};
}

/* A file that was created but never given its tables: a crash in between. */
static int is_blank(struct db *db, bool *ret_blank)
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

static int tier_check_version(const struct tier *t)
{
    int version = 0;
    int r = db_get_version(t->db, &version);
    if (r < 0)
        return r;
    if (version > SCHEMA_VERSION) {
        log_error("audit: %s has schema version %d, this program knows %d: it was written by a "
                  "newer juyong",
                  t->path, version, SCHEMA_VERSION);
        return -EPROTO;
    }
    if (version != SCHEMA_VERSION) {
        log_error("audit: %s is no decision log", t->path);
        return -EBADMSG;
    }
    return 0;
}

static int create_l0(struct store *s)
{
    struct db_stmt *q = NULL;
    int r = db_begin(s->l0.db);
    if (r == 0)
        r = db_exec(s->l0.db, l0_schema);
    if (r == 0)
        r = db_prepare(s->l0.db, SPAN_LIT("INSERT INTO head VALUES (1, ?1, ?2, ?3, ?2)"), &q);
    if (r == 0) {
        db_bind_int(q, 1, (int64_t)s->seq + 1);
        db_bind_blob(q, 2, span_from((const char *)s->hash, sizeof(s->hash)));
        db_bind_int(q, 3, (int64_t)s->seq);
        r = db_run(q);
    }
    db_finalize(q);
    if (r == 0)
        return db_commit(s->l0.db);
    db_rollback(s->l0.db);
    return r;
}

static int create_l1(struct store *s)
{
    int r = db_begin(s->l1.db);
    if (r == 0)
        r = db_exec(s->l1.db, l1_schema);
    if (r == 0)
        return db_commit(s->l1.db);
    db_rollback(s->l1.db);
    return r;
}

static int tier_open(struct store *s, int tier, files_month month, bool *ret_blank)
{
    struct tier *t = tier == 0 ? &s->l0 : &s->l1;
    struct db_options o = {.create = true, .busy_ms = BUSY_MS};
    struct stat st;
    if (!files_path(span_str(s->dir), tier, month, t->path))
        return -ENAMETOOLONG;
    bool existed = stat(t->path, &st) == 0 && st.st_size > 0;
    int r = db_open(span_str(t->path), &o, &t->db);
    if (r == 0 && stat(t->path, &st) < 0)
        r = -errno;
    if (r == 0)
        r = is_blank(t->db, ret_blank);
    if (r == -EBADMSG)
        log_error("audit: %s is corrupt or no database; move it away together with its -wal file "
                  "to begin a new log, or restore it",
                  t->path);
    if (r < 0)
        return blame(s, t->db, r);
    t->device = st.st_dev;
    t->inode = st.st_ino;
    if (!*ret_blank)
        return tier_check_version(t);
    if (existed)
        log_warning("audit: %s was begun and never used; it is set up now", t->path);
    return 0;
}

/* Reads the head row and, where the store has a head already, compares. */
static int read_head(struct store *s, struct db *db, const char *path, bool adopt)
{
    struct db_stmt *q;
    int r = db_prepare(db, SPAN_LIT("SELECT seq, hash FROM head"), &q);
    if (r == 0)
        r = db_step(q);
    else
        q = NULL;
    if (r == 1 && db_column_blob(q, 1).len == RECORD_HASH_SIZE) {
        uint64_t seq = (uint64_t)db_column_int(q, 0);
        const char *hash = db_column_blob(q, 1).data;
        if (adopt) {
            s->seq = seq;
            memcpy(s->hash, hash, RECORD_HASH_SIZE);
            r = 0;
        } else {
            r = seq == s->seq && memcmp(hash, s->hash, RECORD_HASH_SIZE) == 0 ? 0 : -EBADMSG;
        }
    } else if (r >= 0) {
        r = -EBADMSG;
    }
    db_finalize(q);
    if (r < 0)
        log_error("audit: the head of %s is missing or does not fit", path);
    return r;
}

/* Opens or creates both files of a month; the store's head is known. */
static int open_month(struct store *s, files_month month)
{
    bool blank0 = false, blank1 = false;
    int r = tier_open(s, 0, month, &blank0);
    if (r == 0 && blank0)
        r = blame(s, s->l0.db, create_l0(s));
    else if (r == 0)
        r = read_head(s, s->l0.db, s->l0.path, false);
    if (r == 0)
        r = tier_open(s, 1, month, &blank1);
    if (r == 0 && blank1 && !blank0)
        log_warning("audit: %s is new beside an older record file: its texts were removed",
                    s->l1.path);
    if (r == 0 && blank1)
        r = blame(s, s->l1.db, create_l1(s));
    if (r == 0)
        r = sync_dir(s->dir);
    if (r == 0)
        r = blame(s, s->l0.db,
                  db_prepare(s->l0.db,
                             SPAN_LIT("INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
                             &s->l0.put));
    if (r == 0)
        r = blame(
            s, s->l0.db,
            db_prepare(s->l0.db, SPAN_LIT("UPDATE head SET seq = ?1, hash = ?2"), &s->l0.aux));
    if (r == 0)
        r = blame(s, s->l1.db,
                  db_prepare(s->l1.db,
                             SPAN_LIT("INSERT INTO text VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                                      "?9)"),
                             &s->l1.put));
    if (r == 0)
        r = blame(s, s->l1.db,
                  db_prepare(s->l1.db, SPAN_LIT("DELETE FROM text WHERE seq > ?1"), &s->l1.aux));
    if (r < 0) {
        tier_close(s, &s->l0);
        tier_close(s, &s->l1);
        return r;
    }
    s->month = month;
    s->l1_strays = true;
    return 0;
}

static int chain_hash(struct store *s, const unsigned char previous[RECORD_HASH_SIZE],
                      struct span body, unsigned char ret_hash[RECORD_HASH_SIZE])
{
    int r = sha256_begin(s->digest);
    if (r == 0)
        r = sha256_add(s->digest, SPAN_LIT("juyong.record.v1\0"));
    if (r == 0)
        r = sha256_add(s->digest, span_from((const char *)previous, RECORD_HASH_SIZE));
    if (r == 0)
        r = sha256_add(s->digest, body);
    return r < 0 ? r : sha256_end(s->digest, ret_hash);
}

/* Recomputes the hashes of the last records of one file. */
static int check_tail(struct store *s, struct db *db, const char *path)
{
    struct db_stmt *q;
    int r = db_prepare(db,
                       SPAN_LIT("SELECT seq, body, hash FROM (SELECT first - 1 AS seq, '' AS body,"
                                " anchor AS hash FROM head UNION ALL SELECT seq, body, hash FROM"
                                " record) WHERE seq >= ?1 ORDER BY seq"),
                       &q);
    if (r < 0)
        return r;
    uint64_t from = s->seq > TAIL_RECORDS ? s->seq - TAIL_RECORDS : 0, seq = 0;
    unsigned char hash[RECORD_HASH_SIZE], want[RECORD_HASH_SIZE];
    bool first = true;
    db_bind_int(q, 1, (int64_t)from);
    while ((r = db_step(q)) == 1) {
        struct span stored = db_column_blob(q, 2);
        uint64_t next = (uint64_t)db_column_int(q, 0);
        if (stored.len != RECORD_HASH_SIZE || (!first && next != seq + 1)) {
            r = -EBADMSG;
            break;
        }
        if (!first) {
            r = chain_hash(s, hash, db_column_text(q, 1), want);
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
    if (r == 0 && (first || seq != s->seq || memcmp(hash, s->hash, sizeof(hash)) != 0))
        r = -EBADMSG;
    if (r == -EBADMSG)
        log_error("audit: record %llu of %s does not fit the chain; `juyong log verify` tells more",
                  (unsigned long long)seq + 1, path);
    return r;
}

/* The anchor of the newest file must be the head of the one before it, if that is still there. */
static int check_link(struct store *s, files_month newest, files_month before)
{
    char path[PATH_MAX], older[PATH_MAX];
    struct db *a = NULL, *b = NULL;
    struct db_stmt *qa = NULL, *qb = NULL;
    struct db_options o = {.readonly = true, .busy_ms = BUSY_MS};
    if (!files_path(span_str(s->dir), 0, newest, path) ||
        !files_path(span_str(s->dir), 0, before, older))
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

/* Finds the newest file that was ever used, adopts its head and checks its end. */
static int find_head(struct store *s, files_month *ret_month)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    if (!files)
        return -ENOMEM;
    int r = files_list(span_str(s->dir), 0, files);
    if (r < 0)
        return r;
    *ret_month = files->count ? files->months[files->count - 1] : 0;
    for (size_t n = files->count; n > 0; n--) {
        struct tier t = {0};
        struct db_options o = {.busy_ms = BUSY_MS};
        bool blank = false;
        files_path(span_str(s->dir), 0, files->months[n - 1], t.path);
        r = db_open(span_str(t.path), &o, &t.db);
        if (r == 0)
            r = is_blank(t.db, &blank);
        if (r < 0)
            log_error("audit: %s can't be opened: %s", t.path,
                      r == -EBADMSG ? "corrupt or no database" : strerror(-r));
        if (r == 0 && !blank)
            r = tier_check_version(&t);
        if (r == 0 && !blank)
            r = read_head(s, t.db, t.path, true);
        if (r == 0 && !blank)
            r = check_tail(s, t.db, t.path);
        db_close(t.db);
        if (r == 0 && !blank && n > 1)
            r = check_link(s, files->months[n - 1], files->months[n - 2]);
        if (r < 0 || !blank)
            return r;
    }
    return 0;
}

/* What was signed must still be there. */
static int check_checkpoint(const struct store *s)
{
    struct checkpoint_line last;
    int r = checkpoint_last(span_str(s->dir), &last);
    if (r <= 0)
        return r;
    if (last.size > s->seq || (last.size == s->seq && memcmp(last.head, s->hash, 32) != 0)) {
        log_error(
            "audit: a signed checkpoint speaks of %llu records, the files in %s end at %llu: "
            "a month file is missing or was put back; restore it, or move the whole directory "
            "away to begin a new log",
            (unsigned long long)last.size, s->dir, (unsigned long long)s->seq);
        return -EBADMSG;
    }
    return 0;
}

static int take_lock(struct store *s)
{
    char path[PATH_MAX];
    if (!files_join(span_str(s->dir), "lock", path))
        return -ENAMETOOLONG;
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0) {
        int r = -errno;
        log_error("audit: %s: %s", path, strerror(-r));
        return r;
    }
    /* An open file description lock, so that readers can ask for it without taking it. */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(s->lock, F_OFD_SETLK, &lock) == 0)
        return 0;
    int r = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    if (r == -EBUSY)
        log_error("audit: %s is in use by another juyong; two can't write one log", s->dir);
    else
        log_error("audit: %s can't be locked: %s", path, strerror(-r));
    return r;
}

static int make_dir(const char *path)
{
    char parent[PATH_MAX];
    size_t n = strlen(path);
    memcpy(parent, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (parent[i] != '/')
            continue;
        parent[i] = '\0';
        if (mkdir(parent, 0700) < 0 && errno != EEXIST)
            return -errno;
        parent[i] = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int prepare(struct store *s)
{
    int r = make_dir(s->dir);
    if (r < 0) {
        log_error("audit: %s can't be created: %s", s->dir, strerror(-r));
        return r;
    }
    s->digest = sha256_new();
    if (!s->digest)
        return -ENOMEM;
    r = take_lock(s);
    if (r < 0)
        return r;
    files_month newest = 0, now = files_month_of(clock_wall_us());
    r = find_head(s, &newest);
    if (r == 0)
        r = check_checkpoint(s);
    if (r < 0)
        return r;
    /* Never back to an older file, whatever the clock says: the order of files is that of records.
     */
    r = open_month(s, newest > now ? newest : now);
    if (r < 0)
        log_error("audit: the files of this month can't be opened in %s: %s (%.*s)", s->dir,
                  strerror(-r), SPAN_ARG(store_message(s)));
    return r;
}

int store_open(struct span dir, struct span run, struct span node, struct store **ret_store)
{
    while (dir.len > 1 && dir.data[dir.len - 1] == '/')
        dir.len--;
    if (dir.len == 0 || dir.len >= PATH_MAX - 64 || memchr(dir.data, 0, dir.len) ||
        run.len != RECORD_RUN_SIZE)
        return -EINVAL;
    struct store *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->lock = -1;
    s->body = BUF_INIT(2u << 20);
    memcpy(s->dir, dir.data, dir.len);
    memcpy(s->run, run.data, run.len);
    node = record_clip(node, sizeof(s->node) - 1);
    if (node.len)
        memcpy(s->node, node.data, node.len);
    int r = prepare(s);
    if (r < 0) {
        store_close(s);
        return r;
    }
    *ret_store = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_rollback(s);
    tier_close(s, &s->l0);
    tier_close(s, &s->l1);
    sha256_free(s->digest);
    buf_deinit(&s->body);
    if (s->lock >= 0)
        close(s->lock);
    free(s);
}

int store_begin(struct store *s, uint64_t wall_us)
{
    files_month month = files_month_of(wall_us);
    if (month < s->month)
        month = s->month;
    int r = 0;
    if (!s->l0.db || month > s->month) {
        if (s->l0.db) {
            r = db_checkpoint(s->l0.db);
            if (r == 0)
                r = db_checkpoint(s->l1.db);
            if (r < 0)
                return r;
        }
        tier_close(s, &s->l0);
        tier_close(s, &s->l1);
        r = open_month(s, month);
        if (r < 0)
            return r;
    }
    s->next_seq = s->seq;
    memcpy(s->next_hash, s->hash, sizeof(s->hash));
    return blame(s, s->l0.db, db_begin(s->l0.db));
}

static int begin_l1(struct store *s)
{
    int r = blame(s, s->l1.db, db_begin(s->l1.db));
    if (r < 0)
        return r;
    s->l1_begun = true;
    if (!s->l1_strays)
        return 0;
    db_bind_int(s->l1.aux, 1, (int64_t)s->seq);
    return blame(s, s->l1.db, db_run(s->l1.aux));
}

static int add_sized(struct sha256 *h, struct span text)
{
    unsigned char size[8];
    for (size_t i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)text.len >> (8 * i));
    int r = sha256_add(h, span_from((const char *)size, 8));
    return r < 0 ? r : sha256_add(h, text);
}

/* SHA-256(domain, salt, each text behind its length, where the match is). */
static int commit_text(struct sha256 *h, const unsigned char *salt, const struct item *i,
                       const struct item_text *t, unsigned char ret_commit[RECORD_HASH_SIZE])
{
    unsigned char at[8];
    for (size_t k = 0; k < 4; k++) {
        at[k] = (unsigned char)(t->start >> (8 * k));
        at[4 + k] = (unsigned char)(t->end >> (8 * k));
    }
    int r = sha256_begin(h);
    if (r == 0)
        r = sha256_add(h, SPAN_LIT("juyong.text.v1\0"));
    if (r == 0)
        r = sha256_add(h, span_from((const char *)salt, SALT_SIZE));
    if (r == 0)
        r = add_sized(h, item_span(i, t->path, t->path_len));
    if (r == 0)
        r = add_sized(h, item_span(i, t->text, t->text_len));
    if (r == 0)
        r = add_sized(h, item_span(i, t->context, t->context_len));
    if (r == 0)
        r = add_sized(h, item_span(i, t->folded, t->folded_len));
    if (r == 0)
        r = sha256_add(h, span_from((const char *)at, sizeof(at)));
    return r < 0 ? r : sha256_end(h, ret_commit);
}

static int put_text(struct store *s, struct item *i, size_t n)
{
    const struct item_text *t = item_text(i, n);
    unsigned char salt[SALT_SIZE], commit[RECORD_HASH_SIZE];
    char digits[2 * RECORD_HASH_SIZE + 1];
    int r = s->l1_begun ? 0 : begin_l1(s);
    if (r == 0)
        r = secret_random(salt, sizeof(salt));
    if (r == 0)
        r = commit_text(s->digest, salt, i, t, commit);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)commit, sizeof(commit)), digits);
    memcpy((char *)i + t->commit, digits, 2 * RECORD_HASH_SIZE);
    struct db_stmt *q = s->l1.put;
    db_bind_int(q, 1, (int64_t)s->next_seq + 1);
    db_bind_int(q, 2, (int64_t)n);
    db_bind_blob(q, 3, span_from((const char *)salt, sizeof(salt)));
    db_bind_text(q, 4, item_span(i, t->path, t->path_len));
    db_bind_text(q, 5, item_span(i, t->text, t->text_len));
    db_bind_text(q, 6, item_span(i, t->context, t->context_len));
    db_bind_int(q, 7, t->start);
    db_bind_int(q, 8, t->end);
    db_bind_text(q, 9, item_span(i, t->folded, t->folded_len));
    return blame(s, s->l1.db, db_run(q));
}

/* Chains and inserts what is in s->body. */
static int put_record(struct store *s, uint64_t wall_us, struct span request, int weight)
{
    unsigned char hash[RECORD_HASH_SIZE];
    int r = chain_hash(s, s->next_hash, buf_span(&s->body), hash);
    if (r < 0)
        return r;
    struct db_stmt *q = s->l0.put;
    db_bind_int(q, 1, (int64_t)s->next_seq + 1);
    db_bind_int(q, 2, (int64_t)wall_us);
    db_bind_text(q, 3, request);
    db_bind_int(q, 4, weight);
    db_bind_text(q, 5, buf_span(&s->body));
    db_bind_blob(q, 6, span_from((const char *)hash, sizeof(hash)));
    r = blame(s, s->l0.db, db_run(q));
    if (r < 0)
        return r;
    s->next_seq++;
    memcpy(s->next_hash, hash, sizeof(hash));
    return 0;
}

static int begin_body(struct store *s, enum audit_kind kind, uint64_t wall_us, uint64_t mono_us)
{
    struct record_head head = {
        .seq = s->next_seq + 1,
        .wall_us = wall_us,
        .mono_us = mono_us,
        .run = span_str(s->run),
        .node = span_str(s->node),
        .kind = kind,
    };
    buf_clear(&s->body);
    return record_write_head(&s->body, &head);
}

int store_put(struct store *s, struct item *i, uint64_t *ret_seq)
{
    int r = 0;
    for (size_t n = 0; r == 0 && n < i->text_count; n++)
        r = put_text(s, i, n);
    if (r == 0)
        r = begin_body(s, i->done.kind, i->wall_us, i->mono_us);
    if (r == 0)
        r = buf_append(&s->body, item_span(i, i->body, i->body_len));
    if (r == 0)
        r = put_record(s, i->wall_us, item_span(i, i->request, i->request_len), i->weight);
    if (r == 0)
        *ret_seq = s->next_seq;
    return r;
}

int store_put_gap(struct store *s, uint64_t lost, uint64_t from_us, uint64_t until_us,
                  struct span reason, uint64_t now_wall_us, uint64_t now_mono_us)
{
    int r = begin_body(s, AUDIT_GAP, now_wall_us, now_mono_us);
    if (r == 0)
        r = record_write_gap(&s->body, lost, from_us, until_us, reason);
    return r < 0 ? r : put_record(s, now_wall_us, SPAN_NULL, ACTION_BLOCK);
}

int store_commit(struct store *s)
{
    db_bind_int(s->l0.aux, 1, (int64_t)s->next_seq);
    db_bind_blob(s->l0.aux, 2, span_from((const char *)s->next_hash, sizeof(s->next_hash)));
    int r = blame(s, s->l0.db, db_run(s->l0.aux));
    if (r < 0)
        return r;
    bool texts = s->l1_begun;
    if (texts) {
        s->l1_begun = false;
        r = blame(s, s->l1.db, db_commit(s->l1.db));
        if (r < 0)
            return r;
        s->l1_strays = true;
    }
    r = blame(s, s->l0.db, db_commit(s->l0.db));
    if (r < 0)
        return r;
    if (texts)
        s->l1_strays = false;
    s->seq = s->next_seq;
    memcpy(s->hash, s->next_hash, sizeof(s->hash));
    return 0;
}

void store_rollback(struct store *s)
{
    if (s->l1.db)
        db_rollback(s->l1.db);
    if (s->l0.db)
        db_rollback(s->l0.db);
    s->l1_begun = false;
}

int store_tidy(struct store *s)
{
    int r = 0;
    if (s->l0.db && db_wal_pages(s->l0.db) >= WAL_PAGES)
        r = blame(s, s->l0.db, db_checkpoint(s->l0.db));
    if (r == 0 && s->l1.db && db_wal_pages(s->l1.db) >= WAL_PAGES)
        r = blame(s, s->l1.db, db_checkpoint(s->l1.db));
    return r;
}

int store_check_place(struct store *s)
{
    const struct tier *const tiers[] = {&s->l0, &s->l1};
    for (size_t i = 0; i < 2; i++) {
        struct stat st;
        if (!tiers[i]->db)
            continue;
        if (stat(tiers[i]->path, &st) < 0 || st.st_dev != tiers[i]->device ||
            st.st_ino != tiers[i]->inode)
            return -ESTALE;
    }
    return 0;
}
