/*
 * Build-time generator of the table of readings (text/pinyin.h). Writes one C file to the path
 * given as argument. Runs on the build machine.
 *
 * ICU's Han-Latin transliterator gives one reading a character, for names of places and people as
 * well as for everyday words; the table below puts right what is not the common one, and adds the
 * other readings of characters that keywords are spelt with. Only folded characters are listed:
 * the others are never looked up.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>
#include <unicode/utrans.h>

#include "text/fold.h"
#include "text/pinyin.h"

/* A character and its readings, the common one first. */
static const char *const readings[] = {
    "地 di de",       "行 xing hang heng", "重 zhong chong",   "长 chang zhang",
    "乐 le yue yao",  "曾 zeng ceng",      "单 dan shan chan", "藏 cang zang",
    "都 dou du",      "还 hai huan",       "会 hui kuai",      "给 gei ji",
    "觉 jue jiao",    "着 zhe zhao zhuo",  "了 le liao",       "的 de di",
    "得 de dei",      "没 mei mo",         "大 da dai tai",    "朝 chao zhao",
    "调 diao tiao",   "传 chuan zhuan",    "弹 dan tan",       "率 lv shuai",
    "模 mo mu",       "石 shi dan",        "系 xi ji",         "校 xiao jiao",
    "血 xue xie",     "约 yue yao",        "种 zhong chong",   "省 sheng xing",
    "盛 sheng cheng", "识 shi zhi",        "宿 su xiu",        "提 ti di",
    "吓 xia he",      "解 jie xie",        "仇 chou qiu",      "区 qu ou",
    "查 cha zha",     "尉 wei yu",         "万 wan mo",        "冯 feng ping",
    "帧 zheng zhen",  "剥 bo bao",         "辟 pi bi",         "泊 bo po",
    "掺 chan can",    "匙 chi shi",        "佛 fo fu",         "脯 fu pu",
    "蛤 ge ha",       "貉 he hao",         "槛 kan jian",      "嚼 jiao jue",
    "桔 ju jie",      "咯 lo ge ka",       "咳 ke hai",        "傀 kui gui",
    "勒 le lei",      "肋 lei le",         "潦 liao lao",      "埔 pu bu",
    "茄 qie jia",     "炔 que gui",        "什 shen shi",      "谁 shui shei",
    "伺 si ci",       "似 si shi",         "拓 tuo ta",        "厦 sha xia",
    "削 xue xiao",    "畜 chu xu",         "吁 xu yu",         "钥 yao yue",
    "轧 ya zha ga",   "咋 za zha ze",      "辗 nian zhan",     "爪 zhua zhao",
    "椎 zhui chui",   "琢 zuo zhuo",       "柞 zuo zha",       "嗯 en ng",
    "薄 bo bao",      "堡 bao bu pu",      "暴 bao pu",        "便 bian pian",
    "伯 bo bai",      "卜 bu bo",          "参 can shen cen",  "侧 ce zhai",
    "差 cha chai ci", "颤 chan zhan",      "车 che ju",        "称 cheng chen",
    "澄 cheng deng",  "臭 chou xiu",       "幢 zhuang chuang", "绰 chuo chao",
    "读 du dou",      "度 du duo",         "囤 tun dun",       "恶 e wu",
    "否 fou pi",      "谷 gu yu",          "龟 gui jun qiu",   "柜 gui ju",
    "和 he huo hu",   "核 he hu",          "红 hong gong",     "坏 huai pi",
    "豁 huo hua",     "奇 qi ji",          "期 qi ji",         "其 qi ji",
    "稽 ji qi",       "夹 jia ga",         "价 jia jie",       "贾 jia gu",
    "见 jian xian",   "降 jiang xiang",    "将 jiang qiang",   "强 qiang jiang",
    "角 jiao jue",    "脚 jiao jue",       "颈 jing geng",     "劲 jin jing",
    "句 ju gou",      "咖 ka ga",          "卡 ka qia",        "壳 ke qiao",
    "溃 kui hui",     "括 kuo gua",        "落 luo la lao",    "络 luo lao",
    "烙 lao luo",     "俩 lia liang",      "六 liu lu",        "陆 lu liu",
    "碌 lu liu",      "露 lu lou",         "绿 lv lu",         "偻 lou lv",
    "捋 lv luo",      "脉 mai mo",         "埋 mai man",       "蔓 man wan",
    "氓 mang meng",   "冒 mao mo",         "糜 mi mei",        "秘 mi bi",
    "泌 mi bi",       "缪 miu mou miao",   "抹 mo ma",         "牟 mou mu",
    "哪 na nei",      "那 na nei",         "娜 na nuo",        "南 nan na",
    "呢 ne ni",       "粘 zhan nian",      "尿 niao sui",      "弄 nong long",
    "疟 nve yao",     "胖 pang pan",       "刨 pao bao",       "炮 pao bao",
    "屏 ping bing",   "迫 po pai",         "朴 pu piao po",    "瀑 pu bao",
    "曝 bao pu",      "栖 qi xi",          "蹊 qi xi",         "亲 qin qing",
    "圈 quan juan",   "券 quan xuan",      "雀 que qiao",      "塞 sai se",
    "色 se shai",     "刹 cha sha",        "杉 shan sha",      "折 zhe she",
    "甚 shen shi",    "食 shi si",         "氏 shi zhi",       "殖 zhi shi",
    "熟 shu shou",    "数 shu shuo",       "属 shu zhu",       "术 shu zhu",
    "衰 shuai cui",   "说 shuo shui",      "思 si sai",        "缩 suo su",
    "汤 tang shang",  "陶 tao yao",        "驮 tuo duo",       "尾 wei yi",
    "遗 yi wei",      "蔚 wei yu",         "涡 wo guo",        "无 wu mo",
    "洗 xi xian",     "铣 xi xian",        "虾 xia ha",        "纤 xian qian",
    "巷 xiang hang",  "咽 yan ye",         "烟 yan yin",       "殷 yin yan",
    "邪 xie ye",      "叶 ye xie",         "艾 ai yi",         "育 yu yo",
    "员 yuan yun",    "熨 yun yu",         "扎 zha za",        "择 ze zhai",
    "翟 zhai di",     "转 zhuan zhuai",    "赚 zhuan zuan",    "仔 zai zi",
    "咱 zan za",      "奘 zang zhuang",    "这 zhe zhei",      "番 fan pan",
    "繁 fan po",      "莞 guan wan",       "蚌 bang beng",     "盖 gai ge",
    "芾 fei fu",      "覃 qin tan",        "隗 kui wei",       "宓 mi fu",
    "召 zhao shao",   "扒 ba pa",          "耙 pa ba",         "柏 bai bo",
    "般 ban bo",      "磅 bang pang",      "膀 bang pang",     "骠 biao piao",
    "杓 shao biao",   "裨 bi pi",          "扁 bian pian",     "孱 chan can",
    "禅 chan shan",   "嘲 chao zhao",      "坻 di chi",        "尺 chi che",
    "褚 chu zhu",     "兹 zi ci",          "枞 cong zong",     "攒 zan cuan",
    "撮 cuo zuo",     "沓 da ta",          "叨 dao tao",       "钿 dian tian",
    "侗 dong tong",   "顿 dun du",         "阿 a e",           "扛 kang gang",
    "镐 gao hao",     "呱 gua gu",         "桧 hui gui",       "吭 keng hang",
    "鹄 hu gu",       "徊 huai hui",       "隽 juan jun",      "咀 ju zui",
    "矜 jin guan",    "楷 kai jie",        "姥 lao mu",        "拗 niu ao",
    "铅 qian yan",    "趄 qie ju",         "栅 zha shan",      "蛇 she yi",
    "拾 shi she",     "崴 wei wai",        "圩 wei xu",        "莘 shen xin",
    "荥 xing ying",   "俞 yu shu",         "缴 jiao zhuo",     "综 zong zeng",
    "嘿 hei mo",      "吖 ya a",           "噌 ceng cheng",    "哦 o e",
    "喔 o wo",        "喏 nuo re",         "呵 he a",          "欸 ai ei",
};

