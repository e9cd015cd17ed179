#include "probe.h"

#include "base/utf8.h"

#include <errno.h>

static struct matchset *set_from(const char *const *keywords, const char *const *allows)
{
    struct matchset_builder *b = matchset_builder_new();
    assert_non_null(b);
    for (uint32_t i = 0; keywords[i]; i++)
        assert_int_equal(matchset_add_keyword(b, span_str(keywords[i]), i, DIRECTION_BOTH, 0), 0);
    for (uint32_t i = 0; allows && allows[i]; i++)
        assert_int_equal(matchset_add_allow(b, span_str(allows[i])), 0);
    return probe_set(b);
}

static const char *const words[] = {"大麻", "sm",       "fuck", "fuck you", "冰毒",   "毒品", "cop",
                                    "8964", "наркотик", "сор",  "k粉",      "法轮功", "毒",   NULL};

struct expectation {
    const char *text;
    const char *found; /* the parts that hit, parted by '/', in order */
    uint32_t layers;   /* of the first */
};

static const struct expectation expectations[] = {
    {"有大麻", "大麻", 0},
    {"大麻烦", "", 0},
    {"大 麻.烦", "", 0},
    {"大麻煩", "", 0},
    {"大麻，烦人", "", 0},
    {"大麻。。。。。。。。。烦", "大麻", 0},
    {"大大麻", "大麻", 0},
    {"大麻烦大麻", "大麻", 0},
    {"Smoking", "", 0},
    {"SM", "SM", LAYER_CASE},
    {"sm1", "sm", 0}, /* a digit ends a word */
    {"1sm2", "sm", 0},
    {"sms", "", 0},
    {"玩sm吧", "sm", 0},
    {"ｓｍ", "ｓｍ", LAYER_WIDTH},
    {"Ⓕⓤc⒦", "Ⓕⓤc⒦", LAYER_WIDTH | LAYER_CASE},
    {"f\u200Bu\u00ADc\uFE0Fk!", "f\u200Bu\u00ADc\uFE0Fk", LAYER_INVISIBLE},
    {"f\u0336u\u0336c\u0336k\u0336", "f\u0336u\u0336c\u0336k", LAYER_MARK},
    {"fück", "fück", LAYER_MARK},
    {"fuсk", "fuсk", LAYER_LOOKALIKE}, /* Cyrillic es */
    {"сор", "сор", LAYER_LOOKALIKE},   /* the Cyrillic keyword, not "cop" */
    {"cop", "cop", 0},
    {"соp", "соp/соp", LAYER_LOOKALIKE},
    {"НАРКОТИК", "НАРКОТИК", LAYER_CASE | LAYER_LOOKALIKE},
    {"f.u.c.k", "f.u.c.k", LAYER_SEPARATOR},
    {"f u c k you", "f u c k/f u c k you", LAYER_SEPARATOR},
    {"s m", "", 0}, /* two letters are too little to be spelled out */
    {"f.u.c.ku", "", 0},
    {"fu.ck", "", 0},
    {"fu*ck", "fu*ck", LAYER_SEPARATOR},
    {"f<b>u</b>ck", "f<b>u</b>ck", LAYER_SEPARATOR | LAYER_MARKUP},
    {"fuuuck", "fuuuck", LAYER_REPEAT},
    {"fuckkkk!", "fuckkkk", LAYER_REPEAT},
    {"fuuck", "", 0},                              /* as book and good have it */
    {"fUuck", "fUuck", LAYER_CASE | LAYER_REPEAT}, /* in two styles it is a disguise */
    {"fuuckk", "", 0},
    {"fuuckkk", "fuuckkk", LAYER_REPEAT},
    {"法轮轮功功", "法轮轮功", LAYER_REPEAT},
    {"法法轮功", "法轮功", 0},
    {"法轮 轮功", "", 0},
    {"法<b></b>轮<b></b>功", "法<b></b>轮<b></b>功", LAYER_SEPARATOR | LAYER_MARKUP},
    {"法<span style=\"color:red\">轮</span>功", "法<span style=\"color:red\">轮</span>功",
     LAYER_SEPARATOR | LAYER_MARKUP},
    {"法<轮功", "法<轮功", LAYER_SEPARATOR},
    {"法<1>轮功", "", 0},
    {"89964", "", 0},
    {"fuck  you", "fuck/fuck  you", 0},
    {"Fuck, you!", "Fuck/Fuck, you", LAYER_CASE},
    {"冰 毒 品", "冰 毒/毒 品", LAYER_SEPARATOR},
    {"冰-\u200B-毒", "冰-\u200B-毒", LAYER_SEPARATOR | LAYER_INVISIBLE},
    {"k 粉", "k 粉", LAYER_SEPARATOR},
    {"k-粉", "k-粉", LAYER_SEPARATOR},
    {"k，粉", "", 0},
    {"法輪功", "法輪功", LAYER_TRADITIONAL},
    {"【法】【轮】【功】", "法】【轮】【功", LAYER_SEPARATOR},
    {"法\n轮\n功", "法\n轮\n功", LAYER_SEPARATOR},
    {"法🇨🇳轮🇨🇳功", "法🇨🇳轮🇨🇳功", LAYER_SEPARATOR},
    {"法🔥轮🔥功", "法🔥轮🔥功", LAYER_SEPARATOR},
    {"８９６４", "８９６４", LAYER_WIDTH},
    {"⑧⑨⑥④", "⑧⑨⑥④", LAYER_WIDTH},
    {"18964", "", 0},
    {"法\x1F轮功", "法轮功", LAYER_JOIN},
    {"fuck\x1Fyou", "fuck/fuckyou", 0},
    {"fu\x1F"
     "ck",
     "", 0},
    {"大麻\x1F烦", "大麻", 0},
};

