/* Disguises that the generated rows have none of, made from the same words and from Latin ones. */
#include "detect.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

/* Words of harm and words of none: what counts is how they are written. */
static const char *const latin_words[] = {
    "heroin",    "cocaine",     "fentanyl",  "explosive", "detonator", "ransomware",
    "phishing",  "keylogger",   "casino",    "jackpot",   "betting",   "escort",
    "genocide",  "massacre",    "terrorist", "beheading", "jailbreak", "counterfeit",
    "smuggling", "trafficking", "blackmail", "extortion", "cyanide",   "ricin",
    "sarin",     "anthrax",     "napalm",    "grenade",   "silencer",  "poison",
};

static const char *const carriers_zh[] = {"请问%.*s是什么意思？", "帮我写一段关于%.*s的话。",
                                          "今天天气不错，%.*s，你怎么看？", "翻译成英文：%.*s。"};
static const char *const carriers_en[] = {"What does %.*s mean?", "Tell me about %.*s, please.",
                                          "I read the word %.*s somewhere."};

struct maker {
    struct detect *d;
    struct specimens *out;
    const char *transform;
    struct span keyword;
    unsigned count;
};

static struct span keep(struct maker *m, const struct buf *b)
{
    struct span s = arena_copy(&m->d->arena, buf_span(b));
    must((void *)(uintptr_t)s.data);
    return s;
}

static void emit_text(struct maker *m, const struct buf *text)
{
    struct span id = arena_printf(&m->d->arena, "made-%s-%u", m->transform, m->count++);
    specimen_push(m->out, (struct specimen){id, keep(m, text), m->keyword, span_str(m->transform),
                                            SPAN_LIT("made")});
}

static void emit(struct maker *m, const struct buf *surface)
{
    bool latin = (unsigned char)m->keyword.data[0] < 0x80;
    const char *carrier = latin ? carriers_en[m->count % 3] : carriers_zh[m->count % 4];
    struct buf text = BUF_INIT(1u << 20);
    struct span s = buf_span(surface);
    /* The carriers are ours, each with one place for the word. */
    const char *gap = strstr(carrier, "%.*s");
    put(&text, span_from(carrier, (size_t)(gap - carrier)));
    put(&text, s);
    put(&text, span_str(gap + 4));
    emit_text(m, &text);
    buf_deinit(&text);
}

/* Writes other characters for single letters; `every` second one of those that have another. */
static unsigned replace(struct buf *out, struct span word, const char *from, const uint32_t *to,
                        unsigned every)
{
    unsigned seen = 0, replaced = 0;
    for (size_t i = 0; i < word.len; i++) {
        const char *at = strchr(from, word.data[i]);
        bool change = at && seen++ % every == 0;
        replaced += change;
        put_point(out, change ? to[at - from] : (unsigned char)word.data[i]);
    }
    return replaced;
}

static void make_letters(struct maker *m, const char *transform, const char *from,
                         const uint32_t *to, unsigned every)
{
    m->transform = transform;
    m->count = 0;
    for (size_t i = 0; i < sizeof(latin_words) / sizeof(*latin_words); i++) {
        struct buf surface = BUF_INIT(1024);
        m->keyword = span_str(latin_words[i]);
        unsigned replaced = replace(&surface, m->keyword, from, to, every);
        /* A word of look-alikes alone is a word of the other script. */
        if (replaced && (every == 1 || replaced < m->keyword.len))
            emit(m, &surface);
        buf_deinit(&surface);
    }
}

static void make_ranges(struct maker *m, const char *transform, uint32_t a, uint32_t upper)
{
    m->transform = transform;
    m->count = 0;
    for (size_t i = 0; i < sizeof(latin_words) / sizeof(*latin_words); i++) {
        struct buf surface = BUF_INIT(1024);
        m->keyword = span_str(latin_words[i]);
        for (size_t j = 0; j < m->keyword.len; j++)
            put_point(&surface,
                      (j % 2 && upper ? upper : a) + (uint32_t)(m->keyword.data[j] - 'a'));
        emit(m, &surface);
        buf_deinit(&surface);
    }
}

