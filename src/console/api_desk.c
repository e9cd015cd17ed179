/*
 * Which filing it is, where its steps stand, and what is due when. What rooms below say as JSON is
 * handed on as it is.
 */
#include "console/areas.h"
#include "console/rulework.h"

#include "audit/rowjson.h"
#include "base/clock.h"
#include "base/day.h"
#include "filing/calendar.h"
#include "filing/progress.h"

#include <errno.h>
#include <inttypes.h>

#define MESSAGES_MAX ((size_t)65536)

static int whole(const struct api_answer *a)
{
    return a->body.max ? 0 : -ENOMEM;
}

/* The desk's file as it is. 0; 1: api_error() has filled the answer; negative. */
static int read_desk(const struct api *api, struct progress *ret, struct api_answer *a)
{
    struct buf messages = BUF_INIT(MESSAGES_MAX);
    int r = progress_read(api->state_dir, &messages, ret);
    int told = 0;
    if (r < 0 && r != -ENOMEM)
        told = rulework_refuse(a, 503, "unreadable", buf_span(&messages));
    buf_deinit(&messages);
    return r == 0 || r == -ENOMEM ? r : told < 0 ? told : 1;
}

/* Answers what noting something gave; 0 is left to the caller. */
static int refuse_noting(int r, struct span messages, struct api_answer *a)
{
    if (r == -EINVAL)
        return api_error(a, 400, "bad_parameter",
                         "A step, a day (YYYY-MM-DD) or a text of it is none.");
    return r == -ENOMEM ? r : rulework_refuse(a, 503, "not_noted", messages);
}

/* ---- the questionnaire ---- */

static void put_two(struct buf *out, const char *name, const char *zh, const char *en)
{
    rowjson_put(out, "{\"name\":");
    rowjson_string(out, span_str(name));
    rowjson_put(out, ",\"zh\":");
    rowjson_string(out, span_str(zh));
    rowjson_put(out, ",\"en\":");
    rowjson_string(out, span_str(en));
    rowjson_put(out, "}");
}

static void put_member(struct buf *out, const char *key, const char *text)
{
    rowjson_put(out, ",\"%s\":", key);
    rowjson_string(out, span_str(text));
}

static void put_question(const struct route_question *x, struct buf *out)
{
    rowjson_put(out, "{\"key\":");
    rowjson_string(out, span_str(x->key));
    put_member(out, "zh", x->zh);
    put_member(out, "en", x->en);
    put_member(out, "why_zh", x->why_zh);
    put_member(out, "why_en", x->why_en);
    put_member(out, "source", x->source);
    put_member(out, "note", route_mark_text(x->mark));
    if (x->detail) {
        put_member(out, "detail", x->detail);
        put_member(out, "detail_zh", x->detail_zh);
        put_member(out, "detail_en", x->detail_en);
    }
    rowjson_put(out, ",\"choices\":[");
    for (size_t i = 0; i < ROUTE_CHOICES && x->choices[i].name; i++) {
        rowjson_put(out, i ? "," : "");
        put_two(out, x->choices[i].name, x->choices[i].zh, x->choices[i].en);
    }
    rowjson_put(out, "]}");
}

/* What is asked, and how its outcome is called. */
static void put_frame(struct buf *out)
{
    rowjson_put(out, ",\"questions\":[");
    for (enum route_key k = 0; k < ROUTE_KEYS; k++) {
        rowjson_put(out, k ? "," : "");
        put_question(route_question(k), out);
    }
    rowjson_put(out, "],\"kinds\":[");
    for (unsigned bit = 1; bit < 1u << ROUTE_KINDS; bit <<= 1) {
        rowjson_put(out, bit > 1 ? "," : "");
        put_two(out, route_kind_name(bit), route_kind_zh(bit), route_kind_en(bit));
    }
    rowjson_put(out, "],\"parts\":[");
    for (enum route_part p = 0; p < ROUTE_PARTS; p++) {
        rowjson_put(out, p ? "," : "");
        put_two(out, route_part_name(p), route_part_zh(p), route_part_en(p));
    }
    rowjson_put(out, "]");
}

/* The advice, with which questions matter; the object stays open. */
static int put_advice(const struct route_answers *x, struct buf *out)
{
    struct route_advice d;
    bool more = false;
    route_decide(x, &d);
    int r = route_json(x, &d, out);
    if (r < 0)
        return r;
    out->len--;
    rowjson_put(out, ",\"asked\":[");
    for (enum route_key k = 0; k < ROUTE_KEYS; k++)
        if (route_is_asked(x, k)) {
            rowjson_put(out, "%s\"%s\"", more ? "," : "", route_question(k)->key);
            more = true;
        }
    rowjson_put(out, "]");
    return 0;
}

