/* Near rules: what completes them, how they are told, and that what is held is no more than needed.
 */
#include "probe.h"

#include "match/symbol.h"

#define RULE 7

struct rule_case {
    const char *slots[3][4];
    struct match_near near;
    const char *text;
    const char *found; /* the words that complete the rule, parted by '/' */
};

static const struct rule_case cases[] = {
    {{{"怎么", "如何"}, {"制作", "自制"}, {"炸弹", "炸药"}},
     {3, 12, false},
     "怎么制作炸弹",
     "炸弹"},
    {{{"怎么", "如何"}, {"制作", "自制"}, {"炸弹", "炸药"}},
     {3, 12, false},
     "炸弹如何自制",
     "自制"},
    {{{"怎么", "如何"}, {"制作", "自制"}, {"炸弹", "炸药"}}, {3, 12, false}, "怎么拆除炸弹", ""},
    {{{"怎么"}, {"炸弹"}}, {2, 6, false}, "怎么一二炸弹", "炸弹"},
    {{{"怎么"}, {"炸弹"}}, {2, 6, false}, "怎么一二三炸弹", ""},
    {{{"怎么"}, {"炸弹"}}, {2, 6, false}, "怎么 一\u200B，二炸弹", "炸弹"}, /* only letters count */
    {{{"怎么"}, {"炸弹"}}, {2, 6, false}, "怎么一\u200B\u200B二炸弹", "炸弹"},
    {{{"怎么"}, {"炸弹"}}, {2, 6, true}, "炸弹怎么", ""},
    {{{"怎么"}, {"炸弹"}}, {2, 6, true}, "怎么炸弹", "炸弹"},
    {{{"怎么"}, {"炸弹"}}, {2, 6, false}, "怎么炸弹炸弹", "炸弹/炸弹"},
    /* A message is read on over its parts; the end of a sentence counts eight characters. */
    {{{"怎么"}, {"炸弹"}}, {2, 6, false}, "怎么\x1F炸弹", "炸弹"},
    {{{"怎么"}, {"炸弹"}}, {2, 11, false}, "怎么。炸弹", ""},
    {{{"怎么"}, {"炸弹"}}, {2, 12, false}, "怎么。？\n炸弹", "炸弹"},
    {{{"怎么"}, {"炸弹"}}, {2, 12, false}, "怎么。吗。炸弹", ""},
    {{{"怎么"}, {"炸弹"}}, {2, 4, false}, "怎么，：炸弹", "炸弹"},
    {{{"怎么"}, {"炸弹"}}, {2, 20, false}, "怎么？2.炸弹", ""},
    {{{"怎么"}, {"炸弹"}}, {2, 21, false}, "怎么？2.炸弹", "炸弹"},
    {{{"怎么"}, {"炸弹"}}, {2, 5, false}, "怎么2炸弹", "炸弹"},
    /* One word fills one slot, whichever comes last. */
    {{{"什么"}, {"盗版", "破解"}, {"盗版", "下载"}}, {3, 12, false}, "盗版有什么区别", ""},
    {{{"什么"}, {"盗版", "破解"}, {"盗版", "下载"}}, {3, 12, false}, "什么是盗版", ""},
    {{{"什么"}, {"盗版", "破解"}, {"盗版", "下载"}}, {3, 12, false}, "盗版下载有什么", "什么"},
    {{{"什么"}, {"盗版", "破解"}, {"盗版", "下载"}}, {3, 12, false}, "盗版什么盗版", "盗版"},
    {{{"怎么"}, {"炸弹"}}, {2, 4, false}, "怎 么炸 弹。", "炸 弹"},
    {{{"how to"}, {"bomb"}}, {2, 20, true}, "How to make a bomb?", "bomb"},
    {{{"how to"}, {"bomb"}}, {2, 20, true}, "how to make a bombast", ""},
    {{{"制作"}, {"作炸"}}, {2, 9, false}, "制作炸", ""}, /* overlapping words are not two */
    {{{"甲乙"}, {"丙丁"}, {"戊己"}}, {3, 9, true}, "甲乙丙丁戊己", "戊己"},
    {{{"甲乙"}, {"丙丁"}, {"戊己"}}, {3, 9, true}, "丙丁甲乙戊己", ""},
    {{{"甲乙"}, {"丙丁"}, {"戊己"}}, {3, 6, true}, "甲乙甲乙丙丁戊己", "戊己"},
    {{{"怎么"}, {"炸弹"}}, {2, 9, false}, "怎么炸弹人", ""}, /* saved by a phrase */
    {{{"怎么"}, {"炸弹"}}, {2, 9, false}, "怎么炸弹，人", ""},
    {{{"怎么"}, {"炸弹"}}, {2, 9, false}, "怎么炸弹吧", "炸弹"},
    /* Two words of a slot that end alike are one. */
    {{{"怎么"}, {"毒品", "贩卖毒品"}}, {2, 9, false}, "怎么贩卖毒品", "毒品"},
    {{{"甲丙", "丙甲丙"}, {"丙丙"}}, {2, 9, true}, "甲丙丁甲乙丙甲丙丙", "丙丙"},
};

