/*
 * A borrowed run of bytes. Never owns, never NUL-terminated by promise: the lender keeps the bytes
 * alive and unchanged as long as the span is in use. Across rooms every text travels as a span
 * (borrowed) or a struct buf (owned), never as a bare char pointer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *data;
    size_t len; /* bytes */
};

#define SPAN_NULL ((struct span){NULL, 0})
/* From a string literal; the length is known at compile time. */
#define SPAN_LIT(s) ((struct span){"" s, sizeof(s) - 1})
/* For printf's "%.*s". */
#define SPAN_ARG(s) (int)(s).len, (s).data

static inline struct span span_from(const char *data, size_t len)
{
    return (struct span){data, len};
}

/* From a NUL-terminated string; NULL gives the empty span. */
static inline struct span span_str(const char *s)
{
    return (struct span){s, s ? strlen(s) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Orders by bytes, then by length; for qsort and bsearch. */
static inline int span_compare(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static inline bool span_starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/* The bytes from..to (half open) of s; both must lie within s. */
static inline struct span span_slice(struct span s, size_t from, size_t to)
{
    return (struct span){s.data ? s.data + from : NULL, to - from};
}

/* Compares without regard to ASCII case (header names, media types). */
bool span_eq_nocase(struct span a, struct span b);
/* Without leading and trailing spaces, tabs, CR and LF. */
struct span span_trim(struct span s);
/* Finds needle in s; returns its offset, or s.len when it is not there. O(s.len). */
size_t span_find(struct span s, struct span needle);
/*
 * Cuts the part before the next `sep` off *rest and gives it in *ret_part; *rest goes on behind the
 * separator. Returns false when nothing is left. A text without separator is one part.
 */
bool span_split(struct span *rest, char sep, struct span *ret_part);
/* Reads a decimal number without sign; false on anything else, overflow or an empty span. */
bool span_to_u64(struct span s, unsigned long long *ret_value);
