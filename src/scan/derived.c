#include "scan/derived.h"

#include <errno.h>

struct look {
    struct derived_scan *scan;
    const struct derived *text;
};

static int tell(void *ctx, const struct hit *hit)
{
    struct look *look = ctx;
    struct derived_scan *s = look->scan;
    size_t start, end;
    uint32_t layers, asked = look->text->layers & LAYERS_WHOLE;
    if (asked && !(matchset_asked(s->set, hit->rule) & asked))
        return 0;
    if (!derive_locate(look->text, (size_t)hit->start, (size_t)hit->end, &start, &end, &layers))
        return 0;
    struct hit raw = {
        .start = start, .end = end, .rule = hit->rule, .layers = hit->layers | layers};
    int r = s->fn(s->ctx, &raw);
    bool encoded = raw.layers & LAYERS_ENCODED & ~s->ordinary;
    raw.rule = matchset_payload_rule(s->set);
    if (r < 0 || s->payload || raw.rule == UINT32_MAX || !encoded ||
        matchset_is_pattern(s->set, hit->rule))
        return r;
    s->payload = true;
    int also = s->fn(s->ctx, &raw);
    return r > 0 ? r : also;
}

static int judge(void *ctx, const struct derived *d)
{
    struct look look = {.scan = ctx, .text = d};
    struct derived_scan *s = ctx;
    /* No pattern is read in the initials of lines. */
    struct cursor *c = d->layers & LAYERS_WHOLE ? cursor_new_keywords(s->set, s->direction)
                                                : cursor_new(s->set, s->direction);
    if (!c)
        return -ENOMEM;
    int r = cursor_feed(c, d->text, tell, &look);
    if (r == 0)
        r = cursor_finish(c, tell, &look);
    cursor_free(c);
    return r;
}

int derived_judge(struct derived_scan *s, struct span text)
{
    uint32_t asked = s->readings ? matchset_asked_any(s->set) & LAYERS_WHOLE : 0;
    int r = derive_decoded(text, judge, s);
    return r == 0 && asked ? derive_readings(text, asked, judge, s) : r;
}
