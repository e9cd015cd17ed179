/*
 * The cursor against a matcher that is plain enough to be believed: it folds the whole text, writes
 * its keys into an array and compares every keyword at every place.
 */
#include "probe.h"

#include "match/symbol.h"

#define WORDS_MAX 12
#define KEYS_MAX  512

struct model_word {
    struct symbols symbols;
    uint32_t rule;
    bool allow;
};

struct model_key {
    uint32_t key;
    uint64_t start, end;
    unsigned join; /* joins before it */
    bool lookalike, letter;
    bool ends; /* no word goes on behind it */
};

#define KEY_PART UINT32_MAX

struct model {
    struct model_word words[WORDS_MAX];
    unsigned count;
    struct matchset *set;
};

static unsigned model_keys(struct span text, struct model_key keys[KEYS_MAX])
{
    unsigned n = 0, last = SYMBOL_NONE, run = 0, join = 0;
    bool blank = true;
    uint64_t pos = 0;
    for (size_t at = 0; at < text.len;) {
        if (text.data[at] == PROBE_JOIN) {
            join++;
            run = run ? run : 1;
            if (n)
                keys[n - 1].ends = true;
            at++;
            continue;
        }
        uint32_t source, cps[FOLD_EXPANSION_MAX];
        int len = utf8_decode(span_slice(text, at, text.len), true, &source);
        assert_true(len > 0);
        assert_int_equal(fold_code_point(source, cps), 1);
        uint32_t cp = cps[0];
        unsigned class = fold_entry_class(fold_entry(source));
        at += (size_t)len;
        uint64_t start = pos;
        pos += (uint64_t)len;
        if (class == FOLD_SEPARATOR || class == FOLD_BLANK) {
            run++;
            blank &= class == FOLD_BLANK;
            if (n)
                keys[n - 1].ends = true;
        }
        if (class != FOLD_HAN && class != FOLD_WORD)
            continue;
        assert_true(n + 2 < KEYS_MAX);
        if (run > SYMBOL_RUN_MAX)
            keys[n++] = (struct model_key){.key = KEY_PART};
        else if (run && ((last == FOLD_WORD && class == FOLD_WORD) || (last != class && !blank)))
            keys[n++] = (struct model_key){.key = KEY_SPACE, .join = join};
        bool initial = class == FOLD_WORD && (last != FOLD_WORD || run);
        if (n && class == FOLD_HAN)
            keys[n - 1].ends = true;
        keys[n++] = (struct model_key){
            .key = cp | (initial ? KEY_INITIAL : 0),
            .start = start,
            .end = pos,
            .join = join,
            .lookalike = fold_entry_layers(fold_entry(source)) & LAYER_LOOKALIKE,
            .letter = !(cp >= '0' && cp <= '9'),
            .ends = class == FOLD_HAN,
        };
        last = class;
        run = 0;
        blank = true;
    }
    if (n)
        keys[n - 1].ends = true;
    return n;
}

static bool model_occurs(const struct model_word *w, const struct model_key *keys, unsigned at,
                         unsigned n)
{
    if (n - at < w->symbols.count)
        return false;
    bool any = false, genuine = false;
    for (unsigned i = 0; i < w->symbols.count; i++) {
        const struct model_key *k = &keys[at + i];
        if (k->key != w->symbols.keys[i])
            return false;
        any |= k->lookalike;
        genuine |= k->letter && !k->lookalike && k->key != KEY_SPACE;
    }
    const struct model_key *last = &keys[at + w->symbols.count - 1];
    if (!last->ends)
        return false;
    if (w->allow)
        return keys[at].join == last->join;
    return w->symbols.lookalike ? any : genuine || !any;
}

static int hit_compare(const void *x, const void *y)
{
    const struct hit *a = x, *b = y;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return (a->rule > b->rule) - (a->rule < b->rule);
}

/* The hits in order of their start; layers are not modelled. */
static void model_run(const struct model *m, struct span text, struct probe *ret_hits)
{
    struct model_key keys[KEYS_MAX];
    unsigned n = model_keys(text, keys);
    ret_hits->count = 0;
    for (unsigned at = 0; at < n; at++) {
        for (unsigned w = 0; w < m->count; w++) {
            const struct model_word *word = &m->words[w];
            if (word->allow || !model_occurs(word, keys, at, n))
                continue;
            unsigned end = at + word->symbols.count;
            bool covered = false;
            for (unsigned a = 0; a < m->count && !covered; a++) {
                const struct model_word *phrase = &m->words[a];
                if (!phrase->allow || phrase->symbols.count <= word->symbols.count)
                    continue;
                for (unsigned s = 0; s <= at && !covered; s++)
                    covered = s + phrase->symbols.count >= end && model_occurs(phrase, keys, s, n);
            }
            if (covered)
                continue;
            assert_true(ret_hits->count < PROBE_HITS);
            ret_hits->hits[ret_hits->count++] =
                (struct hit){.start = keys[at].start, .end = keys[end - 1].end, .rule = word->rule};
        }
    }
    qsort(ret_hits->hits, ret_hits->count, sizeof(*ret_hits->hits), hit_compare);
}

