#include "audit/prune.h"

#include "audit/act.h"
#include "audit/entry.h"
#include "audit/head.h"
#include "audit/holds.h"
#include "audit/index.h"
#include "audit/writer.h"
#include "base/codec.h"
#include "db/db.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS      5000
#define PAGE         256 /* records whose texts go in one transaction */
#define FILES_A_NOTE 12  /* that one record can name */
#define ARENA_MAX    ((size_t)16 << 20)
#define DAY_US       UINT64_C(86400000000)

struct prune {
    const struct prune_options *o;
    struct prune_report *report;
    struct audit *audit; /* NULL: only looks */
    struct holds holds;
    struct files files; /* months of L0 */
    /* The month that is looked at. */
    files_month month;
    struct db *l0;
    struct db_stmt *body;
    uint64_t first, last, from_us, to_us;
    unsigned char hash[32];
    bool texts_gone; /* rows of L1 were removed */
};

/* Wall clock of a month's first moment (UTC, as files are named). */
static uint64_t month_begin(files_month m)
{
    struct tm tm = {.tm_year = m / 12 - 1900, .tm_mon = m % 12, .tm_mday = 1};
    time_t t = timegm(&tm);
    return t > 0 ? (uint64_t)t * 1000000u : 0;
}

static uint64_t days_before(uint64_t now_us, unsigned days)
{
    uint64_t ago = days * DAY_US;
    return now_us > ago ? now_us - ago : 0;
}

static uint64_t cutoff(const struct prune *p, unsigned days)
{
    return days_before(p->o->now_us, days);
}

/* Records must be kept: a clock that stands ahead makes none of them old. */
static uint64_t records_cutoff(const struct prune *p)
{
    bool later = p->o->witnessed_us == 0 || p->o->witnessed_us > p->o->now_us;
    return days_before(later ? p->o->now_us : p->o->witnessed_us, p->o->records);
}

/* ---- a month ---- */

static void close_month(struct prune *p)
{
    db_finalize(p->body);
    db_close(p->l0);
    p->body = NULL;
    p->l0 = NULL;
}

/* -ENOENT: never used. */
static int open_month(struct prune *p, files_month month)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = BUSY_MS};
    struct db_stmt *s = NULL;
    bool blank = false;
    int r =
        files_path(p->o->dir, 0, month, path) ? db_open(span_str(path), &o, &p->l0) : -ENAMETOOLONG;
    if (r == 0)
        r = head_is_blank(p->l0, &blank);
    if (r == 0 && blank)
        r = -ENOENT;
    if (r == 0)
        r = db_prepare(p->l0, SPAN_LIT("SELECT first, seq, hash FROM head"), &s);
    if (r == 0 && (r = db_step(s)) == 1) {
        p->first = (uint64_t)db_column_int(s, 0);
        p->last = (uint64_t)db_column_int(s, 1);
        r = db_column_blob(s, 2).len == sizeof(p->hash) ? 0 : -EBADMSG;
        if (r == 0)
            memcpy(p->hash, db_column_blob(s, 2).data, sizeof(p->hash));
    } else if (r == 0) {
        r = -EBADMSG;
    }
    db_finalize(s);
    if (r == 0)
        r = db_prepare(p->l0, SPAN_LIT("SELECT body, time FROM record WHERE seq = ?1"), &p->body);
    p->month = month;
    p->from_us = month_begin(month) > DAY_US ? month_begin(month) - DAY_US : 0;
    p->to_us = month_begin(month + 1);
    return r;
}

/* Is any record of the month older than that? 1, 0 or negative. */
static int has_older(struct prune *p, uint64_t before_us)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(p->l0, SPAN_LIT("SELECT 1 FROM record WHERE time < ?1 LIMIT 1"), &s);
    if (r == 0) {
        db_bind_int(s, 1, (int64_t)before_us);
        r = db_step(s);
    }
    db_finalize(s);
    return r;
}

