/* What a dossier knows of the log and of what people decided about it. */
#include "filing/dossierparts.h"

#include "audit/checkpoint.h"
#include "audit/overview.h"
#include "audit/query.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "json/value.h"

#include <errno.h>
#include <stdlib.h>

#define JSON_MAX ((size_t)64 << 20)
#define PAGE     500 /* tickets of one reading */

static int64_t number(const struct json_value *object, const char *key)
{
    int64_t n = 0;
    value_get_integer(value_get(object, span_str(key)), &n);
    return n;
}

static bool is_true(const struct json_value *object, const char *key)
{
    bool yes = false;
    value_get_boolean(value_get(object, span_str(key)), &yes);
    return yes;
}

static struct span text_of(const struct json_value *object, const char *key)
{
    struct span text = SPAN_LIT("");
    value_get_string(value_get(object, span_str(key)), &text);
    return text;
}

/* --- traffic --- */

static const char *const action_keys[ACTION_COUNT] = {"allow", "flag", "mask", "answer", "block"};

static int take_risks(const struct json_value *risks, struct dossier_traffic *t)
{
    size_t count = value_count(risks);
    t->risks = calloc(count + 1, sizeof(*t->risks));
    if (!t->risks)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct json_value *row = value_at(risks, i);
        struct dossier_risk *risk = &t->risks[t->risk_count++];
        struct span id = text_of(row, "risk");
        size_t n = id.len < sizeof(risk->risk) - 1 ? id.len : sizeof(risk->risk) - 1;
        memcpy(risk->risk, id.data, n);
        for (int a = ACTION_FLAG; a < ACTION_COUNT; a++)
            risk->actions[a] = (uint64_t)number(row, action_keys[a]);
    }
    return 0;
}

static int take_traffic(const struct json_value *o, struct dossier_traffic *t)
{
    const struct json_value *buckets = value_get(o, SPAN_LIT("buckets"));
    for (size_t i = 0; i < value_count(buckets); i++) {
        t->requests += (uint64_t)number(value_at(buckets, i), "requests");
        for (int a = 0; a < ACTION_COUNT; a++)
            t->actions[a] += (uint64_t)number(value_at(buckets, i), action_keys[a]);
    }
    const struct json_value *held = value_get(o, SPAN_LIT("held"));
    t->held_p50_us = (uint64_t)number(held, "p50_us");
    t->held_p95_us = (uint64_t)number(held, "p95_us");
    t->complete = is_true(o, "complete");
    t->known = true;
    return take_risks(value_get(o, SPAN_LIT("risks")), t);
}

int dossier_read_traffic(struct dossier *d)
{
    struct overview_filter f = {.since_us = d->o.since_us, .until_us = d->o.until_us};
    struct buf text = BUF_INIT(JSON_MAX);
    int r = buf_append_char(&text, '{');
    if (r == 0)
        r = overview_write(d->config->audit.dir, &f, &text);
    if (r == 0)
        r = buf_append_char(&text, '}');
    struct json_value *o = r == 0 ? value_parse(buf_span(&text), NULL) : NULL;
    if (o)
        r = take_traffic(o, &d->traffic);
    else if (r != -ENOMEM)
        dossier_doubt(d, "the log's sums", r);
    value_free(o);
    buf_deinit(&text);
    return r == -ENOMEM ? r : 0;
}

/* --- the log itself --- */

static void read_first(struct dossier *d)
{
    struct query_filter f = {.all = true, .any_purpose = true, .oldest_first = true, .limit = 1};
    const struct query_row *row;
    struct query *q = NULL;
    if (query_open(d->config->audit.dir, &f, &q) < 0)
        return;
    if (query_next(q, &row) == 1)
        d->log.first_us = row->entry.time;
    query_close(q);
}

static bool is_over(void *ctx, uint64_t records)
{
    return clock_mono_ms() >= *(const uint64_t *)ctx;
}

