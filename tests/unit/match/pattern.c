#include "probe.h"

#include <errno.h>

/* The Luhn check over the digits of the text. */
static bool luhn(struct span text)
{
    unsigned sum = 0, n = 0;
    for (size_t i = text.len; i-- > 0;) {
        unsigned d = (unsigned char)text.data[i] - '0';
        if (d > 9)
            return false;
        d *= 1 + n++ % 2;
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}

#define LIT(s)                                                                                     \
    {                                                                                              \
        "" s, sizeof(s) - 1                                                                        \
    }

static const struct match_pattern patterns[] = {
    {.regex = LIT("(?<!\\d)1[3-9]\\d{9}(?!\\d)"), .gate = GATE_DIGITS, .width = 11},
    {.regex = LIT("(?<![\\dA-Za-z])[1-9]\\d{16}[\\dXx](?![\\dA-Za-z])"),
     .gate = GATE_DIGITS,
     .width = 18},
    {.regex = LIT("(?<!\\d)\\d{16,19}(?!\\d)"),
     .gate = GATE_DIGITS,
     .width = 19,
     .validator = luhn},
    {.regex = LIT("[A-Za-z0-9][A-Za-z0-9._%+-]{0,40}@(?:[A-Za-z0-9-]{1,20}\\.){1,4}[A-Za-z]{2,12}"),
     .gate = GATE_AT,
     .width = 138},
    {.regex = LIT("(?i)\\bsk-[a-z0-9]{8,400}"),
     .gate = GATE_LITERAL,
     .literal = LIT("sk-"),
     .width = 403},
    {.regex = LIT("密码[是:：]\\w{4,20}"),
     .gate = GATE_LITERAL,
     .literal = LIT("密码"),
     .width = 24},
};

static struct matchset *pattern_set(void)
{
    struct matchset_builder *b = matchset_builder_new();
    for (uint32_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        const char *reason = NULL;
        if (matchset_add_pattern(b, &patterns[i], i, DIRECTION_BOTH, &reason) != 0)
            fail_msg("pattern %u: %s", i, reason);
    }
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("电话"), 100, DIRECTION_BOTH, 0), 0);
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("com"), 101, DIRECTION_BOTH, 0), 0);
    return probe_set(b);
}

