/*
 * Finds what is encoded in a text. Everything but hex and base64 says by its marks that it is
 * encoded and is decoded character by character; those two are text/blob.c's.
 */
#include "base/utf8.h"
#include "text/weave.h"

#include <stdlib.h>

/* --- bytes that are marked one by one --- */

/* Reads the byte that is written at s[i]: the length of its writing, or 0. */
typedef size_t (*byte_fn)(struct span s, size_t i, unsigned char *ret_byte);

static size_t backslashes(struct span s, size_t i)
{
    size_t n = 0;
    while (i + n < s.len && s.data[i + n] == '\\')
        n++;
    return n;
}

static size_t read_percent(struct span s, size_t i, unsigned char *ret_byte)
{
    uint32_t value;
    if (s.data[i] != '%' || hex_read(s, i + 1, 2, &value) != 2)
        return 0;
    *ret_byte = (unsigned char)value;
    return 3;
}

static size_t read_quoted(struct span s, size_t i, unsigned char *ret_byte)
{
    uint32_t value;
    size_t soft = 0; /* a line end that is none: =\n */
    if (s.data[i] == '=' && i + 1 < s.len && s.data[i + 1] == '\n')
        soft = 2;
    else if (s.len - i > 2 && memcmp(s.data + i, "=\r\n", 3) == 0)
        soft = 3;
    if (i + soft >= s.len || s.data[i + soft] != '=' || hex_read(s, i + soft + 1, 2, &value) != 2)
        return 0;
    *ret_byte = (unsigned char)value;
    return soft + 3;
}

static size_t read_hex(struct span s, size_t i, unsigned char *ret_byte)
{
    uint32_t value;
    size_t n = backslashes(s, i);
    if (n == 0 || i + n >= s.len || (s.data[i + n] | 0x20) != 'x' ||
        hex_read(s, i + n + 1, 2, &value) != 2)
        return 0;
    *ret_byte = (unsigned char)value;
    return n + 3;
}

static size_t read_octal(struct span s, size_t i, unsigned char *ret_byte)
{
    size_t n = backslashes(s, i);
    unsigned value = 0;
    if (n == 0 || s.len - i < n + 3 || s.data[i + n] > '3')
        return 0;
    for (size_t k = 0; k < 3; k++) {
        unsigned digit = (unsigned char)s.data[i + n + k] - (unsigned)'0';
        if (digit > 7)
            return 0;
        value = value << 3 | digit;
    }
    *ret_byte = (unsigned char)value;
    return n + 3;
}

/* Bytes as variation selectors behind a character: VS17 to VS256 are 16 to 255. */
static size_t read_selector(struct span s, size_t i, unsigned char *ret_byte)
{
    uint32_t cp;
    if ((unsigned char)s.data[i] != 0xF3 || utf8_decode(span_slice(s, i, s.len), true, &cp) != 4 ||
        cp < 0xE0100 || cp > 0xE01EF)
        return 0;
    *ret_byte = (unsigned char)(cp - 0xE0100 + 16);
    return 4;
}

/*
 * Weaves the characters that the marked bytes from i on spell, those of `least` and above; what
 * spells none stays. Returns the end of the last byte.
 */
static size_t marked_decode(struct weave *w, size_t i, byte_fn read, uint32_t least, uint32_t layer)
{
    struct span s = w->source;
    char bytes[4];
    size_t at[5], n, held = 0; /* at[k]: where byte k begins; at[held]: where the last ends */
    at[0] = i;
    while (i < s.len && (n = read(s, i, (unsigned char *)&bytes[held])) > 0) {
        at[++held] = i += n;
        while (held) {
            uint32_t cp;
            int got = utf8_decode(span_from(bytes, held), false, &cp);
            if (got == 0)
                break; /* more is to come */
            size_t take = got < 0 ? 1 : (size_t)got;
            size_t len = at[take] - at[0];
            if (got > 0 && cp >= least && weave_shown(cp))
                weave_run(w, at[0], at[take], span_from(bytes, take),
                          len == take * 3   ? SEGMENT_BY3
                          : len == take * 4 ? SEGMENT_BY4
                                            : SEGMENT_UNIT,
                          layer);
            held -= take;
            memmove(bytes, bytes + take, held);
            memmove(at, at + take, (held + 1) * sizeof(*at));
        }
    }
    return i;
}

/* --- code points --- */

/* A code unit \uXXXX behind any backslashes; the length of its writing, or 0. */
static size_t read_unit(struct span s, size_t i, uint32_t *ret_unit)
{
    size_t n = backslashes(s, i);
    if (n == 0 || i + n >= s.len || s.data[i + n] != 'u' ||
        hex_read(s, i + n + 1, 4, ret_unit) != 4)
        return 0;
    return n + 5;
}

