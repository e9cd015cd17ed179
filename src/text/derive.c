#include "text/derive.h"

#include "base/utf8.h"
#include "text/weave.h"

#include <errno.h>

/* --- the map --- */

/* Raw and derived bytes of one stride. */
static const struct {
    uint8_t raw, made;
} strides[] = {
    [SEGMENT_BY2] = {2, 1},
    [SEGMENT_BY3] = {3, 1},
    [SEGMENT_BY4] = {4, 1},
    [SEGMENT_BASE64] = {4, 3},
};

/* Widens *start..*end to where the bytes from..to of the segment come from. */
static void segment_locate(const struct derive_segment *g, size_t from, size_t to, size_t *start,
                           size_t *end)
{
    size_t low = g->start, high = g->end;
    if (g->kind == SEGMENT_SAME) {
        high = low + to;
        low += from;
    } else if (g->kind != SEGMENT_UNIT) {
        size_t raw = strides[g->kind].raw, made = strides[g->kind].made;
        size_t last = low + (to - 1) / made * raw + raw;
        low += from / made * raw;
        high = last < high ? last : high;
    }
    *start = low < *start ? low : *start;
    *end = high > *end ? high : *end;
}

/* The number of the segment that holds that byte. */
static size_t segment_find(const struct derived *d, size_t at)
{
    size_t low = 0, high = d->count;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (d->segments[mid].at <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

bool derive_locate(const struct derived *d, size_t start, size_t end, size_t *ret_start,
                   size_t *ret_end, uint32_t *ret_layers)
{
    bool made = false;
    *ret_layers = 0;
    for (const struct derived *at = d; at; at = at->from) {
        size_t from = SIZE_MAX, to = 0;
        for (size_t i = segment_find(at, start); i < at->count && at->segments[i].at < end; i++) {
            const struct derive_segment *g = &at->segments[i];
            size_t next = i + 1 < at->count ? at->segments[i + 1].at : at->text.len;
            segment_locate(g, start > g->at ? start - g->at : 0, (end < next ? end : next) - g->at,
                           &from, &to);
            *ret_layers |= g->layers;
            made = made || g->kind != SEGMENT_SAME;
        }
        if (!made)
            return false;
        start = from;
        end = to;
    }
    *ret_start = start;
    *ret_end = end;
    return true;
}

/* --- making one --- */

static int decode(struct span source, const struct derived *from, unsigned round, derive_fn fn,
                  void *ctx);

static void fail(struct weave *w, int r)
{
    if (w->rc == 0)
        w->rc = r;
}

/* Tells the window and what stands behind it, and begins a new one. */
static void emit(struct weave *w)
{
    struct derived d = {
        .text = buf_span(&w->text),
        .from = w->from,
        .segments = (const struct derive_segment *)(const void *)w->segments.data,
        .count = w->segments.len / sizeof(struct derive_segment),
        .layers = w->layers,
    };
    if (w->rc == 0 && d.text.len)
        w->rc = w->fn(w->ctx, &d);
    if (w->rc == 0 && d.text.len && w->round && w->round < DERIVE_ROUNDS_MAX)
        w->rc = decode(d.text, &d, w->round + 1, w->fn, w->ctx);
    buf_clear(&w->text);
    buf_clear(&w->segments);
    w->layers = 0;
}

void weave_add(struct weave *w, size_t start, size_t end, struct span bytes, enum segment_kind kind,
               uint32_t layers)
{
    size_t count = w->segments.len / sizeof(struct derive_segment);
    struct derive_segment *last =
        count ? (struct derive_segment *)(void *)w->segments.data + count - 1 : NULL;
    /* Only whole groups of base64 may be followed by others. */
    bool goes_on = last && last->kind == kind && kind != SEGMENT_UNIT && last->end == start &&
                   last->layers == layers &&
                   (kind != SEGMENT_BASE64 || (w->text.len - last->at) % 3 == 0);
    if (w->rc != 0 || bytes.len == 0)
        return;
    struct derive_segment segment = {.at = (uint32_t)w->text.len,
                                     .start = (uint32_t)start,
                                     .end = (uint32_t)end,
                                     .layers = layers,
                                     .kind = kind};
    if (goes_on)
        last->end = (uint32_t)end;
    else
        fail(w, buf_append(&w->segments, span_from((const char *)&segment, sizeof(segment))));
    fail(w, buf_append(&w->text, bytes));
    w->layers |= layers;
}

static void same(struct weave *w, size_t from, size_t to)
{
    weave_add(w, from, to, span_slice(w->source, from, to), SEGMENT_SAME, 0);
}

void weave_same(struct weave *w, size_t to)
{
    size_t from = w->done;
    if (w->segments.len && to - from > 2 * DERIVE_CONTEXT) {
        same(w, from, utf8_floor(w->source, from + DERIVE_CONTEXT));
        emit(w);
    }
    if (w->segments.len == 0 && to - from > DERIVE_CONTEXT)
        from = utf8_floor(w->source, to - DERIVE_CONTEXT);
    same(w, from < w->done ? w->done : from, to);
    w->done = to;
}

void weave_run(struct weave *w, size_t start, size_t end, struct span bytes, enum segment_kind kind,
               uint32_t layers)
{
    weave_same(w, start);
    weave_add(w, start, end, bytes, kind, layers);
    w->done = end;
}

void weave_point(struct weave *w, size_t start, size_t end, uint32_t cp, uint32_t layers)
{
    char bytes[4];
    weave_run(w, start, end, span_from(bytes, utf8_encode(cp, bytes)), SEGMENT_UNIT, layers);
}

static int decode(struct span source, const struct derived *from, unsigned round, derive_fn fn,
                  void *ctx)
{
    const struct buf empty = BUF_INIT(SIZE_MAX / 4);
    struct weave w = {.source = source,
                      .from = from,
                      .text = empty,
                      .segments = empty,
                      .scratch = {empty, empty, empty},
                      .round = round,
                      .fn = fn,
                      .ctx = ctx};
    runs_decode(&w);
    if (w.segments.len) {
        size_t rest = source.len - w.done;
        same(&w, w.done,
             rest > DERIVE_CONTEXT ? utf8_floor(source, w.done + DERIVE_CONTEXT) : source.len);
        emit(&w);
    }
    buf_deinit(&w.text);
    buf_deinit(&w.segments);
    for (unsigned i = 0; i < sizeof(w.scratch) / sizeof(*w.scratch); i++)
        buf_deinit(&w.scratch[i]);
    return w.rc;
}

int derive_decoded(struct span text, derive_fn fn, void *ctx)
{
    return text.len > DERIVE_BYTES_MAX ? 0 : decode(text, NULL, 1, fn, ctx);
}
