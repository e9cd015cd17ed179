/*
 * The reader of the log's records: on any bytes no crash, and what it takes is a JSON text that it
 * takes again, in one canonical form (cutting or adding a byte makes another text of it, or none).
 */
#include "audit/entry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

/* Reads each byte: a span that points outside is found by the sanitizer. */
static void check_span(struct span s)
{
    static volatile unsigned char sink;
    for (size_t i = 0; i < s.len; i++)
        sink = (unsigned char)s.data[i];
    (void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct entry e, again;
    struct span body = span_from((const char *)data, size);
    arena_init(&arena, 1u << 20);
    if (entry_parse(body, &arena, &e) == 0) {
        require(e.v == 1 && e.seq && e.time && e.kind.len);
        require(e.hit_count <= ENTRY_HITS_MAX);
        const struct span texts[] = {e.run,   e.node,   e.kind,    e.request_id, e.app,
                                     e.model, e.action, e.outcome, e.reason,     e.detail};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            check_span(texts[i]);
        for (size_t i = 0; i < e.hit_count; i++) {
            check_span(e.hits[i].path);
            check_span(e.hits[i].risk);
            require(e.hits[i].commit.len == 64);
        }
        require(entry_weight(&e) >= 0 && entry_weight(&e) <= 4);
        require(entry_parse(body, &arena, &again) == 0 && again.seq == e.seq);
        require(entry_parse(span_slice(body, 0, size - 1), &arena, &again) < 0);
        entry_overlay(&e, &again);
    }
    arena_deinit(&arena);
    return 0;
}
