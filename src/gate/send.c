/*
 * Towards the client: frames as they came, or with masks, or ended at a cut. A changed frame is
 * walked once more, because splices need each text's raw place.
 */
#include "gate/relay.h"

#include <errno.h>
#include <stdlib.h>

#define RELAY_SPLICES_MAX 1024

int relay_start(struct exchange *x)
{
    struct relay *r = x->relay;
    if (r->started)
        return 0;
    int rc = reply_stream(x, record_action(x));
    r->started = rc == 0;
    return rc;
}

int relay_send_out(struct exchange *x)
{
    struct relay *r = x->relay;
    int rc = relay_start(x);
    if (rc == 0)
        rc = http_stream_write(x->client, buf_span(&r->out));
    r->write_ms = loop_now_ms(x->gate->loop);
    buf_clear(&r->out);
    return rc;
}

int relay_send_payload(struct exchange *x, struct span payload)
{
    struct relay *r = x->relay;
    int rc = sse_write(&r->out, SPAN_NULL, payload);
    return rc < 0 ? rc : relay_send_out(x);
}

static bool is_text(enum field f)
{
    return f == FIELD_CONTENT || f == FIELD_REASONING || f == FIELD_REFUSAL || f == FIELD_AUDIO;
}

static bool is_masked(const struct piece *p)
{
    const struct channel *c = p->channel;
    for (size_t i = 0; c && i < c->mask_count; i++)
        if (c->masks[i].start < p->end && c->masks[i].end > p->start)
            return true;
    return false;
}

bool relay_is_text(const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pieces[i].channel && is_text(pieces[i].channel->field) &&
            pieces[i].end > pieces[i].start)
            return true;
    return false;
}

bool relay_masked(const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_masked(&pieces[i]))
            return true;
    return false;
}

struct rewrite {
    const struct frame *frame;
    struct splice *splices;
    size_t count;
    uint32_t item;
    size_t piece;
};

static int rewrite_item(void *ctx, const struct text_item *item)
{
    struct rewrite *w = ctx;
    uint32_t number = w->item++;
    if (w->piece == w->frame->piece_count || w->frame->pieces[w->piece].item != number)
        return 0;
    const struct piece *p = &w->frame->pieces[w->piece++];
    const struct channel *c = p->channel;
    if (!c || c->field == FIELD_LOGPROBS)
        return 0; /* goes as a whole */
    uint64_t clear = channel_clear(c);
    uint64_t end = p->end < clear ? p->end : clear > p->start ? clear : p->start;
    for (size_t i = 0; i < c->mask_count; i++) {
        uint64_t from = c->masks[i].start > p->start ? c->masks[i].start : p->start;
        uint64_t to = c->masks[i].end < end ? c->masks[i].end : end;
        if (from >= to)
            continue;
        int r = splice_mask(w->frame->payload, item, (size_t)(from - p->start),
                            (size_t)(to - p->start), w->splices, RELAY_SPLICES_MAX, &w->count);
        if (r < 0)
            return r;
    }
    if (end == p->end)
        return 0;
    return splice_cut(w->frame->payload, item, (size_t)(end - p->start), w->splices,
                      RELAY_SPLICES_MAX, &w->count);
}

/* Sends a frame with its masks, and with `cut` ended where its texts stop being clear. */
static int send_rewritten(struct exchange *x, const struct frame *f, bool cut)
{
    struct relay *r = x->relay;
    struct dialect_event event = {0};
    struct dialect_error error = {0};
    struct rewrite w = {.frame = f};
    w.splices = calloc(RELAY_SPLICES_MAX, sizeof(*w.splices));
    if (!w.splices)
        return -ENOMEM;
    struct buf changed = BUF_INIT(r->out.max);
    int rc = x->dialect->read_event(r->stream, x->gate->walk, f->payload, &event, &error,
                                    rewrite_item, &w);
    if (rc == 0)
        rc = x->dialect->strip_event(x->gate->walk, f->payload, cut, w.splices, RELAY_SPLICES_MAX,
                                     &w.count);
    if (rc == 0) {
        splice_sort(w.splices, w.count);
        w.count = splice_outermost(w.splices, w.count);
        rc = splice_apply(f->payload, w.splices, w.count, &changed);
    }
    if (rc == 0)
        rc = relay_send_payload(x, buf_span(&changed));
    buf_deinit(&changed);
    free(w.splices);
    return rc;
}

int relay_send_frame(struct exchange *x, const struct frame *f)
{
    struct relay *r = x->relay;
    r->emitted |= f->finished;
    r->shown = r->shown || relay_is_text(f->pieces, f->piece_count);
    uint64_t held = loop_now_us(x->gate->loop) - f->since_us;
    struct record_notes *n = record_notes(x);
    if (held > n->held_us)
        n->held_us = held;
    return relay_masked(f->pieces, f->piece_count) ? send_rewritten(x, f, false)
                                                   : relay_send_payload(x, f->payload);
}

/* Is there text before the cut that the client has not seen? */
bool relay_has_text(const struct relay *r)
{
    list_for_each (e, &r->hold.frames) {
        const struct frame *f = list_entry(e, struct frame, link);
        for (size_t i = 0; i < f->piece_count; i++) {
            const struct channel *c = f->pieces[i].channel;
            if (c && is_text(c->field) && channel_clear(c) > f->pieces[i].start &&
                f->pieces[i].end > f->pieces[i].start)
                return true;
        }
        if (!hold_clear(f->pieces, f->piece_count))
            return false;
    }
    return false;
}

/* May the frame with the cut be sent in part? Only where it is text that ends early. */
bool relay_can_cut(const struct frame *f)
{
    bool text = false;
    for (size_t i = 0; i < f->piece_count; i++) {
        const struct channel *c = f->pieces[i].channel;
        if (!c || c->field == FIELD_LOGPROBS)
            continue;
        uint64_t clear = channel_clear(c);
        if (f->pieces[i].end > clear && !is_text(c->field))
            return false;
        if (is_text(c->field) && clear > f->pieces[i].start)
            text = true;
    }
    return text && !(f->gates & HOLD_TOOL);
}

int relay_send_cut(struct exchange *x, const struct frame *f)
{
    x->relay->shown = true;
    return send_rewritten(x, f, true);
}