static int parse(struct db_stmt *s, int column, struct arena *arena, struct entry *e)
{
    arena_init(arena, (size_t)1 << 20);
    int r = entry_parse(db_column_text(s, column), arena, e);
    /* What can't be read may be what is held. */
    return r == -ENOMEM ? r : r < 0 ? -EBADMSG : 0;
}

/*
 * May the texts of that record go? Each is asked for its own time, since clocks are set: what was
 * written later may say that it is older. Those without a record may.
 */
static int may_go(struct prune *p, uint64_t seq, uint64_t before_us, bool *ret_old, bool *ret_held)
{
    struct arena arena;
    struct entry e;
    *ret_held = false;
    *ret_old = true;
    db_bind_int(p->body, 1, (int64_t)seq);
    int r = db_step(p->body);
    if (r == 1)
        *ret_old = (uint64_t)db_column_int(p->body, 1) < before_us;
    if (r == 1 && *ret_old && p->holds.count) {
        r = parse(p->body, 0, &arena, &e);
        if (r == 0)
            *ret_held = holds_cover(&p->holds, &e);
        arena_deinit(&arena);
        if (r == -EBADMSG) {
            *ret_held = true;
            r = 0;
        }
    }
    db_reset(p->body);
    return r < 0 ? r : 0;
}

/* From when to when the month's records are: a clock that was set back wrote them, too. */
static int read_times(struct prune *p, uint64_t *ret_from, uint64_t *ret_to)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(p->l0,
                       SPAN_LIT("SELECT coalesce((SELECT min(time) FROM record), 0),"
                                " coalesce((SELECT max(time) FROM record), 0)"),
                       &s);
    if (r == 0)
        r = db_step(s);
    if (r == 1) {
        *ret_from = (uint64_t)db_column_int(s, 0);
        *ret_to = (uint64_t)db_column_int(s, 1) + 1;
    }
    db_finalize(s);
    return r < 0 ? r : 0;
}

/* Is anything in the month held? Looks at its records only where a hold may concern them. */
static int has_held(struct prune *p, bool *ret_held)
{
    struct db_stmt *s = NULL;
    uint64_t from = 0, to = UINT64_MAX;
    *ret_held = false;
    int r = read_times(p, &from, &to);
    if (r < 0 || !holds_may_cover(&p->holds, p->first, p->last, from, to))
        return r;
    r = db_prepare(p->l0, SPAN_LIT("SELECT body FROM record ORDER BY seq"), &s);
    while (r == 0 && !*ret_held && (r = db_step(s)) == 1) {
        struct arena arena;
        struct entry e;
        r = parse(s, 0, &arena, &e);
        *ret_held = r == -EBADMSG || (r == 0 && holds_cover(&p->holds, &e));
        arena_deinit(&arena);
        r = r == -EBADMSG ? 0 : r;
    }
    db_finalize(s);
    return r < 0 ? r : 0;
}

/* ---- files ---- */

static void name_file(const struct prune *p, int tier, char ret_name[24])
{
    snprintf(ret_name, 24, "l%d-%04d-%02d.db", tier, p->month / 12 % 10000, p->month % 12 + 1);
}

static bool add_file(struct prune *p, int tier)
{
    char path[PATH_MAX];
    if (!files_path(p->o->dir, tier, p->month, path) || access(path, F_OK) < 0)
        return true;
    if (p->report->file_count == PRUNE_FILES_MAX)
        return false;
    struct prune_file *f = &p->report->files[p->report->file_count++];
    name_file(p, tier, f->name);
    f->first = p->first;
    f->last = p->last;
    memcpy(f->hash, p->hash, sizeof(f->hash));
    return true;
}