/* \u{6731} \x{6731} \U00006731; the length of what stands behind the backslashes, or 0. */
static size_t read_long(struct span s, size_t i, uint32_t *ret_cp)
{
    if (s.data[i] == 'U')
        return hex_read(s, i + 1, 8, ret_cp) == 8 ? 9 : 0;
    if (i + 1 >= s.len || s.data[i + 1] != '{')
        return 0;
    unsigned n = hex_read(s, i + 2, 8, ret_cp);
    return n && i + 2 + n < s.len && s.data[i + 2 + n] == '}' ? n + 3 : 0;
}

static size_t escape_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    size_t n = backslashes(s, i), at = i + n;
    uint32_t cp = 0, low, layer = LAYER_ESCAPE;
    if (at == s.len)
        return at;
    size_t len = read_unit(s, i, &cp);
    if (len && cp >= 0xD800 && cp < 0xDC00) {
        size_t more = i + len < s.len ? read_unit(s, i + len, &low) : 0;
        if (more && low >= 0xDC00 && low < 0xE000) {
            cp = 0x10000 + ((cp & 0x3FF) << 10) + (low & 0x3FF);
            len += more;
        }
    }
    switch (len ? 0 : s.data[at]) {
    case 0:
        break;
    case 'u':
    case 'U':
    case 'x':
    case 'X':
        len = read_long(s, at, &cp);
        len += len ? n : 0;
        if (!len && (s.data[at] | 0x20) == 'x') {
            size_t end = marked_decode(w, i, read_hex, 0, LAYER_HEX);
            return end > i ? end : at;
        }
        break;
    case '0':
    case '1':
    case '2':
    case '3': {
        size_t end = marked_decode(w, i, read_octal, 0, LAYER_ESCAPE);
        return end > i ? end : at;
    }
    case 'n':
    case 'r':
    case 't':
        cp = s.data[at] == 't' ? '\t' : '\n';
        len = n + 1;
        layer = LAYER_SEPARATOR; /* everyday text of programs: it hides no letter */
        break;
    default:
        break;
    }
    if (!len)
        return at;
    if (weave_shown(cp))
        weave_point(w, i, i + len, cp, layer);
    return i + len;
}

/* Those that stand between the letters of a word; letters have none in HTML. Sorted. */
static const struct entity {
    char name[16];
    uint32_t cp;
} entities[] = {
    {"NewLine", '\n'}, {"Tab", '\t'},      {"ZeroWidthSpace", 0x200B},
    {"amp", '&'},      {"apos", '\''},     {"ast", '*'},
    {"bull", 0x2022},  {"colon", ':'},     {"comma", ','},
    {"commat", '@'},   {"dollar", '$'},    {"emsp", 0x2003},
    {"ensp", 0x2002},  {"equals", '='},    {"excl", '!'},
    {"gt", '>'},       {"hellip", 0x2026}, {"hyphen", 0x2010},
    {"laquo", 0xAB},   {"ldquo", 0x201C},  {"lowbar", '_'},
    {"lpar", '('},     {"lrm", 0x200E},    {"lsquo", 0x2018},
    {"lt", '<'},       {"mdash", 0x2014},  {"middot", 0xB7},
    {"nbsp", 0xA0},    {"ndash", 0x2013},  {"num", '#'},
    {"percnt", '%'},   {"period", '.'},    {"plus", '+'},
    {"quest", '?'},    {"quot", '"'},      {"raquo", 0xBB},
    {"rdquo", 0x201D}, {"rlm", 0x200F},    {"rpar", ')'},
    {"rsquo", 0x2019}, {"semi", ';'},      {"shy", 0xAD},
    {"sol", '/'},      {"thinsp", 0x2009}, {"vert", '|'},
    {"zwj", 0x200D},   {"zwnj", 0x200C},
};

static int entity_compare(const void *key, const void *entry)
{
    const struct span *name = key;
    return span_compare(*name, span_str(((const struct entity *)entry)->name));
}

static size_t entity_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    size_t at = i + 1;
    uint32_t cp = 0;
    if (at < s.len && s.data[at] == '#') {
        bool hex = ++at < s.len && (s.data[at] | 0x20) == 'x';
        size_t from = at += hex;
        for (; at < s.len && at - from < 16; at++) {
            int digit = hex_value(s.data[at]);
            if (digit < 0 || (!hex && digit > 9))
                break;
            cp = cp > 0x10FFFF ? cp : cp * (hex ? 16 : 10) + (uint32_t)digit;
        }
        if (at == from || !weave_shown(cp))
            return at;
    } else {
        while (at < s.len && at - i < sizeof(entities->name) && (s.data[at] | 0x20) >= 'a' &&
               (s.data[at] | 0x20) <= 'z')
            at++;
        struct span name = span_slice(s, i + 1, at);
        const struct entity *e =
            at < s.len && s.data[at] == ';'
                ? bsearch(&name, entities, sizeof(entities) / sizeof(*entities), sizeof(*entities),
                          entity_compare)
                : NULL;
        if (!e)
            return i + 1;
        cp = e->cp;
    }
    at += at < s.len && s.data[at] == ';';
    weave_point(w, i, at, cp, LAYER_ENTITY);
    return at;
}

