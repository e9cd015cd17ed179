#include "audit/rollup.h"

#include "terms/terms.h"

int rollup_open(struct rollup *r, struct db *db)
{
    r->count = 0;
    int e = db_prepare(db,
                       SPAN_LIT("INSERT INTO roll VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT"
                                " DO UPDATE SET n = n + excluded.n, held_us = held_us +"
                                " excluded.held_us"),
                       &r->requests);
    if (e == 0)
        e = db_prepare(db,
                       SPAN_LIT("INSERT INTO held VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO"
                                " UPDATE SET n = n + excluded.n"),
                       &r->held);
    if (e == 0)
        e = db_prepare(db,
                       SPAN_LIT("INSERT INTO caught VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1) ON"
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

int rollup_flush(struct rollup *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct rollup_sum *s = &r->sums[i];
        bool requests = s->table == ROLLUP_REQUESTS;
        struct db_stmt *q = requests ? r->requests : r->held;
        int at = 1;
        for (int k = 0; k < (requests ? 5 : 4); k++)
            db_bind_int(q, at++, s->key[k]);
        db_bind_int(q, at++, s->n);
        if (requests)
            db_bind_int(q, at, s->us);
        int e = db_run(q);
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

static int64_t floor_to(uint64_t time_us, int64_t step_s)
{
    int64_t s = (int64_t)(time_us / 1000000u);
    return s - s % step_s;
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
        .key = {floor_to(e->time, ROLLUP_STEP_S), app, model, test, k->action},
        .n = 1,
        .us = held,
    };
    err = add(r, &s);
    if (err < 0 || e->held_us == 0)
        return err;
    s = (struct rollup_sum){
        .table = ROLLUP_HELD,
        .key = {floor_to(e->time, ROLLUP_HOUR_S), app, test, rollup_class(e->held_us)},
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

static int heaviest_of_risk(const struct entry *e, struct span risk)
{
    int heaviest = ACTION_ALLOW;
    for (size_t i = 0; i < e->hit_count; i++)
        if (counts(&e->hits[i]) && span_eq(e->hits[i].risk, risk) &&
            action_of(&e->hits[i]) > heaviest)
            heaviest = action_of(&e->hits[i]);
    return heaviest;
}

static int count_caught(struct rollup *r, const int64_t key[7])
{
    for (int i = 0; i < 7; i++)
        db_bind_int(r->caught, i + 1, key[i]);
    return db_run(r->caught);
}

int rollup_add_act(struct rollup *r, struct names *n, const struct known *k, const struct entry *e)
{
    int64_t key[7] = {floor_to(e->time, ROLLUP_HOUR_S), 0, k->purpose != 0};
    int err = names_id(n, span_from(k->app_name, k->app_len), &key[1]);
    for (size_t i = 0; err == 0 && i < e->hit_count; i++) {
        const struct entry_hit *h = &e->hits[i];
        if (!counts(h))
            continue;
        err = names_id(n, h->risk, &key[3]);
        if (err == 0 && is_first(e, i, true)) {
            key[4] = key[5] = 0;
            key[6] = heaviest_of_risk(e, h->risk);
            err = count_caught(r, key);
        }
        if (err == 0 && is_first(e, i, false)) {
            err = names_id(n, h->rule, &key[4]);
            key[5] =
                span_eq(h->direction, SPAN_LIT("prompt")) ? DIRECTION_PROMPT : DIRECTION_COMPLETION;
            key[6] = action_of(h);
            if (err == 0)
                err = count_caught(r, key);
        }
    }
    return err;
}