static struct matchset *case_set(const struct rule_case *c, enum direction direction)
{
    struct matchset_builder *b = matchset_builder_new();
    uint32_t near;
    assert_int_equal(matchset_add_near(b, &c->near, RULE, direction, &near), 0);
    for (unsigned s = 0; s < c->near.slots; s++)
        for (unsigned w = 0; w < 4 && c->slots[s][w]; w++)
            assert_int_equal(matchset_add_slot_word(b, near, s, span_str(c->slots[s][w]), 0), 0);
    assert_int_equal(matchset_add_allow(b, SPAN_LIT("炸弹人")), 0);
    return probe_set(b);
}

static void rules_are_completed(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct rule_case *c = &cases[i];
        struct matchset *set = case_set(c, DIRECTION_BOTH);
        struct span text = span_str(c->text);
        struct probe whole = {0}, pieces = {0};
        uint64_t seed = i;
        char got[256] = "", plain[256];
        size_t n = 0;
        probe_run(set, text, &whole);
        assert_int_equal(probe_pieces(set, text, &seed, 4, &pieces), 0);
        probe_same(&pieces, &whole, text);
        for (const char *t = c->text; *t; t++)
            if (*t != PROBE_JOIN)
                plain[n++] = *t;
        for (size_t h = 0; h < whole.count; h++) {
            assert_int_equal(whole.hits[h].rule, RULE);
            strcat(got, h ? "/" : "");
            strncat(got, plain + whole.hits[h].start, whole.hits[h].end - whole.hits[h].start);
        }
        if (strcmp(got, c->found) != 0)
            fail_msg("\"%s\": got \"%s\", want \"%s\"", c->text, got, c->found);
        matchset_unref(set);
    }
}

static void directions_count(void **state)
{
    struct matchset *set = case_set(&cases[0], DIRECTION_COMPLETION);
    struct probe p = {0};
    probe_run(set, SPAN_LIT("怎么制作炸弹"), &p); /* reads as a prompt */
    assert_int_equal(p.count, 0);
    matchset_unref(set);
}

static void first_slots_hold_nothing(void **state)
{
    struct matchset *set = case_set(&cases[0], DIRECTION_BOTH);
    struct probe p = {0};
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    assert_int_equal(probe_feed(c, SPAN_LIT("怎么制"), &p), 0);
    assert_int_equal(cursor_clear(c), 9);
    assert_int_equal(probe_feed(c, SPAN_LIT("作炸"), &p), 0);
    assert_int_equal(cursor_clear(c), 12); /* the last slot is held */
    assert_int_equal(probe_feed(c, SPAN_LIT("酱面"), &p), 0);
    assert_int_equal(cursor_clear(c), 21);
    assert_int_equal(probe_feed(c, SPAN_LIT("一二三四五六七炸"), &p), 0);
    assert_int_equal(cursor_clear(c), 45); /* too far away by now */
    assert_int_equal(p.count, 0);
    cursor_free(c);
    matchset_unref(set);
}

