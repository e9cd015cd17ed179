/* An act as text, and what of it makes sense. */
#include "casebook/book.h"

#include "base/clock.h"
#include "base/day.h"
#include "base/utf8.h"
#include "config/value.h"
#include "json/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *code;
} verbs[CASEBOOK_VERBS] = {
    {"review", "review"},         {"assign", "review_assign"}, {"sample", "review_sample"},
    {"signoff", "signoff"},       {"complaint", "complaint"},  {"ticket", "ticket"},
    {"opening", "incident_open"}, {"incident", "incident"},    {"export", "export"},
};
static const char *const verdicts[VERDICT_COUNT] = {"", "correct", "false_positive", "unsure"};

const char *casebook_verdict_name(enum casebook_verdict v)
{
    return verdicts[v];
}

const char *act_code(enum casebook_verb v)
{
    return verbs[v].code;
}

/* The texts of an act by their key, for writing and reading. */
static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"author", offsetof(struct casebook_act, author)},
    {"login", offsetof(struct casebook_act, login)},
    {"client_ip", offsetof(struct casebook_act, client_ip)},
    {"day", offsetof(struct casebook_act, day)},
    {"note", offsetof(struct casebook_act, note)},
    {"to", offsetof(struct casebook_act, to)},
    {"kind", offsetof(struct casebook_act, kind)},
    {"text", offsetof(struct casebook_act, text)},
    {"contact", offsetof(struct casebook_act, contact)},
    {"state", offsetof(struct casebook_act, state)},
    {"title", offsetof(struct casebook_act, title)},
    {"what", offsetof(struct casebook_act, what)},
    {"impact", offsetof(struct casebook_act, impact)},
    {"measures", offsetof(struct casebook_act, measures)},
    {"remedy", offsetof(struct casebook_act, remedy)},
    {"responsible", offsetof(struct casebook_act, responsible)},
};
#define TEXTS (sizeof(texts) / sizeof(*texts))

static struct span text_of(const struct casebook_act *a, size_t i)
{
    struct span s;
    memcpy(&s, (const char *)a + texts[i].offset, sizeof(s));
    return s;
}

int casebook_write_act(const struct casebook_act *act, struct buf *out)
{
    int r = buf_append_char(out, '{');
    book_json(out, "verb", span_str(verbs[act->verb].name));
    for (size_t i = 0; i < TEXTS; i++)
        if (text_of(act, i).len)
            book_json(out, texts[i].key, text_of(act, i));
    if (act->verdict)
        book_json(out, "verdict", span_str(verdicts[act->verdict]));
    book_json_int(out, "second", act->second);
    book_json_int(out, "number", act->number);
    book_json_int(out, "since_us", (int64_t)act->since_us);
    book_json_int(out, "until_us", (int64_t)act->until_us);
    book_json_int(out, "at_us", (int64_t)act->at_us);
    book_json_int(out, "percent", act->percent);
    book_json_int(out, "actions", act->actions);
    buf_append(out, SPAN_LIT(",\"requests\":["));
    for (size_t i = 0; i < act->request_count; i++) {
        if (i)
            buf_append_char(out, ',');
        book_json_text(out, act->requests[i]);
    }
    return r < 0 ? r : buf_append(out, SPAN_LIT("]}"));
}

static bool keep(struct arena *a, const struct json_value *v, const char *key, struct span *ret)
{
    struct span text;
    const struct json_value *member = value_get(v, span_str(key));
    if (!member)
        return true;
    if (!value_get_string(member, &text))
        return false;
    *ret = arena_copy(a, text);
    return ret->data != NULL;
}

static bool number_of(const struct json_value *v, const char *key, int64_t max, int64_t *ret)
{
    const struct json_value *member = value_get(v, span_str(key));
    *ret = 0;
    return !member || (value_get_integer(member, ret) && *ret >= 0 && *ret <= max);
}

