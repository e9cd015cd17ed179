#include "match_data.h"

#include "base/utf8.h"
#include "match/matchset.h"
#include "text/fold.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LATIN_COUNT 10000

/* Without a folder: by frequency, from memory, no table of anybody's. */
static const char common_han[] =
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
    "发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本"
    "前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很"
    "最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度"
    "门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电"
    "数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马"
    "科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万";
static const char common_english[] =
    "the of and to in a is that for it as was with be by on not he his but at are this have from "
    "or "
    "had an they which one you were all her she there would their we him been has when who will no "
    "more if out so up said what its about than into them can only other time new some could these "
    "two may first then do any like my now over such our man me even most made after also well "
    "many "
    "must before back see through way where get much go good work know year people water house "
    "part "
    "place think small great hand write question answer table number system point letter music "
    "book "
    "river city story field money paper group often until children mountain example second country";

/* Open addressing over words that others keep. */
struct wordset {
    struct span *slots;
    size_t mask, count;
};

static size_t hash(struct span s)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.data[i]) * 0x100000001B3u;
    return (size_t)(h ^ h >> 29);
}

/* Where it is, or where it may be put. */
static struct span *wordset_slot(struct wordset *set, struct span word)
{
    if (set->count * 2 >= set->mask) {
        struct wordset old = *set;
        set->mask = old.mask ? old.mask * 2 + 1 : 8191;
        set->slots = must(calloc(set->mask + 1, sizeof(*set->slots)));
        for (size_t i = 0; old.slots && i <= old.mask; i++)
            if (old.slots[i].data)
                *wordset_slot(set, old.slots[i]) = old.slots[i];
        free(old.slots);
    }
    size_t at = hash(word) & set->mask;
    while (set->slots[at].data && !span_eq(set->slots[at], word))
        at = (at + 1) & set->mask;
    return &set->slots[at];
}

static void words_push(struct words *words, struct span word)
{
    if (words->count == words->cap) {
        words->cap = words->cap ? words->cap * 2 : 4096;
        words->list = must(realloc(words->list, words->cap * sizeof(*words->list)));
    }
    words->list[words->count++] = word;
}

/* Folds the word and adds it when it is new and has two symbols or more. */
static bool words_add(struct corpus *c, struct words *words, struct wordset *seen, struct span word)
{
    struct buf form = BUF_INIT(4096);
    bool added = false;
    if (match_fold(word, &form) == 0 && utf8_count(buf_span(&form)) >= 2 &&
        utf8_count(buf_span(&form)) <= MATCH_KEYWORD_MAX) {
        struct span *slot = wordset_slot(seen, buf_span(&form));
        if (!slot->data) {
            *slot = arena_copy(&c->arena, buf_span(&form));
            must((void *)(uintptr_t)slot->data);
            seen->count++;
            words_push(words, *slot);
            added = true;
        }
    }
    buf_deinit(&form);
    return added;
}

static void words_shuffle(struct words *words, struct rng *rng)
{
    for (size_t i = words->count; i > 1; i--) {
        size_t j = rng_below(rng, i);
        struct span word = words->list[i - 1];
        words->list[i - 1] = words->list[j];
        words->list[j] = word;
    }
}

/* Leaves out what ordinary text is full of; returns how many. */
static size_t drop_ordinary(struct words *words, struct span text)
{
    if (!words->count)
        return 0;
    struct folded folded;
    folded_init(&folded, text.len);
    folded_read(&folded, text);
    struct textbook *t = textbook_new(words);
    uint32_t *counts = must(calloc(words->count, sizeof(*counts)));
    textbook_count(t, span_from(folded.bytes, folded.len), counts);
    size_t kept = 0, all = words->count;
    for (size_t i = 0; i < all; i++)
        if (counts[i] <= ORDINARY_HITS)
            words->list[kept++] = words->list[i];
    words->count = kept;
    free(counts);
    textbook_free(t);
    folded_deinit(&folded);
    return all - kept;
}

static size_t cut(struct span s, size_t points)
{
    size_t at = 0;
    uint32_t cp;
    for (size_t i = 0; i < points && at < s.len; i++)
        at += (size_t)utf8_decode(span_slice(s, at, s.len), true, &cp);
    return at;
}