static void lenses_and_masks_of_rules(void **state)
{
    struct matchset_builder *b = matchset_builder_new();
    uint32_t near;
    struct match_near n = {2, 8, false};
    assert_int_equal(matchset_add_near(b, &n, 3, DIRECTION_BOTH, &near), 0);
    assert_int_equal(
        matchset_add_slot_word(b, near, 0, SPAN_LIT("怎么"), LAYER_INSERTED | LAYER_ACROSTIC), 0);
    assert_int_equal(matchset_add_slot_word(b, near, 1, SPAN_LIT("毒"), 0), MATCH_SINGLE_HAN);
    assert_int_equal(matchset_add_slot_word(b, near, 1, SPAN_LIT("毒品"), LAYER_INSERTED), 0);
    struct matchset *set = probe_set(b);
    struct probe p = {0};
    probe_run(set, SPAN_LIT("怎x么买毒a品"), &p);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.hits[0].rule, 3);
    assert_true(p.hits[0].layers & LAYER_INSERTED);
    assert_int_equal(matchset_asked(set, 3), LAYER_INSERTED | LAYER_ACROSTIC);
    assert_int_equal(matchset_asked(set, 2), 0);
    assert_int_equal(matchset_asked_any(set), LAYER_INSERTED | LAYER_ACROSTIC);
    matchset_unref(set);
}

/* --- against a plain reading of all occurrences --- */

enum { SLOTS = 4, WORDS = 3 };
static const char *const tokens[] = {"甲", "乙", "丙", "丁", " ", "。"};

struct model {
    char words[SLOTS][WORDS][16];
    struct match_near near;
    struct matchset *set, *plain; /* plain: each slot's words as keywords of a rule */
};

/* The texts have Han characters of three bytes, blanks, and one mark, which ends sentences. */
static uint64_t characters_until(struct span text, uint64_t offset)
{
    uint64_t n = 0;
    bool paused = false;
    for (uint64_t i = 0; i < offset; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c & 0xF0) != 0xE0)
            continue;
        n += c != 0xE3 ? 1 : paused ? 0 : 8;
        paused = c == 0xE3;
    }
    return n;
}

struct seen {
    struct hit hit;
    uint64_t chain; /* where the words up to this one began */
};

/* Of the slot before, one of the two latest words that ends in time. */
static bool model_chain(const struct model *m, struct span text,
                        struct seen seen[SLOTS][PROBE_HITS], const unsigned *counts, unsigned s,
                        const struct hit *h, uint64_t *from)
{
    if (s == 0)
        return true;
    for (unsigned k = 1; k <= 2 && k <= counts[s - 1]; k++) {
        const struct seen *w = &seen[s - 1][counts[s - 1] - k];
        if (w->hit.end > h->start)
            continue;
        *from = w->chain;
        return characters_until(text, h->end) - w->chain <= m->near.within;
    }
    return false;
}

/* The least window of all choices of words, two of each other slot, none of which overlap. */
static bool model_window(const struct model *m, struct span text,
                         struct seen seen[SLOTS][PROBE_HITS], const unsigned *counts, unsigned s,
                         const struct hit *h, uint64_t *from, uint64_t *end)
{
    uint64_t least = UINT64_MAX, best_from = 0, best_end = 0;
    for (unsigned choice = 0; choice < 1u << m->near.slots; choice++) {
        struct hit taken[SLOTS] = {*h};
        unsigned n = 1;
        bool good = !(choice >> s & 1);
        for (unsigned o = 0; o < m->near.slots && good; o++) {
            unsigned k = 1 + (choice >> o & 1);
            if (o == s)
                continue;
            good = k <= counts[o];
            if (good)
                taken[n] = seen[o][counts[o] - k].hit;
            for (unsigned i = 0; i < n && good; i++)
                good = taken[n].end <= taken[i].start || taken[n].start >= taken[i].end;
            n++;
        }
        if (!good)
            continue;
        uint64_t f = UINT64_MAX, e = 0;
        for (unsigned i = 0; i < n; i++) {
            uint64_t a = characters_until(text, taken[i].start);
            uint64_t b = characters_until(text, taken[i].end);
            f = a < f ? a : f;
            e = b > e ? b : e;
        }
        if (e - f < least) {
            least = e - f;
            best_from = f;
            best_end = e;
        }
    }
    *from = best_from;
    *end = best_end;
    return least != UINT64_MAX;
}

