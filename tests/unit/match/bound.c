/* How long the matches of a regex can be. */
#include "../unit.h"

#include "match/bound.h"

#include <stdlib.h>

static void lengths_are_never_too_small(void **state)
{
    static const struct {
        const char *regex;
        unsigned longest, ahead;
    } cases[] = {
        {"", 0, 0},
        {"abc", 3, 0},
        {"密码[是:：]\\w{4,20}", 23, 0},
        {"a|bcd|", 3, 0},
        {"(?:a|bcd){2,5}x?", 16, 0},
        {"(a(b(c){2}){3}){4}", 40, 0},
        {"[]a-z]{3}[^]]{2}[[:alpha:]x]{2}[\\]]{2}[[a]{2}", 11, 0},
        {"\\bab\\B(?=cd)(?!efg)\\A\\z^$", 2, 3},
        {"(?<![0-9])a(?<=xa)(?![0-9])", 1, 1},
        {"1(?=a(?=b{7}))", 1, 8},
        {"(?:1(?!23)){3}", 3, 2},
        {"(?>a{2}+b{3}?)c{1,2}?", 7, 0},
        {"(?<name>ab){2}(?P<n2>c)(?'n3'd)", 6, 0},
        {"(?i)a(?s:b)(?-i)c(?#no{9}te){2}", 4, 0},
        {"(?|ab|c){3}", 6, 0},
        {"\\x41{2}\\x{4e00}{3}\\p{Han}{2}\\pL\\d\\R\\N\\.\\n", 14, 0},
        {"\\N{3}\\N{U+4E00}", 4, 0},
        {"a{2}{3}", 6, 0},
        {"a{x}", 4, 0},
        {"a{", 2, 0},
        {"(?=a*)?", 0, UINT16_MAX},
        {"(?=ab)*c{0}", 0, 2},
        {"\\{{2}\\(\\)", 4, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct bound b = bound_of(span_str(cases[i].regex));
        if (cases[i].ahead == UINT16_MAX) {
            assert_non_null(b.reason);
            continue;
        }
        if (b.reason || b.longest != cases[i].longest || b.ahead != cases[i].ahead)
            fail_msg("%s: %u, %u ahead, %s", cases[i].regex, b.longest, b.ahead,
                     b.reason ? b.reason : "");
    }
    /* Text or repeat, as the library's version has it: longer than both. */
    assert_true(bound_of(SPAN_LIT("ab{,3}")).longest >= 6);
}

static void what_has_no_bound_is_named(void **state)
{
    static const struct {
        const char *regex;
        size_t at;
    } cases[] = {
        {"ab*", 2},
        {"a(?:b+c){2}", 5},
        {"a{3,}", 1},
        {"(ab)*?", 4},
        {"[a-z]++", 5},
        {"(?R)?", 0},
        {"a(?1)", 1},
        {"(?(1)a|b)", 0},
        {"(?x)a {3}", 0},
        {"a\\X", 1},
        {"\\Qa*\\E", 0},
        {"(a)\\g{1}", 3},
        {"(?P>n)", 0},
        {"(*ACCEPT)", 0},
        {"a{9999999999}", 0},
        {"(?:(?:a{999}){999}){99}", 0},
        {"\\K", 0},
        {"\\012", 0},
        {"a)", 1},
        {"(?=a+)b", 4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct bound b = bound_of(span_str(cases[i].regex));
        if (!b.reason || b.at != cases[i].at)
            fail_msg("%s: %s at %d", cases[i].regex, b.reason ? b.reason : "taken", (int)b.at);
    }
    /* However deep. */
    char deep[2001];
    memset(deep, '(', 1000);
    memset(deep + 1000, ')', 1000);
    assert_non_null(bound_of(span_from(deep, 2000)).reason);
}

/* Any bytes: it ends, and reads nothing behind them. */
static void any_bytes_end(void **state)
{
    uint64_t seed = 3;
    static const char set[] = "a\\[](){}?*+|^$:<=!#-,19ixPQERKx'\xE4";
    for (int round = 0; round < 200000; round++) {
        size_t len = random_next(&seed) % 20;
        char *text = malloc(len ? len : 1);
        assert_non_null(text);
        for (size_t i = 0; i < len; i++)
            text[i] = set[random_next(&seed) % (sizeof(set) - 1)];
        struct bound b = bound_of(span_from(text, len));
        assert_true(b.at <= len);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_never_too_small),
        cmocka_unit_test(what_has_no_bound_is_named),
        cmocka_unit_test(any_bytes_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
