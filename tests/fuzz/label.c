/*
 * Any text in any pieces gives the verdicts of the text in one piece, and what label_find() leaves
 * is a part of the text. The first byte seeds the splits.
 */
#include "policy/label.h"
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
    if (!condition)
        abort();
}

static struct config *config_of(void)
{
    static struct config *config;
    struct buf messages = BUF_INIT(65536);
    if (!config)
        expect(config_read(SPAN_LIT("upstreams: [{name: u, base_url: 'https://u.example/v1', "
                                    "models: [{id: m, filing_number: n}]}]\n"),
                           SPAN_LIT("c.yaml"), &messages, &config) == 0);
    buf_deinit(&messages);
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct config *c = config_of();
    struct span text = span_from((const char *)data + 1, size - 1);
    if (utf8_check(text) < text.len)
        return 0; /* what is no UTF-8 was refused long before */
    struct label_text whole, split;
    uint32_t splits = data[0] + 1u;
    label_text_init(&whole);
    label_text_init(&split);
    label_text_feed(&whole, text);
    for (size_t at = 0; at < text.len;) {
        splits = splits * 1664525 + 1013904223; /* Numerical Recipes' generator */
        size_t len = 1 + (splits >> 16) % 23;
        if (len > text.len - at)
            len = text.len - at;
        label_text_feed(&split, span_slice(text, at, at + len));
        at += len;
    }
    expect(whole.bytes == split.bytes && whole.begun == split.begun);
    expect(whole.first_at == split.first_at);
    expect(label_text_is_code(&whole) == label_text_is_code(&split));
    expect(label_text_is_labelled(&whole, c) == label_text_is_labelled(&split, c));
    expect(label_text_is_doubtful(&whole, c->labels.zh) ==
           label_text_is_doubtful(&split, c->labels.zh));
    size_t from, to;
    if (label_find(c, text, &from, &to))
        expect(from <= to && to <= text.len);
    return 0;
}