static void model_run(const struct model *m, struct span text, struct probe *ret)
{
    struct probe all = {0};
    struct seen seen[SLOTS][PROBE_HITS]; /* in the order of their coming */
    unsigned counts[SLOTS] = {0};
    probe_run(m->plain, text, &all);
    ret->count = 0;
    for (size_t i = 0; i < all.count; i++) {
        struct hit h = all.hits[i];
        unsigned s = h.rule / WORDS;
        bool outdone = false;
        /* Of words of one slot that end alike the last to begin counts. */
        for (size_t j = i + 1; j < all.count; j++)
            outdone |= all.hits[j].rule / WORDS == s && all.hits[j].end == h.end;
        if (outdone)
            continue;
        uint64_t from = characters_until(text, h.start), end = characters_until(text, h.end);
        bool whole = m->near.ordered ? model_chain(m, text, seen, counts, s, &h, &from)
                                     : model_window(m, text, seen, counts, s, &h, &from, &end);
        bool again = ret->count && ret->hits[ret->count - 1].start == h.start &&
                     ret->hits[ret->count - 1].end == h.end;
        if (whole && !again && end - from <= m->near.within &&
            (!m->near.ordered || s == m->near.slots - 1)) {
            ret->hits[ret->count] = h;
            ret->hits[ret->count++].rule = RULE;
        }
        if (whole || !m->near.ordered)
            seen[s][counts[s]++] = (struct seen){h, from};
    }
}

/* An everyday word stands in slots of many rules; each has its own idea of what is near. */
static void words_are_shared(void **state)
{
    struct matchset_builder *b = matchset_builder_new();
    enum { RULES = 40 };
    char word[16];
    for (unsigned i = 0; i < RULES; i++) {
        struct match_near near = {.slots = 2, .within = 4 + i % 7, .ordered = i % 2};
        uint32_t number;
        assert_int_equal(matchset_add_near(b, &near, i, DIRECTION_BOTH, &number), 0);
        assert_int_equal(matchset_add_slot_word(b, number, 0, SPAN_LIT("怎么"), 0), 0);
        assert_int_equal(matchset_add_slot_word(b, number, 1, SPAN_LIT("炸弹"), 0), 0);
        snprintf(word, sizeof(word), "zq%c", (char)('a' + i % 26));
        assert_int_equal(matchset_add_slot_word(b, number, 1, span_str(word), 0), 0);
    }
    struct matchset *set = probe_set(b);
    struct probe p = {0}, pieces = {0};
    uint64_t seed = 1;
    /* Six characters from the first to the last: the rules that look no further are not met. */
    struct span text = SPAN_LIT("怎么一二炸弹");
    probe_run(set, text, &p);
    unsigned want = 0;
    for (unsigned i = 0; i < RULES; i++) {
        if (4 + i % 7 < 6)
            continue;
        assert_true(want < p.count);
        assert_int_equal(p.hits[want++].rule, i);
    }
    assert_int_equal(p.count, want);
    assert_int_equal(probe_pieces(set, text, &seed, 3, &pieces), 0);
    probe_same(&pieces, &p, text);
    /* What is long forgotten completes nothing; and the order is kept where a rule asks for it. */
    struct probe later = {0};
    probe_run(set, SPAN_LIT("怎么一二三四五六七八九十炸弹怎么zqc"), &later);
    unsigned met = 0;
    for (size_t i = 0; i < later.count; i++)
        met += later.hits[i].rule % 26 == 2;
    assert_true(met > 0);
    for (size_t i = 0; i < later.count; i++)
        assert_true(later.hits[i].rule % 26 == 2 || later.hits[i].rule % 2 == 0);
    matchset_unref(set);
}

static struct span random_text(uint64_t *seed, unsigned count, unsigned kinds, char *out)
{
    size_t len = 0;
    out[0] = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *t = tokens[random_next(seed) % kinds];
        memcpy(out + len, t, strlen(t));
        len += strlen(t);
        out[len] = '\0';
    }
    return span_from(out, len);
}

static void model_make(struct model *m, uint64_t *seed)
{
    struct matchset_builder *b = matchset_builder_new(), *p = matchset_builder_new();
    uint32_t near;
    m->near = (struct match_near){.slots = 2 + random_next(seed) % 3,
                                  .within = 3 + random_next(seed) % 10,
                                  .ordered = random_next(seed) % 2};
    assert_int_equal(matchset_add_near(b, &m->near, RULE, DIRECTION_BOTH, &near), 0);
    for (unsigned s = 0; s < m->near.slots; s++) {
        for (unsigned w = 0; w < WORDS; w++) {
            struct span word = random_text(seed, 2 + random_next(seed) % 2, 4, m->words[s][w]);
            assert_int_equal(matchset_add_slot_word(b, near, s, word, 0), 0);
            assert_int_equal(matchset_add_keyword(p, word, s * WORDS + w, DIRECTION_BOTH, 0), 0);
        }
    }
    m->set = probe_set(b);
    m->plain = probe_set(p);
}

