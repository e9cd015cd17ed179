#include "../unit.h"

#include "base/utf8.h"
#include "terms/terms.h"
#include "text/pinyin.h"
#include "text/spelling.h"
#include "text/variants.h"

#include <errno.h>

#define ALL (LAYER_PINYIN | LAYER_INITIALS | LAYER_SPLIT | LAYER_REVERSED)

/* Memory that is out from the n-th allocation on; 0: never. */
static unsigned allocations, allocations_fail;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);

static bool allocation_fails(void)
{
    return ++allocations >= allocations_fail && allocations_fail;
}

void *__wrap_malloc(size_t n)
{
    return allocation_fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
    return allocation_fails() ? NULL : __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n)
{
    return allocation_fails() ? NULL : __real_realloc(p, n);
}

struct told {
    char text[VARIANTS_SPELLINGS_MAX + 1][1024];
    uint32_t layers[VARIANTS_SPELLINGS_MAX + 1];
    unsigned count;
};

static int told_add(void *ctx, struct span spelling, uint32_t layer)
{
    struct told *t = ctx;
    assert_true(t->count < VARIANTS_SPELLINGS_MAX);
    assert_true(spelling.len < sizeof(t->text[0]));
    memcpy(t->text[t->count], spelling.data, spelling.len);
    t->text[t->count][spelling.len] = 0;
    t->layers[t->count++] = layer;
    return 0;
}

static struct variants *table;
static struct told told;

static void tell(const char *word, uint32_t asked)
{
    told.count = 0;
    assert_int_equal(variants_spellings(table, span_str(word), asked, told_add, &told), 0);
}

/* The place of a spelling in the list, or -1. */
static int place(const char *spelling)
{
    for (unsigned i = 0; i < told.count; i++)
        if (strcmp(told.text[i], spelling) == 0)
            return (int)i;
    return -1;
}

static void expect(const char *word, uint32_t layer, const char *const *spellings)
{
    tell(word, layer);
    for (; *spellings; spellings++) {
        int at = place(*spellings);
        if (at < 0)
            fail_msg("%s is not spelt %s", word, *spellings);
        assert_int_equal(told.layers[at], layer);
    }
}

static void expect_not(const char *word, uint32_t layer, const char *const *spellings)
{
    tell(word, layer);
    for (; *spellings; spellings++)
        if (place(*spellings) >= 0)
            fail_msg("%s is spelt %s", word, *spellings);
}

#define LIST(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static int table_make(void **state)
{
    table = variants_new();
    assert_non_null(table);
    assert_int_equal(variants_add_split(table, 0x67AA, SPAN_LIT("木仓")), 0); /* 枪 */
    assert_int_equal(variants_add_split(table, 0x69CD, SPAN_LIT("手仓")), 0); /* 槍, folded */
    assert_int_equal(variants_add_split(table, 0x6CD5, SPAN_LIT("三点去")), 0);
    assert_int_equal(variants_add_split(table, 0x70B8, SPAN_LIT("火乍")), 0);
    return 0;
}

static int table_free(void **state)
{
    variants_free(table);
    return 0;
}

static void pinyin_is_joined_spaced_and_mixed(void **state)
{
    expect("朱镕基", LAYER_PINYIN,
           LIST("zhurongji", "zhu rong ji", "zhu镕基", "朱rong基", "朱镕ji", "朱rongji",
                "zhurong基", "zhu rongji", "zhu镕ji", "朱rong ji"));
    assert_int_equal(place("zhurongji"), 0);
    assert_int_equal(place("zhu rong ji"), 1);
    expect("朱鎔基", LAYER_PINYIN, LIST("zhurongji"));
    expect("女优AV", LAYER_PINYIN, LIST("nvyouav", "nuyouav", "nv you av", "nu you av", "nv优av"));
    expect("侵略", LAYER_PINYIN, LIST("qinlve", "qinlue", "侵lve", "侵lue"));
    expect("重庆银行", LAYER_PINYIN,
           LIST("zhongqingyinxing", "chongqingyinxing", "zhongqingyinhang", "chongqingyinhang"));
    expect("法 轮\n功", LAYER_PINYIN, LIST("falungong", "fa lun gong", "法lun功"));
    /* One syllable by chance: only what can be told from it. */
    expect("西安", LAYER_PINYIN, LIST("xi an", "xi安"));
    expect_not("西安", LAYER_PINYIN, LIST("xian"));
    expect_not("立刻", LAYER_PINYIN, LIST("like"));
    tell("毒", ALL);
    assert_int_equal(told.count, 0);
    tell("fuck", LAYER_PINYIN | LAYER_INITIALS);
    assert_int_equal(told.count, 0);
}