#define SYLLABLES_MAX 600
#define FURTHER_MAX   1000

static char syllables[SYLLABLES_MAX][8];
static unsigned syllable_count;
static uint16_t first[0x110000];
static struct pinyin_more further[FURTHER_MAX];
static unsigned further_count;

static void fatal(const char *what, const char *which)
{
    fprintf(stderr, "soundgen: %s: %s\n", what, which);
    exit(1);
}

static void must(UErrorCode err, const char *what)
{
    if (U_FAILURE(err))
        fatal(what, u_errorName(err));
}

static uint16_t syllable_add(const char *s)
{
    size_t len = strlen(s);
    if (len == 0 || len > 6)
        fatal("no syllable", s);
    for (unsigned i = 0; i < syllable_count; i++)
        if (strcmp(syllables[i], s) == 0)
            return (uint16_t)i;
    if (syllable_count == SYLLABLES_MAX)
        fatal("too many syllables", s);
    memcpy(syllables[syllable_count], s, len);
    return (uint16_t)syllable_count++;
}

/* ICU's reading of cp as lower-case letters, false when it has none of a single syllable. */
static bool reading_of(UTransliterator *latin, UChar32 cp, char ret_s[8])
{
    UErrorCode err = U_ZERO_ERROR;
    UChar units[64];
    int32_t len = 0, limit, n = 0;
    U16_APPEND_UNSAFE(units, len, cp);
    limit = len;
    utrans_transUChars(latin, units, &len, 64, 0, &limit, &err);
    must(err, "transliterate");
    for (int32_t i = 0; i < len; i++) {
        if (units[i] == 0x308 && n && ret_s[n - 1] == 'u') { /* decomposed: u with two dots */
            ret_s[n - 1] = 'v';
            continue;
        }
        if (units[i] >= 0x300 && units[i] <= 0x36F)
            continue;
        if (units[i] < 'a' || units[i] > 'z' || n == 6)
            return false;
        ret_s[n++] = (char)units[i];
    }
    ret_s[n] = 0;
    return n > 0;
}

