#include "../unit.h"

#include "text/fold.h"

#include <errno.h>

static void folding_is_idempotent_and_bounded(void **state)
{
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        uint32_t cps[FOLD_EXPANSION_MAX], again[FOLD_EXPANSION_MAX];
        uint32_t entry = fold_entry(cp);
        unsigned n = fold_code_point(cp, cps);
        assert_in_range(n, 1, FOLD_EXPANSION_MAX);
        assert_in_range(fold_entry_class(entry), 0, FOLD_MARK);
        for (unsigned i = 0; i < n; i++) {
            uint32_t folded = fold_entry(cps[i]);
            if (fold_code_point(cps[i], again) != 1 || again[0] != cps[i] ||
                fold_entry_layers(folded))
                fail_msg("U+%04X folds to U+%04X, which folds further", cp, cps[i]);
            if (n == 1 && fold_entry_class(folded) != fold_entry_class(entry))
                fail_msg("U+%04X changes its class", cp);
        }
        if (n == 1 && cps[0] == cp)
            assert_int_equal(fold_entry_layers(entry), 0);
    }
}

static void classes_are_what_they_are_called(void **state)
{
    static const struct {
        uint32_t cp;
        enum fold_class class;
    } cases[] = {
        {'a', FOLD_WORD},         {'0', FOLD_WORD},          {' ', FOLD_BLANK},
        {'\n', FOLD_BLANK},       {0x3000, FOLD_BLANK},      {0x2028, FOLD_BLANK},
        {0, FOLD_INVISIBLE},      {0x7F, FOLD_INVISIBLE},    {0x200B, FOLD_INVISIBLE},
        {0xAD, FOLD_INVISIBLE},   {0x3164, FOLD_INVISIBLE},  {0x202E, FOLD_INVISIBLE},
        {0xFE0F, FOLD_INVISIBLE}, {0xE0041, FOLD_INVISIBLE}, {0xFEFF, FOLD_INVISIBLE},
        {0x301, FOLD_MARK},       {0x20DD, FOLD_MARK},       {0xFF9E, FOLD_MARK},
        {0x6BD2, FOLD_HAN},       {0x20BB7, FOLD_HAN},       {0x3007, FOLD_HAN},
        {0x2F24, FOLD_HAN},       {0x3002, FOLD_SEPARATOR},  {0x1F525, FOLD_SEPARATOR},
        {0xA8, FOLD_SEPARATOR},   {0x2122, FOLD_SEPARATOR},  {0xD800, FOLD_SEPARATOR},
        {0xE000, FOLD_SEPARATOR}, {0x430, FOLD_WORD},        {0xD55C, FOLD_WORD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (fold_entry_class(fold_entry(cases[i].cp)) != cases[i].class)
            fail_msg("U+%04X has class %d", cases[i].cp, fold_entry_class(fold_entry(cases[i].cp)));
}

/* The folded text and the layers of its code points; returns its length. */
static size_t text_fold(struct span text, char *ret_folded, uint32_t *ret_layers)
{
    struct fold_reader reader = {0};
    struct fold_point point;
    size_t len = 0;
    *ret_layers = 0;
    while (fold_reader_next(&reader, &text, &point) == 1) {
        uint32_t cps[FOLD_EXPANSION_MAX];
        unsigned n = fold_code_point(point.cp, cps);
        *ret_layers |= fold_entry_layers(fold_entry(point.cp));
        for (unsigned j = 0; j < n; j++)
            len += utf8_encode(cps[j], ret_folded + len);
    }
    return len;
}

static void forms_fold_as_people_read_them(void **state)
{
    static const struct {
        const char *text, *folded;
        uint32_t layers; /* of all code points */
    } cases[] = {
        {"Fuck", "fuck", LAYER_CASE},
        {"ｆｕｃｋ", "fuck", LAYER_WIDTH},
        {"ⓕⓤⓒⓚ", "fuck", LAYER_WIDTH},
        {"ꜰᴜᴄᴋ", "fuck", LAYER_WIDTH},
        {"🅰🅑🄲⒟", "abcd", LAYER_WIDTH | LAYER_CASE},
        {"fück", "fuck", LAYER_MARK},
        {"ЁЖ", "eж", LAYER_CASE | LAYER_MARK | LAYER_LOOKALIKE},
        {"сор", "cop", LAYER_LOOKALIKE},
        {"ВОР", "bop", LAYER_LOOKALIKE | LAYER_CASE},
        {"вор", "bop", LAYER_LOOKALIKE},
        {"１①⑴❶⓫٣³", "11111133", LAYER_WIDTH},
        {"後臺裡麵髮發為爲鬥殺線毒藥賣國臺灣獨習進", "后台里面发发为为斗杀线毒药卖国台湾独习进",
         LAYER_TRADITIONAL},
        {"ß", "ss", LAYER_CASE},
        {"㈠⼤", "一大", LAYER_WIDTH},
        {"，＠－—", ",@--", LAYER_WIDTH},
        {"。、", "。、", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char folded[128];
        uint32_t layers;
        size_t len = text_fold(span_str(cases[i].text), folded, &layers);
        assert_span(span_from(folded, len), span_str(cases[i].folded));
        if (layers != cases[i].layers)
            fail_msg("\"%s\": layers %x, want %x", cases[i].text, layers, cases[i].layers);
    }
}

/* Each layer by its name, as text/README.md has it. */
static void each_layer_has_its_table(void **state)
{
    static const struct {
        const char *layer, *from, *to;
    } tables[] = {
        {"case", "ABCXYZÄÖÉÅÇÑ", "abcxyzaoeacn"},
        {"width", "ａＢ０９①⑳⒈⒜Ⓑⓒ🅐🅱🄲🄰ᵃₑ²₃ℂℯⅈⅫ㎏",
         "ab09120"
         "1abcabca"
         "ae23ceixiikg"},
        {"width", "𝐀𝑏𝒞𝔡𝔼𝖿𝗴𝘩𝙞𝚓𝟘𝟙𝟚", "abcdefghij012"},
        {"width", "⓿❶➀➊⓵⓾㉈㉑㊿",
         "01111"
         "10102150"},
        {"width", "٣३৩๓໓၃３", "3333333"},
        {"width", "〡〢〣〤〥〦〧〨〩", "123456789"},
        {"width", "ᴀʙᴄɪɴꜱ", "abcins"},
        {"width", "ɐǝɹʌ℮", "aerve"},
        {"width", "㈠㊀㈩㊥㊙", "一一十中秘"},
        {"traditional", "國灣槍藥殺黨戰黃氣寶", "国湾枪药杀党战黄气宝"},
        {"traditional", "気仏沢円戦竜桜渋権薬圏悪亜壊対図売", "气佛泽圆战龙樱涩权药圈恶亚坏对图卖"},
        {"traditional", "実児広応単両産発変価検験県黒読続鉄銭",
         "实儿广应单两产发变价检验县黑读续铁钱"},
        {"traditional", "羣峯裠綫牀啓衆裡裏囘廻卽敎強説", "群峰裙线床启众里里回回即教强说"},
        {"traditional", "囻圀囯伱沵昰兲灹乕歬", "国国国你你是天炸虎前"},
        {"traditional", "⺝⻢⻔⻛⺮⻰⻥⻋⺡", "月马门风竹龙鱼车氵"},
        {"traditional", "﨑髙𠮷", "崎高吉"},
        {"mark", "áàâäãåāđłøħŧƀɖƒ", "aaaaaaadlohtbdf"},
        {"lookalike", "асеорху", "aceopxy"},
        {"lookalike", "οαν", "oav"},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        char folded[256];
        uint32_t layers, want = layer_from(span_str(tables[i].layer));
        size_t len = text_fold(span_str(tables[i].from), folded, &layers);
        assert_span(span_from(folded, len), span_str(tables[i].to));
        if (!(layers & want) || layers & ~(want | LAYER_CASE | LAYER_MARK | LAYER_WIDTH))
            fail_msg("\"%s\": layers %x, want %s", tables[i].from, layers, tables[i].layer);
    }
}

/* Characters that look like a form of another one, and are words of their own. */
static void innocent_characters_stay(void **state)
{
    static const char *const stay[] = {
        "浜芸嘅冇咲仝缶虫予弁莪咗佢嘢", "卐卍乂彳亍", "жщэюяц", "ŋəʒþ", "ひらカタカナ々〇", "한글"};
    for (size_t i = 0; i < sizeof(stay) / sizeof(*stay); i++) {
        char folded[256];
        uint32_t layers;
        size_t len = text_fold(span_str(stay[i]), folded, &layers);
        assert_span(span_from(folded, len), span_str(stay[i]));
        assert_int_equal(layers, 0);
    }
}

/* fold(fold(x)) = fold(x) of whole texts: any characters, several at a time. */
static void folding_a_folded_text_changes_nothing(void **state)
{
    uint64_t seed = 20;
    uint32_t layers;
    for (int round = 0; round < 20000; round++) {
        char text[64], once[64 * FOLD_EXPANSION_MAX], twice[sizeof(once)];
        size_t len = 0;
        for (int i = 0; i < 8; i++) {
            uint32_t cp = (uint32_t)(random_next(&seed) >> 40) % (i % 2 ? 0x110000 : 0xA000);
            if (cp < 0xD800 || cp > 0xDFFF)
                len += utf8_encode(cp, text + len);
        }
        size_t n = text_fold(span_from(text, len), once, &layers);
        size_t m = text_fold(span_from(once, n), twice, &layers);
        assert_span(span_from(twice, m), span_from(once, n));
        assert_int_equal(layers, 0);
    }
}

/* Every code point, alone and behind a high half, in pieces of every size. */
static void pieces_do_not_matter(void **state)
{
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp += cp < 0x1000 || (cp & 0xF800) == 0xD800 ? 1 : 13) {
        char text[16];
        size_t len = utf8_encode(0xD83D, text);
        len += utf8_encode(cp, text + len);
        len += utf8_encode('x', text + len);
        bool low = cp >= 0xDC00 && cp <= 0xDFFF;
        uint32_t want[3] = {0xD83D, cp, 'x'};
        if (low) {
            want[0] = 0x10000 + (0x3D << 10) + (cp & 0x3FF);
            want[1] = 'x';
        }
        for (size_t size = 1; size <= len; size++) {
            struct fold_reader reader = {0};
            struct fold_point point;
            uint64_t end = 0;
            unsigned n = 0;
            for (size_t at = 0; at < len; at += size) {
                struct span piece =
                    span_slice(span_from(text, len), at, at + size < len ? at + size : len);
                int got;
                while ((got = fold_reader_next(&reader, &piece, &point)) == 1) {
                    assert_true(n < 3);
                    assert_int_equal(point.cp, want[n]);
                    assert_int_equal(point.start, end);
                    end = point.end;
                    n++;
                }
                assert_int_equal(got, 0);
            }
            /* A half that is the last of the text comes at its end. */
            assert_int_equal(fold_reader_end(&reader, &point), 0);
            assert_int_equal(n, low ? 2 : 3);
            assert_int_equal(end, len);
        }
    }
}

static void what_is_no_text_is_refused(void **state)
{
    static const char *const bad[] = {"\xFF", "\xC0\xAF", "\xF4\x90\x80\x80", "\xE6\xAFx",
                                      "\xED\xA0\x80\xED\x41"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        for (size_t size = 1; size <= strlen(bad[i]); size++) {
            struct fold_reader reader = {0};
            struct fold_point point;
            int got = 0;
            for (size_t at = 0; at < strlen(bad[i]) && got >= 0; at += size) {
                size_t n = strlen(bad[i]) - at < size ? strlen(bad[i]) - at : size;
                struct span piece = span_from(bad[i] + at, n);
                while ((got = fold_reader_next(&reader, &piece, &point)) == 1)
                    ;
            }
            assert_int_equal(got, -EILSEQ);
        }
    struct fold_reader reader = {0};
    struct fold_point point;
    struct span half = SPAN_LIT("\xED\xA0\x80");
    assert_int_equal(fold_reader_next(&reader, &half, &point), 0);
    assert_int_equal(fold_reader_end(&reader, &point), 1);
    assert_int_equal(point.cp, 0xD800);
    assert_int_equal(fold_reader_end(&reader, &point), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding_is_idempotent_and_bounded),
        cmocka_unit_test(classes_are_what_they_are_called),
        cmocka_unit_test(forms_fold_as_people_read_them),
        cmocka_unit_test(each_layer_has_its_table),
        cmocka_unit_test(innocent_characters_stay),
        cmocka_unit_test(folding_a_folded_text_changes_nothing),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(what_is_no_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
