/*
 * Samples of what was allowed: of a share of all exchanges, chosen when they begin, the judged
 * texts are kept without their personal data if nothing was found in them. Private to the room.
 */
#pragma once

#include "base/buf.h"

struct exchange;

#define SAMPLE_MAX (64u << 10) /* bytes of each side; of what is longer the end */

struct sample {
    struct buf prompt, answer;
};

/* Chooses. Reviewers' tests are none, nor is what is shadowed. */
void sample_begin(struct exchange *x);
/* Takes the prompt's texts, as long as its judge has them. */
void sample_prompt(struct exchange *x);
/* At the exchange's end, before it is told: records the sample if it is one. */
void sample_close(struct exchange *x, bool complete);
/* How much of a stream has to be kept for it. */
size_t sample_bytes(const struct exchange *x);
void sample_free(struct sample *s);