static int get_route(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct progress p;
    int r = read_desk(api, &p, a);
    if (r != 0)
        return r < 0 ? r : 0;
    struct route_answers none;
    route_begin(&none);
    r = put_advice(p.answered ? &p.answers : &none, &a->body);
    if (r == 0) {
        put_frame(&a->body);
        rowjson_put(&a->body, ",\"answered_us\":%" PRId64 ",\"answered_by\":",
                    p.answered ? p.answered_at * 1000000 : 0);
        rowjson_string(&a->body, p.answered ? p.answered_by : SPAN_LIT(""));
        rowjson_put(&a->body, "}");
    }
    progress_free(&p);
    return r < 0 ? r : whole(a);
}

struct reading {
    struct route_answers *answers;
    struct span wrong;
};

static int set_answer(void *ctx, struct span key, const struct json_value *value)
{
    struct reading *w = ctx;
    struct span text;
    w->wrong = key;
    if (value_is_null(value))
        return 0;
    return value_get_string(value, &text) && route_set(w->answers, key, text) == 0 ? 0 : 1;
}

/* The body's `answers`, an object of keys to choices. False: api_error() has filled the answer. */
static bool read_answers(const struct api_request *q, struct route_answers *ret,
                         struct api_answer *a)
{
    static const char *const names[] = {"answers", NULL};
    const struct json_value *object = value_get(q->body, SPAN_LIT("answers"));
    struct reading w = {.answers = ret};
    route_begin(ret);
    if (!rulework_only(q, names, a))
        return false;
    if (!value_is_object(object)) {
        api_error(a, 400, "bad_parameter", "'answers' is an object of questions and choices");
        return false;
    }
    if (value_each(object, set_answer, &w) == 0)
        return true;
    api_error(a, 400, "bad_answer", "'%.*s' is no question, or that is none of its choices",
              (int)(w.wrong.len < 64 ? w.wrong.len : 64), w.wrong.data);
    return false;
}

static int tell_advice(const struct route_answers *x, struct api_answer *a)
{
    int r = put_advice(x, &a->body);
    rowjson_put(&a->body, "}");
    return r < 0 ? r : whole(a);
}

static int post_try(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct route_answers x;
    return read_answers(q, &x, a) ? tell_advice(&x, a) : 0;
}

/* On record before it is done. False: api_error() has filled the answer. */
static bool is_recorded(const struct api *api, const struct api_request *q, const char *reason,
                        const struct buf *more, struct api_answer *a)
{
    if (api_record(api, q, span_str(reason), buf_span(more)) == 0)
        return true;
    api_error(a, 503, "not_recorded", "It can't be recorded, so it is not done.");
    return false;
}

static int post_route(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct route_answers x;
    if (!read_answers(q, &x, a))
        return 0;
    struct buf messages = BUF_INIT(MESSAGES_MAX), more = BUF_INIT(8192);
    int r = buf_append(&more, SPAN_LIT("\"answers\":"));
    if (r == 0)
        r = route_write(&x, &more);
    if (r == 0 && is_recorded(api, q, "filing_route", &more, a)) {
        r = progress_answer(api->state_dir, &x, q->user, clock_wall_s(), &messages);
        r = r == 0 ? tell_advice(&x, a) : refuse_noting(r, buf_span(&messages), a);
    }
    buf_deinit(&messages);
    buf_deinit(&more);
    return r;
}

/* ---- steps, changes and what is due ---- */

static bool read_day(const struct api_request *q, struct span *ret, struct api_answer *a)
{
    int64_t end;
    if (!rulework_line(q->body, "date", 1, 16, ret, a))
        return false;
    if (day_end(*ret, &end))
        return true;
    api_error(a, 400, "bad_day", "A day is YYYY-MM-DD.");
    return false;
}

/* What is over can't be of a later day. */
static bool is_of_day_to_come(struct span day, struct api_answer *a)
{
    if (progress_has_begun(day, clock_wall_s()))
        return false;
    api_error(a, 400, "bad_day", "Nothing is over on a day to come.");
    return true;
}

static int write_clock(const struct api *api, const struct progress *p, struct buf *out)
{
    struct buf unheard = BUF_INIT(MESSAGES_MAX);
    struct calendar_facts facts;
    struct calendar calendar;
    int64_t now = clock_wall_s();
    calendar_gather(api->config, api->rules, now, p, &unheard, &facts);
    buf_deinit(&unheard);
    calendar_judge(&facts, now, &calendar);
    return calendar_json(&calendar, p, out);
}

static int get_clock(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct progress p;
    if (!rulework_there(api, a))
        return 0;
    int r = read_desk(api, &p, a);
    if (r != 0)
        return r < 0 ? r : 0;
    r = write_clock(api, &p, &a->body);
    progress_free(&p);
    return r;
}

static bool read_step(const struct api_request *q, struct progress_note *n, struct api_answer *a)
{
    static const char *const names[] = {"step", "state", "date", "note", NULL};
    struct span step, state;
    if (!rulework_only(q, names, a) || !rulework_line(q->body, "step", 1, 16, &step, a) ||
        !rulework_line(q->body, "state", 1, 16, &state, a) || !read_day(q, &n->date, a) ||
        !rulework_line(q->body, "note", 0, PROGRESS_NOTE_MAX, &n->note, a))
        return false;
    n->step = 0;
    while (n->step < PROGRESS_TRACKS && !span_eq(step, span_str(progress_step_name(n->step))))
        n->step++;
    n->state = progress_state_from(state);
    if (n->step == PROGRESS_TRACKS || n->state == STEP_STATES)
        api_error(a, 400, "bad_parameter", "There is no such step or state.");
    return n->step < PROGRESS_TRACKS && n->state < STEP_STATES &&
           (n->state < STEP_DONE || !is_of_day_to_come(n->date, a));
}

