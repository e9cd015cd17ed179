#include "http/form.h"

#include "base/codec.h"
#include "base/utf8.h"

#include <errno.h>

/* Decodes into *room, which moves on. */
static int decode(struct span text, char **room, struct span *ret)
{
    char *begin = *room, *to = begin;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            if (text.len - i < 3 || !codec_unhex(span_slice(text, i + 1, i + 3), &byte, 1))
                return -EILSEQ;
            i += 2;
        }
        if (byte == 0)
            return -EILSEQ;
        *to++ = (char)byte;
    }
    *ret = span_from(begin, (size_t)(to - begin));
    *room = to;
    return utf8_check(*ret) == ret->len ? 0 : -EILSEQ;
}

int form_read(struct span body, char *room, struct form_field *ret_fields, size_t max,
              size_t *ret_count)
{
    struct span part;
    size_t n = 0;
    int r = 0;
    while (r == 0 && span_split(&body, '&', &part)) {
        size_t equals = span_find(part, SPAN_LIT("="));
        size_t value = equals < part.len ? equals + 1 : part.len;
        if (part.len == 0)
            continue;
        if (n == max)
            return -E2BIG;
        r = decode(span_slice(part, 0, equals), &room, &ret_fields[n].name);
        if (r == 0)
            r = decode(span_slice(part, value, part.len), &room, &ret_fields[n].value);
        for (size_t i = 0; r == 0 && i < n; i++)
            if (span_eq(ret_fields[i].name, ret_fields[n].name))
                r = -EEXIST;
        n++;
    }
    *ret_count = n;
    return r;
}

struct span form_get(const struct form_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(fields[i].name, span_str(name)))
            return fields[i].value;
    return SPAN_NULL;
}
