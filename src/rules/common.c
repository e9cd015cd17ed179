#include "rules/common.h"

#include "base/utf8.h"
#include "text/fold.h"

#include <stdlib.h>

#define LETTERS_MAX 8 /* of a part that is counted */
#define ENGLISH_MAX 24

/* A run of letters, and how often (by the dictionary's counts) it is …  */
struct part {
    uint64_t key;
    float word;   /* a word */
    float within; /* a word or a part of one */
    float begins; /* the beginning of a word, or a word */
    float ends;   /* the end of a word, or a word */
};

struct common {
    struct part *parts; /* open addressing; key 0 is free */
    size_t mask, count;
};

/*
 * Characters that hardly occur but in words that mean harm, and words without one. A dictionary
 * knows such words as well as others, and that alone does not make them innocent.
 */
static const char grave_letters[] = "淫嫖娼妓奸赌炸屌屄肏";
static const char *const grave_words[] = {
    "毒品", "冰毒", "吸毒", "贩毒",   "制毒",   "毒贩",   "毒枭",   "涉毒",   "海洛因",
    "大麻", "鸦片", "罂粟", "吗啡",   "可卡因", "麻黄素", "杜冷丁", "雷管",   "导火索",
    "军火", "迷药", "春药", "迷魂药", "蒙汗药", "催情药", "代孕",   "招嫖",   "裸聊",
    "乱伦", "色情", "圣战", "邪教",   "假币",   "假钞",   "办证",   "六合彩", "高利贷",
};

static uint64_t key_of(const uint32_t *letters, size_t n)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ n;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ letters[i]) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    return h ? h : 1;
}

static struct part *slot(const struct common *c, uint64_t key)
{
    size_t i = key & c->mask;
    while (c->parts[i].key && c->parts[i].key != key)
        i = (i + 1) & c->mask;
    return &c->parts[i];
}

static const struct part *find(const struct common *c, const uint32_t *letters, size_t n)
{
    static const struct part none;
    const struct part *p = slot(c, key_of(letters, n));
    return p->key ? p : &none;
}

static bool grow(struct common *c)
{
    struct common old = *c;
    c->mask = old.parts ? 2 * old.mask + 1 : (1u << 16) - 1;
    c->parts = calloc(c->mask + 1, sizeof(*c->parts));
    if (!c->parts) {
        *c = old;
        return false;
    }
    for (size_t i = 0; old.parts && i <= old.mask; i++)
        if (old.parts[i].key)
            *slot(c, old.parts[i].key) = old.parts[i];
    free(old.parts);
    return true;
}

static struct part *add(struct common *c, const uint32_t *letters, size_t n)
{
    if (c->count * 5 >= c->mask * 3 && !grow(c))
        return NULL;
    uint64_t key = key_of(letters, n);
    struct part *p = slot(c, key);
    c->count += !p->key;
    p->key = key;
    return p;
}

static bool add_word(struct common *c, const uint32_t *letters, size_t n, float frequency)
{
    for (size_t from = 0; from < n; from++)
        for (size_t to = from + 1; to <= n && to - from <= LETTERS_MAX; to++) {
            struct part *p = add(c, letters + from, to - from);
            if (!p)
                return false;
            p->within += frequency;
            p->begins += from == 0 ? frequency : 0;
            p->ends += to == n ? frequency : 0;
            p->word += from == 0 && to == n ? frequency : 0;
        }
    return true;
}

static bool unpack(struct common *c)
{
    uint32_t letters[256 + 4];
    const unsigned char *at = common_table, *end = at + common_table_size;
    while (at < end) {
        unsigned head = *at++, same = head >> 6, more = head >> 4 & 3;
        if (more == 3)
            more = *at++;
        for (unsigned i = same; i <= same + more; i++, at += 2)
            letters[i] = (uint32_t)at[0] | (uint32_t)at[1] << 8;
        /* The middle of the octave, by its ratio. */
        float frequency = COMMON_RAREST * 1.41421356f * (float)(1u << (head & 15));
        if (!add_word(c, letters, same + more + 1, frequency))
            return false;
    }
    return true;
}

