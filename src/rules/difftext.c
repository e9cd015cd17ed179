/* Differences for people: a line each. */
#include "rules/diff.h"

static bool same_apps(const struct rule *a, const struct rule *b)
{
    bool same = a->app_count == b->app_count;
    for (size_t i = 0; same && i < a->app_count; i++)
        same = span_eq(a->apps[i], b->apps[i]);
    return same;
}

/* What of the rule is another; of a pattern or near rule also what no other name says. */
size_t rule_diff_names(const struct rule *a, const struct rule *b,
                       const char *ret_names[RULE_DIFF_NAMES])
{
    size_t n = 0;
    if (!span_eq(a->source, b->source))
        ret_names[n++] = "text";
    if (a->direction != b->direction)
        ret_names[n++] = "direction";
    if (a->action != b->action)
        ret_names[n++] = "action";
    if (a->asked != b->asked)
        ret_names[n++] = "see";
    if (!same_apps(a, b))
        ret_names[n++] = "apps";
    if (a->expires != b->expires)
        ret_names[n++] = "expires";
    if (!span_eq(a->quarantine, b->quarantine))
        ret_names[n++] = "quarantine";
    if (!span_eq(a->forced, b->forced))
        ret_names[n++] = "forced";
    if (!span_eq(a->why, b->why))
        ret_names[n++] = "why";
    if (!span_eq(a->from, b->from) || a->origin != b->origin)
        ret_names[n++] = "source";
    if (n == 0)
        ret_names[n++] = "definition";
    return n;
}

int rule_diff_line(struct buf *out, char kind, const struct rule *old, const struct rule *new,
                   struct span path)
{
    const char *names[RULE_DIFF_NAMES];
    const struct rule *r = new ? new : old;
    if (!r)
        return buf_printf(out, "%c %.*s\tfile\n", kind, SPAN_ARG(path));
    size_t count = kind == '~' && new ? rule_diff_names(old, new, names) : 0;
    buf_printf(out, "%c %.*s\t%s\t%s\t%.*s\t%.*s:%u", kind, SPAN_ARG(r->id),
               direction_name(r->direction), action_name(r->action), SPAN_ARG(r->source),
               SPAN_ARG(r->file), r->line);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? ", " : "\t", names[i]);
    return buf_append_char(out, '\n');
}

int rule_diff_phrase_line(struct buf *out, char kind, struct span phrase, struct place at)
{
    return buf_printf(out, "%c allow\t%.*s\t%.*s:%u\n", kind, SPAN_ARG(phrase), SPAN_ARG(at.file),
                      at.line);
}
