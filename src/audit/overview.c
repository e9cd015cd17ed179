#include "audit/overview.h"

#include "audit/index.h"
#include "audit/rollup.h"
#include "audit/row.h"
#include "audit/rowjson.h"
#include "base/clock.h"
#include "terms/terms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE_MAX     16384 /* lines of one table, a power of two; more are left out */
#define RULES_MAX     50
#define CLASSES       256
#define NAME_MAX_SIZE 200

/* One line of a table: counts by action under a name, or under a time. */
struct line {
    char name[NAME_MAX_SIZE], more[NAME_MAX_SIZE];
    int64_t at;
    uint64_t requests, actions[ACTION_COUNT], us;
};

struct table {
    struct line *lines;
    size_t count, room;
    uint32_t *slots; /* 2 * room of them: the number of a line, or 0 */
};

struct overview {
    const struct overview_filter *f;
    int64_t since_s, until_s;
    int64_t step_s; /* of what is shown over time */
    int64_t fine_s; /* of the roll-ups that requests are read from */
    int64_t hits_s; /* of those that hits and held times are read from */
    struct table buckets, risks, apps, models, rules;
    uint64_t classes[CLASSES];
    bool complete;
};

static bool is_line(const struct line *l, struct span name, struct span more, int64_t at)
{
    return l->at == at && span_eq(span_str(l->name), name) && span_eq(span_str(l->more), more);
}

/* The slot that has the line, or the free one where it belongs. */
static uint32_t *slot_of(const struct table *t, struct span name, struct span more, int64_t at)
{
    uint64_t h = (uint64_t)index_code('n', name) ^ (uint64_t)index_code('r', more) >> 7 ^
                 (uint64_t)at * 0x9e3779b97f4a7c15u;
    for (size_t i = h ^ h >> 32;; i++) {
        uint32_t *slot = &t->slots[i & (2 * t->room - 1)];
        if (*slot == 0 || is_line(&t->lines[*slot - 1], name, more, at))
            return slot;
    }
}

static bool grow(struct table *t)
{
    size_t room = t->room ? 2 * t->room : 64;
    if (room > TABLE_MAX)
        return false;
    struct line *lines = realloc(t->lines, room * sizeof(*lines));
    if (lines)
        t->lines = lines;
    uint32_t *slots = lines ? calloc(2 * room, sizeof(*slots)) : NULL;
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->room = room;
    for (size_t i = 0; i < t->count; i++) {
        const struct line *l = &t->lines[i];
        *slot_of(t, span_str(l->name), span_str(l->more), l->at) = (uint32_t)i + 1;
    }
    return true;
}

/* The line of that key, made when it is new. NULL when memory or the table's room is out. */
static struct line *line_of(struct table *t, struct span name, struct span more, int64_t at)
{
    uint32_t *slot = t->room ? slot_of(t, name, more, at) : NULL;
    if (slot && *slot)
        return &t->lines[*slot - 1];
    if (t->count == t->room) {
        if (!grow(t))
            return NULL;
        slot = slot_of(t, name, more, at);
    }
    struct line *l = &t->lines[t->count++];
    *l = (struct line){.at = at};
    snprintf(l->name, sizeof(l->name), "%.*s", SPAN_ARG(name));
    snprintf(l->more, sizeof(l->more), "%.*s", SPAN_ARG(more));
    *slot = (uint32_t)t->count;
    return l;
}

/* What OF_APP and BUCKET ask: of roll-ups by that step. */
static int prepare(struct overview *o, struct db *db, const char *sql, int64_t of_s,
                   struct db_stmt **ret)
{
    int r = db_prepare(db, span_str(sql), ret);
    if (r < 0)
        return r;
    db_bind_int(*ret, 1, rollup_floor(o->since_s, of_s));
    db_bind_int(*ret, 2, o->until_s);
    db_bind_text(*ret, 3, o->f->app);
    db_bind_int(*ret, 4, o->step_s);
    db_bind_int(*ret, 5, of_s);
    return 0;
}

