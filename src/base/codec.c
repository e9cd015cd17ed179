#include "base/codec.h"

#include <errno.h>

void codec_hex(struct span bytes, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        *ret_text++ = digits[c >> 4];
        *ret_text++ = digits[c & 15];
    }
    *ret_text = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool codec_unhex(struct span text, unsigned char *ret_bytes, size_t size)
{
    if (text.len != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int h = nibble(text.data[2 * i]), l = nibble(text.data[2 * i + 1]);
        if (h < 0 || l < 0)
            return false;
        ret_bytes[i] = (unsigned char)(h << 4 | l);
    }
    return true;
}

int codec_base64(struct buf *out, struct span bytes)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes.data;
    int r = buf_reserve(out, (bytes.len + 2) / 3 * 4);
    if (r < 0)
        return r;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        unsigned v = (unsigned)p[i] << 16 | (n > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                     (n > 2 ? (unsigned)p[i + 2] : 0);
        out->data[out->len++] = abc[v >> 18];
        out->data[out->len++] = abc[v >> 12 & 63];
        out->data[out->len++] = n > 1 ? abc[v >> 6 & 63] : '=';
        out->data[out->len++] = n > 2 ? abc[v & 63] : '=';
    }
    return 0;
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

int codec_unbase64(struct buf *out, struct span text)
{
    while (text.len && text.data[text.len - 1] == '=')
        text.len--;
    if (text.len % 4 == 1)
        return -EINVAL;
    int r = buf_reserve(out, text.len * 3 / 4);
    if (r < 0)
        return r;
    unsigned v = 0, bits = 0;
    size_t len = out->len;
    for (size_t i = 0; i < text.len; i++) {
        int s = sextet(text.data[i]);
        if (s < 0)
            return -EINVAL;
        v = (v << 6 | (unsigned)s) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out->data[len++] = (char)(v >> bits);
        }
    }
    out->len = len;
    return 0;
}
