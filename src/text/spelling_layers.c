/*
 * What each layer makes of a keyword, nearest first. Costs: 0 as people would write it, 1 nearly
 * so, up to 5 for what only someone bent on it writes.
 */
#include "text/spelling.h"

#include <stdlib.h>

#define STYLES       4 /* of numerals, see spelling.c */
#define STYLE_BANK   2
#define STYLE_SPOKEN 3
/* Keywords of more Han characters are mixed by single characters and runs only. */
#define MIXED_MAX 6

/*
 * Words that letters of syllables happen to give, and short names that everyone writes. Sorted. A
 * keyword that can be spelt like that is not looked for in that spelling: 大麻 has the initials dm
 * and mixes like dam.
 */
static const char *const everyday[] = {
    "abc",      "abs",       "abuse",     "acc",        "act",       "add",     "aes",
    "age",      "ago",       "alice",     "all",        "alone",     "along",   "alt",
    "amd",      "amp",       "and",       "anger",      "ant",       "anti",    "anticipate",
    "any",      "aol",       "ape",       "app",        "apr",       "apt",     "apu",
    "arc",      "are",       "area",      "arena",      "arg",       "arise",   "arm",
    "art",      "asia",      "aside",     "ask",        "aware",     "aws",     "bad",
    "bade",     "bag",       "bake",      "ban",        "banana",    "band",    "bang",
    "bank",     "bar",       "base",      "bat",        "bay",       "bbc",     "bbs",
    "bed",      "bee",       "beer",      "beg",        "bend",      "bet",     "bgm",
    "bide",     "big",       "bike",      "bingo",      "bio",       "bite",    "bmw",
    "bob",      "bom",       "bond",      "bong",       "box",       "boy",     "bpm",
    "bps",      "bsd",       "bye",       "cab",        "cad",       "cage",    "cake",
    "cal",      "cam",       "came",      "can",        "cane",      "cap",     "car",
    "care",     "case",      "cat",       "cba",        "cbs",       "cdn",     "cdr",
    "cease",    "chain",     "chair",     "chance",     "change",    "chaos",   "chase",
    "cheese",   "chess",     "chief",     "china",      "chunk",     "cite",    "cmd",
    "cms",      "cnn",       "cny",       "cod",        "col",       "com",     "con",
    "cop",      "cot",       "cow",       "cpa",        "cpc",       "cpm",     "cpp",
    "cps",      "cpu",       "crm",       "cry",        "csgo",      "css",     "cure",
    "cute",     "dad",       "dam",       "damage",     "dance",     "danger",  "data",
    "date",     "day",       "ddr",       "dead",       "dealing",   "dec",     "decide",
    "deciding", "deduce",    "deed",      "deep",       "deer",      "del",     "delegate",
    "delete",   "demo",      "den",       "denote",     "dense",     "dep",     "desire",
    "dice",     "die",       "dim",       "dine",       "ding",      "dire",    "dll",
    "dna",      "dnf",       "dns",       "doc",        "dog",       "don",     "dos",
    "dot",      "dota",      "dps",       "dry",        "dsp",       "dst",     "dude",
    "due",      "duke",      "dune",      "dvd",        "ear",       "ease",    "easier",
    "eat",      "editing",   "egg",       "elf",        "eliminate", "emba",    "emoji",
    "ems",      "end",       "ending",    "engage",     "enhance",   "ensure",  "entire",
    "eof",      "era",       "erase",     "erp",        "err",       "esc",     "est",
    "etc",      "exe",       "exp",       "ext",        "eye",       "face",    "fade",
    "fake",     "fang",      "faq",       "far",        "fat",       "fate",    "feb",
    "fed",      "fee",       "feed",      "fence",      "few",       "fly",     "fog",
    "for",      "fox",       "fpg",       "fps",        "ftp",       "fuse",    "future",
    "game",     "gang",      "gap",       "gas",        "gate",      "gauge",   "gay",
    "gcc",      "gdp",       "gel",       "gem",        "gemini",    "gene",    "generate",
    "get",      "gif",       "god",       "gong",       "got",       "gpl",     "gps",
    "gpt",      "gpu",       "gsm",       "guarantee",  "guidance",  "guide",   "had",
    "hand",     "handing",   "hang",      "has",        "hat",       "hate",    "hay",
    "hbo",      "hbr",       "hdd",       "head",       "heading",   "hence",   "her",
    "here",     "hex",       "hop",       "hot",        "how",       "html",    "http",
    "https",    "huge",      "human",     "ibm",        "jam",       "jan",     "jar",
    "jay",      "jet",       "job",       "joy",        "jpeg",      "jpg",     "jul",
    "june",     "keeping",   "key",       "king",       "ktv",       "lab",     "lace",
    "lad",      "lade",      "lag",       "lake",       "land",      "landing", "lane",
    "language", "lap",       "late",      "law",        "lay",       "lcd",     "lead",
    "leading",  "leaf",      "lean",      "led",        "leer",      "leg",     "len",
    "lend",     "let",       "lice",      "licence",    "license",   "lie",     "like",
    "line",     "ling",      "lite",      "loading",    "loc",       "locate",  "log",
    "lol",      "lone",      "long",      "longer",     "longs",     "loose",   "lose",
    "lot",      "low",       "lute",      "mac",        "machine",   "mad",     "made",
    "make",     "man",       "manage",    "mane",       "mango",     "map",     "mar",
    "mat",      "mate",      "mature",    "max",        "maximize",  "may",     "mba",
    "mean",     "meaning",   "measure",   "med",        "media",     "median",  "meeting",
    "mega",     "mem",       "men",       "mentioning", "menu",      "mere",    "mesa",
    "met",      "meta",      "mice",      "min",        "mine",      "mini",    "minimize",
    "minute",   "misuse",    "mite",      "mixing",     "mmo",       "mmorpg",  "mob",
    "mobile",   "mod",       "mode",      "module",     "mom",       "mon",     "mop",
    "more",     "mouse",     "mpeg",      "mpg",        "msg",       "msn",     "mtv",
    "mutate",   "mute",      "name",      "naming",     "nano",      "nap",     "nature",
    "nba",      "nbc",       "need",      "needing",    "net",       "new",     "nice",
    "nine",     "nod",       "non",       "nor",        "not",       "nov",     "now",
    "npc",      "npm",       "npu",       "nude",       "nuke",      "obj",     "odd",
    "off",      "old",       "omega",     "one",        "opaque",    "open",    "opt",
    "orange",   "ore",       "org",       "own",        "pace",      "pad",     "page",
    "pan",      "pancake",   "panda",     "pane",       "pang",      "pans",    "pant",
    "par",      "pat",       "patience",  "pay",        "paying",    "pcb",     "pcr",
    "pdf",      "peer",      "peg",       "pen",        "pending",   "per",     "pet",
    "php",      "pht",       "pie",       "piece",      "pike",      "pine",    "ping",
    "pkg",      "plc",       "pmp",       "png",        "pod",       "poke",    "pole",
    "pop",      "pos",       "pose",      "pot",        "ppc",       "ppm",     "ppp",
    "pps",      "ppt",       "pre",       "pro",        "psd",       "psp",     "ptr",
    "puke",     "pure",      "pve",       "pvp",        "pwd",       "quand",   "quant",
    "quota",    "quote",     "ram",       "rang",       "range",     "rap",     "rar",
    "rat",      "raw",       "ray",       "read",       "reading",   "realize", "rec",
    "red",      "reduce",    "ref",       "refuse",     "reg",       "relate",  "relating",
    "release",  "remaining", "remote",    "rename",     "rerun",     "res",     "reside",
    "resize",   "resume",    "retaining", "rfc",        "rgb",       "rice",    "ride",
    "ring",     "rio",       "rise",      "rmb",        "rna",       "rob",     "rod",
    "rom",      "rot",       "route",     "routine",    "row",       "rpg",     "rsa",
    "rss",      "rst",       "rts",       "rude",       "rule",      "running", "sad",
    "sage",     "sake",      "sale",      "same",       "sand",      "sane",    "sang",
    "sat",      "saw",       "say",       "saying",     "sdhc",      "sdk",     "sea",
    "sec",      "see",       "seed",      "seeding",    "seem",      "seen",    "send",
    "sending",  "sense",     "sep",       "seq",        "sequence",  "set",     "shade",
    "shake",    "shame",     "shank",     "shaping",    "she",       "shine",   "shire",
    "shout",    "shun",      "shunt",     "shy",        "side",      "sim",     "sine",
    "sing",     "site",      "size",      "sky",        "slc",       "sly",     "sms",
    "sob",      "son",       "song",      "soy",        "spa",       "spy",     "sql",
    "src",      "ssd",       "sse",       "ssh",        "ssl",       "std",     "str",
    "sue",      "suite",     "sure",      "sushi",      "sym",       "sys",     "tab",
    "tag",      "take",      "taken",     "tan",        "tango",     "tank",    "tap",
    "tar",      "tcp",       "tea",       "ten",        "thank",     "the",     "these",
    "thing",    "think",     "those",     "tide",       "tie",       "tier",    "time",
    "timing",   "tls",       "tmp",       "toe",        "ton",       "too",     "top",
    "tow",      "toy",       "tpu",       "try",        "tty",       "tune",    "tuning",
    "two",      "txt",       "usd",       "vcd",        "wade",      "wage",    "waiting",
    "wake",     "wand",      "wanting",   "wap",        "war",       "was",     "wax",
    "way",      "web",       "weed",      "wend",       "wet",       "who",     "why",
    "wine",     "wing",      "woken",     "women",      "won",       "wow",     "wps",
    "wto",      "www",       "xml",       "xor",        "yes",       "yet",     "you",
    "zap",      "zing",      "zip",       "zoo",
};