static void initials_need_company(void **state)
{
    expect("朱镕基", LAYER_INITIALS, LIST("zrj", "zhrj", "朱rj", "z镕基", "朱镕j", "zhurj"));
    assert_int_equal(place("zrj"), 0);
    expect("北京", LAYER_INITIALS, LIST("北j", "b京"));
    expect("山东", LAYER_INITIALS, LIST("s东", "sh东", "山d", "sdong", "shand"));
    expect_not("山东", LAYER_INITIALS, LIST("sd", "shd"));
    expect_not("大麻", LAYER_INITIALS, LIST("dm", "dam", "dma"));
    expect_not("山岭", LAYER_INITIALS, LIST("sling"));
    /* 社会恶 */
    expect_not("社会恶", LAYER_INITIALS, LIST("she"));
    expect("氧化二丁基锡", LAYER_INITIALS, LIST("yhedjx", "y h e d j x"));
}

static void letters_by_chance_are_known(void **state)
{
    static const char *const chance[] = {"abc",   "abs", "like", "china",
                                         "woken", "zip", "xian", "o"};
    static const char *const meant[] = {"zhurongji", "zrj", "bingdu", "sdong", "", "zhu rong"};
    for (size_t i = 0; i < sizeof(chance) / sizeof(*chance); i++)
        if (!spelling_reads_otherwise(span_str(chance[i])))
            fail_msg("%s", chance[i]);
    for (size_t i = 0; i < sizeof(meant) / sizeof(*meant); i++)
        if (spelling_reads_otherwise(span_str(meant[i])))
            fail_msg("%s", meant[i]);
}

static void parts_stand_for_characters(void **state)
{
    expect("炸枪法", LAYER_SPLIT,
           LIST("火乍枪法", "炸木仓法", "炸手仓法", "炸枪三点去", "火乍木仓三点去",
                "火乍手仓三点去", "火乍木仓法"));
    tell("枪", LAYER_SPLIT);
    assert_int_equal(told.count, 0);
    tell("枪a", LAYER_SPLIT);
    assert_int_equal(told.count, 2);
}

static void reversed_is_another_word(void **state)
{
    expect("法轮功", LAYER_REVERSED, LIST("功轮法"));
    assert_int_equal(told.count, 1);
    expect("Fuck", LAYER_REVERSED, LIST("kcuf"));
    static const char *const none[] = {"上海上", "8964", "qq", "q12", ""};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        tell(none[i], LAYER_REVERSED);
        for (unsigned k = 0; k < told.count; k++)
            assert_int_not_equal(told.layers[k], LAYER_REVERSED);
    }
}

static void numerals_are_always_told(void **state)
{
    expect("8964事件", LAYER_NUMERAL, LIST("八九六四事件", "捌玖陆肆事件"));
    assert_int_equal(place("八九六四事件"), 0);
    expect("110", LAYER_NUMERAL, LIST("一一零", "一一〇", "幺幺零", "壹壹零"));
    expect("ＡＫ４７", LAYER_NUMERAL, LIST("ak四七"));
    expect("8964", LAYER_NUMERAL, LIST("八九六四", "八9六4", "89六四"));
    static const char *const none[] = {"6.4", "3d", "1234567", "毒品", "h1n1"};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        tell(none[i], 0);
        assert_int_equal(told.count, 0);
    }
}

