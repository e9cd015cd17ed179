/*
 * Signed checkpoints: one line each in <dir>/checkpoints.jsonl, saying how many records the log had
 * and what its head was, signed with the key in <dir>/keys. A line that was copied elsewhere pins
 * everything before it.
 *
 *   {"v":1,"size":N,"head":"<64 hex>","time":<us>,"key":"<16 hex>","sig":"<128 hex>"}
 *
 * The signature covers "juyong.checkpoint.v1\0" and the line up to the comma before "key".
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct checkpoint;

struct checkpoint_line {
    uint64_t size, time_us;
    unsigned char head[32];
};

/* Loads or creates the key. 0 or -errno, logged. */
int checkpoint_open(struct span dir, struct checkpoint **ret_checkpoint);
void checkpoint_close(struct checkpoint *c);
/* Signs, appends and syncs one line. 0 or -errno. */
int checkpoint_write(struct checkpoint *c, const struct checkpoint_line *line);
/* The last whole line's content, its signature unchecked. 1, 0 when there is none, or -errno. */
int checkpoint_last(struct span dir, struct checkpoint_line *ret_line);