static int word_compare(const void *key, const void *entry)
{
    const struct span *word = key;
    return span_compare(*word, span_str(*(const char *const *)entry));
}

bool spelling_reads_otherwise(struct span letters)
{
    return pinyin_find(letters.data, (unsigned)letters.len) != PINYIN_NONE ||
           bsearch(&letters, everyday, sizeof(everyday) / sizeof(*everyday), sizeof(*everyday),
                   word_compare) != NULL;
}

static const char *syllable_of(const struct spellings *s, unsigned glyph, unsigned which)
{
    return pinyin_syllables[s->glyphs[glyph].syllables[which]];
}

static bool is_digit(const struct glyph *g)
{
    return g->cp - '0' <= 9;
}

/* The end of the run of digits that begins at glyph i. */
static unsigned digits_end(const struct spellings *s, unsigned i)
{
    while (i < s->count && is_digit(&s->glyphs[i]))
        i++;
    return i;
}

static void digits_set(struct how *how, unsigned from, unsigned to, uint32_t mask, uint8_t style)
{
    for (unsigned i = from; i < to; i++)
        if (mask >> (i - from) & 1)
            how[i] = (struct how){HOW_NUMERAL, style};
}

/* Letters, or separators that mean something: a name such as AK47, or an address. */
static bool has_letters(const struct spellings *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->glyphs[i].class != FOLD_HAN && !is_digit(&s->glyphs[i]))
            return true;
    return false;
}

