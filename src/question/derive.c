#include "question/deriveway.h"

#include "base/utf8.h"
#include "question/bankline.h"

#include <errno.h>
#include <stdio.h>

#define LONG_TEXT 6000 /* bytes of {long}, at least */
#define HEAD      4    /* characters of {head} */

struct making {
    const struct derivation *d;
    const struct derive_table *table;
    const struct question *seed;
    const struct derive_way *way;
    uint64_t random;
    struct buf written; /* the seed as the way writes it */
    struct buf form;    /* a form, filled */
};

const struct derive_technique *derive_technique_get(unsigned number)
{
    return &derive_entries[number].told;
}

/* ---- forms ---- */

/* The part of the seed between two of its thirds, at characters. */
static struct span third(struct span text, unsigned which)
{
    size_t from = utf8_floor(text, text.len * (which - 1) / 3);
    size_t to = which == 3 ? text.len : utf8_floor(text, text.len * which / 3);
    return span_slice(text, from, to);
}

static int append_long(struct making *m, struct buf *out)
{
    size_t before = out->len;
    int r = 0;
    while (r == 0 && out->len - before < LONG_TEXT)
        r = buf_append(out,
                       span_str(derive_fillers[derive_random(&m->random) % derive_filler_count]));
    return r;
}

static int append_head(struct span text, struct buf *out)
{
    int r = 0;
    for (unsigned i = 0; i < HEAD && text.len && r == 0; i++) {
        uint32_t cp;
        int n = utf8_decode(text, false, &cp);
        if (i)
            r = buf_append(out, SPAN_LIT("、"));
        if (r == 0)
            r = buf_append(out, span_slice(text, 0, (size_t)n));
        text = span_slice(text, (size_t)n, text.len);
    }
    return r;
}

/* One placeholder at the start of the form; its length, 0 when there is none; negative on errors.
 */
static int append_placeholder(struct making *m, struct span form, struct buf *out)
{
    struct span seed = m->seed->text;
    int r = 0;
    if (span_starts(form, SPAN_LIT("{}"))) {
        r = buf_append(out, m->way->write ? buf_span(&m->written) : seed);
        return r < 0 ? r : 2;
    }
    if (form.len >= 3 && form.data[1] >= '1' && form.data[1] <= '3' && form.data[2] == '}') {
        r = buf_append(out, third(seed, (unsigned)(form.data[1] - '0')));
        return r < 0 ? r : 3;
    }
    if (span_starts(form, SPAN_LIT("{long}"))) {
        r = append_long(m, out);
        return r < 0 ? r : 6;
    }
    if (span_starts(form, SPAN_LIT("{head}"))) {
        r = append_head(seed, out);
        return r < 0 ? r : 6;
    }
    return 0;
}

static int fill(struct making *m, struct span form, struct buf *out)
{
    int r = 0;
    buf_clear(out);
    while (form.len && r == 0) {
        int n = form.data[0] == '{' ? append_placeholder(m, form, out) : 0;
        if (n == 0) {
            n = 1;
            r = buf_append_char(out, form.data[0]);
        }
        if (n < 0)
            return n;
        form = span_slice(form, (size_t)n, form.len);
    }
    return r;
}

static int build_turns(struct making *m, struct json_value **ret)
{
    struct json_value *list = value_array();
    int r = list ? 0 : -ENOMEM;
    for (const struct derive_turn *t = m->way->turns; t->role && r == 0; t++) {
        struct json_value *turn = value_object();
        r = turn ? fill(m, span_str(t->form), &m->form) : -ENOMEM;
        if (r == 0)
            r = value_set(turn, SPAN_LIT("role"), value_string(span_str(t->role)));
        if (r == 0)
            r = value_set(turn, SPAN_LIT("content"), value_string(buf_span(&m->form)));
        if (r == 0)
            r = value_append(list, turn);
        else
            value_free(turn);
    }
    if (r < 0)
        value_free(list);
    else
        *ret = list;
    return r;
}

/* ---- one question ---- */

#define UNFIT 1

/* Writes the seed in other characters. UNFIT when that changes nothing. */
static int write_seed(struct making *m)
{
    buf_clear(&m->written);
    if (!m->way->write)
        return 0;
    struct writing w = {
        .table = m->table,
        .text = m->seed->text,
        .random = derive_random(&m->random),
        .out = &m->written,
    };
    int r = m->way->write(&w);
    if (r == -EMSGSIZE)
        return UNFIT;
    if (r == 0 && (m->written.len == 0 || span_eq(buf_span(&m->written), m->seed->text)))
        return UNFIT;
    return r;
}