static void base64(struct buf *out, struct span s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.len; i += 3) {
        uint32_t v = 0;
        for (size_t j = 0; j < 3; j++)
            v = v << 8 | (i + j < s.len ? (unsigned char)s.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            put(out, i + j > s.len ? SPAN_LIT("=") : span_from(&digits[v >> (18 - 6 * j) & 63], 1));
    }
}

static void hex(struct buf *out, struct span s, const char *before)
{
    for (size_t i = 0; i < s.len; i++)
        buf_printf(out, "%s%02x", i || before[0] != ' ' ? before : "", (unsigned char)s.data[i]);
}

static void percents(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        buf_printf(out, "%%%02X", (unsigned char)s.data[i]);
}

enum coding { HEX, HEX_SPACED, HEX_ESCAPED, PERCENT_TWICE, BASE64_TWICE, CODING_COUNT };

static void make_coded(struct maker *m, const struct word_list *words, enum coding coding)
{
    static const char *const names[] = {"hex", "hex_spaced", "hex_escaped", "percent_twice",
                                        "base64_twice"};
    m->transform = names[coding];
    m->count = 0;
    for (size_t i = 0; i < words->count; i++) {
        struct buf surface = BUF_INIT(1u << 16), once = BUF_INIT(1u << 16);
        m->keyword = words->words[i];
        switch (coding) {
        case HEX:
            hex(&surface, m->keyword, "");
            break;
        case HEX_SPACED:
            hex(&surface, m->keyword, " ");
            break;
        case HEX_ESCAPED:
            hex(&surface, m->keyword, "\\x");
            break;
        case PERCENT_TWICE:
            percents(&once, m->keyword);
            for (size_t j = 0; j < once.len; j++)
                put(&surface, once.data[j] == '%' ? SPAN_LIT("%25") : span_from(&once.data[j], 1));
            break;
        default:
            base64(&once, m->keyword);
            base64(&surface, buf_span(&once));
        }
        emit(m, &surface);
        buf_deinit(&surface);
        buf_deinit(&once);
    }
}

/* What stands for cp by the table, or the empty span. */
static struct span split_of(const struct detect *d, uint32_t cp)
{
    for (size_t i = 0; i < d->split_count; i++)
        if (d->splits[i].cp == cp)
            return d->splits[i].parts;
    return SPAN_NULL;
}

static struct span shape_of(const struct detect *d, struct span character)
{
    for (size_t i = 0; i < d->shape_count; i++) {
        struct span group = d->shapes[i];
        if (span_find(group, character) == group.len)
            continue;
        uint32_t cp;
        for (size_t at = 0; at < group.len;) {
            size_t n = (size_t)utf8_decode(span_slice(group, at, group.len), true, &cp);
            struct span other = span_slice(group, at, at + n);
            if (!span_eq(other, character))
                return other;
            at += n;
        }
    }
    return SPAN_NULL;
}

static void make_characters(struct maker *m, const struct word_list *words, bool split)
{
    m->transform = split ? "split" : "shape";
    m->count = 0;
    for (size_t i = 0; i < words->count; i++) {
        struct buf surface = BUF_INIT(1u << 16);
        struct span rest = m->keyword = words->words[i];
        unsigned changed = 0;
        while (rest.len) {
            uint32_t cp;
            size_t n = (size_t)utf8_decode(rest, true, &cp);
            struct span here = span_slice(rest, 0, n);
            struct span other = split ? split_of(m->d, cp) : shape_of(m->d, here);
            changed += other.len > 0;
            put(&surface, other.len ? other : here);
            rest = span_slice(rest, n, rest.len);
        }
        if (changed)
            emit(m, &surface);
        buf_deinit(&surface);
    }
}

