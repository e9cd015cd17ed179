#include "audit/row.h"

#include <errno.h>
#include <stdlib.h>

#define ROW_ARENA_MAX (16u << 20)

static int open_l0(struct row_month *m, const char *path)
{
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    int version = 0;
    int r = db_open(span_str(path), &o, &m->l0);
    if (r == 0)
        r = db_get_version(m->l0, &version);
    if (r == 0 && version == 0)
        return -ENOENT; /* created, never used */
    if (r == 0 && version > FILES_SCHEMA)
        return -EPROTO;
    if (r == 0)
        r = db_prepare(m->l0,
                       SPAN_LIT("SELECT seq, time, weight, body FROM record WHERE request = ?1 AND"
                                " request <> '' ORDER BY seq LIMIT 257"),
                       &m->by_request);
    if (r == 0)
        r = db_prepare(m->l0, SPAN_LIT("SELECT seq, time, weight, body FROM record WHERE seq = ?1"),
                       &m->by_seq);
    return r;
}

static int open_l1(struct row_month *m, const char *path)
{
    struct db_options o = {.readonly = true, .busy_ms = 5000};
    int version = 0;
    int r = db_open(span_str(path), &o, &m->l1);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = db_get_version(m->l1, &version);
    if (r == 0 && version >= 1 && version <= FILES_SCHEMA)
        r = db_prepare(m->l1,
                       SPAN_LIT("SELECT path, text, context, folded, start, end FROM text WHERE"
                                " seq = ?1 AND at = ?2"),
                       &m->texts);
    return r;
}

int row_month_open(struct span dir, files_month month, struct row_month *ret_month)
{
    char path[PATH_MAX];
    struct row_month m = {0};
    int r = files_path(dir, 0, month, path) ? open_l0(&m, path) : -ENAMETOOLONG;
    if (r == 0 && files_path(dir, 1, month, path))
        r = open_l1(&m, path);
    if (r < 0)
        row_month_close(&m);
    else
        *ret_month = m;
    return r;
}

void row_month_close(struct row_month *m)
{
    db_finalize(m->by_request);
    db_finalize(m->by_seq);
    db_finalize(m->texts);
    db_close(m->l0);
    db_close(m->l1);
    *m = (struct row_month){0};
}

void row_clear(struct row *r)
{
    arena_deinit(&r->arena);
    arena_init(&r->arena, ROW_ARENA_MAX);
    r->kept_count = 0;
    r->count = r->hit_count = r->opinion_count = 0;
}

static int add_record(struct row *r, struct db_stmt *s, unsigned month)
{
    struct row_record *rec = &r->records[r->count];
    struct span body = arena_copy(&r->arena, db_column_text(s, 3));
    if (!body.data)
        return -ENOMEM;
    *rec = (struct row_record){
        .seq = (uint64_t)db_column_int(s, 0),
        .time_us = (uint64_t)db_column_int(s, 1),
        .weight = (int)db_column_int(s, 2),
        .month = month,
    };
    int e = entry_parse(body, &r->arena, &rec->entry);
    if (e == -ENOMEM)
        return e;
    if (e < 0 || rec->entry.seq != rec->seq) {
        rec->damaged = true;
        rec->entry = (struct entry){.seq = rec->seq, .time = rec->time_us};
    }
    r->count++;
    return 0;
}

int row_gather(struct row *r, struct row_month *m, unsigned month, struct span request,
               uint64_t seq)
{
    struct db_stmt *s = request.len ? m->by_request : m->by_seq;
    int e;
    if (request.len)
        db_bind_text(s, 1, request);
    else
        db_bind_int(s, 1, (int64_t)seq);
    while ((e = db_step(s)) == 1 && r->count < ROW_RECORDS_MAX) {
        e = add_record(r, s, month);
        if (e < 0)
            break;
    }
    db_reset(s);
    return e < 0 ? e : 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct row_record *)a)->seq, y = ((const struct row_record *)b)->seq;
    return (x > y) - (x < y);
}

void row_sort(struct row *r)
{
    qsort(r->records, r->count, sizeof(r->records[0]), compare);
}

