/*
 * An owned, growing run of bytes that names its ceiling at birth. Appending past the ceiling is an
 * error (-EMSGSIZE) and changes nothing; so is a failed allocation (-ENOMEM).
 */
#pragma once

#include "base/span.h"

#include <stdarg.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* ceiling of len, bytes */
};

#define BUF_INIT(ceiling) ((struct buf){NULL, 0, 0, (ceiling)})

void buf_init(struct buf *b, size_t ceiling);
/* Frees the bytes; the buffer may be used again with the same ceiling. */
void buf_deinit(struct buf *b);
/* Makes room for `more` further bytes. Returns 0, -EMSGSIZE, -ENOMEM. Amortised O(1) a byte. */
int buf_reserve(struct buf *b, size_t more);
int buf_append(struct buf *b, struct span s);
int buf_append_char(struct buf *b, char c);
int buf_append_u64(struct buf *b, uint64_t value);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Drops the first n bytes. O(len). */
void buf_consume(struct buf *b, size_t n);
/* Forgets the content, keeps the memory. */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
}
/*
 * Hands the bytes to the caller, who frees them with free(); NUL-terminated behind *ret_len bytes.
 * The buffer is empty afterwards. Returns NULL when memory is out, and the buffer keeps its bytes.
 */
char *buf_take(struct buf *b, size_t *ret_len);
/* The content as a NUL-terminated string, owned by the buffer until its next change; NULL when
 * memory is out. */
const char *buf_cstr(struct buf *b);

static inline struct span buf_span(const struct buf *b)
{
    return span_from(b->data, b->len);
}
