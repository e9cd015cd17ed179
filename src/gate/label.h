/*
 * Labels of AI-generated text (README.md): the visible one in the answer, where the app wants it
 * there, and the machine's in headers and, where configured, in the body. Private to the room.
 */
#pragma once

#include "gate/exchange.h"

struct label;

/* The request goes to the model: how will its answer be labelled? 0, -ENOMEM. */
int label_begin(struct exchange *x);
/*
 * Every text of the answer, in order, before it is judged. Without a visible label it costs
 * nothing. 0, -ENOMEM.
 */
int label_feed(struct exchange *x, const struct text_item *item);
/* What the answer or event says of itself: it may carry a machine's label already. */
void label_note(struct exchange *x, const struct dialect_event *e);
/* From now on it is a model's answer that goes out, not one of ours. */
void label_generated(struct exchange *x);
/* The headers of such an answer. Returns their number. */
enum { LABEL_HEADERS = 4 };
size_t label_headers(struct exchange *x, struct http_header *ret);
/* What was done, for the record: ui, prefix, suffix, or none:WHY; empty when nothing was shown. */
struct span label_done(const struct exchange *x);

/* What is put into one event: bits of choices. */
struct label_marks {
    uint32_t before, after;
    bool member; /* the machine's label */
};
static inline bool label_marks_any(const struct label_marks *m)
{
    return m->before || m->after || m->member;
}
/*
 * Says what an event that goes out now needs, and counts on it: to be asked once of each event, in
 * order. `finished`: bits of choices that it finishes.
 */
struct label_marks label_marks(struct exchange *x, const struct piece *pieces, size_t count,
                               uint32_t finished);
/*
 * Puts the labels of a text into the event around it; what is left in *marks has no text there.
 * `start`: where the text begins in its channel. As splice_add().
 */
int label_splice(struct exchange *x, struct label_marks *marks, struct span payload,
                 const struct text_item *item, uint64_t start, struct splice *list, size_t max,
                 size_t *count);
/* The machine's label as a member of the event or body. */
int label_splice_member(struct exchange *x, struct span payload, struct splice *list, size_t max,
                        size_t *count);
/* Events of their own for what is left in *marks (framed SSE). */
int label_write_rest(struct exchange *x, const struct label_marks *marks, struct buf *out);
/*
 * The stream ends before its choices do: events that label what was shown (framed SSE). `clean`:
 * the stream's id and model may be repeated.
 */
int label_write_cut(struct exchange *x, uint32_t open_choices, bool clean, struct buf *out);

/* Of an answer that is not streamed: how many splices label it at most; 0: it stays as it is. */
size_t label_room(const struct exchange *x);
int label_whole(struct exchange *x, struct span body, struct splice *list, size_t max,
                size_t *count);

/* Who asked for none: one for each gate. */
struct label_consents;
struct label_consents *label_consents_new(struct span state_dir);
void label_consents_free(struct label_consents *c);
