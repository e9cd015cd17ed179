#include "rules/attribute.h"

#include "base/day.h"

#include <stdio.h>

bool attribute_action(struct loader *l, struct place at, struct span value, enum action *ret)
{
    *ret = span_eq(value, SPAN_LIT("ask")) ? ACTION_ASK : action_from(value);
    if (*ret != ACTION_DEFAULT && *ret != ACTION_ALLOW)
        return true;
    loader_error(l, at, "'%.*s' is no action of a rule: flag, ask, mask, answer or block",
                 SPAN_ARG(value));
    return false;
}

bool attribute_direction(struct loader *l, struct place at, struct span value, enum direction *ret)
{
    static const enum direction all[] = {DIRECTION_PROMPT, DIRECTION_COMPLETION, DIRECTION_BOTH};
    for (size_t i = 0; i < 3; i++) {
        if (!span_eq(value, span_str(direction_name(all[i]))))
            continue;
        *ret = all[i];
        return true;
    }
    loader_error(l, at, "'%.*s' is no direction: prompt, completion or both", SPAN_ARG(value));
    return false;
}

bool attribute_layer(struct loader *l, struct place at, struct span value, uint32_t *asked)
{
    uint32_t layer = layer_from(value) & LAYERS_ASKED;
    if (layer) {
        *asked |= layer;
        return true;
    }
    const char *names[LAYER_COUNT];
    size_t count = 0;
    char list[256] = "";
    int len = 0;
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        if (!(LAYERS_ASKED >> i & 1))
            continue;
        names[count++] = layer_name(i);
        len += snprintf(list + len, sizeof(list) - (size_t)len, "%s%s", len ? ", " : "",
                        layer_name(i));
    }
    const char *meant = schema_suggest(names, count, value);
    if (layer_from(value))
        loader_error(l, at, "'%.*s' is always seen through; a rule may ask for: %s",
                     SPAN_ARG(value), list);
    else if (meant)
        loader_error(l, at, "no layer is called '%.*s'; did you mean '%s'? There are: %s",
                     SPAN_ARG(value), meant, list);
    else
        loader_error(l, at, "no layer is called '%.*s'; there are: %s", SPAN_ARG(value), list);
    return false;
}

bool attribute_source(struct loader *l, struct place at, struct span value, enum rule_origin *ret)
{
    struct span kind = span_trim(span_slice(value, 0, span_find(value, SPAN_LIT(":"))));
    for (enum rule_origin o = RULE_OWN; o <= RULE_LAW; o++) {
        if (!span_eq(kind, span_str(rule_origin_name(o))))
            continue;
        *ret = o;
        return true;
    }
    loader_error(l, at,
                 "a source begins with own, imported or law, such as 'imported: the list of May', "
                 "found '%.*s'",
                 SPAN_ARG(value));
    return false;
}

bool attribute_app(struct loader *l, struct place at, struct span value)
{
    if (value.len > 0 && value.len <= 64)
        return true;
    loader_error(l, at, "the name of an app has 1 to 64 bytes");
    return false;
}

bool rule_last_day(const struct rule *r, char ret_day[RULE_DAY_SIZE])
{
    bool whole = day_is_end(r->expires);
    if (whole)
        day_format(r->expires, ret_day);
    else
        day_format_minute(r->expires, ret_day);
    return whole;
}

bool attribute_expires(struct loader *l, struct place at, struct span value, int64_t *ret)
{
    if (!day_end(value, ret) && !day_minute(value, ret)) {
        loader_error(l, at,
                     "'%.*s' is no date such as 2026-12-31 and no time such as "
                     "2026-12-31T15:04+08:00",
                     SPAN_ARG(value));
        return false;
    }
    if (*ret <= l->now)
        loader_warn(l, at, "expired on %.*s", SPAN_ARG(value));
    return true;
}
