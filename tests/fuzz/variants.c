/*
 * Spellings of any keyword, with any tables: valid UTF-8, none twice, none empty, no more than the
 * cap, and nothing but the layers that were asked for.
 */
#include "text/variants.h"
#include "base/utf8.h"
#include "terms/terms.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    char *spellings[VARIANTS_SPELLINGS_MAX];
    size_t lens[VARIANTS_SPELLINGS_MAX];
    unsigned count, stop;
    uint32_t asked;
};

static int told_add(void *ctx, struct span spelling, uint32_t layer)
{
    struct told *t = ctx;
    if (t->count == VARIANTS_SPELLINGS_MAX || spelling.len == 0 || !(layer & t->asked) ||
        utf8_check(spelling) != spelling.len)
        abort();
    for (unsigned i = 0; i < t->count; i++)
        if (span_eq(spelling, span_from(t->spellings[i], t->lens[i])))
            abort();
    t->spellings[t->count] = malloc(spelling.len);
    if (!t->spellings[t->count])
        return 1;
    memcpy(t->spellings[t->count], spelling.data, spelling.len);
    t->lens[t->count++] = spelling.len;
    return t->count == t->stop ? 1 : 0;
}

/* First line: the layers, when to stop. Second: lines of tables up to an empty one. Then: words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t layers[] = {LAYER_PINYIN, LAYER_INITIALS, LAYER_SPLIT, LAYER_REVERSED};
    struct variants *v = variants_new();
    if (size < 2 || !v) {
        variants_free(v);
        return 0;
    }
    struct told told = {.asked = LAYER_NUMERAL, .stop = data[1] % 160};
    for (unsigned i = 0; i < 4; i++)
        told.asked |= data[0] >> i & 1 ? layers[i] : 0;
    struct span rest = span_from((const char *)data + 2, size - 2), line;
    while (span_split(&rest, '\n', &line) && line.len) {
        uint32_t cp;
        int n = utf8_decode(line, true, &cp);
        if (n > 0)
            variants_add_split(v, cp, span_slice(line, (size_t)n, line.len));
        variants_add_shape(v, line);
        variants_add_sound(v, line);
        for (n = 0; n < (int)line.len; n++) {
            uint32_t c = (unsigned char)line.data[n] * 97u;
            if (variants_shape(v, variants_shape(v, c)) != variants_shape(v, c) ||
                variants_sound(v, c) > 0x1FFFFF)
                abort();
        }
    }
    while (span_split(&rest, '\n', &line)) {
        told.count = 0;
        variants_spellings(v, line, told.asked, told_add, &told);
        for (unsigned i = 0; i < told.count; i++)
            free(told.spellings[i]);
    }
    variants_free(v);
    return 0;
}
