/* The calendar for people, as JSON, and as metrics. */
#include "filing/calendar.h"

#include "base/day.h"
#include "json/value.h"

#include <errno.h>

/* ---- for people ---- */

/* Whole days until then, rounded down; negative when past. */
static int64_t days_left(int64_t due, int64_t now)
{
    int64_t left = due - now;
    return left >= 0 ? left / CALENDAR_DAY_SECONDS
                     : -((-left + CALENDAR_DAY_SECONDS - 1) / CALENDAR_DAY_SECONDS);
}

static int put_item(const struct calendar *c, unsigned id, struct buf *out)
{
    const struct calendar_item *i = &c->items[id];
    char day[DAY_TEXT_SIZE] = "";
    int r = buf_printf(out, "%-8s %s %s", calendar_state_zh(i->state), calendar_item_zh(id),
                       calendar_item_en(id));
    if (r == 0 && i->due) {
        day_format(i->due, day);
        r = buf_printf(out, "  %s (%+lld d)", day, (long long)days_left(i->due, c->now));
    }
    return r < 0 ? r
                 : buf_printf(out, "\n         %s\n         %s\n         〔%s〕\n", i->zh, i->en,
                              calendar_item_source(id));
}

static int put_step(const struct progress *p, unsigned step, struct buf *out)
{
    const struct progress_note *n = progress_step(p, step);
    int r =
        step < PROGRESS_STEPS ? buf_printf(out, "%u ", step + 1) : buf_append(out, SPAN_LIT("- "));
    if (r == 0)
        r = buf_printf(out, "%s %s: %s", progress_step_zh(step), progress_step_en(step),
                       progress_state_zh(n ? n->state : STEP_OPEN));
    if (r == 0 && n)
        r = buf_printf(out, " %.*s %.*s%s%.*s", SPAN_ARG(n->date), SPAN_ARG(n->author),
                       n->note.len ? ": " : "", SPAN_ARG(n->note));
    return r < 0 ? r : buf_append_char(out, '\n');
}

static int put_change(const struct progress_change *c, struct buf *out)
{
    int r = buf_printf(out, "%lld %.*s %.*s: ", (long long)c->number, SPAN_ARG(c->date),
                       SPAN_ARG(c->what));
    if (r == 0)
        r = c->reported.len ? buf_printf(out, "已报备 reported %.*s\n", SPAN_ARG(c->reported))
                            : buf_append(out, SPAN_LIT("未报备 not reported\n"));
    return r;
}

int calendar_text(const struct calendar *c, const struct progress *p, struct buf *out)
{
    int r = 0;
    for (unsigned i = 0; i < CALENDAR_ITEMS && r == 0; i++)
        r = put_item(c, i, out);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\n备案步骤 Steps\n"));
    for (unsigned i = 0; i < PROGRESS_TRACKS && r == 0; i++)
        r = put_step(p, i, out);
    if (r == 0 && p->change_count)
        r = buf_append(out, SPAN_LIT("\n变更 Changes\n"));
    for (size_t i = 0; i < p->change_count && r == 0; i++)
        r = put_change(&p->changes[i], out);
    return r;
}

/* ---- as JSON ---- */

static int set(struct json_value *object, const char *key, struct json_value *value)
{
    return value_set(object, span_str(key), value);
}

static struct json_value *text(const char *s)
{
    return value_string(span_str(s));
}

/* The day that ends there; null for none. */
static struct json_value *day_value(int64_t end)
{
    char day[DAY_TEXT_SIZE];
    if (!end)
        return value_null();
    day_format(end, day);
    return text(day);
}

static struct json_value *item_value(const struct calendar *c, unsigned id)
{
    const struct calendar_item *i = &c->items[id];
    struct json_value *v = value_object();
    if (v && set(v, "item", text(calendar_item_name(id))) == 0 &&
        set(v, "zh", text(calendar_item_zh(id))) == 0 &&
        set(v, "en", text(calendar_item_en(id))) == 0 &&
        set(v, "state", text(calendar_state_name(i->state))) == 0 &&
        set(v, "state_zh", text(calendar_state_zh(i->state))) == 0 &&
        set(v, "due", day_value(i->due)) == 0 &&
        set(v, "days", i->due ? value_integer(days_left(i->due, c->now)) : value_null()) == 0 &&
        set(v, "since", i->since ? day_value(i->since + 1) : value_null()) == 0 &&
        set(v, "count", value_integer(i->count)) == 0 && set(v, "note_zh", text(i->zh)) == 0 &&
        set(v, "note_en", text(i->en)) == 0 &&
        set(v, "source", text(calendar_item_source(id))) == 0)
        return v;
    value_free(v);
    return NULL;
}

