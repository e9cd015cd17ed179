/* The advice in words and as JSON, and the answers as JSON. */
#include "filing/route.h"

#include <errno.h>

static const char *const mark_names[] = {"law", "secondary", "verify"};

/* ---- for people ---- */

static int put_routes(struct buf *out, const char *zh, const char *en, unsigned bits)
{
    int r = 0;
    for (unsigned bit = 1; bit < 1u << ROUTE_KINDS && r == 0; bit <<= 1)
        if (bits & bit)
            r = buf_printf(out, "%s %s: %s %s\n", zh, en, route_kind_zh(bit), route_kind_en(bit));
    return r;
}

static int put_line(struct buf *out, const struct route_line *l)
{
    const char *mark = route_mark_text(l->mark);
    int r = buf_printf(out, "  - %s\n    %s\n    〔%s%s%s〕", l->zh, l->en, l->source,
                       *mark ? "；" : "", mark);
    if (r == 0 && l->command)
        r = buf_printf(out, "  %s", l->command);
    return r < 0 ? r : buf_append_char(out, '\n');
}

static int put_unanswered(const struct route_answers *a, struct buf *out)
{
    if (route_is_complete(a))
        return 0;
    int r = buf_append(out, SPAN_LIT("\n未回答（按不确定处理） Unanswered, taken as not sure:\n"));
    for (enum route_key k = 0; k < ROUTE_KEYS && r == 0; k++)
        if (route_is_asked(a, k) && a->chosen[k] == ROUTE_UNANSWERED)
            r = buf_printf(out, "  %s  %s\n", route_question(k)->key, route_question(k)->zh);
    return r;
}

int route_text(const struct route_answers *a, const struct route_advice *d, struct buf *out)
{
    int r = put_routes(out, "结论", "Result", d->due);
    if (r == 0)
        r = put_routes(out, "可能需要", "Possibly", d->possible);
    for (enum route_part p = 0; p < ROUTE_PARTS && r == 0; p++) {
        bool begun = false;
        for (size_t i = 0; i < d->count && r == 0; i++) {
            if (d->lines[i]->part != p)
                continue;
            if (!begun)
                r = buf_printf(out, "\n%s %s\n", route_part_zh(p), route_part_en(p));
            begun = true;
            if (r == 0)
                r = put_line(out, d->lines[i]);
        }
    }
    if (r == 0)
        r = put_unanswered(a, out);
    return r < 0 ? r
                 : buf_append(out, SPAN_LIT("\n以上为草稿，不构成法律意见，须由本单位人员核对。"
                                            "A draft for your own people to check; no legal "
                                            "advice.\n"));
}

/* ---- as JSON ---- */

static struct json_value *text(const char *s)
{
    return value_string(span_str(s));
}

static int set(struct json_value *object, const char *key, struct json_value *value)
{
    return value_set(object, span_str(key), value);
}

static struct json_value *answers_value(const struct route_answers *a)
{
    struct json_value *v = value_object();
    int r = v ? 0 : -ENOMEM;
    for (enum route_key k = 0; k < ROUTE_KEYS && r == 0; k++)
        if (a->chosen[k] != ROUTE_UNANSWERED)
            r = set(v, route_question(k)->key, text(route_answer(a, k)));
    for (enum route_key k = 0; k < ROUTE_KEYS && r == 0; k++)
        if (*route_detail(a, k))
            r = set(v, route_question(k)->detail, text(route_detail(a, k)));
    if (r == 0)
        return v;
    value_free(v);
    return NULL;
}

static struct json_value *kinds_value(unsigned bits)
{
    struct json_value *v = value_array();
    int r = v ? 0 : -ENOMEM;
    for (unsigned bit = 1; bit < 1u << ROUTE_KINDS && r == 0; bit <<= 1)
        if (bits & bit)
            r = value_append(v, text(route_kind_name(bit)));
    if (r == 0)
        return v;
    value_free(v);
    return NULL;
}

static struct json_value *line_value(const struct route_line *l)
{
    struct json_value *v = value_object();
    bool good = v && set(v, "zh", text(l->zh)) == 0 && set(v, "en", text(l->en)) == 0 &&
                set(v, "source", text(l->source)) == 0 &&
                set(v, "mark", text(mark_names[l->mark])) == 0 &&
                set(v, "note", text(route_mark_text(l->mark))) == 0 &&
                (!l->command || set(v, "command", text(l->command)) == 0);
    if (good)
        return v;
    value_free(v);
    return NULL;
}

static struct json_value *part_value(const struct route_advice *d, enum route_part p)
{
    struct json_value *v = value_array();
    int r = v ? 0 : -ENOMEM;
    for (size_t i = 0; i < d->count && r == 0; i++)
        if (d->lines[i]->part == p)
            r = value_append(v, line_value(d->lines[i]));
    if (r == 0)
        return v;
    value_free(v);
    return NULL;
}

int route_write(const struct route_answers *a, struct buf *out)
{
    struct json_value *v = answers_value(a);
    int r = v ? value_dump(v, out) : -ENOMEM;
    value_free(v);
    return r;
}

int route_json(const struct route_answers *a, const struct route_advice *d, struct buf *out)
{
    struct json_value *v = value_object();
    bool good = v && set(v, "answers", answers_value(a)) == 0 &&
                set(v, "complete", value_boolean(route_is_complete(a))) == 0 &&
                set(v, "due", kinds_value(d->due)) == 0 &&
                set(v, "possible", kinds_value(d->possible)) == 0;
    for (enum route_part p = 0; p < ROUTE_PARTS && good; p++)
        good = set(v, route_part_name(p), part_value(d, p)) == 0;
    int r = good ? value_dump(v, out) : -ENOMEM;
    value_free(v);
    return r;
}
