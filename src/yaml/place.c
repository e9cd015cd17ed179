#include "yaml/place.h"

#include "base/cleanup.h"

#include <errno.h>

/* Longest message before escaping, bytes: longer ones are cut. */
#define MESSAGE_MAX 4096

static int append_escaped(struct buf *out, struct span s)
{
    int r = 0;
    for (size_t i = 0; i < s.len && r == 0; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c < 0x20 || c == 0x7f)
            r = buf_printf(out, "\\x%02x", c);
        else
            r = buf_append_char(out, (char)c);
    }
    return r;
}

int place_printf(struct buf *out, struct place at, const char *fmt, ...)
{
    char text[MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return -EINVAL;
    size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

    size_t before = out->len;
    int r = append_escaped(out, at.file);
    if (r == 0 && at.line)
        r = buf_printf(out, ":%u", at.line);
    if (r == 0 && at.line && at.column)
        r = buf_printf(out, ":%u", at.column);
    if (r == 0)
        r = buf_append(out, SPAN_LIT(": "));
    if (r == 0)
        r = append_escaped(out, span_from(text, len));
    if (r == 0)
        r = buf_append_char(out, '\n');
    if (r < 0)
        out->len = before; /* no half messages */
    return r;
}
