#include "audit/fill.h"
#include "audit/index.h"
#include "audit/known.h"
#include "audit/names.h"
#include "audit/rollup.h"
#include "terms/terms.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ENTRY_MEMORY ((size_t)1 << 20)
#define BUSY_MS      5000
#define WAL_PAGES    1000

struct fill_rows {
    char path[PATH_MAX];
    ino_t inode;
    struct db *l0, *before, *db;
    struct db_stmt *read;
    struct db_stmt *put, *update, *copy_hits, *put_hit, *put_own_hit, *put_who, *put_block;
    uint64_t seq;       /* done so far */
    uint64_t low, high; /* times of the block that is being read */
    struct known_set known;
    struct names names;
    struct rollup rollup;
    struct arena arena;
};

/* ---- opening ---- */

static int open_log(struct span dir, files_month month, struct db **ret_db)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = BUSY_MS};
    int version = 0;
    int r = files_path(dir, 0, month, path) ? db_open(span_str(path), &o, ret_db) : -ENAMETOOLONG;
    if (r == 0)
        r = db_get_version(*ret_db, &version);
    if (r == 0 && version == 0)
        r = -ENOENT;
    if (r < 0) {
        db_close(*ret_db);
        *ret_db = NULL;
    }
    return r;
}

static int prepare(struct fill_rows *f)
{
    const struct {
        struct db *db;
        struct db_stmt **into;
        struct span sql;
    } all[] = {
        {f->l0, &f->read,
         SPAN_LIT("SELECT seq, time, request, weight, body FROM record WHERE seq > ?1 ORDER BY seq"
                  " LIMIT ?2")},
        {f->db, &f->put,
         SPAN_LIT("INSERT INTO interception VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                  " ?11, ?12)")},
        {f->db, &f->update,
         SPAN_LIT("UPDATE interception SET action = ?4, app = ?5, model = ?6, answered = ?7,"
                  " user = ?8, session = ?9, ip = ?10, purpose = ?11, loose = ?12 WHERE x = ?2")},
        {f->db, &f->copy_hits,
         SPAN_LIT("INSERT OR IGNORE INTO hit SELECT ?1, rule, risk, direction FROM hit WHERE"
                  " seq = ?2")},
        {f->db, &f->put_hit,
         SPAN_LIT("INSERT OR IGNORE INTO hit SELECT seq, ?2, ?3, ?4 FROM interception WHERE"
                  " x = ?1")},
        {f->db, &f->put_who, SPAN_LIT("INSERT OR IGNORE INTO who VALUES (?1, ?2, ?3)")},
        {f->db, &f->put_block,
         SPAN_LIT("INSERT INTO block VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
                  " low = min(low, excluded.low), high = max(high, excluded.high)")},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(all) / sizeof(all[0]); i++)
        r = db_prepare(all[i].db, all[i].sql, all[i].into);
    return r;
}

int fill_rows_open(struct span dir, files_month month, struct fill_rows **ret_fill)
{
    struct fill_rows *f = calloc(1, sizeof(*f));
    struct stat st = {0};
    if (!f)
        return -ENOMEM;
    arena_init(&f->arena, ENTRY_MEMORY);
    int r = index_path(dir, INDEX_ROWS, month, f->path) ? 0 : -ENAMETOOLONG;
    if (r == 0)
        r = open_log(dir, month, &f->l0);
    if (r == 0) {
        r = open_log(dir, month - 1, &f->before);
        r = r == -ENOENT ? 0 : r;
    }
    if (r == 0)
        r = index_open(dir, INDEX_ROWS, month, f->l0, &f->db, &f->seq);
    if (r == 0 && stat(f->path, &st) < 0)
        r = -errno;
    f->inode = st.st_ino;
    if (r == 0)
        r = prepare(f);
    if (r == 0)
        r = known_open(&f->known, f->l0, f->before);
    if (r == 0)
        r = names_open(&f->names, f->db);
    if (r == 0)
        r = rollup_open(&f->rollup, f->db);
    if (r < 0)
        fill_rows_close(f);
    else
        *ret_fill = f;
    return r;
}

void fill_rows_close(struct fill_rows *f)
{
    if (!f)
        return;
    struct db_stmt *const all[] = {f->read,    f->put,     f->update,   f->copy_hits,
                                   f->put_hit, f->put_who, f->put_block};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        db_finalize(all[i]);
    known_close(&f->known);
    names_close(&f->names);
    rollup_close(&f->rollup);
    db_close(f->l0);
    db_close(f->before);
    db_close(f->db);
    arena_deinit(&f->arena);
    free(f);
}

/* ---- one record ---- */

static int put_hits(struct fill_rows *f, const struct known *k, const struct entry *e)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < e->hit_count; i++) {
        const struct entry_hit *h = &e->hits[i];
        int64_t rule, risk;
        r = names_id(&f->names, h->rule, &rule);
        if (r == 0)
            r = names_id(&f->names, h->risk, &risk);
        if (r < 0)
            break;
        db_bind_int(f->put_hit, 1, (int64_t)k->first);
        db_bind_int(f->put_hit, 2, rule);
        db_bind_int(f->put_hit, 3, risk);
        db_bind_int(f->put_hit, 4,
                    span_eq(h->direction, SPAN_LIT("prompt"))       ? DIRECTION_PROMPT
                    : span_eq(h->direction, SPAN_LIT("completion")) ? DIRECTION_COMPLETION
                                                                    : 0);
        r = db_run(f->put_hit);
    }
    return r;
}