static struct matchset *expectation_set(void)
{
    static const char *const allows[] = {"大麻烦", NULL};
    const char *keywords[32];
    size_t n = 0;
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], "毒") != 0)
            keywords[n++] = words[i];
    keywords[n] = NULL;
    return set_from(keywords, allows);
}

static void disguises_are_seen_through(void **state)
{
    struct matchset *set = expectation_set();
    for (size_t i = 0; i < sizeof(expectations) / sizeof(*expectations); i++) {
        const struct expectation *e = &expectations[i];
        struct probe p = {0};
        probe_run(set, span_str(e->text), &p);
        char plain[256], got[512] = "";
        size_t n = 0;
        for (const char *t = e->text; *t; t++)
            if (*t != PROBE_JOIN)
                plain[n++] = *t;
        for (size_t h = 0; h < p.count; h++) {
            strcat(got, h ? "/" : "");
            strncat(got, plain + p.hits[h].start, p.hits[h].end - p.hits[h].start);
        }
        if (strcmp(got, e->found) != 0)
            fail_msg("\"%s\": got \"%s\", want \"%s\"", e->text, got, e->found);
        if (p.count && p.hits[0].layers != e->layers)
            fail_msg("\"%s\": layers %x, want %x", e->text, p.hits[0].layers, e->layers);
    }
    matchset_unref(set);
}

static void every_split_gives_the_same(void **state)
{
    struct matchset *set = expectation_set();
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof(expectations) / sizeof(*expectations); i++) {
        struct span text = span_str(expectations[i].text);
        struct probe whole = {0};
        probe_run(set, text, &whole);
        for (size_t cut = 0; cut <= text.len + 40; cut++) {
            struct probe p = {0};
            struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
            for (size_t at = 0; at < text.len;) {
                /* Two pieces; then single bytes; then random pieces. */
                size_t n = cut < text.len    ? (at < cut ? cut - at : text.len - at)
                           : cut == text.len ? 1
                                             : 1 + random_next(&seed) % 6;
                n = n < text.len - at ? n : text.len - at;
                assert_int_equal(probe_feed(c, span_slice(text, at, at + n), &p), 0);
                at += n;
            }
            assert_int_equal(cursor_finish(c, probe_hit, &p), 0);
            cursor_free(c);
            probe_same(&p, &whole, text);
        }
    }
    matchset_unref(set);
}

