#include "scan/derived.h"

#include <errno.h>

struct look {
    struct derived_scan *scan;
    const struct derived *text;
};

/* The hit in the raw text; false for one that is none of this text's. */
static bool locate(const struct look *look, const struct hit *hit, struct hit *ret_raw)
{
    size_t start, end;
    uint32_t layers, asked = look->text->layers & LAYERS_WHOLE;
    if (asked && !(matchset_asked(look->scan->set, hit->rule) & asked))
        return false;
    if (!derive_locate(look->text, (size_t)hit->start, (size_t)hit->end, &start, &end, &layers))
        return false;
    *ret_raw =
        (struct hit){.start = start, .end = end, .rule = hit->rule, .layers = hit->layers | layers};
    return true;
}

static int tell(void *ctx, const struct hit *hit)
{
    struct look *look = ctx;
    struct derived_scan *s = look->scan;
    struct derived_part part = {
        .text = look->text->text, .start = (size_t)hit->start, .end = (size_t)hit->end};
    struct hit raw;
    if (!locate(look, hit, &raw))
        return 0;
    int r = s->fn(s->ctx, &raw, &part);
    bool encoded = raw.layers & LAYERS_ENCODED & ~s->ordinary;
    raw.rule = matchset_payload_rule(s->set);
    if (r < 0 || s->payload || raw.rule == UINT32_MAX || !encoded ||
        matchset_is_pattern(s->set, hit->rule))
        return r;
    s->payload = true;
    int also = s->fn(s->ctx, &raw, &part);
    return r > 0 ? r : also;
}

static void tell_saved(void *ctx, const struct saved *saved)
{
    if (saved->slot)
        return;
    struct look *look = ctx;
    struct derived_part part = {.text = look->text->text,
                                .start = (size_t)saved->hit.start,
                                .end = (size_t)saved->hit.end,
                                .from = (size_t)saved->from,
                                .to = (size_t)saved->to};
    struct saved raw = *saved;
    size_t from, to;
    uint32_t layers;
    if (!locate(look, &saved->hit, &raw.hit) ||
        !derive_locate(look->text, part.from, part.to, &from, &to, &layers))
        return;
    raw.from = from;
    raw.to = to;
    look->scan->saved(look->scan->ctx, &raw, &part);
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
    int r = s->saved ? cursor_tell_saved(c, tell_saved, &look) : 0;
    if (r == 0)
        r = cursor_feed(c, d->text, tell, &look);
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