static void read_all(void)
{
    static const UChar id[] = u"Han-Latin; NFD";
    UErrorCode err = U_ZERO_ERROR;
    UTransliterator *latin = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &err);
    must(err, "open");
    for (UChar32 cp = 0; cp < 0x110000; cp++) {
        uint32_t entry = fold_entry((uint32_t)cp);
        char s[8];
        first[cp] = PINYIN_NONE;
        bool folded = !(entry & FOLD_TARGET) && !(entry & FOLD_EXPANDS);
        if (folded && fold_entry_class(entry) == FOLD_HAN && reading_of(latin, cp, s))
            first[cp] = syllable_add(s);
    }
    utrans_close(latin);
}

/* The first reading takes the place of ICU's; the others follow. */
static void correct(const char *line)
{
    int32_t at = 0;
    UChar32 cp;
    char s[8];
    U8_NEXT(line, at, -1, cp);
    if (cp <= 0 || fold_entry_class(fold_entry((uint32_t)cp)) != FOLD_HAN)
        fatal("not Han", line);
    if (fold_entry((uint32_t)cp) & FOLD_TARGET)
        fatal("not folded", line);
    for (int n = 0; line[at]; n++) {
        size_t len = strcspn(line + ++at, " ");
        if (len > 6 || n == PINYIN_READINGS_MAX)
            fatal("no readings", line);
        memcpy(s, line + at, len);
        s[len] = 0;
        at += (int32_t)len;
        uint16_t syllable = syllable_add(s);
        if (n == 0)
            first[cp] = syllable;
        else if (further_count == FURTHER_MAX)
            fatal("too many readings", line);
        else
            further[further_count++] = (struct pinyin_more){(uint32_t)cp, syllable};
    }
}

