/*
 * Keeps the events of a stream, in order, until every gate has passed them. A frame is clear when
 * each of its texts is (channel_clear()) and no other gate holds it; frames leave strictly in
 * order.
 */
#pragma once

#include "scan/scanner.h"

/* Gates beside the scanner that a frame may wait at; bits. */
enum hold_gate {
    HOLD_CLOSE = 1 << 0, /* the terminal frame: the exchange's record must be durable */
    HOLD_TOOL = 1 << 1,  /* part of a tool call: whole or not at all */
};

struct frame {
    struct list link;
    struct span payload; /* owned, with the frame */
    uint32_t gates;      /* enum hold_gate bits still closed */
    uint32_t choices;    /* bit per choice whose tool call it carries */
    uint32_t finished;   /* bit per choice that it finishes */
    uint64_t since_us;   /* when it came */
    size_t piece_count;
    struct piece pieces[];
};

struct hold {
    struct list frames;
    size_t bytes, max; /* ceiling of what is held */
};

void hold_init(struct hold *h, size_t max);
void hold_deinit(struct hold *h);
/* Copies the event in. 0 and the frame; -EMSGSIZE past the ceiling, -ENOMEM. */
int hold_push(struct hold *h, struct span payload, const struct piece *pieces, size_t count,
              struct frame **ret_frame);
/* The first frame, NULL when nothing is held. */
struct frame *hold_first(const struct hold *h);
/* Are all texts of these pieces clear? */
bool hold_clear(const struct piece *pieces, size_t count);
/* Opens a gate for the frames that `choices` (bits) concern; all frames for HOLD_CLOSE. */
void hold_open(struct hold *h, enum hold_gate gate, uint32_t choices);
/* Takes the first frame off and frees it. */
void hold_drop(struct hold *h);
