/*
 * The law of watch_quiet() in match/watch.h: passing over the text that it names, or a beginning of
 * it, leaves hits and what is clear as they are character by character. The first byte says how
 * much is passed over at a time.
 */
#include "match/watch.h"
#include "match/set.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HITS_MAX = 4096, TEXT_MAX = 4096 };

struct found {
    struct hit hits[HITS_MAX];
    size_t count;
    uint64_t clear[TEXT_MAX + 1]; /* by offset; 0 where it was not asked */
};

static int note(void *ctx, const struct hit *hit)
{
    struct found *f = ctx;
    if (f->count < HITS_MAX)
        f->hits[f->count++] = *hit;
    return 0;
}

static struct matchset *make_set(void)
{
    static const struct match_pattern patterns[] = {
        {SPAN_LIT("(?<!\\d)\\d{3,5}x?"), GATE_DIGITS, SPAN_NULL, 6, NULL},
        {SPAN_LIT("[a-z0-9.]{1,20}@[a-z0-9]{1,10}"), GATE_AT, SPAN_NULL, 31, NULL},
        {SPAN_LIT("[0-9a-f]{1,4}:[0-9a-f:]{1,20}"), GATE_COLON, SPAN_NULL, 25, NULL},
        {SPAN_LIT("[A-Z]{2}[0-9](?: ?[0-9]{2}){0,4}"), GATE_WORD, SPAN_NULL, 15, NULL},
        {SPAN_LIT("(?i)(?<!.a)sk-[a-z0-9]{3,40}"), GATE_LITERAL, SPAN_LIT("sk-"), 43, NULL},
        {SPAN_LIT("一\\w{1,3}"), GATE_LITERAL, SPAN_LIT("一"), 4, NULL},
        {SPAN_LIT("密码是\\w{1,3}"), GATE_LITERAL, SPAN_LIT("密码"), 6, NULL},
    };
    struct matchset_builder *b = matchset_builder_new();
    struct matchset *set = NULL;
    const char *reason;
    int r = b ? 0 : -1;
    for (uint32_t i = 0; !r && i < sizeof(patterns) / sizeof(*patterns); i++)
        r = matchset_add_pattern(b, &patterns[i], i, DIRECTION_BOTH, &reason);
    if (r || matchset_build(b, &set) < 0)
        abort();
    matchset_builder_free(b);
    return set;
}

static void run(const struct matchset *set, struct span text, size_t step, struct found *f)
{
    struct watch *w = watch_new(&set->patterns, DIRECTION_PROMPT);
    if (!w)
        abort();
    memset(f->clear, 0, sizeof(f->clear));
    f->count = 0;
    for (size_t at = 0; at < text.len;) {
        struct span rest = span_slice(text, at, text.len);
        size_t n =
            step ? watch_quiet(w, span_slice(rest, 0, step < rest.len ? step : rest.len)) : 0;
        if (n) {
            watch_passed(w, span_slice(rest, 0, n), at);
        } else {
            struct fold_point point = {.start = at};
            n = (size_t)utf8_decode(rest, false, &point.cp);
            point.end = at + n;
            if (watch_point(w, &point, note, f) < 0)
                abort();
        }
        at += n;
        uint64_t clear = watch_clear(w);
        f->clear[at] = clear < at ? clear : at;
    }
    if (watch_end(w, note, f) < 0)
        abort();
    watch_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct matchset *set;
    static struct found want, got;
    if (size < 1 || size > TEXT_MAX)
        return 0;
    if (!set)
        set = make_set();
    struct span text = span_from((const char *)data + 1, size - 1);
    text = span_slice(text, 0, utf8_check(text));
    run(set, text, 0, &want);
    run(set, text, 1 + data[0] % 50, &got);
    if (got.count != want.count ||
        memcmp(got.hits, want.hits, want.count * sizeof(*want.hits)) != 0)
        abort();
    for (size_t i = 0; i <= text.len; i++)
        if (got.clear[i] && got.clear[i] != want.clear[i])
            abort();
    return 0;
}