static void halves_of_pairs_join(void **state)
{
    static const char *const keywords[] = {"\U00020BB7野", NULL};
    struct matchset *set = set_from(keywords, NULL);
    struct span text = SPAN_LIT("\xED\xA1\x82\xED\xBE\xB7野");
    for (size_t cut = 0; cut <= text.len; cut++) {
        struct probe p = {0};
        struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
        assert_int_equal(probe_feed(c, span_slice(text, 0, cut), &p), 0);
        assert_int_equal(cursor_clear(c), cut == text.len ? text.len : 0);
        assert_int_equal(probe_feed(c, span_slice(text, cut, text.len), &p), 0);
        assert_int_equal(p.count, 1);
        assert_int_equal(p.hits[0].start, 0);
        assert_int_equal(p.hits[0].end, text.len);
        cursor_free(c);
    }
    /* A lone half is a separator; bytes that are no text are refused. */
    static const struct {
        const char *text;
        int answer, finish;
    } cases[] = {{"\xED\xA1\x82", 0, 0},
                 {"\xED\xA1\x82\xED", 0, -EILSEQ},
                 {"a\xFF", -EILSEQ, 0},
                 {"\xED\xA1\x82\xED\x41", -EILSEQ, 0},
                 {"\xE6\xAF", 0, -EILSEQ}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct probe p = {0};
        struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
        assert_int_equal(cursor_feed(c, span_str(cases[i].text), probe_hit, &p), cases[i].answer);
        if (cases[i].answer == 0)
            assert_int_equal(cursor_finish(c, probe_hit, &p), cases[i].finish);
        cursor_free(c);
    }
    matchset_unref(set);
}

static void words_are_refused_or_counted(void **state)
{
    struct matchset_builder *b = matchset_builder_new();
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("毒"), 0, DIRECTION_BOTH, 0),
                     MATCH_SINGLE_HAN);
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("!?"), 0, DIRECTION_BOTH, 0), MATCH_EMPTY);
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("\xFF"), 0, DIRECTION_BOTH, 0), -EILSEQ);
    char text[3 * (MATCH_KEYWORD_MAX + 1)];
    for (size_t i = 0; i <= MATCH_KEYWORD_MAX; i++)
        memcpy(text + 3 * i, "毒", 3);
    assert_int_equal(matchset_add_keyword(b, span_from(text, sizeof(text)), 0, DIRECTION_BOTH, 0),
                     MATCH_TOO_LONG);
    struct span longest = span_from(text, sizeof(text) - 3);
    assert_int_equal(matchset_add_keyword(b, longest, 1, DIRECTION_BOTH, 0), 0);
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("賣國"), 2, DIRECTION_PROMPT, 0), 0);
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("卖国"), 2, DIRECTION_PROMPT, 0), 0);
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("卖国"), 3, DIRECTION_COMPLETION, 0), 0);
    struct matchset *set = probe_set(b);
    struct matchset_stats stats;
    matchset_get_stats(set, &stats);
    assert_int_equal(stats.keywords, 4);
    struct probe p = {0};
    probe_run(set, SPAN_LIT("卖国"), &p);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.hits[0].rule, 2);
    p = (struct probe){0};
    probe_run(set, longest, &p);
    assert_int_equal(p.count, 1);
    /* A word of the other direction holds nothing. */
    p = (struct probe){0};
    struct cursor *c = cursor_new(set, DIRECTION_COMPLETION);
    assert_int_equal(probe_feed(c, SPAN_LIT("卖"), &p), 0);
    assert_int_equal(cursor_clear(c), 0);
    cursor_free(c);
    b = matchset_builder_new();
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("卖国"), 2, DIRECTION_PROMPT, 0), 0);
    struct matchset *prompt = probe_set(b);
    c = cursor_new(prompt, DIRECTION_COMPLETION);
    struct probe q = {0};
    assert_int_equal(probe_feed(c, SPAN_LIT("卖"), &q), 0);
    assert_int_equal(cursor_clear(c), 3);
    cursor_free(c);
    matchset_unref(prompt);
    matchset_unref(set);
    b = matchset_builder_new();
    struct matchset *empty = probe_set(b);
    p = (struct probe){0};
    probe_run(empty, SPAN_LIT("卖国 any text"), &p);
    assert_int_equal(p.count, 0);
    matchset_unref(empty);
}

/* The phrase saves the word where it stands, but not where its last letter goes on: the four a's
 * are a disguise in the word alone, so the two b's are doubtful in the phrase alone. */
static void a_phrase_lets_go_of_no_word_that_may_outlive_it(void **state)
{
    static const char *const keywords[] = {"aab", NULL}, *const allow[] = {"aaaab", NULL};
    struct matchset *set = set_from(keywords, allow);
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    struct probe p = {0};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(probe_feed(c, span_from(&"aaaabb"[i], 1), &p), 0);
        assert_int_equal(cursor_clear(c), 0);
    }
    assert_int_equal(cursor_finish(c, probe_hit, &p), 0);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.hits[0].start, 0);
    cursor_free(c);
    matchset_unref(set);
}