/* The letters of an ASCII word; 0 when it has others, or too many. */
static size_t read_english(struct span word, uint32_t ret_letters[ENGLISH_MAX])
{
    for (size_t i = 0; i < word.len; i++) {
        if (i == ENGLISH_MAX || word.data[i] < 'a' || word.data[i] > 'z')
            return 0;
        ret_letters[i] = (uint32_t)word.data[i];
    }
    return word.len;
}

static bool add_english(struct common *c)
{
    struct span rest = span_str(common_english), word;
    uint32_t letters[ENGLISH_MAX];
    while (span_split(&rest, ' ', &word)) {
        size_t n = read_english(word, letters);
        if (n && !add(c, letters, n))
            return false;
    }
    return true;
}

bool common_is_english(const struct common *c, struct span word)
{
    uint32_t letters[ENGLISH_MAX];
    size_t n = read_english(word, letters);
    return n && find(c, letters, n)->key;
}

struct common *common_new(void)
{
    struct common *c = calloc(1, sizeof(*c));
    if (c && grow(c) && unpack(c) && add_english(c))
        return c;
    common_free(c);
    return NULL;
}

void common_free(struct common *c)
{
    if (!c)
        return;
    free(c->parts);
    free(c);
}

/* The Han letters of a word that has no others; 0 when it has, or too many. */
static size_t read_letters(struct span word, uint32_t ret_letters[COMMON_LETTERS_MAX])
{
    size_t n = 0;
    while (word.len) {
        uint32_t cp, cps[FOLD_EXPANSION_MAX];
        int len = utf8_decode(word, false, &cp);
        if (len <= 0)
            return 0;
        unsigned folded = fold_code_point(cp, cps);
        for (unsigned i = 0; i < folded; i++) {
            enum fold_class class = fold_entry_class(fold_entry(cps[i]));
            if (class == FOLD_WORD || (class == FOLD_HAN && n == COMMON_LETTERS_MAX))
                return 0;
            if (class == FOLD_HAN)
                ret_letters[n++] = cps[i];
        }
        word = span_slice(word, (size_t)len, word.len);
    }
    return n;
}

/*
 * The end of one word, any number of whole ones, the beginning of another: chances multiply.
 * ends[i] is the chance that a word ends behind the letter i - 1 and all before it fits.
 */
static double rate_across(const struct common *c, const uint32_t *letters, size_t n)
{
    double ends[COMMON_LETTERS_MAX + 1] = {0}, sum = 0;
    for (size_t i = 1; i < n; i++) {
        ends[i] += (double)find(c, letters, i)->ends / common_total;
        if (ends[i] == 0)
            continue;
        sum += ends[i] * (double)find(c, letters + i, n - i)->begins / common_total;
        for (size_t k = i + 1; k < n; k++)
            ends[k] += ends[i] * (double)find(c, letters + i, k - i)->word / common_total;
    }
    return sum;
}

static bool is_grave(struct span word)
{
    for (size_t i = 0; i < sizeof(grave_words) / sizeof(*grave_words); i++)
        if (span_find(word, span_str(grave_words[i])) < word.len)
            return true;
    for (const char *at = grave_letters; *at; at += 3)
        if (span_find(word, span_from(at, 3)) < word.len)
            return true;
    return false;
}

bool common_word(const struct common *c, struct span word, struct common_rate *ret_rate)
{
    uint32_t letters[COMMON_LETTERS_MAX];
    size_t n = read_letters(word, letters);
    if (n == 0)
        return false;
    char folded[4 * COMMON_LETTERS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += utf8_encode(letters[i], folded + len);
    *ret_rate = (struct common_rate){
        .within = 1e6 * (double)find(c, letters, n)->within / common_total,
        .across = 1e6 * rate_across(c, letters, n),
        .grave = is_grave(span_from(folded, len)),
    };
    return true;
}

bool common_is_everyday(const struct common_rate *rate)
{
    if (rate->grave)
        return rate->within + rate->across >= COMMON_GRAVE;
    return rate->within >= COMMON_EVERYDAY || rate->across >= COMMON_SIDE;
}
