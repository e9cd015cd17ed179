#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t ceiling)
{
    *b = BUF_INIT(ceiling);
}

void buf_deinit(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->max);
}

int buf_reserve(struct buf *b, size_t more)
{
    if (more > b->max || b->len > b->max - more)
        return -EMSGSIZE;
    size_t need = b->len + more;
    if (need <= b->cap)
        return 0;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max;
    char *data = realloc(b->data, cap);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->cap = cap;
    return 0;
}

int buf_append(struct buf *b, struct span s)
{
    if (s.len == 0)
        return 0;
    int r = buf_reserve(b, s.len);
    if (r < 0)
        return r;
    memcpy(b->data + b->len, s.data, s.len);
    b->len += s.len;
    return 0;
}

int buf_append_char(struct buf *b, char c)
{
    return buf_append(b, span_from(&c, 1));
}

int buf_append_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return buf_append(b, span_from(digits + at, sizeof(digits) - at));
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    char small[256];
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    int r;
    if (n < 0) {
        r = -EINVAL;
    } else if ((size_t)n < sizeof(small)) {
        r = buf_append(b, span_from(small, (size_t)n));
    } else {
        char *big = malloc((size_t)n + 1);
        if (big) {
            vsnprintf(big, (size_t)n + 1, fmt, again);
            r = buf_append(b, span_from(big, (size_t)n));
            free(big);
        } else {
            r = -ENOMEM;
        }
    }
    va_end(again);
    return r;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return r;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

/* One byte behind the content for the NUL, beyond the ceiling if need be. */
static int terminate(struct buf *b)
{
    if (b->len == b->cap) {
        char *data = realloc(b->data, b->cap + 1);
        if (!data)
            return -ENOMEM;
        b->data = data;
        b->cap += 1;
    }
    b->data[b->len] = '\0';
    return 0;
}

char *buf_take(struct buf *b, size_t *ret_len)
{
    if (terminate(b) < 0)
        return NULL;
    char *data = b->data;
    if (ret_len)
        *ret_len = b->len;
    *b = BUF_INIT(b->max);
    return data;
}

const char *buf_cstr(struct buf *b)
{
    return terminate(b) < 0 ? NULL : b->data;
}
