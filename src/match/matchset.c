#include "match/set.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

struct matchset_builder {
    struct buf keys[LENS_COUNT];  /* uint32_t keys of all words, one after the other */
    struct buf words[LENS_COUNT]; /* struct trie_word; its keys are set when all are known */
    struct patterns patterns;
    struct near_rules near;
    const struct variants *variants;
    struct buf asked; /* uint32_t by rule */
    uint32_t asked_any, payload_rule;
    size_t keywords, allows;
    struct buf reason; /* why the last pattern was refused */
};

struct matchset_builder *matchset_builder_new(void)
{
    struct matchset_builder *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    for (unsigned l = 0; l < LENS_COUNT; l++) {
        buf_init(&b->keys[l], SIZE_MAX / 4);
        buf_init(&b->words[l], SIZE_MAX / 4);
    }
    buf_init(&b->asked, SIZE_MAX / 4);
    buf_init(&b->reason, 1024);
    b->payload_rule = UINT32_MAX;
    return b;
}

void matchset_builder_free(struct matchset_builder *b)
{
    if (!b)
        return;
    for (unsigned l = 0; l < LENS_COUNT; l++) {
        buf_deinit(&b->keys[l]);
        buf_deinit(&b->words[l]);
    }
    buf_deinit(&b->asked);
    patterns_deinit(&b->patterns);
    near_rules_deinit(&b->near);
    buf_deinit(&b->reason);
    free(b);
}

void matchset_use_variants(struct matchset_builder *b, const struct variants *v)
{
    b->variants = v;
}

/* Adds the symbols as the lens shows them. */
static int word_add(struct matchset_builder *b, enum lens lens, const struct symbols *symbols,
                    uint32_t ref, uint32_t layers)
{
    struct trie_word word = {.ref = ref, .layers = layers, .count = (uint8_t)symbols->count};
    uint32_t keys[MATCH_KEYWORD_MAX];
    for (unsigned i = 0; i < symbols->count; i++) {
        bool space = symbols->keys[i] == KEY_SPACE;
        keys[i] = space ? KEY_SPACE : lens_key(lens, b->variants, symbols->keys[i]);
        word.print = space ? word.print : trie_print(word.print, symbols->keys[i]);
    }
    int r = buf_reserve(&b->words[lens], sizeof(word));
    if (r == 0)
        r = buf_append(&b->keys[lens],
                       span_from((const char *)keys, symbols->count * sizeof(*keys)));
    if (r == 0)
        r = buf_append(&b->words[lens], span_from((const char *)&word, sizeof(word)));
    return r;
}

struct spelling {
    struct matchset_builder *builder;
    uint32_t ref;
};

static int spelling_add(void *ctx, struct span text, uint32_t layer)
{
    struct spelling *s = ctx;
    struct symbols symbols;
    int r = symbols_read(text, &symbols);
    if (r < 0)
        return r == -EILSEQ ? 0 : r;
    if (r > 0 || (symbols.count == 1 && symbols.han))
        return 0; /* too long, or too little: that spelling is not looked for */
    return word_add(s->builder, LENS_PLAIN, &symbols, s->ref, layer);
}

/* Characters alone are too little for a lens, and letters would be none. */
static bool lens_fits(enum lens lens, const struct symbols *s)
{
    switch (lens) {
    case LENS_LEET:
        return s->word && s->count > 1;
    case LENS_INSERTED:
        return s->han && !s->word && s->count > 1;
    default:
        return s->han && s->count > 1;
    }
}

/* Most words have none, and looking for them takes longer than all the rest. */
static bool has_spellings(const struct symbols *s, uint32_t asked)
{
    bool digits = false;
    for (unsigned i = 0; i < s->count; i++) {
        unsigned kind = s->keys[i] == KEY_SPACE ? SYMBOL_SPACE : symbol_kind(s->keys[i]);
        digits |= i && kind == SYMBOL_DIGIT && symbol_kind(s->keys[i - 1]) == SYMBOL_DIGIT;
    }
    return asked || digits;
}

