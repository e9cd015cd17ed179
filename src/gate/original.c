#include "gate/original.h"

#include "base/utf8.h"
#include "gate/exchange.h"
#include "gate/sample.h"

void original_begin(struct exchange *x, struct judge *j)
{
    j->originals = x->gate->audit ? audit_originals(x->gate->audit) : 0;
    size_t keep = j->originals > sample_bytes(x) ? j->originals : sample_bytes(x);
    if (!j->whole && keep)
        scanner_keep(j->scanner, keep);
}

void original_init(struct originals_set *s, const struct judge *j)
{
    s->count = 0;
    s->room = j->originals;
}

/* Has the set that place already? Then it is one hit more in it. */
static bool is_there(struct originals_set *s, const struct channel *c, uint64_t at, size_t number)
{
    for (size_t i = 0; c && i < s->count; i++) {
        struct audit_original *o = &s->list[i];
        if (s->channels[i] != c || at < o->from || at >= o->from + o->text.len)
            continue;
        o->hits |= number < 64 ? UINT64_C(1) << number : 0;
        return true;
    }
    return false;
}

/* What is longer than there is room for is cut around `at`, an offset in the text. */
static void put(struct originals_set *s, struct audit_original o, const struct channel *c,
                size_t at)
{
    if (o.text.len > s->room) {
        size_t from = at > s->room / 2 ? at - s->room / 2 : 0;
        if (from + s->room > o.text.len)
            from = o.text.len - s->room;
        from = utf8_floor(o.text, from);
        size_t to = utf8_floor(o.text, from + s->room);
        o.cut_before = o.cut_before || from > 0;
        o.cut_after = o.cut_after || to < o.text.len;
        o.text = span_slice(o.text, from, to);
        o.from += from;
    }
    s->room -= o.text.len;
    s->channels[s->count] = c;
    s->list[s->count++] = o;
}

/* The items of a body that the finding lies in; of a stream what has not been handed over yet. */
static void find_text(const struct judge *j, const struct finding *f, uint64_t *ret_from,
                      uint64_t *ret_to)
{
    const struct channel *c = f->channel;
    uint64_t other;
    if (!j->whole) {
        bool before = c->sealed != UINT64_MAX && c->sealed > c->base && c->sealed <= f->hit.start;
        *ret_from = before ? c->sealed : c->base;
        *ret_to = c->fed;
        return;
    }
    channel_item(c, f->hit.start, ret_from, ret_to);
    if (f->hit.end > *ret_to)
        channel_item(c, f->hit.end - 1, &other, ret_to);
}

/* One name for all that is kept of a stream's text, however its events spell it. */
static struct span stream_path(const struct judge *j, const struct channel *c)
{
    return arena_printf(j->arena, "choices[%u].%s", c->choice, field_name(c->field));
}

void original_add(struct originals_set *s, const struct judge *j, const struct finding *f,
                  size_t number)
{
    struct audit_original o = {
        .direction = j->direction,
        .role = f->record.role,
        .path = f->record.path,
        .text = f->original,
        .from = f->hit.start,
        .hits = number < 64 ? UINT64_C(1) << number : 0,
    };
    struct channel *c = f->channel;
    if (is_there(s, c, f->hit.start, number) || s->count == AUDIT_ORIGINALS_MAX || s->room == 0)
        return;
    if (c) {
        uint64_t to;
        find_text(j, f, &o.from, &to);
        o.text = channel_text(c, o.from, to);
        o.cut_before = !j->whole && o.from > 0 && c->sealed == UINT64_MAX;
        if (!j->whole)
            o.path = stream_path(j, c);
    }
    if (o.text.len == 0)
        return;
    put(s, o, c, f->hit.start > o.from ? (size_t)(f->hit.start - o.from) : 0);
    if (c && !j->whole)
        c->sealed = s->list[s->count - 1].from + s->list[s->count - 1].text.len;
}

void original_add_rest(struct originals_set *s, const struct judge *j)
{
    struct channel *c =
        j->scanner && !j->whole && j->originals ? scanner_channels(j->scanner) : NULL;
    for (; c && s->count < AUDIT_ORIGINALS_MAX && s->room; c = channel_next(c)) {
        if (c->sealed == UINT64_MAX || c->sealed >= c->fed)
            continue;
        uint64_t from = c->sealed > c->base ? c->sealed : c->base;
        struct audit_original o = {
            .direction = j->direction,
            .role = c->role,
            .path = stream_path(j, c),
            .text = channel_text(c, from, c->fed),
            .from = from,
            .cut_before = from > c->sealed,
        };
        put(s, o, c, 0);
        c->sealed = c->fed;
    }
}
