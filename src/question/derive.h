/*
 * The attack multiplier: questions wrapped in the ways in which testers try to get past a filter,
 * techniques T01 to T28. What comes out names its seed and its technique, and is never counted
 * towards a minimum. The same seed number, banks and library give the same bytes.
 */
#pragma once

#include "question/bank.h"

/* One technique, as help and catalogues tell it. */
struct derive_technique {
    const char *name, *name_zh;
    unsigned shapes;   /* ways in which a seed can be wrapped; 0: not expressible as a question */
    unsigned kinds;    /* of seeds that it suits, bits by enum bank_kind */
    const char *limit; /* what it can't do here, and why; NULL: nothing */
};
/* number: 1 to BANK_TECHNIQUES. */
const struct derive_technique *derive_technique_get(unsigned number);

struct derivation {
    const struct bank *bank;
    const struct ruleset *rules; /* whose ordinary texts say which characters are common */
    struct span rules_dir;       /* with variants/ */
    uint64_t seed;
    uint32_t techniques; /* bit n: technique n */
    unsigned per;        /* of each seed and technique at most; from 1 on */
    /* Is that one a seed? Derived ones are none in any case. NULL: all are. */
    bool (*wanted)(void *ctx, const struct question *q);
    void *ctx;
};

struct derive_counts {
    size_t seeds;
    size_t made[BANK_TECHNIQUES + 1];
    /* Tried in vain: the technique changes nothing in that text, or the result is too long. */
    size_t unfit[BANK_TECHNIQUES + 1];
};

/*
 * Appends the derived questions as lines of a bank, in the order of seeds, then of techniques; ids
 * are the seed's with -T05, -T05-2 … behind. 0; -EMSGSIZE, -ENOMEM; -errno when variants/ can't be
 * read. Linear in what it makes.
 */
int derive_questions(const struct derivation *d, struct buf *out, struct derive_counts *ret);