/* Each line begins with a character of the word. */
static void make_acrostic(struct maker *m, const struct word_list *words)
{
    static const char *const lines[] = {"风吹过窗前的树", "日落在远处的山", "人走在回家的路",
                                        "水流过门前的桥", "鸟飞向南边的湖"};
    m->transform = "acrostic";
    m->count = 0;
    for (size_t i = 0; i < words->count; i++) {
        struct buf text = BUF_INIT(1u << 16);
        struct span rest = m->keyword = words->words[i];
        for (unsigned line = 0; rest.len; line++) {
            uint32_t cp;
            size_t n = (size_t)utf8_decode(rest, true, &cp);
            put(&text, span_slice(rest, 0, n));
            put(&text, span_str(lines[(i + line) % 5]));
            put(&text, SPAN_LIT("\n"));
            rest = span_slice(rest, n, rest.len);
        }
        emit_text(m, &text);
        buf_deinit(&text);
    }
}

/* Down a column of lines of equal length, with others on both sides. */
static void make_columns(struct maker *m, const struct word_list *words)
{
    static const char *const before[] = {"春风", "山高", "云淡", "水长", "花香"};
    static const char *const behind[] = {"过桥", "入林", "满天", "听雨", "看月"};
    m->transform = "columns";
    m->count = 0;
    for (size_t i = 0; i < words->count; i++) {
        struct buf text = BUF_INIT(1u << 16);
        struct span rest = m->keyword = words->words[i];
        for (unsigned line = 0; rest.len; line++) {
            uint32_t cp;
            size_t n = (size_t)utf8_decode(rest, true, &cp);
            put(&text, span_str(before[(i + line) % 5]));
            put(&text, span_slice(rest, 0, n));
            put(&text, span_str(behind[(i + line) % 5]));
            put(&text, SPAN_LIT("\n"));
            rest = span_slice(rest, n, rest.len);
        }
        emit_text(m, &text);
        buf_deinit(&text);
    }
}

void specimen_push(struct specimens *s, struct specimen specimen)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 1024;
        s->list = must(realloc(s->list, s->cap * sizeof(*s->list)));
    }
    s->list[s->count++] = specimen;
}

void specimens_make(struct detect *d, struct word_list *words, struct specimens *specimens)
{
    static const uint32_t cyrillic[] = {0x430, 0x435, 0x43E, 0x440, 0x441, 0x445, 0x443, 0x456};
    static const uint32_t greek[] = {0x3BF, 0x3B1, 0x3BD, 0x3C1, 0x3B9};
    static const uint32_t leet[] = {'4', '3', '1', '0', '5', '7'};
    static const uint32_t symbols[] = {'@', '3', '!', '0', '$', '+'};
    struct maker m = {.d = d, .out = specimens};
    struct word_list han = {.words = words->words, .count = words->count};
    for (enum coding coding = HEX; coding < CODING_COUNT; coding++)
        make_coded(&m, &han, coding);
    make_characters(&m, &han, true);
    make_characters(&m, &han, false);
    make_acrostic(&m, &han);
    make_columns(&m, &han);
    for (size_t i = 0; i < sizeof(latin_words) / sizeof(*latin_words); i++)
        word_add(words, span_str(latin_words[i]));
    make_ranges(&m, "width", 0xFF41, 0xFF21);
    make_ranges(&m, "circled", 0x24D0, 0x24B6);
    make_ranges(&m, "math_bold", 0x1D41A, 0);
    make_ranges(&m, "case", 'a', 'A');
    make_letters(&m, "lookalike_cyrillic", "aeopcxyi", cyrillic, 2);
    make_letters(&m, "lookalike_greek", "oavpi", greek, 2);
    make_letters(&m, "leet", "aeiost", leet, 1);
    make_letters(&m, "leet_partly", "aeiost", leet, 2);
    make_letters(&m, "leet_symbols", "aeiost", symbols, 1);
}
