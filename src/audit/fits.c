/* What a filter asks of a row's content. */
#include "audit/query.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool contains(struct span s, struct span needle)
{
    for (size_t at = 0; at + needle.len <= s.len; at++) {
        size_t n = 0;
        while (n < needle.len && lower(s.data[at + n]) == lower(needle.data[n]))
            n++;
        if (n == needle.len)
            return true;
    }
    return false;
}

bool query_text_fits(const struct query_filter *f, const struct query_hit *h)
{
    return contains(h->text, f->text) || contains(h->context, f->text) ||
           contains(h->folded, f->text);
}

static bool hit_fits(const struct query_filter *f, const struct query_hit *h)
{
    if (!span_starts(h->entry->risk, f->risk))
        return false;
    if (f->rule.len && !span_eq(h->entry->rule, f->rule))
        return false;
    if (f->direction && !span_eq(h->entry->direction, span_str(direction_name(f->direction))))
        return false;
    return f->text.len == 0 || query_text_fits(f, h);
}

/* One hit, or one text that was kept whole, has to satisfy all that is asked of hits. */
static bool any_hit_fits(const struct query_filter *f, const struct query_row *row)
{
    for (size_t i = 0; i < row->hit_count; i++)
        if (hit_fits(f, &row->hits[i]))
            return true;
    for (size_t i = 0; i < row->kept_count; i++)
        if (hit_fits(f, &row->kept[i]))
            return true;
    return false;
}

bool query_fits(const struct query_filter *f, const struct query_row *row)
{
    const struct entry *e = &row->entry;
    if (f->actions) {
        enum action a = action_from(e->action);
        if (a < 0 || !(f->actions & (1u << a)))
            return false;
    }
    if (!f->any_purpose && !span_eq(e->purpose, f->purpose))
        return false;
    if ((f->app.len && !span_eq(e->app, f->app)) ||
        (f->end_user.len && !span_eq(e->end_user, f->end_user)) ||
        (f->model.len && !span_eq(e->model, f->model) && !span_eq(e->model_answered, f->model)) ||
        (f->session.len && !span_eq(e->session, f->session)) ||
        (f->trace_id.len && !span_eq(e->trace_id, f->trace_id)) ||
        (f->client_ip.len && !span_eq(e->client_ip, f->client_ip)) ||
        (f->request_id.len && !span_eq(e->request_id, f->request_id)))
        return false;
    bool asks = f->risk.len || f->rule.len || f->direction || f->text.len;
    return !asks || any_hit_fits(f, row);
}
