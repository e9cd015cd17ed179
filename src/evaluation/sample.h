/*
 * Draws the questions of an evaluation: at random, by a seed, the same again from the same bank
 * whatever the order of its files; every type is in it.
 */
#pragma once

#include "question/bank.h"

#include <stdint.h>

struct sample_options {
    bool banks[BANK_KINDS];
    bool all;                    /* every question of these banks */
    unsigned wanted[BANK_KINDS]; /* else so many of each; all when there are fewer */
    bool derived;                /* derived questions may be drawn, too */
    uint64_t seed;
};

/*
 * Each type gets its share of the bank, and one question at least as long as there are that many.
 * *ret_list, in the order of banks, is freed with free(). 0 or -ENOMEM. O(n log n).
 */
int sample_draw(const struct bank *b, const struct sample_options *o,
                const struct question ***ret_list, size_t *ret_count);
