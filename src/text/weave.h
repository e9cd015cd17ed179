/*
 * Makes one derived text: what stays as it is, and what is decoded, piece by piece in the order of
 * the text, with the segments of its map. For text/derive.h and what it is made of.
 */
#pragma once

#include "text/derive.h"

/*
 * How the bytes of a segment stand to the bytes they come from. Strides keep the map of a long run
 * to one segment: `from` raw bytes for `to` derived ones.
 */
enum segment_kind {
    SEGMENT_SAME,   /* byte for byte, not decoded */
    SEGMENT_UNIT,   /* all of it from all of it */
    SEGMENT_BY2,    /* each byte from two: hex */
    SEGMENT_BY3,    /* from three: percent */
    SEGMENT_BY4,    /* from four: \xE6, tag characters */
    SEGMENT_BASE64, /* three from four */
};

struct derive_segment {
    uint32_t at;         /* where it begins in the derived text; it ends where the next begins */
    uint32_t start, end; /* in the text it was made from */
    uint32_t layers : 26;
    uint32_t kind : 6; /* enum segment_kind */
};

struct weave {
    struct span source;
    const struct derived *from; /* whose text the source is, or NULL */
    struct buf text, segments;  /* of the window that is being made */
    struct buf scratch[3];      /* of text/blob.c */
    size_t done;                /* bytes of the source that are dealt with */
    uint32_t layers;
    unsigned round;
    int rc; /* the first answer of fn that was not 0, or an error: nothing is made any more */
    derive_fn fn;
    void *ctx;
};

/* A character that a decoded text may hold: no control, no half of a surrogate pair. */
static inline bool weave_shown(uint32_t cp)
{
    if (cp < 0x20)
        return cp == '\t' || cp == '\n' || cp == '\r';
    return (cp < 0x7F || cp > 0x9F) && (cp < 0xD800 || cp > 0xDFFF) && cp <= 0x10FFFF;
}

/* Bytes of the source from `done` to here stay as they are; far from a run they are left out. */
void weave_same(struct weave *w, size_t to);
/*
 * source[start..end) says `bytes`. The lengths must fit the kind's stride. `done` stays where it
 * is: for what is not said in the order of the source.
 */
void weave_add(struct weave *w, size_t start, size_t end, struct span bytes, enum segment_kind kind,
               uint32_t layers);
/* The same in its order: start >= done, and what stands between stays. */
void weave_run(struct weave *w, size_t start, size_t end, struct span bytes, enum segment_kind kind,
               uint32_t layers);
/* weave_run() of one code point, as a unit. */
void weave_point(struct weave *w, size_t start, size_t end, uint32_t cp, uint32_t layers);

/* Finds and weaves all runs of the source (text/runs.c). */
void runs_decode(struct weave *w);
/*
 * Weaves the hex, base64 or U+ that begins at i, where a letter, digit or one of +-/_ stands
 * (text/blob.c). Returns from where to go on.
 */
size_t blob_decode(struct weave *w, size_t i);

/*
 * Bytes with which a run may begin: a letter of base64, in both alphabets, is its value and one;
 * others are -1 (marks, and two lead bytes of UTF-8); 0 for all else.
 */
extern const signed char blob_letters[256];
/* The letter's value; negative for any other byte. */
static inline int blob_sextet(char c)
{
    int letter = blob_letters[(unsigned char)c];
    return letter > 0 ? letter - 1 : -1;
}
/* A hex digit's value, or -1. */
static inline int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}
/* Reads up to `most` hex digits at s[i]; their number. */
static inline unsigned hex_read(struct span s, size_t i, unsigned most, uint32_t *ret_value)
{
    unsigned n = 0;
    for (*ret_value = 0; n < most && i + n < s.len && hex_value(s.data[i + n]) >= 0; n++)
        *ret_value = *ret_value << 4 | (uint32_t)hex_value(s.data[i + n]);
    return n;
}
