/* What the calendar judges, read from where it stands. */
#include "filing/calendar.h"

#include "audit/query.h"
#include "base/day.h"
#include "base/utf8.h"
#include "casebook/casebook.h"
#include "evaluation/run.h"
#include "filing/changes.h"
#include "filing/disclosure.h"
#include "question/bankdate.h"

#include <errno.h>
#include <stdio.h>

#define TEXT_MAX   (64u << 20)
#define BUDGET_US  5000000 /* for the oldest record */
#define RUNS_TRIED 8       /* going back, to find one that ended */

static void complain(struct buf *messages, const char *what, int r)
{
    buf_printf(messages, "%s: %s\n", what, strerror(-r));
}

/* ---- files ---- */

static int64_t read_banks(const struct config *c, const struct ruleset *rules, int64_t now,
                          struct buf *messages)
{
    struct bank *b = NULL;
    int r = bank_read(c->rules_dir, rules, messages, &b);
    int64_t at = r == 0 ? bankdate_read(c->state_dir, c->rules_dir, b, now) : 0;
    bank_free(b);
    return at;
}

/* When the run ended; 0: it has not. */
static int64_t ended(struct span state_dir, struct span name, struct buf *messages)
{
    struct run *run = NULL;
    int64_t at = 0;
    if (run_open(state_dir, name, false, messages, &run) < 0)
        return 0;
    for (size_t i = run_event_count(run); i > 0 && !at && run_is_complete(run); i--)
        if (span_eq(run_event(run, i - 1)->name, SPAN_LIT("end")))
            at = (int64_t)(run_event(run, i - 1)->time / 1000000);
    run_free(run);
    return at;
}

static int64_t read_runs(struct span state_dir, struct buf *messages)
{
    struct run_names names;
    int64_t at = 0;
    int r = run_list(state_dir, &names);
    if (r < 0) {
        complain(messages, "evaluations can't be read", r);
        return 0;
    }
    for (size_t i = 0; i < names.count && i < RUNS_TRIED && !at; i++)
        at = ended(state_dir, span_str(names.names[i]), messages);
    run_names_free(&names);
    return at;
}

/* ---- the log ---- */

static int64_t read_log(const struct config *c, struct buf *messages)
{
    struct query_filter f = {
        .all = true, .any_purpose = true, .limit = 1, .oldest_first = true, .budget_us = BUDGET_US};
    const struct query_row *row;
    struct query *q = NULL;
    int64_t at = 0;
    int r = query_open(c->audit.dir, &f, &q);
    if (r == 0 && (r = query_next(q, &row)) == 1)
        at = (int64_t)(row->entry.time / 1000000);
    query_close(q);
    if (r < 0 && r != -ENOENT)
        complain(messages, "the log can't be read", r);
    return at;
}

/* ---- the casebook ---- */

static int64_t number_of(const struct json_value *v, const char *key)
{
    int64_t n = 0;
    value_get_integer(value_get(v, span_str(key)), &n);
    return n;
}

static void count_ticket(struct calendar_facts *f, const struct json_value *v, int64_t now)
{
    int64_t due = number_of(v, "due_us") / 1000000;
    f->complaints_open++;
    if (due < now)
        f->complaints_overdue++;
    else if (!f->complaint_due || due < f->complaint_due)
        f->complaint_due = due;
}

static int read_tickets(struct casebook *book, struct span state, int64_t now,
                        struct calendar_facts *f)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct casebook_page page = {.state = state};
    int r = casebook_tickets(book, &page, &text);
    struct json_value *list = r == 0 ? value_parse(buf_span(&text), NULL) : NULL;
    if (r == 0 && !list)
        r = -ENOMEM;
    for (size_t i = 0; i < value_count(list); i++)
        count_ticket(f, value_at(list, i), now);
    value_free(list);
    buf_deinit(&text);
    return r;
}

/* All but the closed ones: those that were reported still want their end. */
static int read_incidents(struct casebook *book, struct calendar_facts *f)
{
    static const char *const open[] = {"open", "working", "reported"};
    int r = 0;
    for (unsigned i = 0; i < sizeof(open) / sizeof(*open) && r == 0; i++) {
        struct buf text = BUF_INIT(TEXT_MAX);
        struct casebook_page page = {.state = span_str(open[i])};
        r = casebook_incidents(book, &page, &text);
        struct json_value *list = r == 0 ? value_parse(buf_span(&text), NULL) : NULL;
        f->incidents_open += (unsigned)value_count(list);
        if (r == 0 && !list)
            r = -ENOMEM;
        value_free(list);
        buf_deinit(&text);
    }
    return r;
}

