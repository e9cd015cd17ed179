/* How `juyong scan` shows one hit, or one that an allow phrase saved. */
#pragma once

#include "policy/policy.h"
#include "scan/derived.h"

struct finding {
    struct span text; /* the raw one, whole */
    struct hit hit;
    const struct derived_part *derived; /* where it was found; NULL: in the raw text */
    const struct saved *saved;          /* NULL for one that counts */
    const struct rule *rule;
    struct span app;
    enum action action; /* what is done, or would be */
    struct policy_reason reason;
};

/* What sets words off on a terminal; empty elsewhere. */
struct looks {
    char mark[16], dim[16], off[16];
};

/* One line. What can't be seen is written as its number. */
void finding_line(struct buf *out, const struct finding *f);
/* Some lines, with all that is known. */
void finding_explain(struct buf *out, const struct finding *f, const struct looks *looks);
/* One object; `explain`: with all that is known. */
void finding_json(struct buf *out, const struct finding *f, bool explain);