static const struct {
    const char *text, *found;
    uint32_t layers; /* of the first */
} cases[] = {
    {"打13800138000吧", "13800138000", 0},
    {"13800138000", "13800138000", 0},
    {"213800138000", "", 0},
    {"138001380001", "", 0},
    {"我的电话13800138000，", "电话/13800138000", 0},
    {"138 0013 8000。", "138 0013 8000", LAYER_SEPARATOR},
    {"138-0013-8000。", "138-0013-8000", LAYER_SEPARATOR},
    {"138－0013—8000。", "138－0013—8000", LAYER_SEPARATOR},
    {"138  0013 8000", "", 0},
    {"2024 13800138000", "13800138000", 0},
    {"13800138000 2号楼", "13800138000", 0},
    {"2024 138 0013 8000 ", "138 0013 8000", LAYER_SEPARATOR},
    {"１３８００１３８０００", "１３８００１３８０００", LAYER_WIDTH},
    {"1\u200B3800138000", "1\u200B3800138000", LAYER_INVISIBLE},
    {"①③⑧00138000", "①③⑧00138000", LAYER_WIDTH},
    {"身份证11010519491231002X。", "11010519491231002X", 0},
    {"4111111111111111", "4111111111111111", 0},
    {"4111111111111112", "", 0},
    {"4111 1111 1111 1111!", "4111 1111 1111 1111", LAYER_SEPARATOR},
    {"mail joe.doe+x@mail.example.com now", "joe.doe+x@mail.example.com", 0},
    {"..joe@example.com", "joe@example.com", 0},
    {"ｊｏｅ＠example．com", "ｊｏｅ＠example．com", LAYER_WIDTH},
    {"joe@@example", "", 0},
    {"joe@example", "", 0},
    {"a@b.cc@d.ee", "a@b.cc", 0},
    {"key sk-abcdEFGH1234.", "sk-abcdEFGH1234", 0},
    {"task-abcdefgh1234", "", 0},
    {"SK-abcdefgh sk-abc", "SK-abcdefgh", 0},
    {"密码是hunter22。", "密码是hunter22", 0},
    {"密密码：abcd", "密码：abcd", LAYER_WIDTH},
    {"密密密码", "", 0},
    {"138001\x1F"
     "38000",
     "", 0},
    {"2\x1F"
     "13800138000",
     "13800138000", 0},
    {"13800138000\x1F"
     "2",
     "13800138000", 0},
    {"12345678901234567890 13800138000 a@b.cn 电话", "13800138000/a@b.cn/电话", 0},
    {"一三八零零一三八零零零", "一三八零零一三八零零零", LAYER_NUMERAL},
    {"打壹叁捌零零壹叁捌零零零吧", "壹叁捌零零壹叁捌零零零", LAYER_NUMERAL},
    {"幺三八〇〇幺三八○○○", "幺三八〇〇幺三八○○○", LAYER_NUMERAL},
    {"138零零一三八零零零", "138零零一三八零零零", LAYER_NUMERAL},
    {"一3800138000", "一3800138000", LAYER_NUMERAL},
    {"1380013800零。", "1380013800零", LAYER_NUMERAL},
    {"１３８零零一三八零零零", "１３８零零一三八零零零", LAYER_NUMERAL | LAYER_WIDTH},
    {"一三八 零零一三 八零零零", "一三八 零零一三 八零零零", LAYER_NUMERAL | LAYER_SEPARATOR},
    {"138-零零一三-八零零零", "138-零零一三-八零零零", LAYER_NUMERAL | LAYER_SEPARATOR},
    {"二〇二四 一三八零零一三八零零零", "一三八零零一三八零零零", LAYER_NUMERAL},
    {"2024-05-06 一三八零零一三八零零零", "一三八零零一三八零零零", LAYER_NUMERAL},
    {"一三八\u200B零零一三八零零零", "一三八\u200B零零一三八零零零",
     LAYER_NUMERAL | LAYER_INVISIBLE},
    {"㊀三八零零一三八零零零", "㊀三八零零一三八零零零", LAYER_NUMERAL | LAYER_WIDTH},
    {"王五13800138000", "13800138000", 0},
    {"13800138000三号楼", "13800138000", 0},
    {"一一零一零五一九四九一二三一零零二X", "一一零一零五一九四九一二三一零零二X", LAYER_NUMERAL},
    {"一三八零零一三八零零零一", "", 0},
    {"九一三八零零一三八零零零", "", 0},
    {"三个苹果一百三十八元，二〇二四年", "", 0},
    {"一三八零\x1F"
     "零一三八零零零",
     "", 0},
};

static void patterns_find_what_they_say(void **state)
{
    struct matchset *set = pattern_set();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct probe p = {0};
        probe_run(set, span_str(cases[i].text), &p);
        char plain[256], got[512] = "";
        size_t n = 0, shown = 0;
        uint32_t layers = 0;
        for (const char *t = cases[i].text; *t; t++)
            if (*t != PROBE_JOIN)
                plain[n++] = *t;
        for (size_t h = 0; h < p.count; h++) {
            if (p.hits[h].rule == 101)
                continue;
            layers = shown ? layers : p.hits[h].layers;
            strcat(got, shown++ ? "/" : "");
            strncat(got, plain + p.hits[h].start, p.hits[h].end - p.hits[h].start);
        }
        if (strcmp(got, cases[i].found) != 0)
            fail_msg("\"%s\": got \"%s\", want \"%s\"", cases[i].text, got, cases[i].found);
        if (layers != cases[i].layers)
            fail_msg("\"%s\": layers %x, want %x", cases[i].text, layers, cases[i].layers);
    }
    matchset_unref(set);
}

