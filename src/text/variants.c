#include "text/variants.h"

#include <stdlib.h>

struct variants {
    int unused;
};

struct variants *variants_new(void)
{
    return calloc(1, sizeof(struct variants));
}

void variants_free(struct variants *v)
{
    free(v);
}

int variants_add_split(struct variants *v, uint32_t cp, struct span parts)
{
    return 0;
}

int variants_add_shape(struct variants *v, struct span characters)
{
    return 0;
}

int variants_add_sound(struct variants *v, struct span characters)
{
    return 0;
}

int variants_spellings(const struct variants *v, struct span word, uint32_t asked,
                       variants_spelling_fn fn, void *ctx)
{
    return 0;
}

uint32_t variants_sound(const struct variants *v, uint32_t cp)
{
    return cp;
}

uint32_t variants_shape(const struct variants *v, uint32_t cp)
{
    return cp;
}

uint32_t variants_leet(uint32_t cp)
{
    return cp;
}