/* No spelling twice, none of them the word, none more than the cap, all of the layers asked. */
static void lists_are_short_and_clean(void **state)
{
    static const char *const words[] = {
        "氧化二丁基锡",
        "中华人民共和国万岁",
        "重行长乐曾单藏都还会",
        "8964法轮功枪支 2024",
        "ＡＶ女优",
        "着了的地得没大朝调传弹率模石系校血约载种省盛识宿提吓解仇区查尉万冯帧",
        "炸枪法炸枪法炸枪法",
        "大麻",
        "女女女女女女",
        "1234 5678 9012 3456",
        "а毒б品",
        "毒-品",
        "a b-毒",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        for (uint32_t asked = 0; asked < 16; asked++) {
            uint32_t layers = (asked & 1 ? LAYER_PINYIN : 0) | (asked & 2 ? LAYER_INITIALS : 0) |
                              (asked & 4 ? LAYER_SPLIT : 0) | (asked & 8 ? LAYER_REVERSED : 0);
            tell(words[i], layers);
            for (unsigned k = 0; k < told.count; k++) {
                assert_int_equal(utf8_check(span_str(told.text[k])), strlen(told.text[k]));
                assert_int_equal(place(told.text[k]), k);
                assert_string_not_equal(told.text[k], words[i]);
                assert_true(told.layers[k] & (layers | LAYER_NUMERAL));
            }
        }
    tell("重行长乐曾单藏都还会", ALL);
    assert_int_equal(told.count, VARIANTS_SPELLINGS_MAX);
    /* All layers have their part in it. */
    uint32_t seen = 0;
    for (unsigned k = 0; k < told.count; k++)
        seen |= told.layers[k];
    assert_int_equal(seen, LAYER_PINYIN | LAYER_INITIALS | LAYER_REVERSED);
    /* Longer than any keyword. */
    char word[3 * 70 + 1] = "";
    for (int i = 0; i < 70; i++)
        memcpy(word + 3 * i, "毒", 4);
    tell(word, ALL);
    assert_int_equal(told.count, 0);
}

static int stop_at(void *ctx, struct span spelling, uint32_t layer)
{
    return --*(int *)ctx ? 0 : 77;
}

static void walks_end_when_told(void **state)
{
    int left = 3;
    assert_int_equal(variants_spellings(table, SPAN_LIT("朱镕基"), ALL, stop_at, &left), 77);
    assert_int_equal(left, 0);
    left = 1;
    assert_int_equal(variants_spellings(NULL, SPAN_LIT("朱镕基"), ALL, stop_at, &left), 77);
    assert_int_equal(variants_spellings(table, SPAN_LIT("\xFF"), ALL, stop_at, &left), -EILSEQ);
}

static void sounds_are_syllables(void **state)
{
    struct variants *v = variants_new();
    assert_non_null(v);
    assert_int_equal(variants_sound(v, 0x6BD2), variants_sound(v, 0x72EC));     /* 毒独 */
    assert_int_equal(variants_sound(NULL, 0x6BD2), variants_sound(v, 0x8BFB));  /* 毒读 */
    assert_int_not_equal(variants_sound(v, 0x6BD2), variants_sound(v, 0x571F)); /* 毒土 */
    assert_int_equal(variants_sound(v, 0x6C2F), variants_sound(v, 0x8DEF));     /* 氯路 */
    assert_in_range(variants_sound(v, 0x6BD2), 0x110000, 0x1FFFFF);
    assert_int_equal(variants_sound(v, 'a'), 'a');
    assert_int_equal(variants_sound(v, 0x10FFFF), 0x10FFFF);
    assert_int_equal(variants_add_sound(v, SPAN_LIT("那拉")), 0);
    assert_int_equal(variants_add_sound(v, SPAN_LIT("拉路怒")), 0);
    assert_int_equal(variants_sound(v, 0x90A3), variants_sound(v, 0x9646)); /* 那陆 */
    assert_int_equal(variants_sound(v, 0x90A3), variants_sound(v, 0x52AA)); /* 那努 */
    assert_int_not_equal(variants_sound(NULL, 0x90A3), variants_sound(NULL, 0x9646));
    variants_free(v);
}

static void shapes_join_where_they_meet(void **state)
{
    struct variants *v = variants_new();
    assert_non_null(v);
    assert_int_equal(variants_shape(v, 0x672B), 0x672B);
    assert_int_equal(variants_add_shape(v, SPAN_LIT("末未")), 0);
    assert_int_equal(variants_add_shape(v, SPAN_LIT("土士")), 0);
    assert_int_equal(variants_shape(v, 0x672B), 0x672A); /* the smallest */
    assert_int_equal(variants_shape(v, 0x672A), 0x672A);
    assert_int_not_equal(variants_shape(v, 0x58EB), 0x672A);
    assert_int_equal(variants_add_shape(v, SPAN_LIT("士本未")), 0);
    assert_int_equal(variants_shape(v, 0x672B), variants_shape(v, 0x571F));
    assert_int_equal(variants_shape(v, 0x672C), variants_shape(v, 0x58EB));
    assert_int_equal(variants_shape(NULL, 0x672B), 0x672B);
    /* Traditional forms mean the folded ones. */
    assert_int_equal(variants_add_shape(v, SPAN_LIT("貝見")), 0);
    assert_int_equal(variants_shape(v, 0x8D1D), variants_shape(v, 0x89C1));
    variants_free(v);
}

static void bad_groups_change_nothing(void **state)
{
    static const char *const bad[] = {"", "末", "末a", "末 未", "末\xFF", "末㍿", "末\xED\xA0\x80"};
    struct variants *v = variants_new();
    assert_non_null(v);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(variants_add_shape(v, span_str(bad[i])), -EINVAL);
        assert_int_equal(variants_add_sound(v, span_str(bad[i])), -EINVAL);
        assert_int_equal(variants_add_split(v, 0x597D, span_str(bad[i])),
                         strcmp(bad[i], "末a") ? -EINVAL : 0);
    }
    assert_int_equal(variants_shape(v, 0x672B), 0x672B);
    assert_int_equal(variants_add_split(v, 'a', SPAN_LIT("女子")), -EINVAL);
    assert_int_equal(variants_add_split(v, 0x110000, SPAN_LIT("女子")), -EINVAL);
    assert_int_equal(variants_add_split(v, 0x597D, SPAN_LIT("女子女子女")), -EINVAL);
    variants_free(v);
}

