/*
 * The judged texts that go to the log as they were said, beside the record of what was found in
 * them: to be sealed there (audit/originals.h). Private to the room.
 */
#pragma once

#include "gate/judge.h"

struct exchange;

/* What one event carries. Texts are lent by the judge's channels until they are fed again. */
struct originals_set {
    struct audit_original list[AUDIT_ORIGINALS_MAX];
    const struct channel *channels[AUDIT_ORIGINALS_MAX]; /* NULL: an opinion's text */
    size_t count;
    size_t room; /* bytes */
};

/* Before the judge's first text: how much it has to keep for this. */
void original_begin(struct exchange *x, struct judge *j);
void original_init(struct originals_set *s, const struct judge *j);
/* The text that holds a finding, which is the event's hit of that number. */
void original_add(struct originals_set *s, const struct judge *j, const struct finding *f,
                  size_t number);
/* At the end of a stream in which something was found: what came behind it. */
void original_add_rest(struct originals_set *s, const struct judge *j);
