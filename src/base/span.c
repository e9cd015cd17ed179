#include "base/span.h"

#include <limits.h>

static unsigned char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : (unsigned char)c;
}

bool span_eq_nocase(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
    while (s.len && blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

size_t span_find(struct span s, struct span needle)
{
    if (needle.len == 0)
        return 0;
    const char *at = s.len ? memmem(s.data, s.len, needle.data, needle.len) : NULL;
    return at ? (size_t)(at - s.data) : s.len;
}

bool span_split(struct span *rest, char sep, struct span *ret_part)
{
    if (!rest->data)
        return false;
    const char *at = rest->len ? memchr(rest->data, sep, rest->len) : NULL;
    if (!at) {
        *ret_part = *rest;
        *rest = SPAN_NULL;
        return true;
    }
    size_t n = (size_t)(at - rest->data);
    *ret_part = span_from(rest->data, n);
    *rest = span_from(at + 1, rest->len - n - 1);
    return true;
}

bool span_to_u64(struct span s, unsigned long long *ret_value)
{
    unsigned long long v = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        unsigned d = (unsigned)(s.data[i] - '0');
        if (v > (ULLONG_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *ret_value = v;
    return true;
}
