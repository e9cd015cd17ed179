/*
 * Any two headers: what is taken for a trace context goes on in a form that is read again as the
 * same, and never holds a byte that could end a header.
 */
#include "http/tracecontext.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_from((const char *)data, size), parent, rest = all;
    struct tracecontext t, again;
    if (!span_split(&rest, '\n', &parent))
        return 0;
    if (!tracecontext_read(parent, rest, &t)) {
        expect(t.state.len == 0);
        return 0;
    }
    expect(strlen(t.parent) == TRACECONTEXT_SIZE && t.state.len <= TRACECONTEXT_STATE_MAX);
    for (size_t i = 0; i < t.state.len; i++)
        expect(t.state.data[i] == '\t' || (t.state.data[i] >= 0x20 && t.state.data[i] < 0x7f));
    expect(tracecontext_read(span_str(t.parent), t.state, &again));
    expect(memcmp(again.parent, t.parent, TRACECONTEXT_SIZE) == 0 && span_eq(again.state, t.state));
    return 0;
}