static const char *const tokens[] = {"甲", "乙", "a", "b", " ", ".", "\u200B", "а", "\x1F", "甲"};
enum { WORD_TOKENS = 6, TEXT_TOKENS = 10 };

static struct span random_text(uint64_t *seed, unsigned count, unsigned kinds, char *out)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *t = tokens[random_next(seed) % kinds];
        /* Now and then a long run, near the limit. */
        unsigned times =
            kinds == TEXT_TOKENS && (*t == ' ' || *t == '.') && random_next(seed) % 8 == 0
                ? 6 + random_next(seed) % 5
                : 1;
        for (unsigned k = 0; k < times; k++, len += strlen(t))
            memcpy(out + len, t, strlen(t));
    }
    return span_from(out, len);
}

static void model_make(struct model *m, uint64_t *seed, unsigned allows)
{
    struct matchset_builder *b = matchset_builder_new();
    unsigned want = 1 + random_next(seed) % (WORDS_MAX - 1);
    m->count = 0;
    while (m->count < want) {
        char bytes[64];
        struct span word = random_text(seed, 1 + random_next(seed) % 4, WORD_TOKENS, bytes);
        struct model_word *w = &m->words[m->count];
        w->allow = random_next(seed) % 3 < allows;
        w->rule = m->count;
        if (symbols_read(word, &w->symbols) != 0)
            continue;
        int r = w->allow ? matchset_add_allow(b, word)
                         : matchset_add_keyword(b, word, m->count, DIRECTION_BOTH, 0);
        if (r == 0)
            m->count++;
        else
            assert_int_equal(r, MATCH_SINGLE_HAN);
    }
    m->set = probe_set(b);
}

static void hits_and_clear_equal_the_models(void **state)
{
    uint64_t seed = 42;
    for (int round = 0; round < 600; round++) {
        struct model m;
        model_make(&m, &seed, round % 3);
        for (int t = 0; t < 180; t++) {
            char bytes[1024];
            struct span text = random_text(&seed, 1 + random_next(&seed) % 24, TEXT_TOKENS, bytes);
            struct probe whole = {0}, want, pieces = {0};
            probe_run(m.set, text, &whole);
            assert_int_equal(probe_pieces(m.set, text, &seed, 5, &pieces), 0);
            probe_same(&pieces, &whole, text);
            if (t % 16 == 0)
                probe_stops(m.set, text, &seed, whole.count);
            model_run(&m, text, &want);
            qsort(whole.hits, whole.count, sizeof(*whole.hits), hit_compare);
            for (size_t i = 0; i < whole.count; i++)
                whole.hits[i].layers = 0;
            probe_same(&whole, &want, text);
        }
        matchset_unref(m.set);
    }
}

/* The least start of a hit of prefix + any continuation that was not among the first `known`. */
static uint64_t brute_clear(const struct model *m, char *text, size_t len,
                            const struct probe *known, unsigned depth)
{
    struct probe hits;
    uint64_t best = UINT64_MAX;
    model_run(m, span_from(text, len), &hits);
    for (size_t i = 0; i < hits.count; i++) {
        bool seen = false;
        for (size_t k = 0; k < known->count && !seen; k++)
            seen = hit_compare(&hits.hits[i], &known->hits[k]) == 0;
        if (!seen && hits.hits[i].start < best)
            best = hits.hits[i].start;
    }
    for (unsigned t = 0; depth && t < WORD_TOKENS; t++) {
        size_t n = strlen(tokens[t]);
        memcpy(text + len, tokens[t], n);
        uint64_t clear = brute_clear(m, text, len + n, known, depth - 1);
        best = clear < best ? clear : best;
    }
    return best;
}

static void clear_is_exactly_what_continuations_allow(void **state)
{
    uint64_t seed = 4711;
    for (int round = 0; round < 50; round++) {
        struct model m;
        model_make(&m, &seed, round % 3);
        char bytes[1024];
        struct span text = random_text(&seed, 1 + random_next(&seed) % 9, TEXT_TOKENS - 1, bytes);
        struct probe p = {0};
        struct cursor *c = cursor_new(m.set, DIRECTION_PROMPT);
        uint64_t bytes_fed = 0;
        for (size_t at = 0; at < text.len;) {
            uint32_t cp;
            size_t n = (size_t)utf8_decode(span_slice(text, at, text.len), true, &cp);
            assert_int_equal(probe_feed(c, span_slice(text, at, at + n), &p), 0);
            at += n;
            bytes_fed += cp == PROBE_JOIN ? 0 : n;
            char longer[1024];
            memcpy(longer, bytes, at);
            uint64_t want = brute_clear(&m, longer, at, &p, 4);
            want = want < bytes_fed ? want : bytes_fed;
            if (p.clear != want)
                fail_msg("clear %d, not %d, after \"%.*s\"", (int)p.clear, (int)want, (int)at,
                         bytes);
        }
        cursor_free(c);
        matchset_unref(m.set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_and_clear_equal_the_models),
        cmocka_unit_test(clear_is_exactly_what_continuations_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
