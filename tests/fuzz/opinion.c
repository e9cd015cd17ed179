/*
 * The reader of one adapter's answers (-DADAPTER=...): on any bytes no crash, and what it takes is
 * within its bounds, and the same when it is read again.
 */
#include "opinion/adapter.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct opinion_verdict v, again;
    struct span body = span_from((const char *)data, size);
    int r = ADAPTER.read(body, &v);
    require(r == 0 || r == -EBADMSG || r == -ENOMEM);
    if (r != 0)
        return 0;
    require(size > 0 && v.count <= OPINION_SCORES_MAX);
    for (size_t i = 0; i < v.count; i++) {
        size_t len = strnlen(v.scores[i].category, OPINION_CATEGORY_MAX);
        require(len > 0 && len < OPINION_CATEGORY_MAX);
        require(v.scores[i].percent >= 1 && v.scores[i].percent <= 100);
    }
    require(ADAPTER.read(body, &again) == 0 && again.count == v.count);
    return 0;
}