static int read_text(struct row *r, struct row_month *m, uint64_t seq, size_t at,
                     struct query_hit *h)
{
    struct db_stmt *s = m->texts;
    if (!s)
        return 0;
    db_bind_int(s, 1, (int64_t)seq);
    db_bind_int(s, 2, (int64_t)at);
    int e = db_step(s);
    if (e == 1) {
        struct span *const into[] = {&h->path, &h->text, &h->context, &h->folded};
        for (int i = 0; i < 4; i++) {
            struct span column = db_column_text(s, i);
            if (!column.len)
                continue;
            *into[i] = arena_copy(&r->arena, column);
            if (!into[i]->data)
                e = -ENOMEM;
        }
        uint64_t start = (uint64_t)db_column_int(s, 4), end = (uint64_t)db_column_int(s, 5);
        h->end = end < h->context.len ? (size_t)end : h->context.len;
        h->start = start < h->end ? (size_t)start : h->end;
        h->has_text = true;
    }
    db_reset(s);
    return e < 0 ? e : 0;
}

static int add_hits(struct row *r, struct row_month *m, const struct row_record *rec)
{
    for (size_t i = 0; i < rec->entry.hit_count; i++) {
        bool kept = rec->entry.hits[i].kept == ENTRY_TRUE;
        if (kept ? r->kept_count == ROW_KEPT_MAX : r->hit_count == ROW_HITS_MAX)
            continue;
        struct query_hit *h = kept ? &r->kept[r->kept_count++] : &r->hits[r->hit_count++];
        *h = (struct query_hit){.entry = &rec->entry.hits[i]};
        h->path = h->entry->path;
        int e = read_text(r, m, rec->seq, i, h);
        if (e < 0)
            return e;
    }
    return 0;
}

static void add_opinions(struct row *r, const struct row_record *rec)
{
    for (size_t i = 0; i < rec->entry.opinion_count && r->opinion_count < ROW_OPINIONS_MAX; i++)
        r->opinions[r->opinion_count++] = rec->entry.opinions[i];
}

static bool is_kind(const struct row_record *rec, const char *kind)
{
    return span_eq(rec->entry.kind, span_str(kind));
}

/* What an old offence once led to is not this exchange's action. */
static int weight_of(const struct query_hit *h)
{
    return h->entry->old == ENTRY_TRUE ? ACTION_DEFAULT : (int)action_from(h->entry->action);
}

int row_fold(struct row *r, struct row_month *const *months, struct query_row *ret_row)
{
    struct query_row row = {
        .entry = r->records[0].entry,
        .last_seq = r->records[r->count - 1].seq,
        .record_count = (unsigned)r->count,
    };
    bool opened = false, closed = false;
    enum action heaviest = action_from(row.entry.action);
    for (size_t i = 0; i < r->count; i++) {
        const struct row_record *rec = &r->records[i];
        opened |= is_kind(rec, "open");
        closed |= is_kind(rec, "close");
        row.damaged |= rec->damaged;
        if (i)
            entry_overlay(&row.entry, &rec->entry);
        if (action_from(rec->entry.action) > heaviest)
            heaviest = action_from(rec->entry.action);
        add_opinions(r, rec);
        int e = add_hits(r, months[rec->month], rec);
        if (e < 0)
            return e;
    }
    /* Of all that its records say, the exchange had the heaviest action. */
    if (heaviest > ACTION_DEFAULT)
        row.entry.action = span_str(action_name(heaviest));
    row.state = opened && !closed ? QUERY_INTERRUPTED : QUERY_DONE;
    row.hits = r->hits;
    row.hit_count = r->hit_count;
    row.kept = r->kept;
    row.kept_count = r->kept_count;
    row.opinions = r->opinions;
    row.opinion_count = r->opinion_count;
    for (size_t i = 0; i < r->hit_count; i++)
        if (!row.main_hit || weight_of(&r->hits[i]) > weight_of(row.main_hit))
            row.main_hit = &r->hits[i];
    *ret_row = row;
    return 0;
}