static void read_book(const struct config *c, int64_t now, struct buf *messages,
                      struct calendar_facts *f)
{
    struct casebook_options o = {.state_dir = c->state_dir,
                                 .log_dir = c->audit.dir,
                                 .due_us = (uint64_t)c->complaints.due_ms * 1000};
    struct casebook *book = NULL;
    int r = casebook_open(&o, &book);
    if (r == 0)
        r = read_tickets(book, SPAN_LIT("open"), now, f);
    if (r == 0)
        r = read_tickets(book, SPAN_LIT("working"), now, f);
    if (r == 0)
        r = read_incidents(book, f);
    casebook_close(book);
    f->book_known = r == 0;
    if (r < 0 && r != -ENOENT)
        complain(messages, "the casebook can't be read", r);
}

/* ---- configuration, and what was noted ---- */

/* As much of the text as fits, and no half of a character: the calendar becomes JSON. */
static void keep(char *to, size_t size, struct span text)
{
    size_t len = text.len < size ? text.len : utf8_floor(text, size - 1);
    snprintf(to, size, "%.*s", (int)len, text.len ? text.data : "");
}

static void read_contracts(const struct config *c, struct calendar_facts *f)
{
    for (size_t i = 0; i < c->upstream_count; i++)
        for (size_t k = 0; k < c->upstreams[i].model_count; k++) {
            const struct config_model *m = &c->upstreams[i].models[k];
            int64_t end;
            if (!day_end(m->contract_until, &end)) {
                f->contracts_untold++;
            } else if (!f->contract_until || end < f->contract_until) {
                f->contract_until = end;
                keep(f->contract_model, sizeof(f->contract_model),
                     m->display_name.len ? m->display_name : m->id);
            }
        }
}

static void read_service(const struct config *c, const struct progress *p, int64_t now,
                         struct calendar_facts *f)
{
    struct buf missing = BUF_INIT(1u << 20);
    f->display_missing = disclosure_missing(&(struct disclosure){.config = c}, &missing);
    struct span rest = buf_span(&missing), first = SPAN_LIT("");
    span_split(&rest, '\n', &first);
    keep(f->display_first, sizeof(f->display_first), first);
    buf_deinit(&missing);
    if (!day_end(c->service.launched, &f->launched) &&
        !day_end(span_str(route_detail(&p->answers, ROUTE_ONLINE)), &f->launched))
        f->launched = 0;
    const struct progress_note *number = progress_step(p, PROGRESS_STEPS - 1);
    f->display_due = (f->launched && f->launched - CALENDAR_DAY_SECONDS <= now) ||
                     (number && number->state == STEP_DONE);
    f->algorithm_numbered = c->service.algorithm_number.len > 0;
    f->retention_days = c->audit.retention.records;
}

static void read_holidays(const struct config *c, struct calendar_facts *f)
{
    for (size_t i = 0; i < c->service.holiday_count && i < CONFIG_HOLIDAYS_MAX; i++)
        f->holiday_count += day_end(c->service.holidays[i], &f->holidays[f->holiday_count]);
    for (size_t i = 0; i < c->service.workday_count && i < CONFIG_HOLIDAYS_MAX; i++)
        f->workday_count += day_end(c->service.workdays[i], &f->workdays[f->workday_count]);
}

static void read_noted(const struct progress *p, struct calendar_facts *f)
{
    const struct progress_note *n = progress_step(p, PROGRESS_ALGORITHM);
    struct route_advice d;
    if (n && n->state == STEP_DONE)
        day_end(n->date, &f->algorithm_submitted);
    route_decide(&p->answers, &d);
    f->algorithm_off = p->answered && !((d.due | d.possible) & ROUTE_ALGORITHM);
    for (size_t i = 0; i < p->change_count; i++) {
        int64_t end;
        if (p->changes[i].reported.len || !day_end(p->changes[i].date, &end))
            continue;
        f->changes_open++;
        if (!f->change_from || end < f->change_from)
            f->change_from = end;
    }
}

void calendar_gather(const struct config *c, const struct ruleset *rules, int64_t now,
                     const struct progress *p, struct buf *messages,
                     struct calendar_facts *ret_facts)
{
    const struct standard *standard = ruleset_standard(rules);
    struct calendar_facts f = {.library_days = standard->keyword_days,
                               .bank_days = standard->question_days};
    f.library_changed = changes_newest(c->state_dir);
    f.bank_changed = read_banks(c, rules, now, messages);
    f.evaluated = read_runs(c->state_dir, messages);
    f.log_since = read_log(c, messages);
    read_service(c, p, now, &f);
    read_holidays(c, &f);
    read_contracts(c, &f);
    read_noted(p, &f);
    read_book(c, now, messages, &f);
    *ret_facts = f;
}