static int further_compare(const void *a, const void *b)
{
    const struct pinyin_more *x = a, *y = b;
    return x->cp != y->cp ? (x->cp > y->cp) - (x->cp < y->cp)
                          : (x->syllable > y->syllable) - (x->syllable < y->syllable);
}

static int syllable_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Numbers follow the alphabet, so that a syllable can be found by halving. */
static void sort_all(void)
{
    static char sorted[SYLLABLES_MAX][8];
    static uint16_t number[SYLLABLES_MAX];
    memcpy(sorted, syllables, sizeof(sorted));
    qsort(sorted, syllable_count, sizeof(*sorted), syllable_compare);
    for (unsigned i = 0; i < syllable_count; i++)
        for (unsigned j = 0; j < syllable_count; j++)
            if (strcmp(syllables[i], sorted[j]) == 0)
                number[i] = (uint16_t)j;
    memcpy(syllables, sorted, sizeof(sorted));
    for (unsigned cp = 0; cp < 0x110000; cp++)
        if (first[cp] != PINYIN_NONE)
            first[cp] = number[first[cp]];
    for (unsigned i = 0; i < further_count; i++)
        further[i].syllable = number[further[i].syllable];
    qsort(further, further_count, sizeof(*further), further_compare);
}

static void write_table(FILE *out)
{
    enum { PAGE = 1 << PINYIN_PAGE_BITS, PAGES = 0x110000 / PAGE };
    static unsigned index[PAGES], source[PAGES];
    unsigned unique = 0;
    for (unsigned p = 0; p < PAGES; p++) {
        unsigned u = 0;
        while (u < unique && memcmp(first + source[u] * (size_t)PAGE, first + p * (size_t)PAGE,
                                    PAGE * sizeof(*first)) != 0)
            u++;
        if (u == unique)
            source[unique++] = p;
        index[p] = u;
    }
    fprintf(out, "/* Written by soundgen.c with Unicode %s. */\n#include \"text/pinyin.h\"\n\n",
            U_UNICODE_VERSION);
    fprintf(out, "const char pinyin_syllables[][8] = {");
    for (unsigned i = 0; i < syllable_count; i++)
        fprintf(out, "%s\"%s\",", i % 8 ? "" : "\n", syllables[i]);
    fprintf(out, "\n};\nconst unsigned pinyin_syllable_count = %u;\n", syllable_count);
    fprintf(out, "const uint16_t pinyin_index[%u] = {", (unsigned)PAGES);
    for (unsigned p = 0; p < PAGES; p++)
        fprintf(out, "%s%u,", p % 16 ? "" : "\n", index[p]);
    fprintf(out, "\n};\n\nconst uint16_t pinyin_pages[][%u] = {", (unsigned)PAGE);
    for (unsigned u = 0; u < unique; u++) {
        fprintf(out, "\n{");
        for (unsigned i = 0; i < PAGE; i++)
            fprintf(out, "%s%u,", i % 16 ? "" : "\n", first[source[u] * (size_t)PAGE + i]);
        fprintf(out, "\n},");
    }
    fprintf(out, "\n};\n\nconst struct pinyin_more pinyin_further[] = {");
    for (unsigned i = 0; i < further_count; i++)
        fprintf(out, "%s{0x%x, %u},", i % 4 ? "" : "\n", further[i].cp, further[i].syllable);
    fprintf(out, "\n};\nconst unsigned pinyin_further_count = %u;\n", further_count);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: soundgen FILE\n");
        return 2;
    }
    read_all();
    for (size_t i = 0; i < sizeof(readings) / sizeof(*readings); i++)
        correct(readings[i]);
    sort_all();
    FILE *out = fopen(argv[1], "w");
    if (!out) {
        perror(argv[1]);
        return 1;
    }
    write_table(out);
    return fclose(out) ? 1 : 0;
}
