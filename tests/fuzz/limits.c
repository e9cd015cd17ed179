/* The counts that outlive a restart, from any bytes: no crash, and no subject has more than it
 * says. */
#include "access/limiterfile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limiter *l = limiter_new();
    struct buf messages = BUF_INIT(1u << 16);
    struct place at = {.file = SPAN_LIT("limits")};
    if (!l)
        return 0;
    /* 20000: the day of the seeds. */
    int r = limiter_read(l, span_from((const char *)data, size), at, (int64_t)20000 * LIMIT_DAY_S,
                         &messages);
    for (const struct limit_app *a = l->apps; r == 0 && a; a = a->next)
        if (a->keys.count + a->end_users.count > size || a->all.running)
            abort();
    limiter_free(l);
    buf_deinit(&messages);
    return 0;
}
