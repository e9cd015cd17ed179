/* Keywords that add nothing to others. */
#include "match/cursor.h"
#include "rules/loader.h"

#include <errno.h>

struct shadow {
    const struct ruleset *set;
    uint32_t rule, by;
};

/* Does every hit of `rule` bring one of `by` with it, with no less effect? */
static bool covers(const struct rule *by, const struct rule *rule)
{
    return by->kind == RULE_KEYWORD && by->risk == rule->risk &&
           (by->direction & rule->direction) == rule->direction && by->action == rule->action &&
           (by->asked & rule->asked) == rule->asked && by->app_count == 0 && by->expires == 0;
}

static int note_hit(void *ctx, const struct hit *hit)
{
    struct shadow *s = ctx;
    if (hit->rule == s->rule || !covers(&s->set->rules[hit->rule], &s->set->rules[s->rule]))
        return 0;
    s->by = hit->rule;
    return 1;
}

int ruleset_shadow(const struct ruleset *s, uint32_t rule, uint32_t *ret_by)
{
    const struct rule *r = &s->rules[rule];
    struct shadow shadow = {s, rule, UINT32_MAX};
    if (r->kind != RULE_KEYWORD || r->quarantine.len)
        return 0;
    struct cursor *c = cursor_new_keywords(s->matchset, r->direction);
    if (!c)
        return -ENOMEM;
    int e = cursor_feed(c, r->source, note_hit, &shadow);
    if (e == 0)
        e = cursor_finish(c, note_hit, &shadow);
    cursor_free(c);
    if (e == -ENOMEM)
        return e;
    *ret_by = shadow.by;
    return shadow.by != UINT32_MAX;
}
