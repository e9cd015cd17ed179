/* Patterns as tables against the same patterns by PCRE2 alone: hits and holds at each character. */
#include "probe.h"

#include "match/set.h"

#define LIT(s)                                                                                     \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

#define IDCARD "(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])"
#define PHONE  "(?<![0-9])(?:\\+86|0086|86)?1[3-9][0-9]{9}(?![0-9])"
#define CARD   "(?<![0-9])[2-69][0-9]{12,18}(?![0-9])"
#define EMAIL                                                                                      \
    "(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\\.[A-Za-z0-9-]{1,63}){0,"   \
    "3}\\.[A-Za-z]{2,24}(?![A-Za-z0-9])"

static bool even(struct span text)
{
    return text.len % 2 == 0;
}

/* The shipped ones, then smaller ones that match more often, and each kind of repeat and choice. */
static const struct match_pattern plain[] = {
    {.regex = LIT(IDCARD), .gate = GATE_DIGITS, .width = 18},
    {.regex = LIT(PHONE), .gate = GATE_DIGITS, .width = 16},
    {.regex = LIT(CARD), .gate = GATE_DIGITS, .width = 19},
    {.regex = LIT(EMAIL), .gate = GATE_AT, .width = 345},
    {.regex = LIT("(?<!\\d)[1-9]\\d{3,5}(?![0-9.])"), .gate = GATE_DIGITS, .width = 6},
    {.regex = LIT("(?:1|4[14]{1,5}|9-?)(4|1a){2,4}"), .gate = GATE_DIGITS, .width = 14},
    {.regex = LIT("1(?:1{0,3}|4){0,3}-"), .gate = GATE_DIGITS, .width = 11, .validator = even},
    {.regex = LIT("14{0,2}|4(?:1(?:1|a)?){1,3}"), .gate = GATE_DIGITS, .width = 7},
    {.regex = LIT("[a-]{1,3}@a\\.?[a1]{1,3}"), .gate = GATE_AT, .width = 9},
    {.regex = LIT("a{1,18}@a(?!\\.)"), .gate = GATE_AT, .width = 20},
    {.regex = LIT("A[14 -]{2,6}(?![^1])"), .gate = GATE_LITERAL, .literal = LIT("a"), .width = 7},
    {.regex = LIT("(?<!4)a(?:-|\\.1){1,3}(?!1)"),
     .gate = GATE_LITERAL,
     .literal = LIT("a"),
     .width = 7},
};
enum { PLAIN = sizeof(plain) / sizeof(*plain) };

static struct matchset *set_of(const struct match_pattern *list, unsigned count, bool shaped)
{
    struct matchset_builder *b = matchset_builder_new();
    const char *reason = NULL;
    for (unsigned i = 0; i < count; i++)
        if (matchset_add_pattern(b, &list[i], i, DIRECTION_BOTH, &reason) != 0)
            fail_msg("%.*s: %s", SPAN_ARG(list[i].regex), reason);
    struct matchset *set = probe_set(b);
    for (size_t i = 0; i < set->patterns.count && !shaped; i++) {
        shape_free(set->patterns.list[i].shape);
        set->patterns.list[i].shape = NULL;
    }
    return set;
}

/* Character by character, so that what is held is compared too. */
static size_t compare(const struct matchset *shaped, const struct matchset *bare, struct span text)
{
    struct probe got = {0}, want = {0};
    struct cursor *x = cursor_new(shaped, DIRECTION_PROMPT);
    struct cursor *y = cursor_new(bare, DIRECTION_PROMPT);
    for (size_t i = 0; i < text.len; i++) {
        assert_int_equal(probe_feed(x, span_slice(text, i, i + 1), &got), 0);
        assert_int_equal(probe_feed(y, span_slice(text, i, i + 1), &want), 0);
        if (cursor_clear(x) != cursor_clear(y))
            fail_msg("clear %d, not %d, after \"%.*s\"", (int)cursor_clear(x), (int)cursor_clear(y),
                     (int)i + 1, text.data);
        if (got.count != want.count)
            probe_same(&got, &want, span_slice(text, 0, i + 1));
    }
    assert_int_equal(cursor_finish(x, probe_hit, &got), 0);
    assert_int_equal(cursor_finish(y, probe_hit, &want), 0);
    probe_same(&got, &want, text);
    cursor_free(x);
    cursor_free(y);
    return got.count;
}

