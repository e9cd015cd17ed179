/*
 * The keys of L2, in <dir>/keys/text.key: 64 hex digits a line. The last line is the newest key,
 * which wraps the keys of new texts; the lines above it open older ones. Read by the writer, by who
 * reveals and by `log verify`.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

#define TEXTKEY_SIZE    32
#define TEXTKEY_ID_SIZE 16 /* hex digits that name a key */
#define TEXTKEY_MAX     64

struct textkey {
    char id[TEXTKEY_ID_SIZE + 1];
    unsigned char key[TEXTKEY_SIZE];
};
struct textkeys {
    struct textkey list[TEXTKEY_MAX]; /* oldest first */
    size_t count;
};

/*
 * Reads the keys of that log's directory; with `create` one is made where there is none. 0, -ENOENT
 * (not `create`), -EBADMSG (not of that form), -E2BIG, -errno.
 */
int textkeys_load(struct span dir, bool create, struct textkeys *ret_keys);
/* Overwrites them. */
void textkeys_forget(struct textkeys *k);
/* NULL when there is none of that name. */
const struct textkey *textkeys_find(const struct textkeys *k, struct span id);
static inline const struct textkey *textkeys_newest(const struct textkeys *k)
{
    return &k->list[k->count - 1];
}
