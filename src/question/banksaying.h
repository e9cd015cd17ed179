/* What questions say, however it is written: for counting, linting and importing. Private to this
 * room. */
#pragma once

#include "base/arena.h"
#include "question/bank.h"

struct saying {
    const struct question *question;
    struct span folded;
    bool repeats; /* one before it in the bank says the same */
};

struct sayings {
    struct arena arena;
    struct saying *list; /* by kind, then by folded text, then as they stand in the bank */
    size_t count;
};

/*
 * Of all questions that are not derived, but for those of the file `except`, as places name it
 * (empty: none). 0, -ENOMEM; free it in any case. O(n log n).
 */
int sayings_read(const struct bank *b, struct span except, struct sayings *ret);
void sayings_free(struct sayings *s);
/*
 * Writes what the text says into `room`, which is cleared: folded, or the text itself where nothing
 * is left of it by folding. 0, -ENOMEM, -EMSGSIZE.
 */
int sayings_fold(struct span text, struct buf *room);
/* The first of that kind that says it, or NULL. O(log n). */
const struct question *sayings_find(const struct sayings *s, enum bank_kind kind,
                                    struct span folded);
/* Room that every question's folded text fits in. */
#define SAYINGS_FOLDED_MAX (16 * BANK_TEXT_MAX)
