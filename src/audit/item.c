#include "audit/item.h"

#include "audit/strikes.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

/* Far above what the ceilings of fields, hits and texts add up to. */
#define ITEM_SIZE_MAX (4u << 20)

static int put(struct buf *b, struct span s, uint32_t *ret_at, uint32_t *ret_len)
{
    *ret_at = (uint32_t)b->len;
    *ret_len = (uint32_t)s.len;
    return buf_append(b, s);
}

/* The part of the context that is kept: `max` bytes around the match, on both sides alike. */
static struct span cut_context(const struct audit_hit *h, size_t max, size_t *ret_start,
                               size_t *ret_end)
{
    struct span c = h->context;
    size_t end = h->context_end < c.len ? h->context_end : c.len;
    size_t start = h->context_start < end ? h->context_start : end;
    if (c.len > max) {
        size_t match = end - start < max ? end - start : max;
        size_t side = (max - match) / 2;
        size_t from = start > side ? start - side : 0;
        if (from + max > c.len)
            from = c.len - max;
        while (from < start && ((unsigned char)c.data[from] & 0xc0) == 0x80)
            from++;
        c = record_clip(span_slice(c, from, c.len), max);
        start -= from;
        end -= from;
        if (end > c.len)
            end = c.len;
        if (start > end)
            start = end;
    }
    *ret_start = start;
    *ret_end = end;
    return c;
}

static int put_text(struct buf *b, const struct audit_hit *h, size_t max, struct item_text *t)
{
    size_t start, end;
    struct span context = cut_context(h, max, &start, &end);
    int r = put(b, record_clip(h->path, RECORD_FIELD_MAX), &t->path, &t->path_len);
    if (r == 0)
        r = put(b, record_clip(h->text, max), &t->text, &t->text_len);
    if (r == 0)
        r = put(b, context, &t->context, &t->context_len);
    if (r == 0)
        r = put(b, record_clip(h->folded, max), &t->folded, &t->folded_len);
    t->start = (uint32_t)start;
    t->end = (uint32_t)end;
    return r;
}

/* Sealed here, in the worker's thread: what waits in the queue can't be read by anybody. */
static int put_originals(struct buf *b, const struct audit_event *event,
                         const struct textkeys *keys, struct record_originals *o, struct item *i)
{
    struct buf wrapped = BUF_INIT(ORIGINALS_WRAPPED);
    o->count =
        event->original_count < AUDIT_ORIGINALS_MAX ? event->original_count : AUDIT_ORIGINALS_MAX;
    i->sealed = (uint32_t)b->len;
    int r = originals_seal(keys, event->originals, o->count, o->commits, &wrapped, b);
    i->sealed_len = (uint32_t)b->len - i->sealed;
    if (r == 0)
        r = put(b, buf_span(&wrapped), &i->wrapped, &i->wrapped_len);
    memcpy(i->key_id, textkeys_newest(keys)->id, sizeof(i->key_id));
    buf_deinit(&wrapped);
    return r;
}

static int fill(struct buf *b, const struct audit_event *event, struct item_limits limits,
                struct item *i)
{
    size_t commits[RECORD_HITS_MAX], text_max = limits.text_max;
    struct record_originals originals = {0};
    struct item_text texts[RECORD_HITS_MAX];
    size_t n = event->hit_count < RECORD_HITS_MAX ? event->hit_count : RECORD_HITS_MAX;
    /* The texts' table comes first, right behind the item, where it is aligned. */
    i->texts = (uint32_t)sizeof(*i);
    i->text_count = (uint32_t)n;
    int r = buf_reserve(b, sizeof(*i) + n * sizeof(texts[0]) + 1024);
    if (r < 0)
        return r;
    b->len = sizeof(*i) + n * sizeof(texts[0]);
    if (limits.keys && event->original_count)
        r = put_originals(b, event, limits.keys, &originals, i);
    i->body = (uint32_t)b->len;
    if (r == 0)
        r = record_write_event(b, event, &originals, commits);
    i->body_len = (uint32_t)b->len - i->body;
    if (r == 0 && event->subject)
        r = put(b, record_clip(event->subject->request_id, RECORD_FIELD_MAX), &i->request,
                &i->request_len);
    for (size_t k = 0; r == 0 && k < n; k++) {
        r = put_text(b, &event->hits[k], event->hits[k].kept ? AUDIT_KEPT_MAX : text_max,
                     &texts[k]);
        texts[k].commit = (uint32_t)commits[k];
    }
    i->offence_count = (uint32_t)event->offence_count;
    if (r == 0 && event->offence_count) {
        uint32_t bytes;
        r = put(b,
                span_from((const char *)event->offences,
                          event->offence_count * sizeof(*event->offences)),
                &i->offences, &bytes);
    }
    if (r == 0 && event->strike)
        r = put(b, span_from((const char *)event->strike, sizeof(*event->strike)), &i->strike,
                &i->strike_len);
    if (r == 0 && n)
        memcpy(b->data + i->texts, texts, n * sizeof(texts[0]));
    return r;
}

int item_new(const struct audit_event *event, uint64_t exchange, struct audit_port *port,
             struct item_limits limits, struct item **ret_item)
{
    struct buf b = BUF_INIT(ITEM_SIZE_MAX);
    struct item head = {
        .wall_us = clock_wall_us(),
        .mono_us = clock_mono_us(),
        .weight = record_weight(event),
        .sample = event->sample.len > 0,
        .done = {.exchange = exchange, .kind = event->kind},
    };
    int r = fill(&b, event, limits, &head);
    if (r < 0) {
        buf_deinit(&b);
        return r;
    }
    head.size = (uint32_t)b.cap;
    head.port = port ? port_ref(port) : NULL;
    atomic_init(&head.refs, 1);
    /* malloc's alignment suits the struct; the buffer's bytes become the item. */
    memcpy(b.data, &head, sizeof(head));
    *ret_item = (struct item *)(void *)b.data;
    return 0;
}

void item_unref(struct item *i)
{
    if (!i || atomic_fetch_sub(&i->refs, 1) != 1)
        return;
    struct audit_port *port = i->port;
    free(i);
    port_unref(port);
}