/* Adds rows of (time, name, name, action, count, us) to a table. */
static int add_rows(struct overview *o, struct db *db, const char *sql, int64_t of_s,
                    struct table *t)
{
    struct db_stmt *s = NULL;
    int r = prepare(o, db, sql, of_s, &s);
    if (r < 0)
        return r;
    while ((r = db_step(s)) == 1) {
        char name[NAME_MAX_SIZE];
        int64_t action = db_column_int(s, 3);
        snprintf(name, sizeof(name), "%.*s", SPAN_ARG(db_column_text(s, 1)));
        struct span more = db_column_text(s, 2);
        if (more.len >= NAME_MAX_SIZE)
            more.len = NAME_MAX_SIZE - 1;
        struct line *l = line_of(t, span_str(name), more, db_column_int(s, 0));
        if (!l)
            continue;
        uint64_t n = (uint64_t)db_column_int(s, 4);
        l->requests += n;
        l->us += (uint64_t)db_column_int(s, 5);
        if (action >= 0 && action < ACTION_COUNT)
            l->actions[action] += n;
    }
    db_finalize(s);
    return r;
}

#define OF_APP                                                                                     \
    " step = ?5 AND test = 0 AND (?3 = '' OR app = (SELECT id FROM name WHERE text = ?3)) AND"     \
    " at >= ?1 AND at < ?2 AND ?4 = ?4"
/* A day of China begins at 16:00. */
#define BUCKET "(at + 28800) / ?4 * ?4 - 28800"

static int add_classes(struct overview *o, struct db *db)
{
    struct db_stmt *s = NULL;
    int r =
        prepare(o, db, "SELECT class, sum(n) FROM held WHERE" OF_APP " GROUP BY 1", o->hits_s, &s);
    if (r < 0)
        return r;
    while ((r = db_step(s)) == 1) {
        int64_t class = db_column_int(s, 0);
        if (class >= 0 && class < CLASSES)
            o->classes[class] += (uint64_t)db_column_int(s, 1);
    }
    db_finalize(s);
    return r;
}

static int add_index(struct overview *o, struct db *db)
{
    int r =
        add_rows(o, db,
                 "SELECT " BUCKET ", '', '', action, sum(n), sum(held_us) FROM roll WHERE" OF_APP
                 " GROUP BY 1, 4 ORDER BY 1",
                 o->fine_s, &o->buckets);
    if (r == 0)
        r = add_rows(o, db,
                     "SELECT 0, (SELECT text FROM name WHERE id = app), '', action, sum(n),"
                     " sum(held_us) FROM roll WHERE" OF_APP " GROUP BY app, action",
                     o->fine_s, &o->apps);
    if (r == 0)
        r = add_rows(o, db,
                     "SELECT 0, (SELECT text FROM name WHERE id = model), '', action, sum(n),"
                     " sum(held_us) FROM roll WHERE" OF_APP " GROUP BY model, action",
                     o->fine_s, &o->models);
    if (r == 0)
        r = add_rows(o, db,
                     "SELECT 0, (SELECT text FROM name WHERE id = risk), '', action, sum(n), 0"
                     " FROM caught WHERE rule = 0 AND" OF_APP " GROUP BY risk, action",
                     o->hits_s, &o->risks);
    if (r == 0)
        r = add_rows(o, db,
                     "SELECT 0, (SELECT text FROM name WHERE id = rule), (SELECT text FROM name"
                     " WHERE id = risk), action, sum(n), 0 FROM caught WHERE rule > 0"
                     " AND" OF_APP " GROUP BY rule, risk, action",
                     o->hits_s, &o->rules);
    if (r == 0)
        r = add_classes(o, db);
    return r;
}

/* The last record of a month, and whether the month has any of the time that is asked for. */
static int month_extent(struct db *l0, const struct overview *o, uint64_t *ret_last, bool *ret_any)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(l0,
                       SPAN_LIT("SELECT (SELECT max(seq) FROM record), EXISTS (SELECT 1 FROM record"
                                " WHERE time >= ?1 AND time < ?2)"),
                       &s);
    if (r < 0)
        return r;
    db_bind_int(s, 1, o->since_s * 1000000);
    db_bind_int(s, 2, o->until_s * 1000000);
    r = db_step(s);
    if (r == 1) {
        *ret_last = (uint64_t)db_column_int(s, 0);
        *ret_any = db_column_int(s, 1) != 0;
    }
    db_finalize(s);
    return r < 0 ? r : 0;
}