static int post_step(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct progress_note n = {.author = q->user, .at = clock_wall_s()};
    struct buf messages = BUF_INIT(MESSAGES_MAX), more = BUF_INIT(8192);
    int r = 0;
    if (read_step(q, &n, a)) {
        api_member(&more, "step", span_str(progress_step_name(n.step)));
        api_member(&more, "state", span_str(progress_state_name(n.state)));
        api_member(&more, "day", n.date);
        api_member(&more, "text", n.note);
        if (is_recorded(api, q, "filing_step", &more, a)) {
            r = progress_note(api->state_dir, &n, &messages);
            r = r == 0 ? buf_append(&a->body, SPAN_LIT("{\"done\":1}"))
                       : refuse_noting(r, buf_span(&messages), a);
        }
    }
    buf_deinit(&messages);
    buf_deinit(&more);
    return r;
}

static int post_change(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"date", "what", NULL};
    struct progress_change c = {.author = q->user, .at = clock_wall_s()};
    struct buf messages = BUF_INIT(MESSAGES_MAX), more = BUF_INIT(8192);
    int64_t number = 0;
    int r = 0;
    if (rulework_only(q, names, a) && read_day(q, &c.date, a) &&
        rulework_line(q->body, "what", 1, PROGRESS_NOTE_MAX, &c.what, a)) {
        api_member(&more, "what", c.what);
        api_member(&more, "day", c.date);
        if (is_recorded(api, q, "filing_change", &more, a)) {
            r = progress_add_change(api->state_dir, &c, &messages, &number);
            r = r == 0 ? buf_printf(&a->body, "{\"number\":%" PRId64 "}", number)
                       : refuse_noting(r, buf_span(&messages), a);
        }
    }
    buf_deinit(&messages);
    buf_deinit(&more);
    return r;
}

/* Is it one that waits to be reported, and was made by then? False: api_error() has filled the
 * answer, or *ret is < 0. */
static bool is_unreported(const struct api *api, unsigned long long number, struct span day,
                          int *ret, struct api_answer *a)
{
    struct progress p;
    const struct progress_change *found = NULL;
    *ret = read_desk(api, &p, a);
    if (*ret != 0) {
        *ret = *ret < 0 ? *ret : 0;
        return false;
    }
    for (size_t i = 0; i < p.change_count && !found; i++)
        if ((unsigned long long)p.changes[i].number == number)
            found = &p.changes[i];
    bool open = found && found->reported.len == 0;
    if (!found)
        *ret = api_error(a, 404, "not_found", "There is no such change.");
    else if (!open)
        *ret = api_error(a, 409, "too_late", "It was reported already.");
    else if (!(open = progress_may_report(found, day)))
        *ret = api_error(a, 400, "bad_day", "The change was made on a later day.");
    progress_free(&p);
    return open;
}

static int post_reported(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"date", NULL};
    struct buf messages = BUF_INIT(MESSAGES_MAX), more = BUF_INIT(1024);
    unsigned long long number = 0;
    struct span day;
    int r = 0;
    if (!span_to_u64(q->parts[0], &number))
        number = 0; /* none has it */
    if (rulework_only(q, names, a) && read_day(q, &day, a) && !is_of_day_to_come(day, a) &&
        is_unreported(api, number, day, &r, a)) {
        buf_printf(&more, "\"number\":%llu", number);
        api_member(&more, "day", day);
        if (is_recorded(api, q, "filing_reported", &more, a)) {
            r = progress_report_change(api->state_dir, (int64_t)number, day, q->user, &messages);
            r = r == 0 ? buf_append(&a->body, SPAN_LIT("{\"done\":1}"))
                       : refuse_noting(r, buf_span(&messages), a);
        }
    }
    buf_deinit(&messages);
    buf_deinit(&more);
    return r;
}

/* Who keeps the rules, and who runs the gateway, note what was done for the filing. */
const struct api_route api_desk_routes[] = {
    {"GET", "/api/filing/route", MAY_SEE, get_route},
    {"POST", "/api/filing/route", MAY_PUBLISH | MAY_APPS, post_route},
    {"POST", "/api/filing/route/try", MAY_SEE, post_try},
    {"GET", "/api/filing/clock", MAY_SEE, get_clock},
    {"POST", "/api/filing/steps", MAY_PUBLISH | MAY_APPS, post_step},
    {"POST", "/api/filing/changes", MAY_PUBLISH | MAY_APPS, post_change},
    {"POST", "/api/filing/changes/{number}", MAY_PUBLISH | MAY_APPS, post_reported},
    {NULL},
};