/* The phrase is complete twice at the end, and only the later reading covers; what the earlier one
 * spans must not have been let go on its account. */
static void a_phrase_outdone_lets_go_of_nothing(void **state)
{
    static const char *const keywords[] = {"a a", NULL}, *const allow[] = {"a aa", NULL};
    struct matchset *set = set_from(keywords, allow);
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    struct probe p = {0};
    struct span text = SPAN_LIT("a>aA<A>A");
    for (size_t i = 0; i < text.len; i++)
        assert_int_equal(probe_feed(c, span_slice(text, i, i + 1), &p), 0);
    assert_true(cursor_clear(c) <= 2);
    assert_int_equal(probe_feed(c, SPAN_LIT("A"), &p), 0);
    assert_int_equal(cursor_finish(c, probe_hit, &p), 0);
    for (size_t i = 0; i < p.count; i++)
        assert_true(p.hits[i].start >= 2);
    cursor_free(c);
    matchset_unref(set);
}

static void a_positive_answer_stops_at_once(void **state)
{
    static const char *const keywords[] = {"冰毒", "毒品", "fuck", NULL};
    struct matchset *set = set_from(keywords, NULL);
    struct span text = SPAN_LIT("卖冰毒品吗");
    struct probe p = {.stop_at = 1};
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    assert_int_equal(probe_feed(c, text, &p), 1);
    assert_int_equal(p.count, 1);
    /* 毒 may begin another match. */
    assert_int_equal(cursor_clear(c), 6);
    cursor_free(c);
    matchset_unref(set);
}

static void runs_of_separators_cost_no_memory_and_hold_nothing(void **state)
{
    static const char *const keywords[] = {"冰毒", "a b", NULL};
    struct matchset *set = set_from(keywords, NULL);
    struct probe p = {0};
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    assert_int_equal(probe_feed(c, SPAN_LIT("冰"), &p), 0);
    for (int i = 0; i < 1000000; i++) {
        assert_int_equal(cursor_feed(c, SPAN_LIT("."), probe_hit, &p), 0);
        assert_int_equal(cursor_clear(c), i < 8 ? 0 : 3 + i + 1);
    }
    assert_int_equal(probe_feed(c, SPAN_LIT("毒"), &p), 0);
    assert_int_equal(p.count, 0);
    /* Invisible characters never part. */
    assert_int_equal(probe_feed(c, SPAN_LIT("冰"), &p), 0);
    for (int i = 0; i < 1000000; i++)
        assert_int_equal(cursor_feed(c, SPAN_LIT("\u200B"), probe_hit, &p), 0);
    assert_int_equal(cursor_clear(c), 3 + 1000000 + 3);
    assert_int_equal(probe_feed(c, SPAN_LIT("毒"), &p), 0);
    assert_int_equal(p.count, 1);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(cursor_feed(c, SPAN_LIT("\uFDFA"), probe_hit, &p), 0);
    assert_int_equal(cursor_finish(c, probe_hit, &p), 0);
    cursor_free(c);
    matchset_unref(set);
}

/* Found by fuzzing: long texts are passed over, which must change nothing. */
static void passing_over_changes_nothing(void **state)
{
    static const char *const texts[] = {
        /* through LEET the word goes on behind the letters */
        "朻@@tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt@@ _@<u "
        "cqia _",
        "今天天气不错今天天气不错今天天气不错今天天气不错abc\x01"
        "aa 今天天气不错今天天气不错",
        "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\u200B"
        "aa tt",
        /* what is inside of a word through one lens need not be through another */
        "MMMMM]MMMMMMMMM_____O@aa/MMMMMMMMMMMMMMMMwwwwwwMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM[MK!",
        "今天天气不错今天天气不错今天天气不错今天天气不错 abc\u0301"
        "aa 今天天气不错今天天气",
        /* a character said again across a gap is no repeat */
        "乙丙。 。丙丁。丁甲 丙丁甲甲丁。乙。甲。丁丁。。丙。丙丁丁丁。丁甲甲甲甲甲甲甲甲",
    };
    struct matchset_builder *b = matchset_builder_new();
    static const char *const keywords[] = {"aa", "丙丁丁", "丁丁甲", "甲甲"};
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(matchset_add_keyword(b, span_str(keywords[i]), i, DIRECTION_BOTH,
                                              LAYER_LEET | LAYER_INSERTED),
                         0);
    struct matchset *set = probe_set(b);
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct span text = span_str(texts[i]);
        for (size_t from = 0; from + 70 < text.len; from++) {
            struct probe whole = {0}, pieces = {0};
            struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
            size_t cut = utf8_floor(text, from);
            assert_int_equal(probe_feed(c, span_slice(text, 0, cut), &whole), 0);
            assert_int_equal(probe_feed(c, span_slice(text, cut, text.len), &whole), 0);
            assert_int_equal(cursor_finish(c, probe_hit, &whole), 0);
            cursor_free(c);
            assert_int_equal(probe_pieces(set, text, &seed, 5, &pieces), 0);
            probe_same(&whole, &pieces, text);
        }
    }
    matchset_unref(set);
}

