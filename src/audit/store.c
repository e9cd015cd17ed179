#include "audit/store.h"

#include "audit/head.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SALT_SIZE 16
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
    "PRAGMA user_version = 2";
static const char l1_schema[] =
    "CREATE TABLE text (seq INTEGER NOT NULL, at INTEGER NOT NULL, salt BLOB NOT NULL,"
    " path TEXT NOT NULL, text TEXT NOT NULL, context TEXT NOT NULL, start INTEGER NOT NULL,"
    " end INTEGER NOT NULL, folded TEXT NOT NULL, sample INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (seq, at)) WITHOUT ROWID;"
    "PRAGMA user_version = 2";
static const char l2_schema[] =
    "CREATE TABLE original (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, wrapped BLOB NOT NULL,"
    " sealed BLOB NOT NULL);"
    "PRAGMA user_version = 2";

enum { L0, L1, L2, TIERS };

/* `aux` of L0 updates the head, that of the others removes texts that no record commits to. */
static const struct {
    const char *schema, *put, *aux;
} tier_sql[TIERS] = {
    {l0_schema, "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
     "UPDATE head SET seq = ?1, hash = ?2"},
    {l1_schema, "INSERT INTO text VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
     "DELETE FROM text WHERE seq > ?1"},
    {l2_schema, "INSERT INTO original VALUES (?1, ?2, ?3, ?4)",
     "DELETE FROM original WHERE seq > ?1"},
};

struct tier {
    struct db *db;
    struct db_stmt *put, *aux;
    bool begun;  /* of texts: it takes part in the open group */
    bool strays; /* texts of a group that L0 refused may be in the file */
    dev_t device;
    ino_t inode;
    char path[PATH_MAX];
};

struct store {
    char dir[PATH_MAX];
    int lock;
    struct tier tiers[TIERS];
    files_month month;
    struct head head, next; /* committed, and within the open group */
    struct sha256 *digest;
    struct buf body;
    char message[160]; /* SQLite's words on the last failure */
    char run[RECORD_RUN_SIZE + 1];
    char node[RECORD_FIELD_MAX];
};

/* Keeps what SQLite says of a failure: a rollback would make it forget. */
static int blame(struct store *s, struct db *db, int r)
{
    if (r < 0 && db)
        snprintf(s->message, sizeof(s->message), "%.*s", SPAN_ARG(db_message(db)));
    return r;
}

struct span store_message(const struct store *s)
{
    return s->message[0] ? span_str(s->message) : SPAN_LIT("no further detail");
}

struct span store_dir(const struct store *s)
{
    return span_str(s->dir);
}