static void run_in_pieces(const struct matchset *set, struct span text, uint64_t *seed, size_t most,
                          struct probe *p)
{
    assert_int_equal(probe_pieces(set, text, seed, most, p), 0);
    uint64_t joins = 0;
    for (size_t i = 0; i < text.len; i++)
        joins += text.data[i] == PROBE_JOIN;
    assert_int_equal(p->clear, text.len - joins);
}

static void splits_change_nothing(void **state)
{
    struct matchset *set = pattern_set();
    uint64_t seed = 99;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct span text = span_str(cases[i].text);
        struct probe whole = {0};
        probe_run(set, text, &whole);
        for (int round = 0; round < 40; round++) {
            struct probe p = {0};
            run_in_pieces(set, text, &seed, round < 5 ? 1 : 9, &p);
            probe_same(&p, &whole, text);
        }
    }
    /* Random texts from what patterns are made of. */
    static const char *const tokens[] = {"1",           "3",
                                         "8",           "00",
                                         "138",         " ",
                                         "-",           "@",
                                         "a",           ".",
                                         "b.com",       "电话",
                                         "密码",        "sk-",
                                         "sk-abcdefgh", "\x1F",
                                         "１",          "4111111111111111",
                                         "\u200B",      "13800138000",
                                         "X",           "一",
                                         "三",          "八",
                                         "零零",        "一三八",
                                         "个",          "一三八零零一三八零零零"};
    size_t kinds = sizeof(tokens) / sizeof(*tokens), hits = 0;
    for (int round = 0; round < 9000; round++) {
        char bytes[1024];
        size_t len = 0;
        for (size_t n = 1 + random_next(&seed) % 30; n; n--) {
            const char *t = tokens[random_next(&seed) % kinds];
            memcpy(bytes + len, t, strlen(t));
            len += strlen(t);
        }
        struct span text = span_from(bytes, len);
        struct probe whole = {0}, p = {0};
        probe_run(set, text, &whole);
        run_in_pieces(set, text, &seed, 1 + random_next(&seed) % 8, &p);
        probe_same(&p, &whole, text);
        probe_stops(set, text, &seed, whole.count);
        hits += whole.count;
    }
    assert_true(hits > 1000);
    matchset_unref(set);
}

static void the_hold_is_short(void **state)
{
    struct matchset *set = pattern_set();
    static const struct {
        const char *text;
        uint64_t held; /* bytes */
    } holds[] = {
        {"一句话", 0},       {"在2024年", 0},      {"在138", 3},    {"在138001 ", 7},
        {"english word", 4}, {"english word ", 0}, {"joe@exam", 8}, {"as", 2},
        {"mask", 4},         {"13800138000。", 0}, {"密", 3},       {"密码学", 0},
        {"三", 3},           {"三个", 0},          {"一百三", 3},   {"一三八零", 12},
        {"二〇二四年", 0},   {"一三 ", 7},         {"一三  ", 0},   {"王五138", 6},
        {"12一百", 0},
    };
    for (size_t i = 0; i < sizeof(holds) / sizeof(*holds); i++) {
        struct span text = span_str(holds[i].text);
        struct probe p = {0};
        struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
        assert_int_equal(probe_feed(c, text, &p), 0);
        if (cursor_clear(c) != text.len - holds[i].held)
            fail_msg("\"%s\": holds %d", holds[i].text, (int)(text.len - cursor_clear(c)));
        cursor_free(c);
    }
    /* Long runs hold no more than a width. */
    struct probe p = {0};
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    for (int i = 0; i < 20000; i++) {
        const char *piece = i < 10000 ? "7" : i == 10000 ? " sk-" : "a";
        assert_int_equal(probe_feed(c, span_str(piece), &p), 0);
        assert_true(cursor_clear(c) + 450 > (uint64_t)i);
    }
    assert_int_equal(p.count, 1);
    cursor_free(c);
    matchset_unref(set);
}