static void a_cursor_is_small(void **state)
{
    struct matchset_builder *b = matchset_builder_new();
    static const struct match_pattern phone = {
        .regex = {"1[3-9][0-9]{9}(?![0-9])", 23}, .gate = GATE_DIGITS, .width = 11};
    const char *reason;
    assert_int_equal(matchset_add_keyword(b, SPAN_LIT("法轮功"), 0, DIRECTION_BOTH, 0), 0);
    assert_int_equal(matchset_add_allow(b, SPAN_LIT("大麻烦")), 0);
    assert_int_equal(matchset_add_pattern(b, &phone, 1, DIRECTION_BOTH, &reason), 0);
    struct matchset *set = probe_set(b);
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    struct probe p = {0};
    assert_true(cursor_bytes(c) <= 512);
    assert_int_equal(probe_feed(c, SPAN_LIT("今天天气不错，法轮"), &p), 0);
    assert_true(cursor_bytes(c) <= 512);
    cursor_free(c);
    matchset_unref(set);
}

static void note_saved(void *ctx, const struct saved *saved)
{
    struct saved **at = ctx;
    *(*at)++ = *saved;
}

static void saved_hits_are_told(void **state)
{
    struct matchset *set = expectation_set();
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    struct probe p = {0};
    struct saved saved[4], *end = saved;
    assert_int_equal(cursor_tell_saved(c, note_saved, &end), 0);
    assert_int_equal(probe_feed(c, SPAN_LIT("大麻烦了，大麻"), &p), 0);
    assert_int_equal(cursor_finish(c, probe_hit, &p), 0);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.hits[0].start, 15);
    assert_int_equal(end - saved, 1);
    assert_int_equal(saved[0].hit.start, 0);
    assert_int_equal(saved[0].hit.end, 6);
    assert_int_equal(saved[0].from, 0);
    assert_int_equal(saved[0].to, 9);
    cursor_free(c);
    matchset_unref(set);
}

static void folded_forms_name_a_rule(void **state)
{
    static const char *const pairs[][2] = {
        {"Ｆｕｃｋ，  YOU！", "fuck you"},
        {"冰 毒", "冰毒"},
        {"法輪\u200B功", "法轮功"},
        {"", ""},
        {"K-粉", "k粉"},
        {"K，粉", "k,粉"},
        {"K 粉", "k粉"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct buf out = BUF_INIT(64);
        assert_int_equal(match_fold(span_str(pairs[i][0]), &out), 0);
        assert_span(buf_span(&out), span_str(pairs[i][1]));
        struct buf again = BUF_INIT(64);
        assert_int_equal(match_fold(buf_span(&out), &again), 0);
        assert_span(buf_span(&again), buf_span(&out));
        buf_deinit(&out);
        buf_deinit(&again);
    }
    struct buf small = BUF_INIT(3);
    assert_int_equal(match_fold(SPAN_LIT("冰毒"), &small), -EMSGSIZE);
    buf_deinit(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disguises_are_seen_through),
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(halves_of_pairs_join),
        cmocka_unit_test(words_are_refused_or_counted),
        cmocka_unit_test(a_phrase_lets_go_of_no_word_that_may_outlive_it),
        cmocka_unit_test(a_phrase_outdone_lets_go_of_nothing),
        cmocka_unit_test(a_positive_answer_stops_at_once),
        cmocka_unit_test(runs_of_separators_cost_no_memory_and_hold_nothing),
        cmocka_unit_test(passing_over_changes_nothing),
        cmocka_unit_test(a_cursor_is_small),
        cmocka_unit_test(saved_hits_are_told),
        cmocka_unit_test(folded_forms_name_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