static int words_add(struct matchset_builder *b, struct span text, uint32_t ref, uint32_t asked)
{
    struct symbols symbols;
    int r = symbols_read(text, &symbols);
    if (r)
        return r;
    if (symbols.count == 1 && symbols.han)
        return MATCH_SINGLE_HAN;
    if (symbols.lookalike)
        ref |= OUTPUT_LOOKALIKE;
    r = word_add(b, LENS_PLAIN, &symbols, ref, 0);
    for (enum lens l = LENS_PLAIN + 1; l < LENS_COUNT && r == 0; l++)
        if ((asked & lens_layer(l)) && lens_fits(l, &symbols))
            r = word_add(b, l, &symbols, ref, 0);
    struct spelling s = {b, ref};
    if (r == 0 && has_spellings(&symbols, asked))
        r = variants_spellings(b->variants, text, asked, spelling_add, &s);
    return r;
}

static int note_asked(struct matchset_builder *b, uint32_t rule, uint32_t asked)
{
    if (!asked)
        return 0;
    while (b->asked.len / sizeof(uint32_t) <= rule) {
        uint32_t none = 0;
        int r = buf_append(&b->asked, span_from((const char *)&none, sizeof(none)));
        if (r < 0)
            return r;
    }
    ((uint32_t *)(void *)b->asked.data)[rule] |= asked;
    b->asked_any |= asked;
    return 0;
}

int matchset_add_keyword(struct matchset_builder *b, struct span word, uint32_t rule,
                         enum direction direction, uint32_t asked)
{
    if (rule > OUTPUT_RULE_MAX)
        return -EOVERFLOW;
    int r = words_add(b, word, rule | (uint32_t)direction << OUTPUT_DIRECTION_SHIFT,
                      asked & LAYERS_ASKED);
    if (r == 0)
        b->keywords++;
    return r == 0 ? note_asked(b, rule, asked & LAYERS_ASKED) : r;
}

int matchset_add_allow(struct matchset_builder *b, struct span phrase)
{
    struct symbols symbols;
    int r = symbols_read(phrase, &symbols);
    if (r)
        return r;
    /* What is saved in plain sight is saved through every lens. */
    for (enum lens l = LENS_PLAIN; l < LENS_COUNT && r == 0; l++)
        if (l == LENS_PLAIN || lens_fits(l, &symbols))
            r = word_add(b, l, &symbols, OUTPUT_ALLOW, 0);
    if (r == 0)
        b->allows++;
    return r;
}

int matchset_add_near(struct matchset_builder *b, const struct match_near *near, uint32_t rule,
                      enum direction direction, uint32_t *ret_near)
{
    return near_rules_add(&b->near, near, rule, direction, ret_near);
}

int matchset_add_slot_word(struct matchset_builder *b, uint32_t near, unsigned slot,
                           struct span word, uint32_t asked)
{
    const struct near_rule *n = &b->near.rules[near];
    uint32_t number, rule = n->rule;
    struct symbols symbols;
    int r = symbols_read(word, &symbols);
    if (r == 0 && symbols.count == 1 && symbols.han)
        r = MATCH_SINGLE_HAN;
    if (r)
        return r;
    /* One word for all slots that look through the same layers. */
    uint32_t key[MATCH_KEYWORD_MAX + 1] = {asked & LAYERS_ASKED};
    memcpy(key + 1, symbols.keys, symbols.count * sizeof(*symbols.keys));
    r = near_rules_word(&b->near, span_from((const char *)key, (symbols.count + 1) * sizeof(*key)),
                        n->first_slot + slot, &number);
    if (number > OUTPUT_RULE_MAX)
        return -EOVERFLOW;
    if (r > 0)
        r = words_add(b, word, number | OUTPUT_SLOT, asked & LAYERS_ASKED);
    return r == 0 ? note_asked(b, rule, asked & LAYERS_ASKED) : r;
}

void matchset_set_payload_rule(struct matchset_builder *b, uint32_t rule)
{
    b->payload_rule = rule;
}