static bool read_numbers(const struct json_value *v, struct casebook_act *act)
{
    int64_t second, since, until, at, percent, actions;
    bool good = number_of(v, "second", 1, &second) &&
                number_of(v, "number", INT64_MAX, &act->number) &&
                number_of(v, "since_us", INT64_MAX, &since) &&
                number_of(v, "until_us", INT64_MAX, &until) &&
                number_of(v, "at_us", INT64_MAX, &at) && number_of(v, "percent", 100, &percent) &&
                number_of(v, "actions", (1 << ACTION_COUNT) - 1, &actions);
    if (!good)
        return false;
    act->second = second;
    act->since_us = (uint64_t)since;
    act->until_us = (uint64_t)until;
    act->at_us = (uint64_t)at;
    act->percent = (unsigned)percent;
    act->actions = (unsigned)actions;
    return true;
}

static bool read_requests(const struct json_value *v, struct arena *arena, struct casebook_act *act)
{
    const struct json_value *list = value_get(v, SPAN_LIT("requests"));
    size_t n = value_count(list);
    if (!list)
        return true;
    if (!value_is_array(list) || n > CASEBOOK_SAMPLE_MAX)
        return false;
    struct span *ids = arena_alloc(arena, (n + 1) * sizeof(*ids)), text;
    for (size_t i = 0; ids && i < n; i++) {
        if (!value_get_string(value_at(list, i), &text))
            return false;
        ids[i] = arena_copy(arena, text);
        if (!ids[i].data)
            return false;
    }
    act->requests = ids;
    act->request_count = n;
    return ids != NULL;
}

int casebook_read_act(struct span text, struct arena *arena, struct casebook_act *ret_act)
{
    struct casebook_act a = {.verb = CASEBOOK_VERBS};
    struct json_value *v = value_parse(text, NULL);
    struct span verb, verdict = SPAN_NULL;
    if (v && value_get_string(value_get(v, SPAN_LIT("verb")), &verb))
        for (a.verb = 0; a.verb < CASEBOOK_VERBS && !span_eq(verb, span_str(verbs[a.verb].name));
             a.verb++)
            ;
    bool good = a.verb < CASEBOOK_VERBS && read_numbers(v, &a) && read_requests(v, arena, &a) &&
                keep(arena, v, "verdict", &verdict);
    for (size_t i = 0; good && i < TEXTS; i++) {
        struct span s = SPAN_NULL;
        good = keep(arena, v, texts[i].key, &s);
        memcpy((char *)&a + texts[i].offset, &s, sizeof(s));
    }
    while (good && verdict.len && !span_eq(verdict, span_str(verdicts[a.verdict])))
        good = ++a.verdict < VERDICT_COUNT;
    value_free(v);
    *ret_act = a;
    return good ? 0 : -EBADMSG;
}

/* ---- what makes sense ---- */

static int refuse(struct casebook_answer *ret, const char *why)
{
    snprintf(ret->error, sizeof(ret->error), "%s", why);
    return -EINVAL;
}

static bool is_name(struct span s)
{
    return s.len && s.len <= CASEBOOK_NAME_MAX && value_is_printable(s) && utf8_check(s) == s.len;
}

static bool is_one_of(struct span s, const char *const *words)
{
    while (*words && !span_eq(s, span_str(*words)))
        words++;
    return *words != NULL;
}

static const char *const ticket_states[] = {"open", "working", "answered", "closed", NULL};
static const char *const incident_states[] = {"open", "working", "reported", "closed", NULL};
static const char *const kinds[] = {"content", "wrong_refusal", "privacy", "rights",
                                    "minor",   "label",         "other",   NULL};

