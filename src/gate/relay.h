/*
 * A stream on its way through the hold, as relay.c (from the upstream, and the endings) and send.c
 * (towards the client) share it. Private to the room.
 */
#pragma once

#include "dialect/sse.h"
#include "gate/exchange.h"
#include "scan/hold.h"

struct relay {
    struct exchange *x;
    struct sse_reader *sse;
    struct dialect_stream *stream;
    struct hold hold;
    struct buf out;       /* one framed event */
    struct piece *pieces; /* of the event being read */
    size_t piece_count, piece_cap;
    uint32_t expected, seen, finished, emitted; /* bits of choices */
    uint32_t tools;                             /* choices whose tool call this event carries */
    uint64_t bytes, begin_ms, data_ms, write_ms;
    uint64_t log_ms; /* since when the end waits for its record */
    bool decisive;   /* a hit, or an objection, ends the stream */
    bool shown;      /* text of the answer has gone out */
    bool weighing;   /* the upstream is over, and the end waits for second opinions */
    bool started;    /* headers are out */
    bool done;       /* the dialect's end mark was seen */
    bool terminal;   /* every choice is finished */
    bool sealed;     /* the close is durable */
    bool over;       /* the upstream's side is over */
    bool paused;
    enum cause failure; /* the stream ends with an error */
    enum outcome outcome;
    void (*after)(struct exchange *x); /* when everything submitted is durable */
};

/* relay.c */
/* Does that text stand in a call of a tool or function? */
bool relay_is_call(const struct text_item *item);
/* No more text of these choices (bits). 0 or negative as judge_finish(). */
int relay_finish_choices(struct exchange *x, uint32_t bits);
/* Gives what came from the upstream, cut into events, to fn; the relay is its context. */
int relay_read_upstream(struct exchange *x, sse_event_fn fn);
/* Holds the upstream back while the client does not take what was sent. */
void relay_pause_or_go_on(struct exchange *x);
/* ending.c */
/* Does the failing log end the stream? Then it is ended. */
bool relay_unrecorded(struct exchange *x);
/* Runs fn when everything submitted is durable or has failed. */
void relay_await(struct exchange *x, void (*fn)(struct exchange *x));
/* From here on the stream waits for its record, and not for ever. */
void relay_wait_for_log(struct exchange *x);
void relay_masks_recorded(struct exchange *x);
/* A hit, or an objection, ends the answer where its texts stop being clear. */
void relay_cut(struct exchange *x);
/* The stream can't be completed: what is clear goes out, then an error, never an end. */
void relay_fail(struct exchange *x, enum cause cause, enum outcome outcome);
/* Every choice is finished, recorded and sent: the end mark, whether the upstream sent one or not.
 */
void relay_end_complete(struct exchange *x);

/*
 * The prompt is refused after all: nothing of the answer goes out. False where the client has not
 * even its headers: then it is refused as any prompt.
 */
bool relay_withhold(struct exchange *x);

/* send.c */
/* Begins the client's event stream, once. */
int relay_start(struct exchange *x);
/* Sends what stands in `out`, framed. */
int relay_send_out(struct exchange *x);
/* Frames and sends one event's payload. */
int relay_send_payload(struct exchange *x, struct span payload);
/*
 * Sends an event that is clear, with its masks and labels: verbatim where it has none. `finished`:
 * bits of choices that it finishes.
 */
int relay_send_event(struct exchange *x, struct span payload, const struct piece *pieces,
                     size_t count, uint32_t finished);
/* The same with a frame that was held. */
int relay_send_frame(struct exchange *x, const struct frame *f);
/* Sends a frame that ends where its texts stop being clear. */
int relay_send_cut(struct exchange *x, const struct frame *f);
/* May that frame be sent in part? Only where it is text that ends early. */
bool relay_can_cut(const struct frame *f);
/* Is there text of the answer in these pieces? */
bool relay_is_text(const struct piece *pieces, size_t count);
/* Is text of these pieces to be masked? */
bool relay_masked(const struct piece *pieces, size_t count);
/* Is there clear text that the client has not seen? */
bool relay_has_text(const struct relay *r);
