#include "question/derivewrite.h"

#include "base/codec.h"
#include "text/fold.h"
#include "text/pinyin.h"

#include <stdio.h>

static int put(struct writing *w, uint32_t cp)
{
    char bytes[4];
    return buf_append(w->out, span_from(bytes, utf8_encode(cp, bytes)));
}

static bool is_han(uint32_t cp)
{
    return fold_entry_class(fold_entry(cp)) == FOLD_HAN;
}

/* True for one of n on average. */
static bool chance(struct writing *w, unsigned n)
{
    return derive_random(&w->random) % n == 0;
}

/* Takes the next character off the text; false at its end. */
static bool next(struct writing *w, uint32_t *ret_cp)
{
    if (w->text.len == 0)
        return false;
    int n = utf8_decode(w->text, false, ret_cp);
    w->text = span_slice(w->text, n > 0 ? (size_t)n : 1, w->text.len);
    return true;
}

/* ---- by sound ---- */

static const char *syllable_of(uint32_t cp)
{
    unsigned s = is_han(cp) ? pinyin_main(cp) : PINYIN_NONE;
    return s == PINYIN_NONE ? NULL : pinyin_syllables[s];
}

/* One of `one_in` characters as pinyin, or, with `letters`, that many letters of it. */
static int write_syllables(struct writing *w, unsigned one_in, size_t letters)
{
    uint32_t cp;
    int r = 0;
    bool behind = false; /* a syllable, from which the next is to be parted */
    while (r == 0 && next(w, &cp)) {
        const char *syllable = syllable_of(cp);
        bool written = syllable && (one_in == 1 || chance(w, one_in));
        struct span s = written ? span_str(syllable) : SPAN_NULL;
        if (written && behind && !letters)
            r = buf_append_char(w->out, ' ');
        if (r == 0)
            r = written
                    ? buf_append(w->out, letters && letters < s.len ? span_slice(s, 0, letters) : s)
                    : put(w, cp);
        behind = written;
    }
    return r;
}

int write_pinyin(struct writing *w)
{
    return write_syllables(w, 1, 0);
}

int write_mixed(struct writing *w)
{
    return write_syllables(w, 2, 0);
}

int write_initials(struct writing *w)
{
    return write_syllables(w, 3, 1);
}

/* A pair for the key, other than the character itself; the character where there is none. */
static uint32_t choose(struct writing *w, const struct pair *pairs, size_t count, uint32_t key,
                       uint32_t cp)
{
    size_t n;
    const struct pair *p = derive_table_find(pairs, count, key, &n);
    if (n == 0)
        return cp;
    size_t at = derive_random(&w->random) % n;
    return p[at].to != cp ? p[at].to : p[(at + 1) % n].to;
}

int write_sound(struct writing *w)
{
    const struct derive_table *t = w->table;
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp)) {
        unsigned s = is_han(cp) ? pinyin_main(cp) : PINYIN_NONE;
        bool changed = s != PINYIN_NONE && chance(w, 2);
        r = put(w, changed ? choose(w, t->sound, t->sound_count, s, cp) : cp);
    }
    return r;
}

/* ---- by shape ---- */

static int write_pairs(struct writing *w, const struct pair *pairs, size_t count)
{
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp))
        r = put(w, choose(w, pairs, count, cp, cp));
    return r;
}

int write_shape(struct writing *w)
{
    return write_pairs(w, w->table->shape, w->table->shape_count);
}

int write_variant(struct writing *w)
{
    return write_pairs(w, w->table->old, w->table->old_count);
}

/* The form that stands last in Unicode is the everyday one more often than any other is. */
int write_old(struct writing *w)
{
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp)) {
        size_t n;
        const struct pair *p = derive_table_find(w->table->old, w->table->old_count, cp, &n);
        r = put(w, n ? p[n - 1].to : cp);
    }
    return r;
}

int write_split(struct writing *w)
{
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp)) {
        struct span parts = derive_table_split(w->table, cp);
        r = parts.len ? buf_append(w->out, parts) : put(w, cp);
    }
    return r;
}

int write_reversed(struct writing *w)
{
    struct span text = w->text;
    int r = 0;
    while (text.len && r == 0) {
        size_t at = utf8_floor(text, text.len - 1);
        r = buf_append(w->out, span_slice(text, at, text.len));
        text = span_slice(text, 0, at);
    }
    return r;
}

