/*
 * Are the banks fit to be handed in: does a question repeat another, does our own library block
 * what must be answered, is a type without any question? For `juyong filing questions lint`.
 */
#pragma once

#include "config/config.h"
#include "question/bank.h"

struct bank_linting {
    const struct bank *bank;
    const struct ruleset *rules;  /* with their match set */
    const struct config_app *app; /* whose policy decides */
};

struct bank_lint {
    size_t judged;   /* questions of the answer bank */
    size_t blocked;  /* of these, those that the gateway itself would not let through */
    size_t opposed;  /* to be refused by one bank and answered by the other */
    size_t orphaned; /* derived of a question that is not there, or is of another bank or type */
    size_t repeated; /* the same text after folding */
    size_t near;     /* nearly the same text */
    size_t empty;    /* types of the standard without a question */
};

/*
 * Appends one "file:line: message" for each of blocked, opposed and orphaned, and a warning for
 * each of the others. 0, -ENOMEM, or as judgement_make(). Near texts are found by comparing all of
 * a bank with each other: O(n²), some 10 ns a pair.
 */
int bank_lint(const struct bank_linting *l, struct buf *messages, struct bank_lint *ret);