/* Further words: the beginning of one and the end of another. */
static void join_pieces(struct corpus *c, struct words *words, struct wordset *seen, size_t most,
                        struct rng *rng)
{
    size_t real = words->count;
    for (size_t tries = 0; real > 1 && words->count < most && tries < most * 20; tries++) {
        struct span a = words->list[rng_below(rng, real)], b = words->list[rng_below(rng, real)];
        size_t n = utf8_count(a), m = utf8_count(b);
        a = span_slice(a, 0, cut(a, 1 + n / 2 + rng_below(rng, n - n / 2)));
        b = span_slice(b, cut(b, rng_below(rng, m / 2 + 1)), b.len);
        struct buf word = BUF_INIT(4096);
        put(&word, a);
        put(&word, b);
        if (utf8_count(buf_span(&word)) >= 4)
            words_add(c, words, seen, buf_span(&word));
        buf_deinit(&word);
    }
}

static void letters(struct buf *out, struct rng *rng)
{
    static const char consonants[] = "bcdfghjklmnpqrstvwxz", vowels[] = "aeiou";
    for (size_t i = 0, n = 5 + rng_below(rng, 6); i < n; i++)
        put(out, i % 2 ? span_from(vowels + rng_below(rng, 5), 1)
                       : span_from(consonants + rng_below(rng, 20), 1));
}

static bool all_latin(struct span word)
{
    size_t count = 0;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char b = (unsigned char)word.data[i];
        if (!isalnum(b) && b != ' ')
            return false;
        count += isalpha(b) != 0;
    }
    return count >= 3;
}

/* Words of the text by themselves, lower case. */
static void vocabulary(struct span text, struct corpus *c, struct words *out)
{
    struct wordset seen = {0};
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        while (at < text.len && isalpha((unsigned char)text.data[at]))
            at++;
        if (at - from >= 4)
            words_add(c, out, &seen, span_slice(text, from, at));
        at += at == from;
    }
    free(seen.slots);
}

/*
 * A third of the list is Latin words of the files (as many as there are), then words of made-up
 * letters, and pairs of words of the English text up to the end.
 */
static void make_latin(struct corpus *c, struct rng *rng)
{
    struct wordset seen = {0};
    for (size_t i = 0; i < c->real && c->latin.count < LATIN_COUNT / 3; i++)
        if (all_latin(c->pool.list[i]))
            words_add(c, &c->latin, &seen, c->pool.list[i]);
    c->dropped_latin = drop_ordinary(&c->latin, buf_span(&c->en));
    c->real_latin = c->latin.count;
    while (c->latin.count < c->real_latin + (LATIN_COUNT - c->real_latin) / 2) {
        struct buf word = BUF_INIT(64);
        letters(&word, rng);
        words_add(c, &c->latin, &seen, buf_span(&word));
        buf_deinit(&word);
    }
    c->latin_letters = c->latin.count - c->real_latin;
    struct words vocab = {0};
    vocabulary(buf_span(&c->en), c, &vocab);
    for (unsigned round = 0; vocab.count > 1 && c->latin.count < LATIN_COUNT && round < 10;
         round++) {
        for (size_t tries = 0; c->latin.count < LATIN_COUNT && tries < 100000; tries++) {
            struct buf pair = BUF_INIT(256);
            put(&pair, vocab.list[rng_below(rng, vocab.count)]);
            put(&pair, SPAN_LIT(" "));
            put(&pair, vocab.list[rng_below(rng, vocab.count)]);
            words_add(c, &c->latin, &seen, buf_span(&pair));
            buf_deinit(&pair);
        }
        c->dropped_latin += drop_ordinary(&c->latin, buf_span(&c->en));
    }
    free(vocab.list);
    free(seen.slots);
    words_shuffle(&c->latin, rng);
}

static void load_texts(const char *folder, const char *const *names, struct buf *out)
{
    for (; *names; names++) {
        char path[4096];
        struct rows rows = {0};
        snprintf(path, sizeof(path), "%s/benign/%s", folder, *names);
        int r = rows_load(path, &rows);
        if (r < 0)
            fprintf(stderr, "%s: %s\n", path, strerror(-r));
        for (size_t i = 0; i < rows.count; i++) {
            put(out, row_text(rows.list[i], "text"));
            put(out, SPAN_LIT("\n"));
        }
        rows_free(&rows);
    }
}

static void load_words(struct corpus *c, const char *folder, struct wordset *seen)
{
    char path[4096];
    struct rows rows = {0};
    struct buf file = BUF_INIT(SIZE_MAX / 2);
    snprintf(path, sizeof(path), "%s/keywords/konsheng.jsonl", folder);
    if (rows_load(path, &rows) < 0)
        fprintf(stderr, "%s can't be read\n", path);
    for (size_t i = 0; i < rows.count; i++)
        words_add(c, &c->pool, seen, row_text(rows.list[i], "text"));
    rows_free(&rows);
    snprintf(path, sizeof(path), "%s/keywords/houbb_dict.txt", folder);
    if (file_read(path, &file) < 0)
        fprintf(stderr, "%s can't be read\n", path);
    struct span rest = buf_span(&file), line;
    while (span_split(&rest, '\n', &line))
        words_add(c, &c->pool, seen, span_trim(line));
    buf_deinit(&file);
}

