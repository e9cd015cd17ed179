#include "scan/hold.h"

#include <errno.h>
#include <stdlib.h>

void hold_init(struct hold *h, size_t max)
{
    list_init(&h->frames);
    h->bytes = 0;
    h->max = max;
}

void hold_deinit(struct hold *h)
{
    while (hold_first(h))
        hold_drop(h);
}

int hold_push(struct hold *h, struct span payload, const struct piece *pieces, size_t count,
              struct frame **ret_frame)
{
    size_t size = sizeof(struct frame) + count * sizeof(struct piece) + payload.len;
    if (size > h->max || h->bytes > h->max - size)
        return -EMSGSIZE;
    struct frame *f = malloc(size);
    if (!f)
        return -ENOMEM;
    *f = (struct frame){.piece_count = count};
    char *copy = (char *)(f->pieces + count);
    if (count)
        memcpy(f->pieces, pieces, count * sizeof(struct piece));
    if (payload.len)
        memcpy(copy, payload.data, payload.len);
    f->payload = span_from(copy, payload.len);
    h->bytes += size;
    list_append(&h->frames, &f->link);
    *ret_frame = f;
    return 0;
}

struct frame *hold_first(const struct hold *h)
{
    return list_empty(&h->frames) ? NULL : list_entry(h->frames.next, struct frame, link);
}

bool hold_clear(const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pieces[i].channel && pieces[i].end > channel_clear(pieces[i].channel))
            return false;
    return true;
}

void hold_open(struct hold *h, enum hold_gate gate, uint32_t choices)
{
    list_for_each (e, &h->frames) {
        struct frame *f = list_entry(e, struct frame, link);
        if (gate == HOLD_CLOSE || !(f->choices & ~choices))
            f->gates &= ~(uint32_t)gate;
    }
}

void hold_drop(struct hold *h)
{
    struct frame *f = hold_first(h);
    list_remove(&f->link);
    h->bytes -= sizeof(*f) + f->piece_count * sizeof(struct piece) + f->payload.len;
    free(f);
}