/*
 * Single digits stay: 3 and 三 are too common to mean one another. So do digits with something
 * between them (6.4), whose numerals would be 六四 in any other text.
 */
int spellings_numerals(struct spellings *s)
{
    enum { RUN_MIN = 2, RUN_MAX = 6, MIX_MAX = 4 };
    /* Long numbers alone are accounts and the like. */
    unsigned most = s->han_count ? RUN_MAX : MIX_MAX;
    struct how how[SPELLING_GLYPHS_MAX];
    int r = 0;
    enum { NAME_MAX = 5 };
    bool name = has_letters(s);
    if (name && s->count > NAME_MAX)
        return 0;
    for (uint8_t style = 0; style < STYLES && r == 0; style++) {
        memset(how, 0, sizeof(how));
        for (unsigned i = 0, end; i < s->count; i = end + 1) {
            end = digits_end(s, i);
            if (end - i >= RUN_MIN && end - i <= most)
                digits_set(how, i, end, UINT32_MAX, style);
        }
        r = spellings_add(s, how, 0, style < STYLE_BANK ? 0 : 1);
    }
    for (unsigned i = 0, end; i < s->count && r == 0 && !name && !s->han_count; i = end + 1) {
        end = digits_end(s, i);
        if (end - i < RUN_MIN || end - i > MIX_MAX)
            continue;
        /* Mixed with digits they are the plainest ones, of a number that is all of the word. */
        for (uint32_t mask = 1; mask < 1u << (end - i) && r == 0; mask++) {
            memset(how, 0, sizeof(how));
            digits_set(how, i, end, mask, 0);
            r = spellings_add(s, how, 0, 4);
        }
    }
    return r;
}

