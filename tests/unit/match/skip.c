/*
 * Passing over text against reading it: a cursor that is fed a text whole, and so passes over what
 * it can, finds what one finds that is fed pieces too short for that. With each way of scanning
 * that this processor can do.
 */
#include "probe.h"

#include "match/skip.h"

#define WORDS_MAX 40
#define TEXT_MAX  2000

struct world {
    uint64_t seed;
    char words[WORDS_MAX][64];
    unsigned count;
    unsigned alphabet; /* how many different characters words and texts are made of */
    bool latin, han;
    struct matchset *set;
};

static const char *const han[] = {
    "法", "轮", "功", "大", "国", "民", "主", "中", "人", "一", "不", "的", "天", "安", "门", "龙",
    "发", "后", "里", "面", "干", "台", "湾", "了", "在", "有", "我", "他", "这", "上", "们", "来",
    "到", "时", "地", "为", "子", "说", "生", "会", "国", "龍", "國", "門", "發", "後", "裏", "臺",
};
static const char *const latin[] = {
    "a", "b", "s", "e", "o", "l", "t", "i", "n", "r", "d", "m", "A", "S", "E", "O", "L", "z",
};
static const char *const digits[] = {"0", "1", "3", "4", "5", "7", "8", "9"};
static const char *const separators[] = {
    " ",  " ",  " ",  "，", "。", ",", ".", "-", "_", "*",        "#",  "\n",
    "\"", "'",  "、", "“",  "”",  "·", "★", "…", "→", "\xC2\xB0", "×",  "😀",
    "　", "「", "/",  "@",  "&",  "+", "=", "$", "!", "（",       "）",
};
static const char *const odd[] = {
    "é",
    "ё",
    "с",
    "か",
    "ア",
    "ｶ",
    "한",
    "Ａ",
    "ａ",
    "１",
    "①",
    "\u200B",
    "\uFEFF",
    "\u0301",
    "\u20E3",
    "\uFE0F",
    "ﬁ",
    "ß",
    "㎏",
    "𠀀",
    "𝐚",
    "\u2F00",
    "\xED\xA0\x80",
    "\xED\xB0\x80",
    "㊗",
    "②",
    "\u00AD",
    "İ",
    "豈",
    "ǆ",
    "½",
    "\x7F",
    "\xF0\x90\x80\x80",
    "\xDF\xBF",
    "\xE0\xA0\x80",
    "\xEF\xBF\xBF",
    "\xF4\x8F\xBF\xBF",
    "〇",
};
static const char *const wrong[] = {
    "\x80",
    "\xC0\xAF",
    "\xE0\x80\xAC",
    "\xF5",
    "\xFF",
    "\xE4\xB8",
    "\xC3",
    "\xF0\x9F\x98",
    "\xE4",
    "\xED\xA0",
    "\xF4\x90\x80\x80",
    "\xE0\x9F\xBF",
    "\xBF\xBF",
};
static const char *const tags[] = {"<b>", "</b>", "<", ">", "<a href=\"x\">", "<!-- -->", "&lt;"};

#define PICK(seed, list) (list)[random_next(seed) % (sizeof(list) / sizeof((list)[0]))]

static bool chance(struct world *w, unsigned percent)
{
    return random_next(&w->seed) % 100 < percent;
}

static const char *character(struct world *w)
{
    uint64_t *seed = &w->seed;
    if (w->han && (!w->latin || chance(w, 60)))
        return han[random_next(seed) % (w->alphabet < 48 ? w->alphabet : 48)];
    if (chance(w, 15))
        return PICK(seed, digits);
    return latin[random_next(seed) % (w->alphabet < 18 ? w->alphabet : 18)];
}

static void append(char *to, size_t cap, const char *what)
{
    size_t len = strlen(to), n = strlen(what);
    if (len + n < cap)
        memcpy(to + len, what, n + 1);
}

static void make_word(struct world *w, char *word)
{
    unsigned n = 1 + (unsigned)(random_next(&w->seed) % 5);
    bool phrase = chance(w, 20), doubled = chance(w, 20);
    word[0] = '\0';
    for (unsigned i = 0; i < n; i++) {
        const char *c = character(w);
        append(word, 60, c);
        if (doubled && chance(w, 40))
            append(word, 60, c);
        if (phrase && i + 1 < n && chance(w, 40))
            append(word, 60, PICK(&w->seed, separators));
    }
}

static void world_make(struct world *w)
{
    static const uint32_t lenses[] = {
        0, 0, 0, LAYER_LEET, LAYER_INSERTED, LAYER_LEET | LAYER_INSERTED};
    struct matchset_builder *b = matchset_builder_new();
    assert_non_null(b);
    unsigned script = random_next(&w->seed) % 4;
    w->han = script != 0;
    w->latin = script != 1;
    w->alphabet = 3 + (unsigned)(random_next(&w->seed) % 46);
    w->count = 1 + (unsigned)(random_next(&w->seed) % WORDS_MAX);
    uint32_t asked = PICK(&w->seed, lenses);
    for (unsigned i = 0; i < w->count; i++) {
        struct span word;
        make_word(w, w->words[i]);
        word = span_from(w->words[i], strlen(w->words[i]));
        assert_true((chance(w, 10) ? matchset_add_allow(b, word)
                                   : matchset_add_keyword(b, word, i, DIRECTION_BOTH,
                                                          chance(w, 60) ? asked : 0)) >= 0);
    }
    w->set = probe_set(b);
}