static int add_month(struct overview *o, struct span dir, files_month month)
{
    struct row_month m;
    struct db *ix = NULL;
    uint64_t last = 0, end = 0;
    bool any = false;
    int r = row_month_open(dir, month, &m);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = month_extent(m.l0, o, &last, &any);
    if (r == 0 && any) {
        r = index_open_read(dir, INDEX_ROWS, month, m.l0, &ix, &end);
        if (r == 0)
            r = add_index(o, ix);
        /* A damaged or missing index is made anew; until then the answer says what it is. */
        if (r == -ENOENT || r == -EBADMSG || r == -EINVAL) {
            o->complete = false;
            r = 0;
        }
        /* A second or two behind is what an overview may be. */
        o->complete &= end + 5000 >= last;
    }
    db_close(ix);
    row_month_close(&m);
    return r;
}

/* ---- writing ---- */

static int64_t step_for(int64_t span_s)
{
    return span_s <= 2 * 86400 + 3600    ? ROLLUP_STEP_S
           : span_s <= 14 * 86400 + 3600 ? ROLLUP_HOUR_S
           : span_s <= 62 * 86400        ? 4 * ROLLUP_HOUR_S
                                         : ROLLUP_DAY_S;
}

static void write_actions(struct buf *out, const struct line *l, int from)
{
    for (int a = from; a < ACTION_COUNT; a++)
        rowjson_put(out, ",\"%s\":%" PRIu64, action_name((enum action)a), l->actions[a]);
}

static int by_time(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static int by_count(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return (x->requests < y->requests) - (x->requests > y->requests);
}

static void sort(struct table *t, int (*compare)(const void *, const void *))
{
    if (t->count)
        qsort(t->lines, t->count, sizeof(t->lines[0]), compare);
}

static void write_buckets(struct overview *o, struct buf *out)
{
    sort(&o->buckets, by_time);
    rowjson_put(out, ",\"buckets\":[");
    for (size_t i = 0; i < o->buckets.count; i++) {
        const struct line *l = &o->buckets.lines[i];
        rowjson_put(out, "%s{\"at_us\":%" PRId64 ",\"requests\":%" PRIu64, i ? "," : "",
                    l->at * 1000000, l->requests);
        write_actions(out, l, ACTION_ALLOW);
        rowjson_put(out, ",\"held_us\":%" PRIu64 "}", l->us);
    }
    rowjson_put(out, "]");
}

static void write_table(struct table *t, const char *title, const char *key, bool requests,
                        struct buf *out)
{
    sort(t, by_count);
    rowjson_put(out, ",\"%s\":[", title);
    for (size_t i = 0; i < t->count; i++) {
        const struct line *l = &t->lines[i];
        rowjson_put(out, "%s{\"%s\":", i ? "," : "", key);
        rowjson_string(out, span_str(l->name));
        if (requests)
            rowjson_put(out, ",\"requests\":%" PRIu64, l->requests);
        write_actions(out, l, requests ? ACTION_ALLOW : ACTION_FLAG);
        rowjson_put(out, "}");
    }
    rowjson_put(out, "]");
}

static void write_rules(struct table *t, struct buf *out)
{
    sort(t, by_count);
    rowjson_put(out, ",\"rules\":[");
    for (size_t i = 0; i < t->count && i < RULES_MAX; i++) {
        rowjson_put(out, "%s{\"rule\":", i ? "," : "");
        rowjson_string(out, span_str(t->lines[i].name));
        rowjson_put(out, ",\"risk\":");
        rowjson_string(out, span_str(t->lines[i].more));
        rowjson_put(out, ",\"count\":%" PRIu64 "}", t->lines[i].requests);
    }
    rowjson_put(out, "]");
}

/* The duration that so many percent stay below, within its class as if evenly spread. */
static uint64_t percentile(const struct overview *o, unsigned percent)
{
    uint64_t all = 0, before = 0;
    for (unsigned i = 0; i < CLASSES; i++)
        all += o->classes[i];
    uint64_t want = (all * percent + 99) / 100;
    for (unsigned i = 0; i < CLASSES && all; i++) {
        uint64_t n = o->classes[i];
        if (before + n >= want && n) {
            uint64_t from = rollup_class_from(i), to = rollup_class_from(i + 1);
            return from + (uint64_t)((double)(to - from) * (double)(want - before) / (double)n);
        }
        before += n;
    }
    return 0;
}

static int write(struct overview *o, struct buf *out)
{
    rowjson_put(out, "\"step_us\":%" PRId64, o->step_s * 1000000);
    write_buckets(o, out);
    write_table(&o->risks, "risks", "risk", false, out);
    write_table(&o->apps, "apps", "app", true, out);
    write_table(&o->models, "models", "model", true, out);
    write_rules(&o->rules, out);
    /* After a failure nothing can be appended any more: the last one tells. */
    return buf_printf(out,
                      ",\"held\":{\"p50_us\":%" PRIu64 ",\"p95_us\":%" PRIu64 "},\"complete\":%s",
                      percentile(o, 50), percentile(o, 95), o->complete ? "true" : "false");
}

int overview_write(struct span dir, const struct overview_filter *f, struct buf *out)
{
    struct overview *o = calloc(1, sizeof(*o));
    struct files *files = malloc(sizeof(*files));
    int r = o && files ? files_list(dir, 0, files) : -ENOMEM;
    if (r == 0 && files->count == 0)
        r = -ENOENT;
    if (r == 0) {
        uint64_t now = clock_wall_us();
        uint64_t until = f->until_us && f->until_us < INT64_MAX ? f->until_us : now + 1000000;
        o->f = f;
        o->complete = true;
        o->until_s = (int64_t)((until + 999999) / 1000000);
        o->since_s = f->since_us < until ? (int64_t)(f->since_us / 1000000) : o->until_s;
        o->since_s = rollup_floor(o->since_s, ROLLUP_STEP_S);
        o->step_s = step_for(o->until_s - o->since_s);
        o->fine_s = o->step_s == 4 * ROLLUP_HOUR_S ? ROLLUP_HOUR_S : o->step_s;
        o->hits_s = o->step_s > ROLLUP_HOUR_S ? ROLLUP_DAY_S : ROLLUP_HOUR_S;
    }
    files_month from = f->since_us ? files_month_of(f->since_us) - 1 : 0;
    for (size_t i = 0; r == 0 && i < files->count; i++)
        if (files->months[i] >= from)
            r = add_month(o, dir, files->months[i]);
    if (r == 0)
        r = write(o, out);
    if (o) {
        struct table *const tables[] = {&o->buckets, &o->risks, &o->apps, &o->models, &o->rules};
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
            free(tables[i]->lines);
            free(tables[i]->slots);
        }
    }
    free(files);
    free(o);
    return r;
}