/* All Han characters in that kind, by their main readings. */
static void how_fill(const struct spellings *s, struct how *how, enum how_kind kind)
{
    memset(how, 0, SPELLING_GLYPHS_MAX * sizeof(*how));
    for (unsigned i = 0; i < s->han_count; i++)
        how[s->han[i]] = (struct how){(uint8_t)kind, 0};
}

/* The Han characters from..to in one kind, those outside in another. */
static void how_run(const struct spellings *s, struct how *how, unsigned from, unsigned to,
                    enum how_kind inside, enum how_kind outside)
{
    how_fill(s, how, outside);
    for (unsigned i = from; i < to; i++)
        how[s->han[i]] = (struct how){(uint8_t)inside, 0};
}

/* Each Han character's further readings in turn, the others as `how` has them. */
static int further_add(struct spellings *s, struct how *how, uint64_t spaced, unsigned cost)
{
    int r = 0;
    for (unsigned i = 0; i < s->han_count; i++) {
        struct how *one = &how[s->han[i]];
        if (one->kind == HOW_ASIS)
            continue;
        for (unsigned k = 1; k < s->glyphs[s->han[i]].readings && r == 0; k++) {
            one->which = (uint8_t)k;
            r = spellings_add(s, how, spaced, cost);
        }
        one->which = 0;
    }
    return r;
}

/* All readings of all characters, as an odometer turns. */
static int readings_add(struct spellings *s, struct how *how, unsigned cost)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && i < s->han_count && s->layer_count < SPELLING_LAYER_MAX;) {
        r = spellings_add(s, how, 0, cost);
        if (r == 0)
            r = spellings_add(s, how, UINT64_MAX, cost);
        for (i = 0; i < s->han_count; i++) {
            struct how *one = &how[s->han[i]];
            if (++one->which < s->glyphs[s->han[i]].readings)
                break;
            one->which = 0;
        }
    }
    return r;
}

/* Runs of Han characters, shortest first, `inside` with `outside` around. */
static int runs_add(struct spellings *s, unsigned shortest, enum how_kind inside,
                    enum how_kind outside, uint64_t spaced, unsigned cost)
{
    struct how how[SPELLING_GLYPHS_MAX];
    int r = 0;
    for (unsigned len = shortest; len < s->han_count; len++)
        for (unsigned from = 0; from + len <= s->han_count && r == 0; from++) {
            how_run(s, how, from, from + len, inside, outside);
            r = spellings_add(s, how, spaced, cost);
        }
    return r;
}