/* A word or its beginning, disguised here and there. */
static void append_word(struct world *w, char *text)
{
    const char *word = w->words[random_next(&w->seed) % w->count];
    unsigned disguise = chance(w, 50) ? 0 : 25;
    struct span rest = span_from(word, strlen(word));
    const char *gap = PICK(&w->seed, separators);
    while (rest.len && !chance(w, 6)) {
        uint32_t cp;
        char one[5] = "";
        int len = utf8_decode(rest, false, &cp);
        memcpy(one, rest.data, (size_t)len);
        rest = span_slice(rest, (size_t)len, rest.len);
        append(text, TEXT_MAX, one);
        while (chance(w, disguise))
            append(text, TEXT_MAX,
                   chance(w, 50)   ? one
                   : chance(w, 80) ? gap
                                   : PICK(&w->seed, tags));
    }
}

static void make_text(struct world *w, char *text)
{
    size_t n = 64 + random_next(&w->seed) % (chance(w, 20) ? TEXT_MAX - 100 : 300);
    unsigned words = chance(w, 50) ? 2 : 15, odds = chance(w, 50) ? 0 : 4;
    unsigned ascii = chance(w, 50) ? 20 : (unsigned)(random_next(&w->seed) % 100);
    text[0] = '\0';
    while (strlen(text) < n) {
        if (chance(w, words)) {
            append_word(w, text);
        } else if (chance(w, odds)) {
            append(text, TEXT_MAX, PICK(&w->seed, odd));
        } else if (chance(w, 15)) {
            for (unsigned i = chance(w, 90) ? 1 : 1 + random_next(&w->seed) % 12; i; i--)
                append(text, TEXT_MAX, PICK(&w->seed, separators));
        } else if (chance(w, 2)) {
            append(text, TEXT_MAX, PICK(&w->seed, tags));
        } else if (chance(w, ascii)) {
            for (unsigned i = random_next(&w->seed) % (chance(w, 95) ? 8 : 90); i; i--)
                append(text, TEXT_MAX,
                       chance(w, 90) ? PICK(&w->seed, latin) : PICK(&w->seed, digits));
            append(text, TEXT_MAX, chance(w, 80) ? " " : "");
        } else {
            const char *c = PICK(&w->seed, han);
            do
                append(text, TEXT_MAX, c);
            while (chance(w, 10));
        }
    }
    if (chance(w, 3)) {
        char end[200];
        size_t at = random_next(&w->seed) % strlen(text);
        while (((unsigned char)text[at] & 0xC0) == 0x80)
            at--;
        snprintf(end, sizeof(end), "%s%.*s", PICK(&w->seed, wrong), 100, text + at);
        text[at] = '\0';
        append(text, TEXT_MAX, end);
    }
}

struct answer {
    struct probe probe;
    int fed, finished;
    uint64_t clear;
};

/* Feeds the text in pieces of at most `most` bytes; exactly so long that the heap has no more. */
static void answer(struct world *w, struct span text, size_t most, struct answer *ret)
{
    struct cursor *c = cursor_new(w->set, DIRECTION_PROMPT);
    assert_non_null(c);
    ret->probe.count = 0;
    ret->probe.clear = 0;
    ret->probe.stop_at = 0;
    ret->fed = ret->finished = 0;
    for (size_t at = 0; at < text.len && ret->fed == 0; at += most) {
        struct span piece = span_slice(text, at, at + most < text.len ? at + most : text.len);
        ret->fed = cursor_feed(c, piece, probe_hit, &ret->probe);
    }
    ret->clear = cursor_clear(c);
    if (ret->fed == 0)
        ret->finished = cursor_finish(c, probe_hit, &ret->probe);
    cursor_free(c);
}

static void compare(const struct answer *got, const struct answer *want, struct span text)
{
    probe_same(&got->probe, &want->probe, text);
    if (got->fed != want->fed || got->finished != want->finished || got->clear != want->clear)
        fail_msg("fed %d finished %d clear %d, not %d %d %d: \"%.*s\"", got->fed, got->finished,
                 (int)got->clear, want->fed, want->finished, (int)want->clear, SPAN_ARG(text));
}

static void check_world(uint64_t seed, unsigned texts, skip_scan_fn scan)
{
    static char made[TEXT_MAX];
    static struct answer whole, read, pieces;
    struct world w = {.seed = seed};
    world_make(&w);
    skip_force(scan);
    for (unsigned i = 0; i < texts; i++) {
        make_text(&w, made);
        size_t n = strlen(made);
        char *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, made, n);
        struct span text = span_from(copy, n);
        answer(&w, text, 63, &read);
        answer(&w, text, SIZE_MAX / 2, &whole);
        compare(&whole, &read, text);
        answer(&w, text, 64 + random_next(&w.seed) % 400, &pieces);
        compare(&pieces, &read, text);
        free(copy);
    }
    skip_force(NULL);
    matchset_unref(w.set);
}

static void check(skip_scan_fn scan)
{
    const char *more = getenv("SKIP_WORLDS");
    unsigned worlds = more ? (unsigned)strtoul(more, NULL, 10) : 150;
    for (unsigned i = 0; i < worlds; i++)
        check_world(0x736B6970u + i, 700, scan);
}

static void test_portable(void **state)
{
    (void)state;
    check(skip_portable);
}

static void test_vector(void **state)
{
    (void)state;
    skip_scan_fn scan = skip_vector();
    if (!scan)
        skip();
    check(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portable),
        cmocka_unit_test(test_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