/* The text with `between` behind each character but the last. */
static int write_between(struct writing *w, const char *const *between, size_t count, bool last)
{
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp)) {
        r = put(w, cp);
        if (r == 0 && (w->text.len || last))
            r = buf_append(w->out, span_str(between[derive_random(&w->random) % count]));
    }
    return r;
}

int write_columns(struct writing *w)
{
    static const char *const between[] = {"\n"};
    return write_between(w, between, 1, false);
}

int write_zero(struct writing *w)
{
    static const char *const between[] = {"\u200b", "\u200c", "\u2060", "\ufeff"};
    return write_between(w, between, 4, false);
}

int write_points(struct writing *w)
{
    static const char *const signs[] = {"*", "·", "_", ".", "、", "/"};
    return write_between(w, &signs[derive_random(&w->random) % 6], 1, false);
}

int write_emoji_between(struct writing *w)
{
    static const char *const between[] = {"🙂", "🌸", "🐱", "⭐", "🍀", "🎈"};
    return write_between(w, between, 6, false);
}

int write_struck(struct writing *w)
{
    static const char *const marks[] = {"\u0336", "\u0332", "\u0305"};
    return write_between(w, &marks[derive_random(&w->random) % 3], 1, true);
}

int write_wide(struct writing *w)
{
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp))
        r = put(w, cp > 0x20 && cp < 0x7F ? cp + 0xFEE0 : cp);
    return r;
}

/* ---- letters ---- */

/* Letters of the text's pinyin, each through a function. */
static int write_letters(struct writing *w, int (*fn)(struct writing *w, uint32_t cp))
{
    struct buf room = BUF_INIT(8 * BANK_TEXT_MAX);
    struct writing pinyin = {.table = w->table, .text = w->text, .out = &room};
    int r = write_pinyin(&pinyin);
    uint32_t cp;
    w->text = buf_span(&room);
    while (r == 0 && next(w, &cp))
        r = fn(w, cp);
    w->text = SPAN_NULL;
    buf_deinit(&room);
    return r;
}

