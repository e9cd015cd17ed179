/* Derived texts of any bytes: maps stay within the raw text, and decoded ones are monotone. */
#include "text/derive.h"
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct check {
    struct span raw;
    size_t bytes;
};

static int check(void *ctx, const struct derived *d)
{
    struct check *c = ctx;
    uint32_t shown = LAYER_REVERSED | LAYER_VERTICAL, layers = 0;
    for (const struct derived *from = d; from; from = from->from)
        layers |= from->layers;
    size_t last_start = 0, last_end = 0, start, end;
    uint32_t seen;
    c->bytes += d->text.len;
    if (utf8_check(c->raw) == c->raw.len && utf8_check(d->text) != d->text.len)
        abort();
    for (size_t i = 0; i < d->text.len; i++) {
        if (!derive_locate(d, i, i + 1, &start, &end, &seen))
            continue;
        if (start >= end || end > c->raw.len)
            abort();
        if (!(layers & shown) && (start < last_start || end < last_end))
            abort();
        last_start = start;
        last_end = end;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct check c = {.raw = span_from((const char *)data, size)};
    if (size > 65536)
        return 0;
    if (derive_decoded(c.raw, check, &c) || c.bytes > DERIVE_ROUNDS_MAX * 2 * size)
        abort();
    c.bytes = 0;
    if (derive_readings(c.raw, LAYERS_WHOLE, check, &c) || c.bytes > 5 * size)
        abort();
    return 0;
}
