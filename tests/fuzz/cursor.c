/*
 * The law of match/cursor.h: pieces change nothing, and what is clear is in no later hit. The first
 * byte says how the text is cut; 0x1F in it stands for a join mark.
 */
#include "match/cursor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HITS_MAX = 4096, JOIN = 0x1F };

struct found {
    struct hit hits[HITS_MAX];
    size_t count;
    uint64_t clear;
};

static int note(void *ctx, const struct hit *hit)
{
    struct found *f = ctx;
    if (hit->start < f->clear || hit->end <= hit->start)
        abort();
    if (f->count < HITS_MAX)
        f->hits[f->count++] = *hit;
    return 0;
}

static struct matchset *make_set(void)
{
    static const char *const words[] = {"大麻", "冰毒", "毒品", "fuck", "fuck you", "sm",
                                        "k粉",  "aa",   "a a",  "甲甲", "甲乙甲",   "сор"};
    static const char *const phrases[] = {"大麻烦", "甲乙甲乙", "a aa", "fuck you too"};
    static const struct match_pattern patterns[] = {
        {SPAN_LIT("(?<!\\d)1[3-9]\\d{9}(?!\\d)"), GATE_DIGITS, SPAN_NULL, 11, NULL},
        {SPAN_LIT("\\d{3,5}x?"), GATE_DIGITS, SPAN_NULL, 6, NULL},
        {SPAN_LIT("[a-z0-9.]{1,20}@[a-z0-9]{1,10}\\.[a-z]{2,5}"), GATE_AT, SPAN_NULL, 40, NULL},
        {SPAN_LIT("(?i)sk-[a-z0-9]{3,40}"), GATE_LITERAL, SPAN_LIT("sk-"), 44, NULL},
        {SPAN_LIT("[0-9a-f]{1,4}:[0-9a-f:]{1,20}"), GATE_COLON, SPAN_NULL, 25, NULL},
        {SPAN_LIT("[a-z]{1,4}[0-9](?: ?[0-9]{2}){0,4}"), GATE_WORD, SPAN_NULL, 17, NULL},
        {SPAN_LIT("一\\w{1,3}"), GATE_LITERAL, SPAN_LIT("一"), 4, NULL},
    };
    struct matchset_builder *b = matchset_builder_new();
    struct matchset *set = NULL;
    const char *reason;
    int r = b ? 0 : -1;
    uint32_t rule = 0, near = 0;
    static const struct match_near rules[] = {{2, 6, false}, {2, 9, true}};
    static const char *const slots[2][2] = {{"怎么", "甲乙"}, {"炸弹", "how to"}};
    struct variants *v = variants_new();
    if (!v || variants_add_split(v, 0x6BD2, SPAN_LIT("主母")) < 0)
        abort();
    matchset_use_variants(b, v);
    for (size_t i = 0; !r && i < sizeof(words) / sizeof(*words); i++)
        r = matchset_add_keyword(b, span_str(words[i]), rule++, DIRECTION_BOTH,
                                 i % 2 ? LAYERS_ASKED : 0);
    for (size_t i = 0; !r && i < 2; i++) {
        r = matchset_add_near(b, &rules[i], rule++, DIRECTION_BOTH, &near);
        for (unsigned s = 0; !r && s < 2; s++)
            for (unsigned w = 0; !r && w < 2; w++)
                r = matchset_add_slot_word(b, near, s, span_str(slots[s][w]), 0);
    }
    for (size_t i = 0; !r && i < sizeof(phrases) / sizeof(*phrases); i++)
        r = matchset_add_allow(b, span_str(phrases[i]));
    for (size_t i = 0; !r && i < sizeof(patterns) / sizeof(*patterns); i++)
        r = matchset_add_pattern(b, &patterns[i], rule++, DIRECTION_BOTH, &reason);
    if (r || matchset_build(b, &set) < 0)
        abort();
    matchset_builder_free(b);
    variants_free(v);
    return set;
}

static int run(const struct matchset *set, struct span text, size_t step, struct found *f)
{
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    if (!c)
        abort();
    f->count = 0;
    f->clear = 0;
    int r = 0;
    while (text.len && r == 0) {
        const char *mark = memchr(text.data, JOIN, text.len);
        size_t to = mark ? (size_t)(mark - text.data) : text.len, n = to < step ? to : step;
        r = n ? cursor_feed(c, span_slice(text, 0, n), note, f)
              : cursor_join(c, (enum cursor_joint)(text.len % 3), note, f);
        if (cursor_clear(c) < f->clear && r == 0)
            abort();
        f->clear = cursor_clear(c);
        text = span_slice(text, n ? n : 1, text.len);
    }
    if (r == 0)
        r = cursor_finish(c, note, f);
    cursor_free(c);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct matchset *set;
    static struct found whole, pieces;
    if (size < 1)
        return 0;
    if (!set)
        set = make_set();
    struct span text = span_from((const char *)data + 1, size - 1);
    int r = run(set, text, SIZE_MAX, &whole);
    if (run(set, text, 1 + data[0] % 9, &pieces) != r || pieces.count != whole.count ||
        memcmp(pieces.hits, whole.hits, whole.count * sizeof(*whole.hits)) != 0)
        abort();
    return 0;
}
