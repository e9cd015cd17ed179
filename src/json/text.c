#include "json/text.h"

#include "base/utf8.h"

#include <endian.h>
#include <errno.h>

#define ONES 0x0101010101010101u

/* A bit in the top of each byte that a string may not simply run over: '"', '\\', controls,
 * non-ASCII. Bits above the first may be wrong, the first one is right. */
static inline uint64_t word_stops(uint64_t w)
{
    return (((w ^ ONES * '"') - ONES) | ((w ^ ONES * '\\') - ONES) | (w - ONES * 0x20) | w) &
           ONES * 0x80;
}

static inline size_t run_plain(const char *p, size_t at, size_t end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, p + at, 8);
        uint64_t stops = word_stops(le64toh(word));
        if (stops)
            return at + (size_t)__builtin_ctzll(stops) / 8;
        at += 8;
    }
    while (at < end) {
        unsigned char c = (unsigned char)p[at];
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
            break;
        at++;
    }
    return at;
}

/* Four hexadecimal digits, or -1. */
static int hex4(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool is_high(int unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(int unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* The low half that follows as an escape at `at`, or -1. */
static int low_half(struct span s, size_t at)
{
    if (s.len - at < 6 || s.data[at] != '\\' || s.data[at + 1] != 'u')
        return -1;
    int unit = hex4(s.data + at + 2);
    return is_low(unit) ? unit : -1;
}

/* Checks the escape at `at`; its length, or 0 with *ret_error. */
static size_t escape_check(struct span s, size_t at, bool surrogates, enum json_error *ret_error)
{
    *ret_error = JSON_SYNTAX;
    if (s.len - at < 2)
        return 0;
    char c = s.data[at + 1];
    if (c != 'u')
        return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' ||
                       c == 't'
                   ? 2
                   : 0;
    int unit = s.len - at < 6 ? -1 : hex4(s.data + at + 2);
    if (unit < 0)
        return 0;
    if (unit == 0) {
        *ret_error = JSON_NUL;
        return 0;
    }
    if (is_high(unit) && low_half(s, at + 6) >= 0)
        return 12;
    if ((is_high(unit) || is_low(unit)) && !surrogates) {
        *ret_error = JSON_LONE_SURROGATE;
        return 0;
    }
    return 6;
}

enum json_error json_text_scan(struct span body, size_t from, bool surrogates, size_t *ret_at,
                               bool *ret_escaped)
{
    size_t at = from;
    bool escaped = false;
    enum json_error error = JSON_OK;
    for (;;) {
        at = run_plain(body.data, at, body.len);
        if (at == body.len) {
            error = JSON_SYNTAX;
            break;
        }
        unsigned char c = (unsigned char)body.data[at];
        if (c == '"')
            break;
        size_t n;
        if (c == '\\') {
            escaped = true;
            n = escape_check(body, at, surrogates, &error);
            if (n == 0)
                break;
            error = JSON_OK;
        } else if (c < 0x20) {
            error = c == 0 ? JSON_NUL : JSON_SYNTAX;
            break;
        } else {
            uint32_t cp;
            int len = utf8_decode(span_slice(body, at, body.len), false, &cp);
            if (len <= 0) {
                error = JSON_INVALID_UTF8;
                break;
            }
            n = (size_t)len;
        }
        at += n;
    }
    *ret_at = at;
    *ret_escaped = escaped;
    return error;
}

/* One escape of checked text: its raw length, and the code point that it stands for. */
static size_t escape_decode(struct span raw, size_t at, uint32_t *ret_cp)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (raw.data[at + 1] != 'u') {
        const char *p = strchr(from, raw.data[at + 1]);
        *ret_cp = (unsigned char)to[p - from];
        return 2;
    }
    int unit = hex4(raw.data + at + 2);
    int low = is_high(unit) ? low_half(raw, at + 6) : -1;
    if (low < 0) {
        *ret_cp = (uint32_t)unit;
        return 6;
    }
    *ret_cp = 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
    return 12;
}

size_t json_text_decode(struct span raw, char *out)
{
    size_t len = 0;
    for (size_t at = 0; at < raw.len;) {
        const char *p = memchr(raw.data + at, '\\', raw.len - at);
        size_t run = p ? (size_t)(p - raw.data) - at : raw.len - at;
        memcpy(out + len, raw.data + at, run);
        len += run;
        at += run;
        if (at == raw.len)
            break;
        uint32_t cp;
        at += escape_decode(raw, at, &cp);
        len += utf8_encode(cp, out + len);
    }
    return len;
}

struct span json_unquote(struct span quoted, char *room, size_t size)
{
    size_t end;
    bool escaped;
    if (quoted.len < 2 || quoted.data[0] != '"' || quoted.len - 2 > size ||
        json_text_scan(quoted, 1, true, &end, &escaped) || end != quoted.len - 1)
        return SPAN_NULL;
    return span_from(room, json_text_decode(span_slice(quoted, 1, end), room));
}

size_t json_raw_offset(struct span raw, size_t at)
{
    size_t decoded = 0;
    for (size_t i = 0; i < raw.len;) {
        const char *p = memchr(raw.data + i, '\\', raw.len - i);
        size_t run = p ? (size_t)(p - raw.data) - i : raw.len - i;
        if (at - decoded < run)
            return i + (at - decoded);
        decoded += run;
        i += run;
        if (i == raw.len)
            break;
        uint32_t cp;
        char bytes[4];
        size_t n = escape_decode(raw, i, &cp), len = utf8_encode(cp, bytes);
        if (at - decoded < len)
            return i;
        decoded += len;
        i += n;
    }
    return raw.len;
}

/* One character that may not stand in a string as it is. */
static int escape_one(struct buf *out, uint32_t cp)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *p = cp < 0x80 ? strchr(from, (int)cp) : NULL;
    if (!p || cp == 0)
        return buf_printf(out, "\\u%04x", (unsigned)cp);
    char pair[2] = {'\\', to[p - from]};
    return buf_append(out, span_from(pair, 2));
}

int json_escape(struct buf *out, struct span text)
{
    size_t done = 0, at = 0;
    while ((at = run_plain(text.data, at, text.len)) < text.len) {
        unsigned char c = (unsigned char)text.data[at];
        uint32_t cp = c;
        size_t n = 1;
        if (c >= 0x80) {
            int len = utf8_decode(span_slice(text, at, text.len), true, &cp);
            if (len > 0 && (cp < 0xD800 || cp > 0xDFFF)) {
                at += (size_t)len;
                continue;
            }
            /* Half a pair is written as its escape, a wrong byte as the replacement character. */
            n = len > 0 ? (size_t)len : 1;
            cp = len > 0 ? cp : 0xFFFD;
        }
        int rc = buf_append(out, span_slice(text, done, at));
        if (rc == 0)
            rc = escape_one(out, cp);
        if (rc < 0)
            return rc;
        at += n;
        done = at;
    }
    return buf_append(out, span_slice(text, done, text.len));
}

void json_member(struct buf *out, const char *key, struct span text)
{
    char last = out->len ? out->data[out->len - 1] : '{';
    if (last != '{' && last != ',')
        buf_append_char(out, ',');
    buf_printf(out, "\"%s\":\"", key);
    json_escape(out, text);
    buf_append_char(out, '"');
}