static void bind_known(struct db_stmt *s, const struct known *k, struct span request)
{
    bool loose = request.len && (k->before || k->kept || !k->closed);
    const int64_t values[] = {k->action,  k->app, k->model,   k->answered, k->user,
                              k->session, k->ip,  k->purpose, loose};
    db_bind_int(s, 2, (int64_t)k->first);
    for (int i = 0; i < 9; i++)
        db_bind_int(s, 4 + i, values[i]);
}

/* The record's own row, and what it says into the rows of the exchange's earlier ones. */
static int put_rows(struct fill_rows *f, struct known *k, const struct entry *e,
                    struct span request, int weight)
{
    int r = 0;
    bool begins = k->first == 0;
    if (!begins) {
        bind_known(f->update, k, request);
        r = db_run(f->update);
    }
    if (r == 0 && weight > 0) {
        if (begins)
            k->first = e->seq;
        bind_known(f->put, k, request);
        db_bind_int(f->put, 1, (int64_t)e->seq);
        db_bind_int(f->put, 3, (int64_t)e->time);
        r = db_run(f->put);
        if (r == 0 && !begins) {
            db_bind_int(f->copy_hits, 1, (int64_t)e->seq);
            db_bind_int(f->copy_hits, 2, (int64_t)k->first);
            r = db_run(f->copy_hits);
        }
    }
    return r == 0 ? put_hits(f, k, e) : r;
}

static int put_who(struct fill_rows *f, int64_t code, uint64_t seq)
{
    if (code == 0)
        return 0;
    db_bind_int(f->put_who, 1, (int64_t)(seq / INDEX_CHUNK));
    db_bind_int(f->put_who, 2, code);
    db_bind_int(f->put_who, 3, (int64_t)seq);
    return db_run(f->put_who);
}

static int flush_block(struct fill_rows *f, uint64_t block)
{
    if (f->high == 0)
        return 0;
    db_bind_int(f->put_block, 1, (int64_t)block);
    db_bind_int(f->put_block, 2, (int64_t)f->low);
    db_bind_int(f->put_block, 3, (int64_t)f->high);
    f->low = f->high = 0;
    return db_run(f->put_block);
}

static int note_time(struct fill_rows *f, uint64_t seq, uint64_t time_us)
{
    uint64_t block = f->seq / INDEX_BLOCK;
    int r = seq / INDEX_BLOCK != block ? flush_block(f, block) : 0;
    if (f->low == 0 || time_us < f->low)
        f->low = time_us;
    if (time_us > f->high)
        f->high = time_us;
    return r;
}

static int take_record(struct fill_rows *f)
{
    struct known nobody, *k = &nobody;
    struct entry e;
    uint64_t seq = (uint64_t)db_column_int(f->read, 0), time = (uint64_t)db_column_int(f->read, 1);
    struct span request = db_column_text(f->read, 2);
    int weight = (int)db_column_int(f->read, 3);
    arena_deinit(&f->arena);
    int r = entry_parse(db_column_text(f->read, 4), &f->arena, &e);
    if (r == -ENOMEM)
        return r;
    if (r < 0) /* damaged: the columns have to do, as they have for who reads it */
        e = (struct entry){0};
    e.seq = seq;
    e.time = time;
    known_clear(k);
    r = note_time(f, seq, time);
    if (r == 0 && request.len)
        r = known_find(&f->known, request, seq, &k);
    if (r < 0)
        return r;
    known_add(k, &e);
    if (weight > 0 || k->first)
        r = put_rows(f, k, &e, request, weight);
    if (r == 0)
        r = put_who(f, k->user, seq);
    if (r == 0)
        r = put_who(f, k->session, seq);
    if (r == 0 && request.len == 0)
        r = put_who(f, index_code(INDEX_KIND, INDEX_ADMIN), seq);
    if (r == 0 && span_eq(e.kind, SPAN_LIT("act")))
        r = rollup_add_act(&f->rollup, &f->names, k, &e);
    if (r == 0 && span_eq(e.kind, SPAN_LIT("close"))) {
        r = rollup_add_close(&f->rollup, &f->names, k, &e);
        known_drop(k);
    }
    return r;
}

/* ---- steps ---- */

static int take_records(struct fill_rows *f, size_t max, size_t *ret_count)
{
    int r;
    db_bind_int(f->read, 1, (int64_t)f->seq);
    db_bind_int(f->read, 2, (int64_t)max);
    while ((r = db_step(f->read)) == 1) {
        uint64_t seq = (uint64_t)db_column_int(f->read, 0);
        r = take_record(f);
        if (r < 0)
            break;
        f->seq = seq;
        (*ret_count)++;
    }
    db_reset(f->read);
    return r;
}

int fill_rows_step(struct fill_rows *f, size_t max)
{
    struct stat st;
    size_t count = 0;
    uint64_t begin = f->seq;
    if (stat(f->path, &st) < 0 || st.st_ino != f->inode)
        return -ESTALE;
    f->low = f->high = 0;
    int r = db_begin(f->db);
    if (r < 0)
        return r;
    r = take_records(f, max, &count);
    if (r == 0)
        r = flush_block(f, f->seq / INDEX_BLOCK);
    if (r == 0)
        r = rollup_flush(&f->rollup);
    if (r == 0 && count)
        r = index_mark(f->db, f->l0, f->seq);
    if (r == 0 && count)
        r = db_commit(f->db);
    else
        db_rollback(f->db);
    if (r < 0) { /* what memory says is not in the file */
        f->seq = begin;
        known_reset(&f->known);
        names_reset(&f->names);
        rollup_reset(&f->rollup);
        return r;
    }
    if (db_wal_pages(f->db) >= WAL_PAGES)
        r = db_checkpoint(f->db);
    return r < 0 ? r : count == max;
}