/* Each single Han character `inside` the others `outside`, with its further readings. */
static int singles_add(struct spellings *s, enum how_kind inside, enum how_kind outside,
                       unsigned cost)
{
    struct how how[SPELLING_GLYPHS_MAX];
    int r = 0;
    for (unsigned i = 0; i < s->han_count && r == 0; i++) {
        how_run(s, how, i, i + 1, inside, outside);
        r = spellings_add(s, how, 0, cost);
    }
    for (unsigned i = 0; i < s->han_count && r == 0; i++) {
        how_run(s, how, i, i + 1, inside, outside);
        for (unsigned k = 1; k < s->glyphs[s->han[i]].readings && r == 0; k++) {
            how[s->han[i]].which = (uint8_t)k;
            r = spellings_add(s, how, 0, cost + 1);
        }
    }
    return r;
}

/* Blanks at some of the seams only: given names are written in one, family names apart. */
static int spacings_add(struct spellings *s, const struct how *how, unsigned cost)
{
    int r = 0;
    if (s->han_count > MIXED_MAX)
        return 0;
    for (uint32_t mask = 1; mask + 1 < 1u << (s->han_count - 1) && r == 0; mask++) {
        uint64_t spaced = 0;
        for (unsigned i = 1; i < s->han_count; i++)
            spaced |= (uint64_t)(mask >> (i - 1) & 1) << s->han[i];
        r = spellings_add(s, how, spaced, cost);
    }
    return r;
}

static int subsets_add(struct spellings *s, enum how_kind kind, unsigned cost)
{
    struct how how[SPELLING_GLYPHS_MAX];
    int r = 0;
    if (s->han_count > MIXED_MAX)
        return 0;
    for (uint32_t mask = 1; mask < 1u << s->han_count && r == 0; mask++) {
        how_fill(s, how, HOW_ASIS);
        for (unsigned i = 0; i < s->han_count; i++)
            if (mask >> i & 1)
                how[s->han[i]].kind = (uint8_t)kind;
        r = spellings_add(s, how, 0, cost);
    }
    return r;
}

int spellings_pinyin(struct spellings *s)
{
    struct how how[SPELLING_GLYPHS_MAX];
    if (s->han_count < 2)
        return 0;
    how_fill(s, how, HOW_PINYIN);
    int r = spellings_add(s, how, 0, 0);
    if (r == 0)
        r = spellings_add(s, how, UINT64_MAX, 0);
    if (r == 0)
        r = singles_add(s, HOW_PINYIN, HOW_ASIS, 1);
    if (r == 0)
        r = further_add(s, how, 0, 1);
    if (r == 0)
        r = further_add(s, how, UINT64_MAX, 1);
    if (r == 0)
        r = runs_add(s, 2, HOW_PINYIN, HOW_ASIS, 0, 2);
    if (r == 0)
        r = spacings_add(s, how, 3);
    if (r == 0)
        r = readings_add(s, how, 3);
    if (r == 0)
        r = runs_add(s, 2, HOW_PINYIN, HOW_ASIS, UINT64_MAX, 4);
    return r == 0 ? subsets_add(s, HOW_PINYIN, 5) : r;
}

/* Whether letters that begin so look like the beginning of an English word. */
static bool onset_english(char a, char b)
{
    static const char *const second[] = {"bclr", "chlr", "drw",          "flr",  "ghlr", "klnr",
                                         "phlr", "qu",   "scfhklmnpqtw", "thrw", "whr"};
    if (strchr("aeiouvy", a) || strchr("aeiouvy", b))
        return true;
    for (size_t i = 0; i < sizeof(second) / sizeof(*second); i++)
        if (second[i][0] == a && strchr(second[i] + 1, b))
            return true;
    return false;
}

/*
 * A word of two characters in letters only: long enough, and not to be taken for an English word
 * (sdong is told for 山东, sling not for 山岭).
 */
static int pairs_add(struct spellings *s, unsigned cost)
{
    enum { LETTERS_MIN = 5 };
    struct how how[SPELLING_GLYPHS_MAX];
    const char *first = syllable_of(s, s->han[0], 0), *second = syllable_of(s, s->han[1], 0);
    int r = 0;
    if (s->count != 2)
        return 0;
    if (1 + strlen(second) >= LETTERS_MIN && !onset_english(first[0], second[0])) {
        how_run(s, how, 0, 1, HOW_INITIAL, HOW_PINYIN);
        r = spellings_add(s, how, 0, cost);
    }
    if (r == 0 && strlen(first) + 1 >= LETTERS_MIN && !strchr("aeiouy", second[0])) {
        how_run(s, how, 0, 1, HOW_PINYIN, HOW_INITIAL);
        r = spellings_add(s, how, 0, cost);
    }
    return r;
}