static void leet_is_one_letter(void **state)
{
    static const char *const classes[] = {"o0",  "il1!|", "e3",  "a4@", "s5$",
                                          "t7+", "b8",    "g69", "z2"};
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        for (const char *c = classes[i]; *c; c++)
            assert_int_equal(variants_leet((unsigned char)*c), classes[i][0]);
    for (uint32_t cp = 0; cp < 0x110000; cp++)
        if (variants_leet(variants_leet(cp)) != variants_leet(cp) ||
            (cp > 0x7F && cp - 0x1F1E6 >= 26 && variants_leet(cp) != cp))
            fail_msg("U+%04X", cp);
    assert_int_equal(variants_leet(0x1F1E6), 'a'); /* as are the letters of flags */
    assert_int_equal(variants_leet(0x1F1F1), 'i');
}

static void syllables_are_found(void **state)
{
    for (unsigned i = 0; i < pinyin_syllable_count; i++)
        assert_int_equal(pinyin_find(pinyin_syllables[i], (unsigned)strlen(pinyin_syllables[i])),
                         i);
    assert_int_equal(pinyin_find("zhuan", 4), pinyin_find("zhua", 4));
    assert_int_equal(pinyin_find("", 0), PINYIN_NONE);
    assert_int_equal(pinyin_find("dam", 3), PINYIN_NONE);
    assert_int_equal(pinyin_find("zzzzzzzzzz", 10), PINYIN_NONE);
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        uint16_t all[PINYIN_READINGS_MAX];
        unsigned n = pinyin_read(cp, all);
        assert_in_range(n, 0, PINYIN_READINGS_MAX);
        for (unsigned i = 0; i < n; i++)
            if (all[i] >= pinyin_syllable_count)
                fail_msg("U+%04X", cp);
    }
}

/* Whichever allocation fails: -ENOMEM, nothing lost, and the tables still serve. */
static void memory_may_be_out(void **state)
{
    for (unsigned n = 1; n < 200; n++) {
        allocations = 0;
        allocations_fail = n;
        struct variants *v = variants_new();
        int r = v ? 0 : -ENOMEM;
        char group[8];
        for (uint32_t i = 0; i < 200 && r == 0; i++) {
            size_t len = utf8_encode(0x4E00 + 2 * i, group);
            len += utf8_encode(0x7E00 + i, group + len);
            struct span pair = span_from(group, len);
            int results[] = {variants_add_shape(v, pair), variants_add_sound(v, pair),
                             variants_add_split(v, 0x4E00 + 2 * i, pair)};
            for (int k = 0; k < 3; k++)
                if (results[k] == -ENOMEM)
                    r = -ENOMEM;
        }
        told.count = 0;
        if (r == 0)
            r = variants_spellings(v, SPAN_LIT("8964法轮功枪"), ALL, told_add, &told);
        bool out = allocations >= n;
        allocations_fail = 0;
        assert_int_equal(r, out ? -ENOMEM : 0);
        if (v) {
            told.count = 0;
            assert_int_equal(variants_spellings(v, SPAN_LIT("8964法轮功枪"), ALL, told_add, &told),
                             0);
            assert_true(told.count > 0);
        }
        variants_free(v);
        if (!out)
            return;
    }
    fail_msg("never enough memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pinyin_is_joined_spaced_and_mixed),
        cmocka_unit_test(initials_need_company),
        cmocka_unit_test(letters_by_chance_are_known),
        cmocka_unit_test(parts_stand_for_characters),
        cmocka_unit_test(reversed_is_another_word),
        cmocka_unit_test(numerals_are_always_told),
        cmocka_unit_test(lists_are_short_and_clean),
        cmocka_unit_test(walks_end_when_told),
        cmocka_unit_test(sounds_are_syllables),
        cmocka_unit_test(shapes_join_where_they_meet),
        cmocka_unit_test(bad_groups_change_nothing),
        cmocka_unit_test(leet_is_one_letter),
        cmocka_unit_test(syllables_are_found),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, table_make, table_free);
}