static size_t percent_decode(struct weave *w, size_t i)
{
    uint32_t cp;
    struct span s = w->source;
    if (i + 1 < s.len && s.data[i + 1] == 'u' && hex_read(s, i + 2, 4, &cp) == 4) {
        if (weave_shown(cp))
            weave_point(w, i, i + 6, cp, LAYER_ESCAPE);
        return i + 6;
    }
    size_t end = marked_decode(w, i, read_percent, 0, LAYER_PERCENT);
    return end > i ? end : i + 1;
}

/* --- what is shown otherwise --- */

static bool is_bidi(struct span s, size_t i, unsigned char second, unsigned char low,
                    unsigned char high)
{
    if (s.len - i < 3 || (unsigned char)s.data[i] != 0xE2)
        return false;
    unsigned char third = (unsigned char)s.data[i + 2];
    return (unsigned char)s.data[i + 1] == second && third >= low && third <= high;
}

/* U+202A LRE .. U+202E RLO but for U+202C PDF, U+2066 LRI .. U+2068 FSI. */
static bool is_opening(struct span s, size_t i)
{
    return is_bidi(s, i, 0x81, 0xA6, 0xA8) ||
           (is_bidi(s, i, 0x80, 0xAA, 0xAE) && (unsigned char)s.data[i + 2] != 0xAC);
}

static bool is_closing(struct span s, size_t i)
{
    return is_bidi(s, i, 0x80, 0xAC, 0xAC) || is_bidi(s, i, 0x81, 0xA9, 0xA9);
}

/* Text from a right-to-left mark to the end of its reach, in the order in which it is shown. */
static size_t bidi_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    bool rightmost = is_bidi(s, i, 0x80, 0xAE, 0xAE) || is_bidi(s, i, 0x80, 0xAB, 0xAB) ||
                     is_bidi(s, i, 0x81, 0xA7, 0xA7);
    if (!rightmost)
        return i + 1;
    size_t from = i + 3, end = from;
    for (unsigned depth = 1; end < s.len && s.data[end] != '\n' && s.data[end] != '\r'; end++) {
        if ((unsigned char)s.data[end] != 0xE2)
            continue;
        depth += is_opening(s, end);
        depth -= is_closing(s, end);
        if (depth == 0)
            break;
    }
    weave_same(w, i);
    for (size_t to = end; to > from;) {
        size_t at = to - 1;
        while (at > from && ((unsigned char)s.data[at] & 0xC0) == 0x80)
            at--;
        weave_add(w, at, to, span_slice(s, at, to), SEGMENT_UNIT, LAYER_REVERSED | LAYER_INVISIBLE);
        to = at;
    }
    w->done = end;
    return end;
}

/* Tag characters, U+E0020 to U+E007E, and bytes in variation selectors. */
static size_t unseen_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    uint32_t cp;
    size_t at = i;
    while (at < s.len && (unsigned char)s.data[at] == 0xF3 &&
           utf8_decode(span_slice(s, at, s.len), true, &cp) == 4 && cp >= 0xE0020 && cp < 0xE007F) {
        char c = (char)(cp - 0xE0000);
        weave_run(w, at, at + 4, span_from(&c, 1), SEGMENT_BY4, LAYER_INVISIBLE);
        at += 4;
    }
    if (at == i)
        at = marked_decode(w, i, read_selector, 0, LAYER_INVISIBLE);
    return at > i ? at : i + 1;
}

/* --- the walk --- */

static bool has_byte(uint64_t word, unsigned char byte)
{
    uint64_t x = word ^ (UINT64_C(0x0101010101010101) * byte);
    return (x - UINT64_C(0x0101010101010101)) & ~x & UINT64_C(0x8080808080808080);
}

/* Where the next run may begin. Chinese text is passed over in steps of eight bytes. */
static size_t skip(struct span s, size_t i)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t word;
    while (i < s.len) {
        if (blob_letters[(unsigned char)s.data[i]] != 0)
            return i;
        i++;
        while (s.len - i >= 8) {
            memcpy(&word, s.data + i, 8);
            if ((word & high) != high || has_byte(word, 0xE2) || has_byte(word, 0xF3))
                break;
            i += 8;
        }
    }
    return i;
}

void runs_decode(struct weave *w)
{
    struct span s = w->source;
    for (size_t i = skip(s, 0); i < s.len && w->rc == 0; i = skip(s, i)) {
        switch ((unsigned char)s.data[i]) {
        case '%':
            i = percent_decode(w, i);
            break;
        case '&':
            i = entity_decode(w, i);
            break;
        case '\\':
            i = escape_decode(w, i);
            break;
        case '=': { /* what is ASCII stands for itself: a=20 is none */
            size_t end = marked_decode(w, i, read_quoted, 0x80, LAYER_PERCENT);
            i = end > i ? end : i + 1;
            break;
        }
        case 0xE2:
            i = bidi_decode(w, i);
            break;
        case 0xF3:
            i = unseen_decode(w, i);
            break;
        default:
            i = blob_decode(w, i);
        }
    }
}