/* The mixes of a longer word; letters alone are at least four. */
static int mixes_add(struct spellings *s)
{
    int r = singles_add(s, HOW_INITIAL, HOW_ASIS, 2);
    if (r == 0)
        r = singles_add(s, HOW_ASIS, HOW_INITIAL, 2);
    if (r == 0)
        r = singles_add(s, HOW_PINYIN, HOW_INITIAL, 3);
    if (r == 0)
        r = runs_add(s, 2, HOW_INITIAL, HOW_ASIS, 0, 3);
    if (r == 0)
        r = singles_add(s, HOW_INITIAL, HOW_PINYIN, 4);
    if (r == 0)
        r = singles_add(s, HOW_ONSET, HOW_ASIS, 4);
    return r == 0 ? subsets_add(s, HOW_INITIAL, 5) : r;
}

int spellings_initials(struct spellings *s)
{
    struct how how[SPELLING_GLYPHS_MAX];
    int r;
    if (s->han_count < 2)
        return 0;
    if (s->han_count == 2) { /* two letters would be found everywhere */
        r = singles_add(s, HOW_INITIAL, HOW_ASIS, 1);
        if (r == 0)
            r = singles_add(s, HOW_ONSET, HOW_ASIS, 2);
        return r == 0 ? pairs_add(s, 2) : r;
    }
    how_fill(s, how, HOW_INITIAL);
    r = spellings_add(s, how, 0, 0);
    if (r == 0 && s->han_count > 3)
        r = spellings_add(s, how, UINT64_MAX, 2);
    if (r == 0)
        r = further_add(s, how, 0, 2);
    how_fill(s, how, HOW_ONSET);
    if (r == 0)
        r = spellings_add(s, how, 0, 1);
    if (r == 0)
        r = further_add(s, how, 0, 3);
    return r == 0 ? mixes_add(s) : r;
}

/* All splits of all characters, as an odometer turns; those not split count as one more split. */
static int splits_combine(struct spellings *s, unsigned cost)
{
    struct how how[SPELLING_GLYPHS_MAX] = {0};
    int r = 0;
    for (unsigned i = 0; r == 0 && i < s->count && s->layer_count < SPELLING_LAYER_MAX;) {
        for (i = 0; i < s->count; i++) {
            struct how *one = &how[i];
            unsigned next = one->kind == HOW_ASIS ? 0 : one->which + 1u;
            if (next < s->glyphs[i].split_count) {
                *one = (struct how){HOW_SPLIT, (uint8_t)next};
                break;
            }
            *one = (struct how){0};
        }
        if (i < s->count)
            r = spellings_add(s, how, 0, cost);
    }
    return r;
}

int spellings_split(struct spellings *s)
{
    struct how how[SPELLING_GLYPHS_MAX] = {0};
    int r = 0;
    if (s->count < 2) /* the parts of one character are words of their own */
        return 0;
    for (unsigned i = 0; i < s->count && r == 0; i++) {
        for (unsigned k = 0; k < s->glyphs[i].split_count && r == 0; k++) {
            how[i] = (struct how){HOW_SPLIT, (uint8_t)k};
            r = spellings_add(s, how, 0, k ? 2 : 1);
        }
        how[i] = (struct how){0};
    }
    for (unsigned i = 0; i < s->count; i++)
        if (s->glyphs[i].split_count)
            how[i] = (struct how){HOW_SPLIT, 0};
    if (r == 0)
        r = spellings_add(s, how, 0, 1);
    return r == 0 ? splits_combine(s, 3) : r;
}
