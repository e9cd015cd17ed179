#include "base/utf8.h"

int utf8_decode(struct span s, bool surrogates, uint32_t *ret_cp)
{
    const unsigned char *p = (const unsigned char *)s.data;
    unsigned b0 = p[0];
    if (b0 < 0x80) {
        *ret_cp = b0;
        return 1;
    }
    int len;
    unsigned low = 0x80, high = 0xBF; /* bounds of the second byte */
    uint32_t cp;
    if (b0 >= 0xC2 && b0 <= 0xDF) {
        len = 2;
        cp = b0 & 0x1F;
    } else if (b0 >= 0xE0 && b0 <= 0xEF) {
        len = 3;
        cp = b0 & 0x0F;
        if (b0 == 0xE0)
            low = 0xA0;
        else if (b0 == 0xED && !surrogates)
            high = 0x9F;
    } else if (b0 >= 0xF0 && b0 <= 0xF4) {
        len = 4;
        cp = b0 & 0x07;
        if (b0 == 0xF0)
            low = 0x90;
        else if (b0 == 0xF4)
            high = 0x8F;
    } else {
        return -1;
    }
    for (int i = 1; i < len; i++) {
        if ((size_t)i >= s.len)
            return 0;
        if (p[i] < low || p[i] > high)
            return -1;
        low = 0x80;
        high = 0xBF;
        cp = cp << 6 | (p[i] & 0x3F);
    }
    *ret_cp = cp;
    return len;
}

size_t utf8_encode(uint32_t cp, char ret_bytes[4])
{
    if (cp < 0x80) {
        ret_bytes[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        ret_bytes[0] = (char)(0xC0 | cp >> 6);
        ret_bytes[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        ret_bytes[0] = (char)(0xE0 | cp >> 12);
        ret_bytes[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        ret_bytes[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    ret_bytes[0] = (char)(0xF0 | cp >> 18);
    ret_bytes[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    ret_bytes[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    ret_bytes[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

size_t utf8_check(struct span s)
{
    size_t at = 0;
    while (at < s.len) {
        /* Eight ASCII bytes at a time: most of every JSON body. */
        uint64_t word;
        while (s.len - at >= sizeof(word)) {
            memcpy(&word, s.data + at, sizeof(word));
            if (word & 0x8080808080808080u)
                break;
            at += sizeof(word);
        }
        if (at == s.len)
            break;
        uint32_t cp;
        int n = utf8_decode(span_slice(s, at, s.len), false, &cp);
        if (n <= 0)
            return at;
        at += (size_t)n;
    }
    return at;
}

size_t utf8_count(struct span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.data[i] & 0xC0) != 0x80;
    return n;
}

size_t utf8_floor(struct span s, size_t at)
{
    if (at >= s.len)
        return s.len;
    while (at > 0 && ((unsigned char)s.data[at] & 0xC0) == 0x80)
        at--;
    return at;
}