static void verify(struct dossier *d)
{
    uint64_t until = clock_mono_ms() + d->o.verify_ms;
    struct verify_options o = {.dir = d->config->audit.dir, .is_over = is_over, .ctx = &until};
    struct verify_report report;
    int r = verify_run(&o, &report);
    d->log.verified = report.records;
    if (r == 0 || r == 1)
        d->log.verify = r == 0 ? DOSSIER_WHOLE : DOSSIER_DAMAGED;
    else
        dossier_doubt(d, "whether the log is whole", r);
}

void dossier_read_log(struct dossier *d)
{
    struct checkpoint_line line;
    int r = query_last_seq(d->config->audit.dir, &d->log.records);
    if (r < 0) {
        dossier_doubt(d, "the log", r);
        return;
    }
    d->log.known = true;
    read_first(d);
    if (checkpoint_last(d->config->audit.dir, &line) == 1) {
        d->log.checkpoint_us = line.time_us;
        d->log.checkpoint_seq = line.size;
    }
    if (d->o.verify_ms)
        verify(d);
}

/* --- people --- */

typedef int (*page_fn)(struct casebook *c, const struct casebook_page *p, struct buf *out);

/* Counts all tickets, or incidents; those that are neither answered, reported nor closed are open.
 */
static int count_all(struct casebook *c, page_fn fn, int64_t *ret_all, int64_t *ret_open,
                     int64_t *ret_overdue)
{
    struct casebook_page page = {.limit = PAGE};
    int64_t all = 0, open = 0, overdue = 0;
    int r = 0;
    for (size_t got = PAGE; r == 0 && got == PAGE;) {
        struct buf text = BUF_INIT(JSON_MAX);
        r = fn(c, &page, &text);
        struct json_value *rows = r == 0 ? value_parse(buf_span(&text), NULL) : NULL;
        buf_deinit(&text);
        if (!rows)
            return r < 0 ? r : -ENOMEM;
        got = value_count(rows);
        for (size_t i = 0; i < got; i++) {
            const struct json_value *row = value_at(rows, i);
            struct span state = text_of(row, "state");
            page.before = number(row, "id");
            all++;
            open += span_eq(state, SPAN_LIT("open")) || span_eq(state, SPAN_LIT("working"));
            overdue += is_true(row, "overdue");
        }
        value_free(rows);
    }
    *ret_all = all;
    *ret_open = open;
    if (ret_overdue)
        *ret_overdue = overdue;
    return r;
}

static int read_totals(struct dossier *d, struct casebook *c)
{
    struct dossier_people *p = &d->people;
    struct buf text = BUF_INIT(65536);
    int r = casebook_totals(c, d->o.since_us, d->o.until_us, &text);
    struct json_value *o = r == 0 ? value_parse(buf_span(&text), NULL) : NULL;
    buf_deinit(&text);
    if (!o)
        return r < 0 ? r : -ENOMEM;
    p->interceptions = number(o, "interceptions");
    p->reviewed = number(o, "done");
    p->correct = number(o, "correct");
    p->false_positive = number(o, "false_positive");
    p->unsure = number(o, "unsure");
    value_free(o);
    return 0;
}

int dossier_read_people(struct dossier *d)
{
    const struct config *config = d->config;
    struct casebook_options o = {
        .state_dir = config->state_dir,
        .log_dir = config->audit.dir,
        .share = config->reviews.share,
        .second = config->reviews.second,
        .due_us = (uint64_t)config->complaints.due_ms * 1000,
    };
    struct casebook *c = NULL;
    d->people = (struct dossier_people){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    if (!d->log.known) /* nothing was decided about nothing: that is no zero to report */
        return 0;
    int r = casebook_open(&o, &c);
    if (r == 0)
        r = casebook_refresh(c);
    if (r == 0)
        r = read_totals(d, c);
    if (r == 0)
        r = count_all(c, casebook_tickets, &d->people.complaints, &d->people.complaints_open,
                      &d->people.complaints_overdue);
    if (r == 0)
        r = count_all(c, casebook_incidents, &d->people.incidents, &d->people.incidents_open, NULL);
    if (r < 0)
        dossier_doubt(d, "reviews, complaints and incidents", r);
    casebook_close(c);
    return r == -ENOMEM ? r : 0;
}