int matchset_add_pattern(struct matchset_builder *b, const struct match_pattern *p, uint32_t rule,
                         enum direction direction, const char **ret_reason)
{
    return patterns_add(&b->patterns, p, rule, direction, &b->reason, ret_reason);
}

/* A lens is worth its pass over the text when a rule looks through it. */
static bool lens_used(const struct matchset_builder *b, enum lens lens)
{
    return lens == LENS_PLAIN || (b->asked_any & lens_layer(lens));
}

static int build_lens(struct matchset_builder *b, struct matchset *set, enum lens lens)
{
    struct trie_word *words = (struct trie_word *)(void *)b->words[lens].data;
    size_t count = b->words[lens].len / sizeof(*words);
    const uint32_t *keys = (const uint32_t *)(const void *)b->keys[lens].data;
    for (size_t i = 0; i < count; i++) {
        words[i].keys = keys;
        keys += words[i].count;
    }
    uint16_t *symbols = NULL;
    int r = trie_build(&set->tries[lens], lens, b->variants, words, count, &symbols);
    if (r == 0)
        r = skip_build(&set->skips[lens], &set->tries[lens], words, count);
    free(symbols);
    if (r < 0)
        return r;
    set->lenses[set->lens_count++] = (uint8_t)lens;
    set->allows |= set->tries[lens].allows;
    set->stats.nodes += set->tries[lens].node_count;
    set->stats.bytes += trie_bytes(&set->tries[lens]) + skip_bytes(&set->skips[lens]);
    return 0;
}

static void set_free(struct matchset *set)
{
    for (unsigned l = 0; l < LENS_COUNT; l++) {
        trie_deinit(&set->tries[l]);
        skip_deinit(&set->skips[l]);
    }
    patterns_deinit(&set->patterns);
    near_rules_deinit(&set->near);
    free(set->asked);
    free(set);
}

int matchset_build(struct matchset_builder *b, struct matchset **ret_set)
{
    struct matchset *set = calloc(1, sizeof(*set));
    if (!set)
        return -ENOMEM;
    int r = patterns_ready(&b->patterns);
    if (r == 0)
        r = near_rules_ready(&b->near);
    for (enum lens l = LENS_PLAIN; l < LENS_COUNT && r == 0; l++)
        if (lens_used(b, l))
            r = build_lens(b, set, l);
    if (r == 0 && !buf_cstr(&b->asked))
        r = -ENOMEM;
    if (r < 0) {
        set_free(set);
        return r;
    }
    set->patterns = b->patterns;
    b->patterns = (struct patterns){0};
    set->near = b->near;
    b->near = (struct near_rules){0};
    size_t bytes = 0;
    set->asked = (uint32_t *)(void *)buf_take(&b->asked, &bytes);
    set->asked_count = bytes / sizeof(*set->asked);
    set->asked_any = b->asked_any;
    set->payload_rule = b->payload_rule;
    set->stats.keywords = b->keywords;
    set->stats.allows = b->allows;
    set->stats.patterns = set->patterns.count;
    set->stats.bytes += sizeof(*set) + set->patterns.bytes + near_rules_bytes(&set->near) + bytes;
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
    if (set && atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) == 1)
        set_free(set);
    return NULL;
}

uint32_t matchset_payload_rule(const struct matchset *set)
{
    return set->payload_rule;
}

bool matchset_is_pattern(const struct matchset *set, uint32_t rule)
{
    for (size_t i = 0; i < set->patterns.count; i++)
        if (set->patterns.list[i].rule == rule)
            return true;
    return false;
}

uint32_t matchset_asked(const struct matchset *set, uint32_t rule)
{
    return rule < set->asked_count ? set->asked[rule] : 0;
}

uint32_t matchset_asked_any(const struct matchset *set)
{
    return set->asked_any;
}

void matchset_get_stats(const struct matchset *set, struct matchset_stats *ret_stats)
{
    *ret_stats = set->stats;
}