/* Ranks as Zipf has them, near enough: the square of an even choice. */
static size_t zipf(struct rng *rng, size_t n)
{
    double u = (double)(rng_next(rng) >> 11) / (double)(UINT64_C(1) << 53);
    return (size_t)(u * u * (double)n);
}

static struct span han_at(size_t i)
{
    return span_slice(span_str(common_han), i * 3, i * 3 + 3);
}

static void make_up_texts(struct corpus *c, struct rng *rng)
{
    size_t hans = (sizeof(common_han) - 1) / 3;
    for (size_t line = 0; c->zh.len < 3000000; line++) {
        for (size_t i = 0, n = 10 + rng_below(rng, 40); i < n; i++) {
            put(&c->zh, han_at(zipf(rng, hans)));
            if (rng_below(rng, 12) == 0)
                put(&c->zh, SPAN_LIT("，"));
            if (rng_below(rng, 80) == 0)
                put_point(&c->zh, (uint32_t)('0' + rng_below(rng, 10)));
        }
        put(&c->zh, SPAN_LIT("。\n"));
    }
    struct words english = {0};
    struct span rest = span_str(common_english), word;
    while (span_split(&rest, ' ', &word))
        words_push(&english, word);
    while (c->en.len < 1000000) {
        for (size_t i = 0, n = 6 + rng_below(rng, 20); i < n; i++) {
            put(&c->en, i ? SPAN_LIT(" ") : SPAN_NULL);
            if (rng_below(rng, 6) == 0)
                letters(&c->en, rng);
            else
                put(&c->en, english.list[zipf(rng, english.count)]);
        }
        put(&c->en, SPAN_LIT(".\n"));
    }
    free(english.list);
}

/* Four of five Han, half of their characters common ones. */
static void make_up_words(struct corpus *c, struct wordset *seen, size_t most, struct rng *rng)
{
    size_t hans = (sizeof(common_han) - 1) / 3;
    while (c->pool.count < (most < 100000 ? most : 100000)) {
        struct buf word = BUF_INIT(256);
        if (rng_below(rng, 5) == 0) {
            letters(&word, rng);
        } else {
            for (size_t i = 0, n = 3 + rng_below(rng, 6); i < n; i++) {
                if (rng_below(rng, 2))
                    put(&word, han_at(rng_below(rng, hans)));
                else
                    put_point(&word, 0x4E00 + (uint32_t)rng_below(rng, 0x2000));
            }
        }
        words_add(c, &c->pool, seen, buf_span(&word));
        buf_deinit(&word);
    }
}

void corpus_init(struct corpus *c, const char *folder, size_t most)
{
    static const char *const zh[] = {"alpaca_zh_dev.jsonl", "completions_zh_dev.jsonl",
                                     "belle_seeds.jsonl", NULL};
    static const char *const en[] = {"alpaca_en_dev.jsonl", "xstest_en.jsonl", NULL};
    struct rng rng = {20240917};
    struct wordset seen = {0};
    *c = (struct corpus){.zh = BUF_INIT(SIZE_MAX / 2), .en = BUF_INIT(SIZE_MAX / 2)};
    arena_init(&c->arena, SIZE_MAX / 2);
    if (folder) {
        load_texts(folder, zh, &c->zh);
        load_texts(folder, en, &c->en);
        load_words(c, folder, &seen);
    }
    c->made_up = !c->zh.len || !c->en.len || !c->pool.count;
    if (c->made_up) {
        if (folder)
            die("the folder has not the benign texts and keyword lists that are needed");
        make_up_texts(c, &rng);
        make_up_words(c, &seen, most, &rng);
    }
    c->dropped = drop_ordinary(&c->pool, buf_span(&c->zh));
    words_shuffle(&c->pool, &rng);
    c->real = c->pool.count;
    join_pieces(c, &c->pool, &seen, most, &rng);
    free(seen.slots);
    make_latin(c, &rng);
}

void corpus_deinit(struct corpus *c)
{
    free(c->pool.list);
    free(c->latin.list);
    buf_deinit(&c->zh);
    buf_deinit(&c->en);
    arena_deinit(&c->arena);
}