static int note_files(struct prune *p, size_t from, size_t to)
{
    struct buf detail = BUF_INIT(4096);
    int r = buf_append(&detail, SPAN_LIT("{\"files\":["));
    for (size_t i = from; r == 0 && i < to; i++) {
        const struct prune_file *f = &p->report->files[i];
        char digits[65];
        codec_hex(span_from((const char *)f->hash, sizeof(f->hash)), digits);
        r = buf_printf(&detail,
                       "%s{\"file\":\"%s\",\"first\":%" PRIu64 ",\"last\":%" PRIu64
                       ",\"hash\":\"%s\"}",
                       i > from ? "," : "", f->name, f->first, f->last, digits);
    }
    if (r == 0)
        r = buf_printf(&detail, "]%s%.*s}", p->o->who.len ? "," : "", SPAN_ARG(p->o->who));
    if (r == 0)
        r = act_note(p->audit, SPAN_LIT("prune"), buf_span(&detail), NULL);
    buf_deinit(&detail);
    return r;
}

static int remove_file(const struct prune *p, const struct prune_file *f)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    int tier = f->name[1] - '0', year, month;
    if (sscanf(f->name + 3, "%4d-%2d", &year, &month) != 2)
        return -EINVAL;
    files_month m = year * 12 + month - 1;
    /* The index first: it holds words of what is removed. */
    int r = tier <= 1 ? index_remove(p->o->dir, INDEX_TEXT, m) : 0;
    if (r == 0 && tier == 0)
        r = index_remove(p->o->dir, INDEX_ROWS, m);
    for (size_t i = 0; r == 0 && i < 3; i++) {
        char name[32], path[PATH_MAX];
        snprintf(name, sizeof(name), "%s%s", f->name, parts[i]);
        if (!files_join(p->o->dir, name, path))
            r = -ENAMETOOLONG;
        else if (unlink(path) < 0 && errno != ENOENT)
            r = -errno;
    }
    return r;
}

/* What was announced and not removed, by a crash, is announced and removed again. */
static int remove_files(struct prune *p)
{
    char dir[PATH_MAX];
    int r = 0;
    for (size_t i = 0; r == 0 && i < p->report->file_count; i += FILES_A_NOTE)
        r = note_files(p, i,
                       i + FILES_A_NOTE < p->report->file_count ? i + FILES_A_NOTE
                                                                : p->report->file_count);
    /* Texts before their records, the oldest month first: the list is in that order backwards. */
    for (size_t i = 0; r == 0 && i < p->report->file_count; i++)
        r = remove_file(p, &p->report->files[i]);
    if (r == 0 && p->report->file_count && files_join(p->o->dir, "", dir))
        r = files_sync_dir(dir);
    return r;
}

/* ---- rows ---- */

struct rows {
    struct db *db;
    int tier;
    struct db_stmt *find, *remove;
    uint64_t seqs[PAGE];
    size_t count;
    uint64_t before_us, last, *counter;
    bool more;
};

static int open_rows(struct prune *p, int tier, struct rows *w, const char *find,
                     const char *remove)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = !p->audit, .busy_ms = BUSY_MS};
    bool blank = false;
    int version = 0;
    int r = files_path(p->o->dir, tier, p->month, path) ? db_open(span_str(path), &o, &w->db)
                                                        : -ENAMETOOLONG;
    if (r == 0)
        r = head_is_blank(w->db, &blank);
    if (r == 0 && blank)
        r = -ENOENT;
    if (r == 0)
        r = db_get_version(w->db, &version);
    if (r == 0 && version < FILES_SCHEMA) {
        if (!p->audit)
            return -ENOENT; /* no samples, and what else is too old the run will tell */
        r = head_upgrade(w->db, tier, path);
    }
    if (r == 0 && p->audit) /* what is deleted is overwritten, not only let go */
        r = db_exec(w->db, "PRAGMA secure_delete=ON");
    if (r == 0)
        r = db_prepare(w->db, span_str(find), &w->find);
    return r == 0 ? db_prepare(w->db, span_str(remove), &w->remove) : r;
}

static void close_rows(struct rows *w)
{
    db_finalize(w->find);
    db_finalize(w->remove);
    db_close(w->db);
}

