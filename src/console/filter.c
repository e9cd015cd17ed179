#include "console/filter.h"

static bool read_actions(struct span text, struct query_filter *f)
{
    struct span name;
    while (span_split(&text, ',', &name)) {
        enum action action = action_from(span_trim(name));
        if (action < 0)
            return false;
        f->actions |= 1u << action;
    }
    f->all = f->all || f->actions & 1u << ACTION_ALLOW;
    return true;
}

static bool read_direction(struct span text, struct query_filter *f)
{
    if (span_eq(text, SPAN_LIT("prompt")))
        f->direction = DIRECTION_PROMPT;
    else if (span_eq(text, SPAN_LIT("completion")))
        f->direction = DIRECTION_COMPLETION;
    return text.len == 0 || f->direction;
}

static bool read_purpose(struct span text, struct query_filter *f)
{
    f->any_purpose = span_eq(text, SPAN_LIT("any"));
    if (f->any_purpose || text.len == 0)
        return true;
    f->purpose = text;
    return span_eq(text, SPAN_LIT("regulator-enforce")) ||
           span_eq(text, SPAN_LIT("regulator-observe"));
}

bool filter_read(const struct api_request *q, struct query_filter *ret_filter, struct api_answer *a)
{
    struct query_filter f = {
        .risk = api_query(q, "risk"),
        .rule = api_query(q, "rule"),
        .app = api_query(q, "app"),
        .model = api_query(q, "model"),
        .end_user = api_query(q, "end_user"),
        .request_id = api_query(q, "request_id"),
        .text = api_query(q, "text"),
        .session = api_query(q, "session"),
        .client_ip = api_query(q, "client_ip"),
        .trace_id = api_query(q, "trace_id"),
    };
    /* To be told which rows hold a text is to read it, a guess at a time. */
    if (f.text.len && !(q->may & MAY_READ)) {
        api_error(a, 403, "wrong_role", "Your role does not read texts, nor search them.");
        return false;
    }
    struct span all = api_query(q, "all");
    f.all = all.len && !span_eq(all, SPAN_LIT("0")) && !span_eq(all, SPAN_LIT("false"));
    if (!api_query_u64(q, "since", 0, INT64_MAX, &f.since_us, a) ||
        !api_query_u64(q, "until", 0, INT64_MAX, &f.until_us, a))
        return false;
    const char *bad = !read_actions(api_query(q, "action"), &f)        ? "action"
                      : !read_direction(api_query(q, "direction"), &f) ? "direction"
                      : !read_purpose(api_query(q, "purpose"), &f)     ? "purpose"
                                                                       : NULL;
    if (bad)
        api_error(a, 400, "bad_parameter", "'%s' says what there is not", bad);
    *ret_filter = f;
    return !bad;
}
