#include "scan/scanner.h"

#include <errno.h>
#include <stdlib.h>

struct span channel_text(const struct channel *c, uint64_t from, uint64_t to)
{
    if (from < c->base)
        from = c->base;
    if (to > c->fed)
        to = c->fed;
    if (from >= to)
        return SPAN_NULL;
    return span_slice(buf_span(&c->text), (size_t)(from - c->base), (size_t)(to - c->base));
}

size_t channel_item(const struct channel *c, uint64_t at, uint64_t *ret_start, uint64_t *ret_end)
{
    const uint64_t *starts = (const uint64_t *)(const void *)c->starts.data;
    size_t count = c->starts.len / sizeof(*starts);
    size_t low = 0, high = count; /* the first item that begins behind `at` */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (starts[mid] <= at)
            low = mid + 1;
        else
            high = mid;
    }
    *ret_start = low ? starts[low - 1] : 0;
    *ret_end = low < count ? starts[low] : c->fed;
    return low ? low - 1 : 0;
}

int channel_mask(struct channel *c, uint64_t start, uint64_t end)
{
    if (c->mask_count == c->mask_cap) {
        size_t cap = c->mask_cap ? c->mask_cap * 2 : 8;
        struct mask *masks = realloc(c->masks, cap * sizeof(*masks));
        if (!masks)
            return -ENOMEM;
        c->masks = masks;
        c->mask_cap = cap;
    }
    if (start < c->pending)
        c->pending = start;
    /* Hits come nearly in order: look from the end, then swallow what it touches. */
    size_t at = c->mask_count;
    while (at > 0 && c->masks[at - 1].start > start)
        at--;
    if (at > 0 && c->masks[at - 1].end >= start) {
        at--;
    } else {
        memmove(c->masks + at + 1, c->masks + at, (c->mask_count - at) * sizeof(*c->masks));
        c->masks[at] = (struct mask){start, start};
        c->mask_count++;
    }
    struct mask *m = &c->masks[at];
    size_t next = at + 1;
    m->end = end > m->end ? end : m->end;
    for (; next < c->mask_count && c->masks[next].start <= m->end; next++)
        m->end = c->masks[next].end > m->end ? c->masks[next].end : m->end;
    memmove(m + 1, c->masks + next, (c->mask_count - next) * sizeof(*c->masks));
    c->mask_count -= next - at - 1;
    return 0;
}

void channel_masks_recorded(struct channel *c)
{
    c->pending = UINT64_MAX;
}
