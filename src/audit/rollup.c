#include "audit/rollup.h"

#include "terms/terms.h"

#define CHINA_S 28800 /* days are China's */

int rollup_open(struct rollup *r, struct db *db)
{
    r->count = 0;
    int e =
        db_prepare(db,
                   SPAN_LIT("INSERT INTO roll VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT"
                            " DO UPDATE SET n = n + excluded.n, held_us = held_us +"
                            " excluded.held_us"),
                   &r->requests);
    if (e == 0)
        e = db_prepare(db,
                       SPAN_LIT("INSERT INTO held VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO"
                                " UPDATE SET n = n + excluded.n"),
                       &r->held);
    if (e == 0)
        e = db_prepare(db,
                       SPAN_LIT("INSERT INTO caught VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1) ON"
                                " CONFLICT DO UPDATE SET n = n + 1"),
                       &r->caught);
    return e;
}

void rollup_close(struct rollup *r)
{
    db_finalize(r->requests);
    db_finalize(r->held);
    db_finalize(r->caught);
    r->requests = r->held = r->caught = NULL;
}

void rollup_reset(struct rollup *r)
{
    r->count = 0;
}

unsigned rollup_class(uint64_t us)
{
    if (us < 4)
        return (unsigned)us;
    unsigned top = 63 - (unsigned)__builtin_clzll(us);
    return top * 4 - 4 + (unsigned)(us >> (top - 2) & 3);
}

uint64_t rollup_class_from(unsigned class)
{
    if (class < 4)
        return class;
    unsigned top = class / 4 + 1;
    return (uint64_t)(4 + class % 4) << (top - 2);
}

int64_t rollup_floor(int64_t time_s, int64_t step_s)
{
    int64_t shift = step_s == ROLLUP_DAY_S ? CHINA_S : 0;
    return (time_s + shift) / step_s * step_s - shift;
}

static int flush_sum(struct rollup *r, const struct rollup_sum *s, int64_t step_s)
{
    bool requests = s->table == ROLLUP_REQUESTS;
    struct db_stmt *q = requests ? r->requests : r->held;
    int at = 3;
    db_bind_int(q, 1, step_s);
    db_bind_int(q, 2, rollup_floor(s->key[0], step_s));
    for (int k = 1; k < (requests ? 5 : 4); k++)
        db_bind_int(q, at++, s->key[k]);
    db_bind_int(q, at++, s->n);
    if (requests)
        db_bind_int(q, at, s->us);
    return db_run(q);
}

int rollup_flush(struct rollup *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct rollup_sum *s = &r->sums[i];
        int e = s->table == ROLLUP_REQUESTS ? flush_sum(r, s, ROLLUP_STEP_S) : 0;
        if (e == 0)
            e = flush_sum(r, s, ROLLUP_HOUR_S);
        if (e == 0)
            e = flush_sum(r, s, ROLLUP_DAY_S);
        if (e < 0)
            return e;
    }
    r->count = 0;
    return 0;
}

static int add(struct rollup *r, const struct rollup_sum *s)
{
    /* Newest first: times hardly ever go back. */
    for (size_t i = r->count; i > 0; i--) {
        struct rollup_sum *have = &r->sums[i - 1];
        if (have->table == s->table && memcmp(have->key, s->key, sizeof(s->key)) == 0) {
            have->n += s->n;
            have->us += s->us;
            return 0;
        }
    }
    int e = r->count == ROLLUP_SUMS ? rollup_flush(r) : 0;
    if (e == 0)
        r->sums[r->count++] = *s;
    return e;
}

static int64_t floor_us(uint64_t time_us, int64_t step_s)
{
    return rollup_floor((int64_t)(time_us / 1000000u), step_s);
}

