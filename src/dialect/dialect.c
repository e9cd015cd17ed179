#include "dialect/dialect.h"

const struct dialect *dialect_find(struct span path)
{
    static const struct dialect *const dialects[] = {&dialect_openai_chat,
                                                     &dialect_openai_completions};
    for (size_t i = 0; i < sizeof(dialects) / sizeof(*dialects); i++)
        if (span_eq(path, span_str(dialects[i]->route)))
            return dialects[i];
    return NULL;
}
