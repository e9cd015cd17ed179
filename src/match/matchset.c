#include "match/set.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

struct matchset_builder {
    struct buf keys;  /* uint32_t keys of all words, one after the other */
    struct buf words; /* struct automaton_word; its keys are set when all are known */
    struct patterns patterns;
    struct buf reason; /* why the last pattern was refused */
};

struct matchset_builder *matchset_builder_new(void)
{
    struct matchset_builder *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    buf_init(&b->keys, SIZE_MAX / 4);
    buf_init(&b->words, SIZE_MAX / 4);
    buf_init(&b->reason, 1024);
    return b;
}

void matchset_builder_free(struct matchset_builder *b)
{
    if (!b)
        return;
    buf_deinit(&b->keys);
    buf_deinit(&b->words);
    patterns_deinit(&b->patterns);
    buf_deinit(&b->reason);
    free(b);
}

static int word_add(struct matchset_builder *b, const struct symbols *symbols, uint32_t rule,
                    enum direction direction, unsigned flags)
{
    struct automaton_word word = {.rule = rule,
                                  .count = (uint8_t)symbols->count,
                                  .direction = (uint8_t)direction,
                                  .flags = (uint8_t)flags};
    size_t bytes = symbols->count * sizeof(*symbols->keys);
    int r = buf_reserve(&b->words, sizeof(word));
    if (r == 0)
        r = buf_append(&b->keys, span_from((const char *)symbols->keys, bytes));
    if (r == 0)
        r = buf_append(&b->words, span_from((const char *)&word, sizeof(word)));
    return r;
}

int matchset_add_keyword(struct matchset_builder *b, struct span word, uint32_t rule,
                         enum direction direction, uint32_t asked)
{
    struct symbols symbols;
    int r = symbols_read(word, &symbols);
    if (r)
        return r;
    if (symbols.count == 1 && symbols.han)
        return MATCH_SINGLE_HAN;
    return word_add(b, &symbols, rule, direction, symbols.lookalike ? OUTPUT_LOOKALIKE : 0);
}

int matchset_add_allow(struct matchset_builder *b, struct span phrase)
{
    struct symbols symbols;
    int r = symbols_read(phrase, &symbols);
    return r ? r : word_add(b, &symbols, 0, DIRECTION_BOTH, OUTPUT_ALLOW);
}

int matchset_add_pattern(struct matchset_builder *b, const struct match_pattern *p, uint32_t rule,
                         enum direction direction, const char **ret_reason)
{
    return patterns_add(&b->patterns, p, rule, direction, &b->reason, ret_reason);
}

void matchset_use_variants(struct matchset_builder *b, const struct variants *v)
{
}

int matchset_add_near(struct matchset_builder *b, const struct match_near *near, uint32_t rule,
                      enum direction direction, uint32_t *ret_near)
{
    *ret_near = 0;
    return 0;
}

int matchset_add_slot_word(struct matchset_builder *b, uint32_t near, unsigned slot,
                           struct span word, uint32_t asked)
{
    struct symbols symbols;
    return symbols_read(word, &symbols);
}

void matchset_set_payload_rule(struct matchset_builder *b, uint32_t rule)
{
}

uint32_t matchset_payload_rule(const struct matchset *set)
{
    return UINT32_MAX;
}

uint32_t matchset_asked(const struct matchset *set, uint32_t rule)
{
    return LAYERS_ASKED;
}

uint32_t matchset_asked_any(const struct matchset *set)
{
    return LAYERS_ASKED;
}

int matchset_build(struct matchset_builder *b, struct matchset **ret_set)
{
    struct automaton_word *words = (struct automaton_word *)(void *)b->words.data;
    size_t count = b->words.len / sizeof(*words);
    const uint32_t *keys = (const uint32_t *)(const void *)b->keys.data;
    struct matchset *set = calloc(1, sizeof(*set));
    if (!set)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        words[i].keys = keys;
        keys += words[i].count;
        set->stats.keywords += !(words[i].flags & OUTPUT_ALLOW);
        set->stats.allows += !!(words[i].flags & OUTPUT_ALLOW);
    }
    int r = patterns_ready(&b->patterns);
    if (r == 0)
        r = automaton_build(&set->automaton, words, count);
    if (r < 0) {
        free(set);
        return r;
    }
    set->patterns = b->patterns;
    b->patterns = (struct patterns){0};
    set->stats.patterns = set->patterns.count;
    set->stats.nodes = set->automaton.node_count;
    set->stats.bytes = sizeof(*set) + automaton_bytes(&set->automaton) + set->patterns.bytes;
    atomic_init(&set->refs, 1);
    *ret_set = set;
    return 0;
}

struct matchset *matchset_ref(struct matchset *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

struct matchset *matchset_unref(struct matchset *set)
{
    if (set && atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) == 1) {
        automaton_deinit(&set->automaton);
        patterns_deinit(&set->patterns);
        free(set);
    }
    return NULL;
}

void matchset_get_stats(const struct matchset *set, struct matchset_stats *ret_stats)
{
    *ret_stats = set->stats;
}