int rollup_add_close(struct rollup *r, struct names *n, const struct known *k,
                     const struct entry *e)
{
    int64_t app, model, test = k->purpose != 0;
    int err = names_id(n, span_from(k->app_name, k->app_len), &app);
    if (err == 0)
        err = names_id(n, span_from(k->model_name, k->model_len), &model);
    if (err < 0)
        return err;
    int64_t held = e->held_us > INT64_MAX / 1000000 ? 0 : (int64_t)e->held_us;
    struct rollup_sum s = {
        .table = ROLLUP_REQUESTS,
        .key = {floor_us(e->time, ROLLUP_STEP_S), app, model, test, k->action},
        .n = 1,
        .us = held,
    };
    err = add(r, &s);
    if (err < 0 || e->held_us == 0)
        return err;
    s = (struct rollup_sum){
        .table = ROLLUP_HELD,
        .key = {floor_us(e->time, ROLLUP_HOUR_S), app, test, rollup_class(e->held_us)},
        .n = 1,
    };
    return add(r, &s);
}

/* What was done for this hit: where it was only observed, it was listed. */
static int action_of(const struct entry_hit *h)
{
    return h->observed == ENTRY_TRUE ? ACTION_FLAG : (int)action_from(h->action);
}

static bool counts(const struct entry_hit *h)
{
    return h->kept != ENTRY_TRUE && h->old != ENTRY_TRUE;
}

/* The first of those with the same risk, or with the same rule and all. */
static bool is_first(const struct entry *e, size_t at, bool risk)
{
    const struct entry_hit *h = &e->hits[at];
    for (size_t i = 0; i < at; i++) {
        const struct entry_hit *o = &e->hits[i];
        if (counts(o) && span_eq(o->risk, h->risk) &&
            (risk || (span_eq(o->rule, h->rule) && span_eq(o->direction, h->direction) &&
                      action_of(o) == action_of(h))))
            return false;
    }
    return true;
}

struct rollup_hit {
    int64_t risk, rule, direction, action;
};

static int heaviest_of_risk(const struct entry *e, struct span risk)
{
    int heaviest = ACTION_ALLOW;
    for (size_t i = 0; i < e->hit_count; i++)
        if (counts(&e->hits[i]) && span_eq(e->hits[i].risk, risk) &&
            action_of(&e->hits[i]) > heaviest)
            heaviest = action_of(&e->hits[i]);
    return heaviest;
}

/* Both of the hour and of the day. */
static int count_caught(struct rollup *r, int64_t app, int64_t test, struct rollup_hit hit,
                        uint64_t time_us)
{
    static const int64_t steps[] = {ROLLUP_HOUR_S, ROLLUP_DAY_S};
    int e = 0;
    for (int i = 0; e == 0 && i < 2; i++) {
        if (hit.rule && steps[i] == ROLLUP_DAY_S)
            hit.direction = hit.action = 0;
        const int64_t key[] = {
            steps[i],  floor_us(time_us, steps[i]), app, test, hit.risk, hit.rule, hit.direction,
            hit.action};
        for (int k = 0; k < 8; k++)
            db_bind_int(r->caught, k + 1, key[k]);
        e = db_run(r->caught);
    }
    return e;
}

int rollup_add_act(struct rollup *r, struct names *n, const struct known *k, const struct entry *e)
{
    int64_t app, test = k->purpose != 0;
    int err = names_id(n, span_from(k->app_name, k->app_len), &app);
    for (size_t i = 0; err == 0 && i < e->hit_count; i++) {
        const struct entry_hit *h = &e->hits[i];
        struct rollup_hit hit = {.action = heaviest_of_risk(e, h->risk)};
        if (!counts(h))
            continue;
        err = names_id(n, h->risk, &hit.risk);
        if (err == 0 && is_first(e, i, true))
            err = count_caught(r, app, test, hit, e->time);
        if (err == 0 && is_first(e, i, false)) {
            err = names_id(n, h->rule, &hit.rule);
            hit.direction =
                span_eq(h->direction, SPAN_LIT("prompt")) ? DIRECTION_PROMPT : DIRECTION_COMPLETION;
            hit.action = action_of(h);
            if (err == 0)
                err = count_caught(r, app, test, hit, e->time);
        }
    }
    return err;
}
