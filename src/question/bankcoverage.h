/* Do the question banks meet the standard's minima? Beside filing/coverage.h, which is of words. */
#pragma once

#include "question/bank.h"

struct bank_coverage {
    const struct bank_counts *counts;
    const struct standard *standard;
    int64_t changed; /* Unix seconds; 0: unknown (question/bankdate.h) */
    int64_t now;
    const char *good, *bad, *off; /* colours; "" for none */
};

/* Appends a table for people. 0, -ENOMEM, -EMSGSIZE. */
int bank_coverage_table(const struct bank_coverage *c, struct buf *out);
/* Appends an object a line for each type or aspect of each bank, and one with "type":"*" a bank. */
int bank_coverage_json(const struct bank_coverage *c, struct buf *out);
/* Are there enough, and brought up to date in time? */
bool bank_coverage_is_met(const struct bank_coverage *c);
