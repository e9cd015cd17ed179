/*
 * Bodies of forms: application/x-www-form-urlencoded, as browsers send it.
 */
#pragma once

#include "base/span.h"

struct form_field {
    struct span name, value; /* decoded, in the caller's room */
};

/*
 * Cuts a body into fields. `room` takes what is decoded and holds body.len bytes. 0; -EILSEQ when
 * an escape is none or what comes out is not UTF-8 or has a NUL; -EEXIST: a name that is there
 * twice; -E2BIG: more than `max` fields. O(body.len + fields squared).
 */
int form_read(struct span body, char *room, struct form_field *ret_fields, size_t max,
              size_t *ret_count);
/* The value of that name, or the empty span. */
struct span form_get(const struct form_field *fields, size_t count, const char *name);
