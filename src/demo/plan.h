/*
 * An answer, rendered: the bytes of a response with the places at which to pause, and how it ends.
 * Pure logic; demo/model.c plays it.
 */
#pragma once

#include "demo/ask.h"
#include "json/value.h"

enum plan_end {
    PLAN_COMPLETE, /* the body ends properly */
    PLAN_ABORT,    /* the connection ends within the body */
    PLAN_STALL,    /* no further byte, and no end */
    PLAN_SILENT,   /* not even a response head */
};

/* Bytes up to `end` are sent `delay_ms` after the piece before. */
struct plan_piece {
    size_t end;
    unsigned delay_ms;
};

struct plan_header {
    struct buf name, value;
};

struct plan {
    int status;
    struct buf content_type;
    struct plan_header headers[16];
    size_t header_count;
    struct buf bytes;
    struct plan_piece *pieces;
    size_t piece_count, piece_room;
    enum plan_end end;
    bool whole; /* one piece with a length, not chunked */
    int error;  /* the first failure while rendering */
};

struct plan_pace {
    unsigned chunk;    /* code points an event */
    unsigned delay_ms; /* between events */
};

/*
 * Renders the answer to `a` after `script`; the plan keeps nothing of either. `serial` makes ids
 * distinct, `now` is in seconds. 0, -EINVAL for a script that makes no sense, -EMSGSIZE, -ENOMEM;
 * deinit in any case.
 */
int plan_render(struct plan *ret_plan, const struct ask *a, const struct json_value *script,
                struct plan_pace pace, uint64_t serial, uint64_t now);
void plan_deinit(struct plan *p);