uint64_t store_head(const struct store *s, unsigned char ret_hash[RECORD_HASH_SIZE])
{
    memcpy(ret_hash, s->head.hash, RECORD_HASH_SIZE);
    return s->head.seq;
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

static void tier_close(struct tier *t)
{
    db_finalize(t->put);
    db_finalize(t->aux);
    db_close(t->db);
    *t = (struct tier){0};
}

static int create_head(struct store *s)
{
    struct db_stmt *q = NULL;
    int r =
        db_prepare(s->tiers[L0].db, SPAN_LIT("INSERT INTO head VALUES (1, ?1, ?2, ?3, ?2)"), &q);
    if (r == 0) {
        db_bind_int(q, 1, (int64_t)s->head.seq + 1);
        db_bind_blob(q, 2, span_from((const char *)s->head.hash, sizeof(s->head.hash)));
        db_bind_int(q, 3, (int64_t)s->head.seq);
        r = db_run(q);
    }
    db_finalize(q);
    return r;
}

static int create_tables(struct store *s, int tier)
{
    struct db *db = s->tiers[tier].db;
    int r = db_begin(db);
    if (r == 0)
        r = db_exec(db, tier_sql[tier].schema);
    if (r == 0 && tier == L0)
        r = create_head(s);
    if (r == 0)
        return db_commit(db);
    db_rollback(db);
    return r;
}

static int tier_open(struct store *s, int tier, files_month month, bool *ret_blank)
{
    struct tier *t = &s->tiers[tier];
    struct db_options o = {.create = true, .busy_ms = HEAD_BUSY_MS};
    struct stat st;
    if (!files_path(span_str(s->dir), tier, month, t->path))
        return -ENAMETOOLONG;
    bool existed = stat(t->path, &st) == 0 && st.st_size > 0;
    int r = db_open(span_str(t->path), &o, &t->db);
    if (r == 0 && stat(t->path, &st) < 0)
        r = -errno;
    if (r == 0)
        r = head_is_blank(t->db, ret_blank);
    if (r == -EBADMSG)
        log_error("audit: %s is corrupt or no database; move it away together with its -wal file "
                  "to begin a new log, or restore it",
                  t->path);
    if (r < 0)
        return blame(s, t->db, r);
    t->device = st.st_dev;
    t->inode = st.st_ino;
    if (!*ret_blank) {
        r = head_check_version(t->db, t->path);
        return r < 0 ? r : blame(s, t->db, head_upgrade(t->db, tier, t->path));
    }
    if (existed)
        log_warning("audit: %s was begun and never used; it is set up now", t->path);
    return 0;
}

/* An existing file must end where the store knows that the chain ends. */
static int compare_head(struct store *s)
{
    struct head head;
    int r = head_read(s->tiers[L0].db, s->tiers[L0].path, &head);
    if (r < 0)
        return blame(s, s->tiers[L0].db, r);
    if (head.seq == s->head.seq && memcmp(head.hash, s->head.hash, sizeof(head.hash)) == 0)
        return 0;
    log_error("audit: %s ends at record %llu, the chain at %llu", s->tiers[L0].path,
              (unsigned long long)head.seq, (unsigned long long)s->head.seq);
    return -EBADMSG;
}

static void close_month(struct store *s)
{
    for (int i = 0; i < TIERS; i++)
        tier_close(&s->tiers[i]);
}

/* Opens or creates one file of a month. `old`: its records were there before. */
static int ready_tier(struct store *s, int tier, files_month month, bool *old)
{
    struct tier *t = &s->tiers[tier];
    bool blank = false;
    int r = tier_open(s, tier, month, &blank);
    if (r == 0 && tier == L0)
        *old = !blank;
    if (r == 0 && tier == L1 && blank && *old)
        log_warning("audit: %s is new beside an older record file: its texts were removed",
                    t->path);
    if (r == 0 && blank)
        r = blame(s, t->db, create_tables(s, tier));
    else if (r == 0 && tier == L0)
        r = compare_head(s);
    if (r == 0)
        r = blame(s, t->db, db_prepare(t->db, span_str(tier_sql[tier].put), &t->put));
    if (r == 0)
        r = blame(s, t->db, db_prepare(t->db, span_str(tier_sql[tier].aux), &t->aux));
    t->begun = false;
    t->strays = tier != L0;
    return r;
}

/* The files of a month; the store's head is known. */
static int open_month(struct store *s, files_month month)
{
    bool old = false;
    int r = 0;
    for (int i = 0; r == 0 && i < TIERS; i++)
        r = ready_tier(s, i, month, &old);
    if (r == 0)
        r = sync_dir(s->dir);
    if (r < 0) {
        close_month(s);
        return r;
    }
    s->month = month;
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
        int r = access(parent, F_OK) == 0 ? 0 : file_make_dir(parent, 0700);
        if (r < 0)
            return r;
        parent[i] = '/';
    }
    return file_make_dir(path, 0700);
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
    r = head_find(span_str(s->dir), s->digest, &s->head, &newest);
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
    close_month(s);
    sha256_free(s->digest);
    buf_deinit(&s->body);
    if (s->lock >= 0)
        close(s->lock);
    free(s);
}

/*
 * Begins a text tier's part of the group. Texts that L0 has no record for go first: the numbers
 * that they carry are about to be given to other records.
 */
static int begin_texts(struct store *s, struct tier *t)
{
    if (t->begun)
        return 0;
    int r = blame(s, t->db, db_begin(t->db));
    if (r < 0)
        return r;
    t->begun = true;
    if (!t->strays)
        return 0;
    db_bind_int(t->aux, 1, (int64_t)s->head.seq);
    return blame(s, t->db, db_run(t->aux));
}

static int turn_month(struct store *s, files_month month)
{
    int r = 0;
    for (int i = 0; r == 0 && s->tiers[L0].db && i < TIERS; i++)
        r = db_checkpoint(s->tiers[i].db);
    if (r < 0)
        return r;
    close_month(s);
    return open_month(s, month);
}

int store_begin(struct store *s, uint64_t wall_us)
{
    files_month month = files_month_of(wall_us);
    if (month < s->month)
        month = s->month;
    int r = s->tiers[L0].db && month == s->month ? 0 : turn_month(s, month);
    if (r < 0)
        return r;
    s->next = s->head;
    r = blame(s, s->tiers[L0].db, db_begin(s->tiers[L0].db));
    for (int i = L1; r == 0 && i < TIERS; i++)
        if (s->tiers[i].strays)
            r = begin_texts(s, &s->tiers[i]);
    return r;
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
    int r = begin_texts(s, &s->tiers[L1]);
    if (r == 0)
        r = secret_random(salt, sizeof(salt));
    if (r == 0)
        r = commit_text(s->digest, salt, i, t, commit);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)commit, sizeof(commit)), digits);
    memcpy((char *)i + t->commit, digits, 2 * RECORD_HASH_SIZE);
    struct db_stmt *q = s->tiers[L1].put;
    db_bind_int(q, 1, (int64_t)s->next.seq + 1);
    db_bind_int(q, 2, (int64_t)n);
    db_bind_blob(q, 3, span_from((const char *)salt, sizeof(salt)));
    db_bind_text(q, 4, item_span(i, t->path, t->path_len));
    db_bind_text(q, 5, item_span(i, t->text, t->text_len));
    db_bind_text(q, 6, item_span(i, t->context, t->context_len));
    db_bind_int(q, 7, t->start);
    db_bind_int(q, 8, t->end);
    db_bind_text(q, 9, item_span(i, t->folded, t->folded_len));
    db_bind_int(q, 10, i->sample);
    return blame(s, s->tiers[L1].db, db_run(q));
}

