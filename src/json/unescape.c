#include "json/unescape.h"

#include "base/utf8.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/*
 * Reads a \uXXXX at the beginning of s. 1 with its unit; 0 when s ends within what may be one; -1
 * when it is none.
 */
static int unit_read(struct span s, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    for (size_t i = 0; i < 6; i++) {
        if (i == s.len)
            return 0;
        int digit = hex_digit(s.data[i]);
        if (i < 2 ? s.data[i] != "\\u"[i] : digit < 0)
            return -1;
        if (i >= 2)
            unit = unit << 4 | (uint32_t)digit;
    }
    *ret_unit = unit;
    return 1;
}

/*
 * What stands at a backslash: the length of its source and the code point that it says, or 0 when
 * more is needed to know.
 */
static size_t escape_read(struct span s, bool last, uint32_t *ret_cp)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    *ret_cp = '\\';
    if (s.len < 2)
        return last ? 1 : 0;
    if (s.data[1] != 'u') {
        const char *p = s.data[1] ? strchr(from, s.data[1]) : NULL;
        if (!p)
            return 1;
        *ret_cp = (unsigned char)to[p - from];
        return 2;
    }
    uint32_t unit, low;
    int rc = unit_read(s, &unit);
    if (rc <= 0)
        return rc < 0 || last ? 1 : 0;
    *ret_cp = unit;
    if (unit < 0xD800 || unit > 0xDBFF)
        return 6;
    rc = unit_read(span_slice(s, 6, s.len), &low);
    if (rc == 0 && !last)
        return 0;
    if (rc <= 0 || low < 0xDC00 || low > 0xDFFF)
        return 6;
    *ret_cp = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    return 12;
}

/* Decodes as much as is certain; *ret_done bytes of s are read. */
static int decode(struct span s, bool last, struct buf *out, size_t *ret_done)
{
    size_t at = 0;
    int rc = 0;
    while (at < s.len && rc == 0) {
        const char *p = memchr(s.data + at, '\\', s.len - at);
        size_t end = p ? (size_t)(p - s.data) : s.len;
        rc = buf_append(out, span_slice(s, at, end));
        at = end;
        if (rc < 0 || at == s.len)
            break;
        uint32_t cp;
        size_t n = escape_read(span_slice(s, at, s.len), last, &cp);
        if (n == 0)
            break;
        char bytes[4];
        if (cp != 0)
            rc = buf_append(out, span_from(bytes, utf8_encode(cp, bytes)));
        at += n;
    }
    *ret_done = at;
    return rc;
}

int json_unescape_feed(struct json_unescape *u, struct span piece, struct buf *out)
{
    /* Byte by byte while something is held: that is 11 times at most. */
    while (u->len > 0 && piece.len > 0) {
        size_t done;
        u->held[u->len++] = piece.data[0];
        piece = span_slice(piece, 1, piece.len);
        int rc = decode(span_from(u->held, u->len), false, out, &done);
        u->len -= done;
        memmove(u->held, u->held + done, u->len);
        if (rc < 0)
            return rc;
    }
    size_t done;
    int rc = decode(piece, false, out, &done);
    if (rc < 0)
        return rc;
    /* Empty when the loop above took it all. */
    if (piece.len > done) {
        u->len = piece.len - done;
        memcpy(u->held, piece.data + done, u->len);
    }
    return 0;
}

int json_unescape_finish(struct json_unescape *u, struct buf *out)
{
    size_t done;
    int rc = decode(span_from(u->held, u->len), true, out, &done);
    u->len = 0;
    return rc;
}