static int read_page(struct prune *p, struct rows *w, bool sample)
{
    int r = 0, step;
    size_t seen = 0;
    w->count = 0;
    db_bind_int(w->find, 1, (int64_t)w->last);
    db_bind_int(w->find, 2, (int64_t)p->last);
    db_bind_int(w->find, 3, sample);
    while (r == 0 && (step = db_step(w->find)) != 0) {
        bool old, held;
        if (step < 0) {
            r = step;
            break;
        }
        seen++;
        w->last = (uint64_t)db_column_int(w->find, 0);
        r = may_go(p, w->last, w->before_us, &old, &held);
        if (held)
            p->report->held++;
        else if (r == 0 && old)
            w->seqs[w->count++] = w->last;
    }
    db_reset(w->find);
    w->more = seen == PAGE;
    return r;
}

static int remove_page(struct prune *p, struct rows *w, bool sample)
{
    if (w->count == 0 || !p->audit) {
        *w->counter += w->count;
        return 0;
    }
    int r = w->tier == 1 ? index_condemn(p->o->dir, p->month) : 0;
    if (r == 0)
        r = db_begin(w->db);
    for (size_t i = 0; r == 0 && i < w->count; i++) {
        db_bind_int(w->remove, 1, (int64_t)w->seqs[i]);
        db_bind_int(w->remove, 2, sample);
        r = db_run(w->remove);
    }
    if (r == 0)
        r = db_commit(w->db);
    else
        db_rollback(w->db);
    if (r == 0)
        *w->counter += w->count;
    return r;
}

/* Old pages with the texts on them stay in the write-ahead log until it is emptied. */
static int empty_wal(struct prune *p, struct rows *w)
{
    int r = db_empty_wal(w->db);
    p->report->left_in_wal = p->report->left_in_wal || r == -EBUSY;
    return r == -EBUSY ? 0 : r;
}

static int prune_rows(struct prune *p, int tier, unsigned days, bool sample, uint64_t *counter)
{
    static const char *const find[] = {
        NULL,
        "SELECT DISTINCT seq FROM text WHERE seq > ?1 AND seq <= ?2 AND sample = ?3 ORDER BY seq"
        " LIMIT 256",
        "SELECT seq FROM original WHERE seq > ?1 AND seq <= ?2 AND ?3 = 0 ORDER BY seq LIMIT 256"};
    static const char *const remove[] = {NULL, "DELETE FROM text WHERE seq = ?1 AND sample = ?2",
                                         "DELETE FROM original WHERE seq = ?1 AND ?2 = 0"};
    struct rows w = {.tier = tier, .before_us = cutoff(p, days), .more = true, .counter = counter};
    uint64_t before = *counter;
    if (w.before_us <= p->from_us)
        return 0; /* nothing in it can be that old */
    int r = has_older(p, w.before_us);
    if (r <= 0)
        return r;
    r = open_rows(p, tier, &w, find[tier], remove[tier]);
    while (r == 0 && w.more) {
        r = read_page(p, &w, sample);
        if (r == 0)
            r = remove_page(p, &w, sample);
    }
    p->texts_gone = p->texts_gone || (tier == 1 && p->audit && *counter > before);
    /* Also where nothing was removed: an earlier run may have had a reader in its way. */
    if (r == 0 && p->audit)
        r = empty_wal(p, &w);
    close_rows(&w);
    return r == -ENOENT ? 0 : r;
}

static int note_rows(struct prune *p)
{
    struct buf detail = BUF_INIT(4096);
    const struct prune_report *n = p->report;
    if (n->texts + n->originals + n->samples == 0)
        return 0;
    int r = buf_printf(&detail,
                       "{\"texts\":%" PRIu64 ",\"originals\":%" PRIu64 ",\"samples\":%" PRIu64
                       ",\"days\":\"%u/%u/%u\"%s%.*s}",
                       n->texts, n->originals, n->samples, p->o->texts, p->o->originals,
                       p->o->samples, p->o->who.len ? "," : "", SPAN_ARG(p->o->who));
    if (r == 0)
        r = act_note(p->audit, SPAN_LIT("pruned"), buf_span(&detail), NULL);
    buf_deinit(&detail);
    return r;
}