static int put_originals(struct store *s, const struct item *i)
{
    struct tier *t = &s->tiers[L2];
    int r = begin_texts(s, t);
    if (r < 0)
        return r;
    db_bind_int(t->put, 1, (int64_t)s->next.seq + 1);
    db_bind_text(t->put, 2, span_from(i->key_id, sizeof(i->key_id)));
    db_bind_blob(t->put, 3, item_span(i, i->wrapped, i->wrapped_len));
    db_bind_blob(t->put, 4, item_span(i, i->sealed, i->sealed_len));
    return blame(s, t->db, db_run(t->put));
}

/* Chains and inserts what is in s->body. */
static int put_record(struct store *s, uint64_t wall_us, struct span request, int weight)
{
    unsigned char hash[RECORD_HASH_SIZE];
    int r = head_chain(s->digest, s->next.hash, buf_span(&s->body), hash);
    if (r < 0)
        return r;
    struct db_stmt *q = s->tiers[L0].put;
    db_bind_int(q, 1, (int64_t)s->next.seq + 1);
    db_bind_int(q, 2, (int64_t)wall_us);
    db_bind_text(q, 3, request);
    db_bind_int(q, 4, weight);
    db_bind_text(q, 5, buf_span(&s->body));
    db_bind_blob(q, 6, span_from((const char *)hash, sizeof(hash)));
    r = blame(s, s->tiers[L0].db, db_run(q));
    if (r < 0)
        return r;
    s->next.seq++;
    memcpy(s->next.hash, hash, sizeof(hash));
    return 0;
}

static int begin_body(struct store *s, enum audit_kind kind, uint64_t wall_us, uint64_t mono_us)
{
    struct record_head head = {
        .seq = s->next.seq + 1,
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
    if (r == 0 && i->sealed_len)
        r = put_originals(s, i);
    if (r == 0)
        r = begin_body(s, i->done.kind, i->wall_us, i->mono_us);
    if (r == 0)
        r = buf_append(&s->body, item_span(i, i->body, i->body_len));
    if (r == 0)
        r = put_record(s, i->wall_us, item_span(i, i->request, i->request_len), i->weight);
    if (r == 0)
        *ret_seq = s->next.seq;
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

static int commit_texts(struct store *s, struct tier *t)
{
    if (!t->begun)
        return 0;
    t->begun = false;
    int r = blame(s, t->db, db_commit(t->db));
    if (r == 0)
        t->strays = true; /* until their records are committed, too */
    return r;
}

int store_commit(struct store *s)
{
    struct tier *t = &s->tiers[L0];
    db_bind_int(t->aux, 1, (int64_t)s->next.seq);
    db_bind_blob(t->aux, 2, span_from((const char *)s->next.hash, sizeof(s->next.hash)));
    int r = blame(s, t->db, db_run(t->aux));
    for (int i = TIERS - 1; r == 0 && i > L0; i--)
        r = commit_texts(s, &s->tiers[i]);
    if (r == 0)
        r = blame(s, t->db, db_commit(t->db));
    if (r < 0)
        return r;
    s->tiers[L1].strays = s->tiers[L2].strays = false;
    s->head = s->next;
    return 0;
}

void store_rollback(struct store *s)
{
    for (int i = TIERS - 1; i >= 0; i--) {
        if (s->tiers[i].db)
            db_rollback(s->tiers[i].db);
        s->tiers[i].begun = false;
    }
}

int store_tidy(struct store *s)
{
    int r = 0;
    for (int i = 0; r == 0 && i < TIERS; i++) {
        struct db *db = s->tiers[i].db;
        if (db && db_wal_pages(db) >= WAL_PAGES)
            r = blame(s, db, db_checkpoint(db));
    }
    return r;
}

int store_check_place(struct store *s)
{
    for (int i = 0; i < TIERS; i++) {
        const struct tier *t = &s->tiers[i];
        struct stat st;
        /* A link to the file is not the file: the next start would refuse it. */
        if (t->db && (lstat(t->path, &st) < 0 || st.st_dev != t->device || st.st_ino != t->inode))
            return -ESTALE;
    }
    return 0;
}