/* Letters of other scripts that look like those of ours; 0 where there is none. */
static uint32_t lookalike_of(uint32_t cp)
{
    static const struct pair pairs[] = {
        {'a', 0x0430}, {'c', 0x0441}, {'d', 0x0501}, {'e', 0x0435}, {'g', 0x0261}, {'h', 0x04BB},
        {'i', 0x0456}, {'j', 0x0458}, {'l', 0x04CF}, {'o', 0x043E}, {'p', 0x0440}, {'q', 0x051B},
        {'s', 0x0455}, {'u', 0x057D}, {'v', 0x03BD}, {'w', 0x051D}, {'x', 0x0445}, {'y', 0x0443},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        if (pairs[i].from == cp)
            return pairs[i].to;
    return 0;
}

static int put_lookalike(struct writing *w, uint32_t cp)
{
    uint32_t other = lookalike_of(cp);
    return put(w, other ? other : cp);
}

int write_lookalike(struct writing *w)
{
    return write_letters(w, put_lookalike);
}

static int put_leet(struct writing *w, uint32_t cp)
{
    static const char letters[] = "aeiostgb", digits[] = "43105798";
    const char *at = cp && cp < 0x80 ? strchr(letters, (int)cp) : NULL;
    return put(w, at ? (uint32_t)digits[at - letters] : cp);
}

int write_leet(struct writing *w)
{
    return write_letters(w, put_leet);
}

static int put_rot13(struct writing *w, uint32_t cp)
{
    if (cp >= 'a' && cp <= 'z')
        cp = 'a' + (cp - 'a' + 13) % 26;
    else if (cp >= 'A' && cp <= 'Z')
        cp = 'A' + (cp - 'A' + 13) % 26;
    return put(w, cp);
}

int write_rot13(struct writing *w)
{
    return write_letters(w, put_rot13);
}

/* What has no sign of its own is left out: the code knows neither 。 nor 《. */
static int put_morse(struct writing *w, uint32_t cp)
{
    static const char *const letters[] = {
        ".-",   "-...", "-.-.", "-..",  ".",   "..-.", "--.",  "....", "..",
        ".---", "-.-",  ".-..", "--",   "-.",  "---",  ".--.", "--.-", ".-.",
        "...",  "-",    "..-",  "...-", ".--", "-..-", "-.--", "--..",
    };
    static const char *const digits[] = {"-----", ".----", "..---", "...--", "....-",
                                         ".....", "-....", "--...", "---..", "----."};
    const char *sign = cp >= 'a' && cp <= 'z'   ? letters[cp - 'a']
                       : cp >= 'A' && cp <= 'Z' ? letters[cp - 'A']
                       : cp >= '0' && cp <= '9' ? digits[cp - '0']
                       : cp == ' '              ? "/"
                                                : NULL;
    if (!sign)
        return 0;
    return buf_printf(w->out, "%s ", sign);
}

int write_morse(struct writing *w)
{
    return write_letters(w, put_morse);
}

/* ---- symbols and codes ---- */

int write_emoji(struct writing *w)
{
    static const struct {
        const char *word, *emoji;
    } words[] = {
        {"炸弹", "💣"},     {"手枪", "🔫"},     {"毒品", "💊"},     {"警察", "👮"},    {"钱", "💰"},
        {"枪", "🔫"},       {"药", "💊"},       {"血", "🩸"},    {"刀", "🔪"},      {"火", "🔥"},
        {"死", "💀"},       {"杀", "🔪"},       {"人", "👤"},       {"女", "👩"},      {"男", "👨"},
        {"老", "👴"},       {"孩", "👶"},       {"车", "🚗"},       {"水", "💧"},      {"手", "✋"},
        {"心", "❤️"},  {"国", "🏳️"}, {"家", "🏠"},       {"网", "🌐"},      {"电", "⚡"},
        {"信", "✉️"},  {"书", "📖"},       {"酒", "🍺"},       {"赌", "🎰"},      {"病", "🤒"},
        {"眼", "👁️"}, {"看", "👀"},       {"说", "🗣️"}, {"写", "✍️"}, {"学", "🎓"},
        {"工", "👷"},       {"买", "🛒"},    {"时", "⏰"},       {"日", "🌞"},      {"月", "🌙"},
        {"山", "⛰️"},  {"1", "1️⃣"},  {"2", "2️⃣"},  {"3", "3️⃣"}, {"4", "4️⃣"},
        {"5", "5️⃣"},  {"6", "6️⃣"},  {"7", "7️⃣"},  {"8", "8️⃣"}, {"9", "9️⃣"},
        {"0", "0️⃣"},
    };
    int r = 0;
    while (w->text.len && r == 0) {
        size_t i = 0;
        while (i < sizeof(words) / sizeof(*words) && !span_starts(w->text, span_str(words[i].word)))
            i++;
        uint32_t cp;
        if (i < sizeof(words) / sizeof(*words)) {
            r = buf_append(w->out, span_str(words[i].emoji));
            w->text = span_slice(w->text, strlen(words[i].word), w->text.len);
        } else if (next(w, &cp)) {
            r = put(w, cp);
        }
    }
    return r;
}

int write_numbers(struct writing *w)
{
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp))
        r = buf_printf(w->out, w->text.len ? "%u " : "%u", cp);
    return r;
}

int write_escapes(struct writing *w)
{
    uint32_t cp;
    int r = 0;
    while (r == 0 && next(w, &cp)) {
        if (cp >= 0x10000)
            r = buf_printf(w->out, "\\u%04x\\u%04x", 0xD800 + ((cp - 0x10000) >> 10),
                           0xDC00 + (cp & 0x3FF));
        else
            r = buf_printf(w->out, "\\u%04x", cp);
    }
    return r;
}

int write_base64(struct writing *w)
{
    return codec_base64(w->out, w->text);
}

static int write_bytes(struct writing *w, const char *form)
{
    int r = 0;
    for (size_t i = 0; i < w->text.len && r == 0; i++) {
        char text[8];
        snprintf(text, sizeof(text), "%s%02x", form, (unsigned char)w->text.data[i]);
        r = buf_append(w->out, span_str(text));
    }
    return r;
}

int write_hex(struct writing *w)
{
    return write_bytes(w, "");
}

int write_percent(struct writing *w)
{
    return write_bytes(w, "%");
}
