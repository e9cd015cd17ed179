/* What of the log is there to be reviewed: copied from it, metadata only, and never the truth. */
#include "casebook/book.h"

#include "audit/query.h"
#include "base/clock.h"
#include "crypto/sha256.h"

#include <errno.h>

#define BATCH      1000 /* rows taken up in one transaction */
#define OVERLAP_US 60000000ull
#define REFRESH_MS 1000

/*
 * Where in 0..9999 a request falls, for a purpose: by its id alone, so that everybody who draws
 * the same share of the same requests draws the same ones.
 */
static unsigned lot(const char *purpose, struct span request_id)
{
    unsigned char digest[SHA256_SIZE];
    struct buf b = BUF_INIT(4096);
    int r = buf_printf(&b, "juyong.%s.v1", purpose);
    if (r == 0)
        r = buf_append_char(&b, '\0');
    if (r == 0)
        r = buf_append(&b, request_id);
    if (r == 0)
        r = sha256_once(buf_span(&b), digest);
    buf_deinit(&b);
    /* What can't be counted out is looked at. */
    return r < 0 ? 0 : ((unsigned)digest[0] << 16 | digest[1] << 8 | digest[2]) % 10000;
}

static bool drawn(const char *purpose, struct span request_id, unsigned percent)
{
    return lot(purpose, request_id) < percent * 100;
}

static int upsert(struct casebook *c, const struct query_row *row)
{
    const struct entry *e = &row->entry;
    const struct entry_hit *h = row->main_hit ? row->main_hit->entry : NULL;
    bool caught = entry_weight(e) > 0 || h;
    unsigned why = caught && drawn("review", e->request_id, c->share) ? WHY_POLICY : 0;
    int r = book_run(
        c->db,
        "INSERT INTO item(request_id,seq,at_us,action,risk,rule,app,direction,caught,why,second)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(request_id) DO UPDATE SET"
        " action=excluded.action,risk=excluded.risk,rule=excluded.rule,caught=excluded.caught,"
        " direction=excluded.direction,why=why|excluded.why",
        "siisssssiii", e->request_id, (int64_t)e->seq, (int64_t)e->time, e->action,
        h ? h->risk : SPAN_NULL, h ? h->rule : SPAN_NULL, e->app, h ? h->direction : SPAN_NULL,
        (int64_t)caught, (int64_t)why, (int64_t)drawn("second", e->request_id, c->second));
    return book_wrote(c, r);
}

int items_ensure(struct casebook *c, struct span request_id)
{
    int64_t there;
    int r = book_int(c->db, "SELECT 1 FROM item WHERE request_id=?", &there, "s", request_id);
    if (r != -ENOENT)
        return r < 0 ? r : 1;
    struct query_filter f = {
        .request_id = request_id, .all = true, .any_purpose = true, .limit = 1};
    struct query *q = NULL;
    const struct query_row *row;
    r = query_open(span_str(c->log_dir), &f, &q);
    if (r == 0)
        r = query_next(q, &row);
    if (r == 1) {
        int e = upsert(c, row);
        r = e < 0 ? e : 1;
    }
    query_close(q);
    return r == -ENOENT ? 0 : r;
}

/* ---- what is new ---- */

/* Takes up to BATCH rows; 1: there may be more. */
static int take_some(struct casebook *c, struct query *q, uint64_t *cursor, bool *running)
{
    const struct query_row *row;
    int r = db_begin(c->db), got = 1;
    for (int n = 0; r == 0 && n < BATCH && (got = query_next(q, &row)) == 1; n++) {
        if (!row->entry.request_id.len)
            continue;
        r = upsert(c, row);
        /* What still runs may weigh more later: from it on all are looked at again. */
        *running = *running || row->state == QUERY_RUNNING;
        if (!*running && row->entry.time > *cursor)
            *cursor = row->entry.time;
    }
    if (r == 0)
        r = book_run(c->db, "INSERT OR REPLACE INTO meta VALUES('cursor_us',?)", "i",
                     (int64_t)*cursor);
    if (r == 0)
        r = db_commit(c->db);
    else
        db_rollback(c->db);
    book_wrote(c, r);
    return r < 0 ? r : got;
}

static int refresh(struct casebook *c)
{
    int64_t at = 0;
    int r = book_int(c->db, "SELECT value FROM meta WHERE key='cursor_us'", &at, "");
    if (r < 0 && r != -ENOENT)
        return r;
    uint64_t cursor = (uint64_t)at;
    struct query_filter f = {.oldest_first = true,
                             .since_us = cursor > OVERLAP_US ? cursor - OVERLAP_US : 0};
    struct query *q = NULL;
    bool running = false;
    r = query_open(span_str(c->log_dir), &f, &q);
    if (r == 0)
        r = 1;
    while (r == 1)
        r = take_some(c, q, &cursor, &running);
    query_close(q);
    book_tidy(c);
    return r == -ENOENT ? 0 : r;
}

int casebook_refresh(struct casebook *c)
{
    /* Whoever is at it does it for all; and a page that asks five things asks once. */
    if (!c->db || pthread_mutex_trylock(&c->write_lock) != 0)
        return 0;
    uint64_t now = clock_mono_ms();
    int r = 0;
    if (!c->refreshed_ms || now - c->refreshed_ms >= REFRESH_MS) {
        r = book_check(c) < 0 ? -EIO : refresh(c);
        c->refreshed_ms = clock_mono_ms();
    }
    pthread_mutex_unlock(&c->write_lock);
    return r;
}

/* ---- samples ---- */

/* Draws from what the query gives. What the log comes to is in *ret_looked, 0 or negative. */
static int draw(struct casebook *c, const struct casebook_act *act, struct query *q,
                struct arena *arena, struct span *ids, size_t *count, int *ret_looked)
{
    const struct query_row *row;
    int looked = 1, r = 0;
    while (r == 0 && looked >= 0 && (looked = query_next(q, &row)) == 1) {
        struct span id = row->entry.request_id;
        if (!id.len || !drawn("sample", id, act->percent))
            continue;
        if (*count == CASEBOOK_SAMPLE_MAX) {
            looked = -E2BIG;
            continue;
        }
        ids[*count] = arena_copy(arena, id);
        if (ids[*count].data)
            r = upsert(c, row);
        else
            looked = -ENOMEM;
        ++*count;
    }
    *ret_looked = looked == 0 && !query_is_complete(q) ? -ETIME : looked < 0 ? looked : 0;
    return r;
}

int items_sample(struct casebook *c, const struct casebook_act *act, struct arena *arena,
                 struct span **ret_ids, size_t *ret_count)
{
    struct query_filter f = {.since_us = act->since_us,
                             .until_us = act->until_us,
                             .actions = act->actions,
                             .all = act->actions & 1u << ACTION_ALLOW,
                             .budget_us = c->sample_us};
    struct query *q = NULL;
    int looked = 0;
    *ret_ids = arena_alloc(arena, CASEBOOK_SAMPLE_MAX * sizeof(**ret_ids));
    *ret_count = 0;
    int r = *ret_ids ? query_open(span_str(c->log_dir), &f, &q) : -ENOMEM;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = db_begin(c->db);
    if (r == 0)
        r = draw(c, act, q, arena, *ret_ids, ret_count, &looked);
    query_close(q);
    if (r == 0 && looked == 0)
        r = db_commit(c->db);
    else
        db_rollback(c->db);
    book_wrote(c, r);
    return r < 0 ? r : looked;
}
