/*
 * Towards the client: frames as they came, or with masks, or ended at a cut. A changed frame is
 * walked once more, because splices need each text's raw place.
 */
#include "gate/relay.h"

#include "gate/label.h"

#include <errno.h>
#include <stdlib.h>

#define RELAY_SPLICES_MAX 1024

int relay_start(struct exchange *x)
{
    struct relay *r = x->relay;
    if (r->started)
        return 0;
    label_generated(x);
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

/* An event that does not go on as it came. */
struct rewrite {
    struct exchange *x;
    struct span payload;
    const struct piece *pieces;
    size_t piece_count;
    struct label_marks *marks;
    struct splice *splices;
    size_t count;
    uint32_t item;
    size_t piece;
};

static int mask_or_cut(struct rewrite *w, const struct text_item *item, const struct piece *p)
{
    const struct channel *c = p->channel;
    uint64_t clear = channel_clear(c);
    uint64_t end = p->end < clear ? p->end : clear > p->start ? clear : p->start;
    for (size_t i = 0; i < c->mask_count; i++) {
        uint64_t from = c->masks[i].start > p->start ? c->masks[i].start : p->start;
        uint64_t to = c->masks[i].end < end ? c->masks[i].end : end;
        if (from >= to)
            continue;
        int r = splice_mask(w->payload, item, (size_t)(from - p->start), (size_t)(to - p->start),
                            w->splices, RELAY_SPLICES_MAX, &w->count);
        if (r < 0)
            return r;
    }
    if (end == p->end)
        return 0;
    return splice_cut(w->payload, item, (size_t)(end - p->start), w->splices, RELAY_SPLICES_MAX,
                      &w->count);
}

static int rewrite_item(void *ctx, const struct text_item *item)
{
    struct rewrite *w = ctx;
    uint32_t number = w->item++;
    if (w->piece == w->piece_count || w->pieces[w->piece].item != number)
        return 0;
    const struct piece *p = &w->pieces[w->piece++];
    const struct channel *c = p->channel;
    if (!c || c->field == FIELD_LOGPROBS)
        return 0; /* goes as a whole */
    int r = mask_or_cut(w, item, p);
    if (r < 0)
        return r;
    return label_splice(w->x, w->marks, w->payload, item, p->start, w->splices, RELAY_SPLICES_MAX,
                        &w->count);
}

/*
 * Sends an event with its masks and labels, and with `cut` ended where its texts stop being clear.
 * A label that finds no text in it goes before it, as an event of its own.
 */
static int send_rewritten(struct exchange *x, struct rewrite *w, bool cut)
{
    struct relay *r = x->relay;
    struct dialect_event event = {0};
    struct dialect_error error = {0};
    bool changed = cut || relay_masked(w->pieces, w->piece_count);
    w->splices = calloc(RELAY_SPLICES_MAX, sizeof(*w->splices));
    if (!w->splices)
        return -ENOMEM;
    struct buf out = BUF_INIT(r->out.max);
    int rc = x->dialect->read_event(r->stream, x->gate->walk, w->payload, &event, &error,
                                    rewrite_item, w);
    if (rc == 0 && changed)
        rc = x->dialect->strip_event(x->gate->walk, w->payload, cut, w->splices, RELAY_SPLICES_MAX,
                                     &w->count);
    if (rc == 0 && w->marks->member)
        rc = label_splice_member(x, w->payload, w->splices, RELAY_SPLICES_MAX, &w->count);
    if (rc == 0) {
        splice_sort(w->splices, w->count);
        w->count = splice_outermost(w->splices, w->count);
        rc = splice_apply(w->payload, w->splices, w->count, &out);
    }
    if (rc == 0)
        rc = label_write_rest(x, w->marks, &r->out);
    if (rc == 0)
        rc = relay_send_payload(x, buf_span(&out));
    buf_deinit(&out);
    free(w->splices);
    return rc;
}

int relay_send_event(struct exchange *x, struct span payload, const struct piece *pieces,
                     size_t count, uint32_t finished)
{
    struct relay *r = x->relay;
    struct label_marks marks = label_marks(x, pieces, count, finished);
    r->emitted |= finished;
    r->shown = r->shown || relay_is_text(pieces, count);
    if (!label_marks_any(&marks) && !relay_masked(pieces, count))
        return relay_send_payload(x, payload);
    struct rewrite w = {
        .x = x, .payload = payload, .pieces = pieces, .piece_count = count, .marks = &marks};
    return send_rewritten(x, &w, false);
}

int relay_send_frame(struct exchange *x, const struct frame *f)
{
    uint64_t held = loop_now_us(x->gate->loop) - f->since_us;
    struct record_notes *n = record_notes(x);
    if (held > n->held_us)
        n->held_us = held;
    return relay_send_event(x, f->payload, f->pieces, f->piece_count, f->finished);
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
    struct label_marks marks = label_marks(x, f->pieces, f->piece_count, 0);
    struct rewrite w = {.x = x,
                        .payload = f->payload,
                        .pieces = f->pieces,
                        .piece_count = f->piece_count,
                        .marks = &marks};
    return send_rewritten(x, &w, true);
}