static bool name_it(const struct question *seed, unsigned technique, unsigned nth,
                    char ret_id[BANK_ID_MAX + 16])
{
    char name[4];
    int n = snprintf(ret_id, BANK_ID_MAX + 16, "%.*s-%s", SPAN_ARG(seed->id),
                     bank_technique(technique, name));
    if (nth > 1)
        n += snprintf(ret_id + n, (size_t)(BANK_ID_MAX + 16 - n), "-%u", nth);
    return n <= BANK_ID_MAX;
}

/*
 * Appends one derived question. 0, UNFIT, or negative. A conversation is unfit: its question alone,
 * wrapped, would ask something else than it does behind its turns.
 */
static int make(struct making *m, unsigned technique, unsigned nth, struct buf *out)
{
    char id[BANK_ID_MAX + 16];
    struct json_value *turns = NULL;
    struct question q = *m->seed;
    int r = q.messages ? UNFIT : write_seed(m);
    if (r != 0)
        return r;
    if (!name_it(m->seed, technique, nth, id))
        return UNFIT;
    if (m->way->turns) {
        r = build_turns(m, &turns);
    } else {
        r = fill(m, span_str(m->way->form), &m->form);
        q.text = buf_span(&m->form);
    }
    q.id = span_str(id);
    q.seed = m->seed->id;
    q.technique = technique;
    q.messages = turns;
    if (r == -EMSGSIZE || (r == 0 && bank_text_fault(q.text, BANK_TEXT_MAX, true)))
        r = UNFIT;
    if (r == 0)
        r = bank_write(&q, out);
    value_free(turns);
    return r;
}

/* ---- all ---- */

/* So that one question's wraps depend on nothing but the number, the question and the way. */
static uint64_t random_of(uint64_t seed, struct span id, unsigned technique, unsigned way)
{
    uint64_t state = seed;
    for (size_t i = 0; i < id.len; i++)
        state = derive_random(&state) ^ (unsigned char)id.data[i];
    state ^= (uint64_t)technique << 32 | way;
    return derive_random(&state);
}

static bool suits(const struct derive_entry *e, const struct question *q)
{
    if (!(e->told.kinds >> q->kind & 1))
        return false;
    return !e->groups ||
           (q->risk && span_find(span_str(e->groups), q->risk->group) < strlen(e->groups));
}

/* As many ways as asked for, from one on that chance chooses; those in vain are passed over. */
static int make_all(struct making *m, unsigned technique, struct buf *out,
                    struct derive_counts *counts)
{
    const struct derive_entry *e = &derive_entries[technique];
    unsigned first = (unsigned)(random_of(m->d->seed, m->seed->id, technique, 0) % e->told.shapes);
    unsigned made = 0;
    for (unsigned i = 0; i < e->told.shapes && made < m->d->per; i++) {
        unsigned which = (first + i) % e->told.shapes;
        m->way = &e->ways[which];
        m->random = random_of(m->d->seed, m->seed->id, technique, which + 1);
        int r = make(m, technique, made + 1, out);
        if (r < 0)
            return r;
        made += r == 0;
    }
    counts->made[technique] += made;
    counts->unfit[technique] += made == 0;
    return 0;
}

int derive_questions(const struct derivation *d, struct buf *out, struct derive_counts *ret)
{
    struct derive_table table;
    struct making m = {
        .d = d,
        .table = &table,
        .written = BUF_INIT(16 * BANK_TEXT_MAX),
        .form = BUF_INIT(BANK_MESSAGES_MAX),
    };
    *ret = (struct derive_counts){0};
    int r = derive_table_read(d->rules_dir, d->rules, d->bank, &table);
    for (size_t i = 0; i < bank_count(d->bank) && r == 0; i++) {
        m.seed = bank_at(d->bank, i);
        if (m.seed->seed.len || (d->wanted && !d->wanted(d->ctx, m.seed)))
            continue;
        ret->seeds++;
        for (unsigned t = 1; t <= BANK_TECHNIQUES && r == 0; t++)
            if (d->techniques >> t & 1 && suits(&derive_entries[t], m.seed))
                r = make_all(&m, t, out, ret);
    }
    buf_deinit(&m.written);
    buf_deinit(&m.form);
    derive_table_free(&table);
    return r;
}