static void show(const struct model *m)
{
    fprintf(stderr, "within %u%s\n", m->near.within, m->near.ordered ? ", ordered" : "");
    for (unsigned s = 0; s < m->near.slots; s++)
        fprintf(stderr, "slot: %s %s %s\n", m->words[s][0], m->words[s][1], m->words[s][2]);
}

static void hits_equal_the_models(void **state)
{
    uint64_t seed = 99;
    int rounds = soak_rounds(400, &seed);
    for (int round = 0; round < rounds; round++) {
        struct model m;
        model_make(&m, &seed);
        for (int t = 0; t < 60; t++) {
            char bytes[256];
            struct span text = random_text(&seed, 1 + random_next(&seed) % 24, 6, bytes);
            struct probe whole = {0}, want, pieces = {0};
            probe_run(m.set, text, &whole);
            assert_int_equal(probe_pieces(m.set, text, &seed, 5, &pieces), 0);
            probe_same(&pieces, &whole, text);
            model_run(&m, text, &want);
            for (size_t i = 0; i < whole.count; i++)
                whole.hits[i].layers = 0;
            for (size_t i = 0; i < want.count; i++)
                want.hits[i].layers = 0;
            if (whole.count != want.count) {
                fprintf(stderr, "within %u ordered %d\n", m.near.within, m.near.ordered);
                for (unsigned s = 0; s < m.near.slots; s++)
                    fprintf(stderr, "slot %s %s %s\n", m.words[s][0], m.words[s][1], m.words[s][2]);
            }
            probe_same(&whole, &want, text);
        }
        matchset_unref(m.set);
        matchset_unref(m.plain);
    }
}

/* The least start of a hit that some continuation makes. */
static uint64_t brute_clear(const struct model *m, char *text, size_t len, size_t known,
                            unsigned depth)
{
    struct probe hits;
    model_run(m, span_from(text, len), &hits);
    uint64_t best = hits.count > known ? hits.hits[known].start : UINT64_MAX;
    for (unsigned t = 0; depth && t < 5; t++) {
        size_t n = strlen(tokens[t]);
        memcpy(text + len, tokens[t], n);
        uint64_t clear = brute_clear(m, text, len + n, known, depth - 1);
        best = clear < best ? clear : best;
    }
    return best;
}

/*
 * Equal to brute force but for words of three slots that overlap one another, where an earlier word
 * that would do is forgotten for later ones that won't: this seed meets none.
 */
static void no_more_is_held_than_needed(void **state)
{
    uint64_t seed = 1234;
    for (int round = 0; round < 60; round++) {
        struct model m;
        model_make(&m, &seed);
        char bytes[512];
        struct span text = random_text(&seed, 4 + random_next(&seed) % 8, 6, bytes);
        struct probe p = {0};
        struct cursor *c = cursor_new(m.set, DIRECTION_PROMPT);
        for (size_t at = 0; at < text.len;) {
            uint32_t cp;
            size_t n = (size_t)utf8_decode(span_slice(text, at, text.len), true, &cp);
            assert_int_equal(probe_feed(c, span_slice(text, at, at + n), &p), 0);
            at += n;
            char longer[512];
            memcpy(longer, bytes, at);
            uint64_t want = brute_clear(&m, longer, at, p.count, 3);
            want = want < at ? want : at;
            if (p.clear != want) {
                show(&m);
                fail_msg("clear %d, not %d, after \"%.*s\"", (int)p.clear, (int)want, (int)at,
                         bytes);
            }
        }
        cursor_free(c);
        matchset_unref(m.set);
        matchset_unref(m.plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_completed),
        cmocka_unit_test(directions_count),
        cmocka_unit_test(first_slots_hold_nothing),
        cmocka_unit_test(lenses_and_masks_of_rules),
        cmocka_unit_test(words_are_shared),
        cmocka_unit_test(hits_equal_the_models),
        cmocka_unit_test(no_more_is_held_than_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