static int check_texts(const struct casebook_act *a, struct casebook_answer *ret)
{
    for (size_t i = 0; i < TEXTS; i++) {
        struct span s = text_of(a, i);
        if (s.len > CASEBOOK_TEXT_MAX)
            return refuse(ret, "a text is longer than 8,192 bytes");
        if (utf8_check(s) < s.len || memchr(s.len ? s.data : "x", 0, s.len ? s.len : 1))
            return refuse(ret, "a text is not UTF-8");
    }
    if (!is_name(a->author))
        return refuse(ret, "who does it? A name of one line, at most 128 bytes");
    if ((a->to.len && !is_name(a->to)) || (a->title.len && !is_name(a->title)))
        return refuse(ret, "a name or title is one line of at most 128 bytes");
    return 0;
}

static int check_requests(const struct casebook_act *a, struct casebook_answer *ret)
{
    for (size_t i = 0; i < a->request_count; i++)
        if (!a->requests[i].len || a->requests[i].len > 128 ||
            !value_is_printable(a->requests[i]) || utf8_check(a->requests[i]) < a->requests[i].len)
            return refuse(ret, "that is no request id");
    if (a->verb != CASEBOOK_SAMPLE && a->request_count > CASEBOOK_REQUESTS_MAX)
        return refuse(ret, "at most 500 requests at once");
    if ((a->verb == CASEBOOK_REVIEW || a->verb == CASEBOOK_ASSIGN) && a->request_count == 0)
        return refuse(ret, "which requests?");
    return 0;
}

static int check_ticket(const struct casebook_act *a, struct casebook_answer *ret)
{
    if (a->number <= 0)
        return refuse(ret, "which ticket?");
    if (a->state.len && !is_one_of(a->state, ticket_states))
        return refuse(ret, "a ticket is open, working, answered or closed");
    return a->state.len || a->note.len || a->to.len ? 0 : refuse(ret, "nothing is to be changed");
}

static int check_incident(const struct casebook_act *a, struct casebook_answer *ret)
{
    if (a->verb == CASEBOOK_OPENING && (!a->title.len || !a->what.len))
        return refuse(ret, "an incident has a title, and what happened");
    if (a->verb == CASEBOOK_INCIDENT && a->number <= 0)
        return refuse(ret, "which incident?");
    if (a->state.len && !is_one_of(a->state, incident_states))
        return refuse(ret, "an incident is open, working, reported or closed");
    return 0;
}

int act_check(const struct casebook_act *a, struct casebook_answer *ret)
{
    int64_t end;
    int r = check_texts(a, ret);
    if (r == 0)
        r = check_requests(a, ret);
    if (r < 0)
        return r;
    switch (a->verb) {
    case CASEBOOK_REVIEW:
        return a->verdict ? 0 : refuse(ret, "correct, false_positive or unsure?");
    case CASEBOOK_ASSIGN:
        return a->to.len ? 0 : refuse(ret, "to whom?");
    case CASEBOOK_SAMPLE:
        if (a->percent == 0)
            return refuse(ret, "how many percent, from 1 to 100?");
        return a->since_us < a->until_us ? 0 : refuse(ret, "from when until when?");
    case CASEBOOK_SIGNOFF:
        if (!day_end(a->day, &end))
            return refuse(ret, "which day? YYYY-MM-DD");
        return end - 86400 <= (int64_t)(clock_wall_us() / 1000000)
                   ? 0
                   : refuse(ret, "that day has not begun");
    case CASEBOOK_COMPLAINT:
        if (!span_trim(a->text).len || a->contact.len > 256 || a->request_count > 1)
            return refuse(ret, "a complaint has a text, and a contact of at most 256 bytes");
        return is_one_of(a->kind, kinds) ? 0 : refuse(ret, "there is no such kind of complaint");
    case CASEBOOK_TICKET:
        return check_ticket(a, ret);
    case CASEBOOK_OPENING:
    case CASEBOOK_INCIDENT:
        return check_incident(a, ret);
    case CASEBOOK_EXPORT:
        return a->what.len ? 0 : refuse(ret, "what is exported?");
    case CASEBOOK_VERBS:
        break;
    }
    return refuse(ret, "there is no such act");
}