static void unfit_patterns_are_refused(void **state)
{
    static const struct match_pattern bad[] = {
        {.regex = LIT("("), .gate = GATE_DIGITS, .width = 5},
        {.regex = LIT("\\d*"), .gate = GATE_DIGITS, .width = 5},
        {.regex = LIT("\\d+"), .gate = GATE_DIGITS, .width = 0},
        {.regex = LIT("\\d+"), .gate = GATE_DIGITS, .width = 513},
        {.regex = LIT("\\d{6}"), .gate = GATE_DIGITS, .width = 5},
        {.regex = LIT("\\d+"), .gate = (enum match_gate)9, .width = 5},
        {.regex = LIT("\\d+"), .gate = GATE_LITERAL, .width = 5},
        {.regex = LIT("(\\d)\\1"), .gate = GATE_DIGITS, .width = 5},
        {.regex = LIT("1\\K2"), .gate = GATE_DIGITS, .width = 5},
        {.regex = LIT("(*COMMIT)1"), .gate = GATE_DIGITS, .width = 5},
        {.regex = LIT("(?<=a{20})1"), .gate = GATE_DIGITS, .width = 5},
    };
    struct matchset_builder *b = matchset_builder_new();
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const char *reason = NULL;
        if (matchset_add_pattern(b, &bad[i], 0, DIRECTION_BOTH, &reason) != MATCH_BAD_PATTERN)
            fail_msg("pattern %d was taken", (int)i);
        assert_non_null(reason);
        assert_true(strlen(reason) > 5);
    }
    struct matchset *set = probe_set(b);
    struct matchset_stats stats;
    matchset_get_stats(set, &stats);
    assert_int_equal(stats.patterns, 0);
    matchset_unref(set);
}

static void giving_up_is_said(void **state)
{
    /* Each nesting of the look-ahead costs the matcher one level. */
    char regex[1024] = "\\d";
    for (int i = 0; i < 110; i++)
        strcat(regex, "(?=");
    strcat(regex, "\\d");
    for (int i = 0; i < 110; i++)
        strcat(regex, ")");
    struct match_pattern p = {.regex = span_str(regex), .gate = GATE_DIGITS, .width = 9};
    struct matchset_builder *b = matchset_builder_new();
    const char *reason = NULL;
    assert_int_equal(matchset_add_pattern(b, &p, 0, DIRECTION_BOTH, &reason), 0);
    struct matchset *set = probe_set(b);
    struct probe probe = {0};
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    assert_int_equal(cursor_feed(c, SPAN_LIT("a12345678"), probe_hit, &probe), -EOVERFLOW);
    assert_int_equal(cursor_clear(c), 1);
    cursor_free(c);
    matchset_unref(set);
}

static void directions_and_stops(void **state)
{
    struct matchset_builder *b = matchset_builder_new();
    const char *reason = NULL;
    assert_int_equal(matchset_add_pattern(b, &patterns[0], 7, DIRECTION_COMPLETION, &reason), 0);
    struct matchset *set = probe_set(b);
    struct probe p = {0};
    probe_run(set, SPAN_LIT("13800138000"), &p);
    assert_int_equal(p.count, 0);
    struct cursor *c = cursor_new(set, DIRECTION_COMPLETION);
    p = (struct probe){.stop_at = 1};
    assert_int_equal(probe_feed(c, SPAN_LIT("打13800138000吧"), &p), 1);
    assert_int_equal(p.hits[0].start, 3);
    assert_int_equal(p.hits[0].end, 14);
    assert_int_equal(cursor_clear(c), 17);
    cursor_free(c);
    matchset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_find_what_they_say), cmocka_unit_test(splits_change_nothing),
        cmocka_unit_test(the_hold_is_short),           cmocka_unit_test(unfit_patterns_are_refused),
        cmocka_unit_test(giving_up_is_said),           cmocka_unit_test(directions_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
