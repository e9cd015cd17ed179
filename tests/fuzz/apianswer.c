/* What a provider answers to an evaluation: read, and looked at for a refusal. */
#include "evaluation/apianswer.h"
#include "evaluation/refusal.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 401, 429, 500};
    struct apianswer a;
    struct span by = {NULL, 0};
    if (size == 0)
        return 0;
    struct span text = span_from((const char *)data + 1, size - 1);
    if (apianswer_read(statuses[data[0] % 5], text, &a) == 0) {
        struct refusal_answer said = {.text = buf_span(&a.text),
                                      .finish = span_str(a.finish),
                                      .refusal = buf_span(&a.refusal)};
        if (refusal_recognise(&said, &by) && by.len == 0)
            abort();
        apianswer_free(&a);
    }
    /* Texts that no JSON holds may come out of a file. */
    if (refusal_recognise(&(struct refusal_answer){.text = text}, &by) && by.len == 0)
        abort();
    return 0;
}