static size_t random_texts(const struct match_pattern *list, unsigned count, unsigned rounds,
                           uint64_t seed)
{
    static const char *const tokens[] = {
        "1",    "4",   "-",   " ",   "@",           ".",
        "a",    "1-",  "4 ",  "a@a", "13800138000", "4111111111111111",
        "\x1F", "１",  "A",   "%",   "x",           "1101051949",
        "+86",  ".cn", "甲",  "\n",  "1-1-1-1-1",   "4 4 4 4 4 4 4",
        "aaaa", "a.a", "1 -", "--",  "\u200B",      "31002X",
    };
    struct matchset *shaped = set_of(list, count, true), *bare = set_of(list, count, false);
    size_t hits = 0;
    for (unsigned round = 0; round < rounds; round++) {
        char bytes[1024];
        size_t len = 0;
        /* Few kinds at a time make long runs. */
        unsigned from = (unsigned)(random_next(&seed) % 26), kinds = 2 + random_next(&seed) % 28;
        for (size_t n = 1 + random_next(&seed) % 50; n; n--) {
            const char *t = tokens[(from + random_next(&seed) % kinds) % 30];
            memcpy(bytes + len, t, strlen(t));
            len += strlen(t);
        }
        hits += compare(shaped, bare, span_from(bytes, len));
    }
    matchset_unref(shaped);
    matchset_unref(bare);
    return hits;
}

static void tables_answer_as_pcre2(void **state)
{
    assert_true(random_texts(plain, 4, 2500, 7) > 200);
    assert_true(random_texts(plain, PLAIN, 1500, 8) > 2000);
    for (unsigned i = 0; i < PLAIN; i++)
        random_texts(&plain[i], 1, 400, 100 + i);
}

static void only_plain_regexes_have_tables(void **state)
{
    static const struct span other[] = {
        LIT("1.2"),           LIT("[^1]2"),       LIT("1\\b"),     LIT("1\\w"),    LIT("(?i)1a"),
        LIT("1(?=2)"),        LIT("(?<=a)1"),     LIT("(?<!ab)1"), LIT("1+?2"),    LIT("1++2"),
        LIT("[[:xdigit:]]1"), LIT("1甲"),         LIT("^1"),       LIT("1$"),      LIT("(?<!1)2|3"),
        LIT("2|3(?!1)"),      LIT("\\Q1\\E"),     LIT("\\x31"),    LIT("[1\\d]2"), LIT("(?>1)2"),
        LIT("1(?#note)"),     LIT("(?:1(?!2))3"), LIT("1*2"),      LIT("1+2"),     LIT("1{2,}"),
        LIT("1{0}2"),
    };
    for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
        struct shape *s = NULL;
        if (shape_new(other[i], &s) != 0)
            fail_msg("\"%.*s\" has a table", SPAN_ARG(other[i]));
    }
    struct shape *s = NULL;
    /* Too large: subsets double with each repeat. */
    assert_int_equal(shape_new(SPAN_LIT("[14]{1,20}1[14]{14}"), &s), 0);
    assert_int_equal(shape_new(SPAN_LIT("(?:1{999}){9}"), &s), 0);
    for (unsigned i = 0; i < PLAIN; i++) {
        int want = memcmp(plain[i].regex.data, "A[14", 4) != 0;
        int r = shape_new(plain[i].regex, &s);
        if (r != want)
            fail_msg("\"%.*s\": %d", SPAN_ARG(plain[i].regex), r);
        if (r == 1)
            shape_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_answer_as_pcre2),
        cmocka_unit_test(only_plain_regexes_have_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