static int set_note(struct json_value *v, const struct progress_note *n)
{
    enum progress_state state = n ? n->state : STEP_OPEN;
    bool good = set(v, "state", text(progress_state_name(state))) == 0 &&
                set(v, "state_zh", text(progress_state_zh(state))) == 0 &&
                set(v, "date", n ? value_string(n->date) : value_null()) == 0 &&
                set(v, "note", n ? value_string(n->note) : value_null()) == 0 &&
                set(v, "author", n ? value_string(n->author) : value_null()) == 0 &&
                set(v, "at", n ? value_integer(n->at) : value_null()) == 0;
    return good ? 0 : -ENOMEM;
}

static struct json_value *history_value(const struct progress *p, unsigned step)
{
    struct json_value *list = value_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < p->note_count && r == 0; i++) {
        if (p->notes[i].step != step)
            continue;
        struct json_value *v = value_object();
        r = v ? set_note(v, &p->notes[i]) : -ENOMEM;
        if (r < 0)
            value_free(v);
        else
            r = value_append(list, v);
    }
    if (r == 0)
        return list;
    value_free(list);
    return NULL;
}

static struct json_value *step_value(const struct progress *p, unsigned step)
{
    struct json_value *v = value_object();
    if (v && set(v, "step", value_integer(step + 1)) == 0 &&
        set(v, "name", text(progress_step_name(step))) == 0 &&
        set(v, "zh", text(progress_step_zh(step))) == 0 &&
        set(v, "en", text(progress_step_en(step))) == 0 &&
        set_note(v, progress_step(p, step)) == 0 && set(v, "history", history_value(p, step)) == 0)
        return v;
    value_free(v);
    return NULL;
}

static struct json_value *change_value(const struct progress_change *c)
{
    struct json_value *v = value_object();
    if (v && set(v, "number", value_integer(c->number)) == 0 &&
        set(v, "date", value_string(c->date)) == 0 && set(v, "what", value_string(c->what)) == 0 &&
        set(v, "author", value_string(c->author)) == 0 && set(v, "at", value_integer(c->at)) == 0 &&
        set(v, "reported", c->reported.len ? value_string(c->reported) : value_null()) == 0)
        return v;
    value_free(v);
    return NULL;
}

int calendar_json(const struct calendar *c, const struct progress *p, struct buf *out)
{
    struct json_value *v = value_object(), *list[3] = {value_array(), value_array(), value_array()};
    int r = v && list[0] && list[1] && list[2] ? 0 : -ENOMEM;
    for (unsigned i = 0; i < CALENDAR_ITEMS && r == 0; i++)
        r = value_append(list[0], item_value(c, i));
    for (unsigned i = 0; i < PROGRESS_TRACKS && r == 0; i++)
        r = value_append(list[1], step_value(p, i));
    for (size_t i = 0; i < p->change_count && r == 0; i++)
        r = value_append(list[2], change_value(&p->changes[i]));
    if (r == 0)
        r = set(v, "now", value_integer(c->now));
    if (r == 0)
        r = set(v, "overdue", value_integer(calendar_overdue(c)));
    static const char *const names[] = {"items", "steps", "changes"};
    for (unsigned i = 0; i < 3; i++) {
        if (r == 0)
            r = set(v, names[i], list[i]);
        else
            value_free(list[i]);
    }
    if (r == 0)
        r = value_dump(v, out);
    value_free(v);
    return r;
}

/* ---- as metrics ---- */

static int head(struct buf *out, const char *name, const char *help)
{
    return buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

int calendar_metrics(const struct calendar *c, const struct progress *p, struct buf *out)
{
    bool begun = false;
    int r = 0;
    for (unsigned i = 0; i < CALENDAR_ITEMS && r == 0; i++) {
        if (!c->items[i].due)
            continue;
        if (!begun) /* no family without a sample */
            r = head(out, "juyong_filing_due_seconds",
                     "Seconds until something of the filing is due; negative when overdue.");
        begun = true;
        if (r == 0)
            r = buf_printf(out, "juyong_filing_due_seconds{item=\"%s\"} %lld\n",
                           calendar_item_name(i), (long long)(c->items[i].due - c->now));
    }
    if (r == 0)
        r = head(out, "juyong_filing_overdue",
                 "1 when it is overdue or missing; not told where nothing is known.");
    for (unsigned i = 0; i < CALENDAR_ITEMS && r == 0; i++)
        if (c->items[i].state <= CALENDAR_OVERDUE)
            r = buf_printf(out, "juyong_filing_overdue{item=\"%s\"} %d\n", calendar_item_name(i),
                           c->items[i].state == CALENDAR_OVERDUE);
    if (r == 0)
        r = head(out, "juyong_filing_step",
                 "Steps of the filing as noted: 0 open, 1 doing, 2 done, 3 returned.");
    for (unsigned i = 0; i < PROGRESS_TRACKS && r == 0; i++) {
        const struct progress_note *n = progress_step(p, i);
        r = buf_printf(out, "juyong_filing_step{step=\"%u\",name=\"%s\"} %d\n", i + 1,
                       progress_step_name(i), n ? (int)n->state : STEP_OPEN);
    }
    return r;
}