/* ---- rules ---- */

static int tell_rules(struct db *db, uint64_t since_us, overview_rule_fn fn, void *ctx)
{
    int64_t since_s = (int64_t)(since_us / 1000000);
    struct db_stmt *s = NULL;
    int r = db_prepare(
        db,
        SPAN_LIT("SELECT (SELECT text FROM name WHERE id = rule), sum(n) FROM caught"
                 " WHERE step = ?2 AND rule > 0 AND test = 0 AND at >= ?1 GROUP BY rule"),
        &s);
    if (r < 0)
        return r;
    db_bind_int(s, 1, since_s - since_s % ROLLUP_HOUR_S);
    db_bind_int(s, 2, ROLLUP_HOUR_S); /* the days say the same once more */
    while ((r = db_step(s)) == 1)
        fn(ctx, db_column_text(s, 0), (uint64_t)db_column_int(s, 1));
    db_finalize(s);
    return r;
}

int overview_rules(struct span dir, uint64_t since_us, overview_rule_fn fn, void *ctx)
{
    struct files *files = malloc(sizeof(*files));
    int r = files ? files_list(dir, 0, files) : -ENOMEM;
    files_month from = since_us ? files_month_of(since_us) - 1 : 0;
    for (size_t i = 0; r == 0 && i < files->count; i++) {
        struct row_month m;
        struct db *ix = NULL;
        uint64_t end;
        if (files->months[i] < from)
            continue;
        int e = row_month_open(dir, files->months[i], &m);
        if (e == 0) {
            e = index_open_read(dir, INDEX_ROWS, files->months[i], m.l0, &ix, &end);
            if (e == 0)
                e = tell_rules(ix, since_us, fn, ctx);
            db_close(ix);
            row_month_close(&m);
        }
        r = e == -ENOENT || e == -EBADMSG || e == -EINVAL ? 0 : e;
    }
    free(files);
    return r == -ENOENT ? 0 : r;
}