/* ---- all ---- */

/* What becomes of one month. `oldest`: all months before it go. */
static int look_at(struct prune *p, bool newest, bool *oldest)
{
    bool held = false;
    unsigned texts = p->o->texts > p->o->samples ? p->o->texts : p->o->samples;
    bool old_records = *oldest && !newest && p->to_us <= records_cutoff(p);
    bool old_texts = !newest && p->to_us <= cutoff(p, texts);
    bool old_originals = !newest && p->to_us <= cutoff(p, p->o->originals);
    int r = old_records || old_texts || old_originals ? has_held(p, &held) : 0;
    if (r < 0)
        return r;
    p->report->held += held;
    *oldest = old_records && !held;
    if (*oldest) {
        /* A record file goes last, so that an interrupted run leaves no texts of unknown records.
         */
        *oldest = add_file(p, 2) && add_file(p, 1) && add_file(p, 0);
        return 0;
    }
    bool no_originals = old_originals && !held && add_file(p, 2);
    bool no_texts = old_texts && !held && add_file(p, 1);
    if (r == 0 && !no_originals)
        r = prune_rows(p, 2, p->o->originals, false, &p->report->originals);
    if (r == 0 && !no_texts)
        r = prune_rows(p, 1, p->o->texts, false, &p->report->texts);
    if (r == 0 && !no_texts)
        r = prune_rows(p, 1, p->o->samples, true, &p->report->samples);
    return r;
}

/* The words of what is gone, and what an earlier run could not clean. */
static int clean_index(struct prune *p)
{
    int r = p->texts_gone ? index_forget(p->o->dir, p->month) : index_settle(p->o->dir, p->month);
    p->report->left_in_wal = p->report->left_in_wal || r == -EBUSY;
    return r == -EBUSY ? 0 : r;
}

static int walk(struct prune *p)
{
    bool oldest = true;
    int r = files_list(p->o->dir, 0, &p->files);
    for (size_t i = 0; r == 0 && i < p->files.count; i++) {
        p->texts_gone = false;
        r = open_month(p, p->files.months[i]);
        if (r == 0)
            r = look_at(p, i + 1 == p->files.count, &oldest);
        close_month(p);
        if (r == 0 && p->audit)
            r = clean_index(p);
        r = r == -ENOENT ? 0 : r;
    }
    return r;
}

static int run(struct audit *a, const struct prune_options *o, struct prune_report *ret_report)
{
    struct arena arena;
    struct prune *p = calloc(1, sizeof(*p));
    *ret_report = (struct prune_report){0};
    if (!p)
        return -ENOMEM;
    p->o = o;
    p->report = ret_report;
    p->audit = a;
    arena_init(&arena, ARENA_MAX);
    int r = o->records < PRUNE_RECORD_DAYS_MIN || !o->texts || !o->originals || !o->samples
                ? -EINVAL
                : holds_load(o->dir, &arena, &p->holds);
    if (r == 0)
        r = walk(p);
    if (r == 0 && a)
        r = remove_files(p);
    if (a) {
        int told = note_rows(p); /* also of a run that broke off */
        r = r < 0 ? r : told;
    }
    arena_deinit(&arena);
    free(p);
    return r == -ENOENT ? 0 : r;
}

int prune_plan(const struct prune_options *o, struct prune_report *ret_report)
{
    return run(NULL, o, ret_report);
}

int prune_run(struct audit *a, const struct prune_options *o, struct prune_report *ret_report)
{
    pthread_mutex_lock(&a->upkeep);
    int r = run(a, o, ret_report);
    pthread_mutex_unlock(&a->upkeep);
    return r;
}
