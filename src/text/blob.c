/*
 * Hex and base64. Nothing marks them but what they say: a run of their letters is decoded in every
 * way it may be meant (four phases of base64, two of hex, UTF-8 or UTF-16), and of what comes out
 * the stretches that are text are woven; all else stays as it is.
 */
#include "base/utf8.h"
#include "text/fold.h"
#include "text/weave.h"

#include <stdlib.h>

/* Between two parts of one run: a line end, a blank, "..." + "...". */
#define GAP_MAX 8
/* A word of letters, as words are written, is none of base64 unless it is that long. */
#define WORD_MAX 24
/* Bytes of UTF-16 that are enough to be no accident. */
#define UTF16_MIN 8
/* In a long run only long stretches are text; those of this length in any. Bytes. */
#define STRETCH_ENOUGH 24

/* clang-format off */
const signed char blob_letters[256] = {
    ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
    24, 25, 26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
    48, 49, 50, 51, 52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
    ['+'] = 63, ['-'] = 63, ['/'] = 64, ['_'] = 64,
    ['%'] = -1, ['&'] = -1, ['='] = -1, ['\\'] = -1, [0xE2] = -1, [0xF3] = -1,
};
/* clang-format on */

/* How a run is read. */
enum reading {
    READ_BASE64, /* with READ_BASE64 + p: the first p letters are none of it */
    READ_HEX = READ_BASE64 + 4,
    READ_BYTES, /* each position is a byte of its own */
};

/* Part of a reading that is text. */
struct stretch {
    uint32_t first, last; /* its bytes, of the reading */
    uint32_t start, end;  /* where they come from */
    uint32_t origin;      /* the number of the reading's first letter */
    uint32_t weight;      /* of two that overlap the heavier is the one that was meant */
    uint8_t reading;
    uint8_t utf16; /* 0; 1 little, 2 big endian */
};

/* A run: the positions of its letters, or of its bytes (READ_BYTES). */
struct run {
    struct weave *w;
    const uint32_t *at;
    size_t count;
    size_t end;    /* of the run, with its padding */
    unsigned wide; /* bytes that each position stands for */
    bool padded;
};

static char letter(const struct run *r, size_t i)
{
    return r->w->source.data[r->at[i]];
}

/* --- readings --- */

static size_t base64_bytes(size_t letters)
{
    return letters / 4 * 3 + (letters % 4 ? letters % 4 - 1 : 0);
}

/* Byte k of a reading. */
static unsigned char byte_at(const struct run *r, enum reading reading, size_t origin, size_t k)
{
    if (reading == READ_HEX) {
        size_t i = origin + 2 * k;
        return (unsigned char)(hex_value(letter(r, i)) << 4 | hex_value(letter(r, i + 1)));
    }
    if (reading == READ_BYTES) {
        uint32_t value;
        size_t i = r->at[k] + r->wide - 2;
        hex_read(r->w->source, i, 2, &value);
        return (unsigned char)value;
    }
    size_t i = origin + k / 3 * 4 + k % 3;
    unsigned a = (unsigned char)blob_sextet(letter(r, i));
    unsigned b = (unsigned char)blob_sextet(letter(r, i + 1));
    return (unsigned char)(a << (2 + 2 * (k % 3)) | b >> (4 - 2 * (k % 3)));
}

/* The first `count` bytes of base64 at once. */
static void base64_decode(const struct run *r, size_t origin, size_t count, char *ret_bytes)
{
    size_t k = 0;
    for (size_t i = origin; k + 3 <= count; k += 3, i += 4) {
        uint32_t group = 0;
        for (size_t j = 0; j < 4; j++)
            group = group << 6 | (uint32_t)blob_sextet(letter(r, i + j));
        ret_bytes[k] = (char)(group >> 16);
        ret_bytes[k + 1] = (char)(group >> 8);
        ret_bytes[k + 2] = (char)group;
    }
    for (; k < count; k++)
        ret_bytes[k] = (char)byte_at(r, READ_BASE64, origin, k);
}

/* The letters that the bytes of one group come from; *ret_bytes how many bytes it has at most. */
static void group_at(const struct run *r, enum reading reading, size_t origin, size_t k,
                     size_t *ret_first, size_t *ret_last, size_t *ret_bytes)
{
    *ret_bytes = 1;
    if (reading == READ_BYTES) {
        *ret_first = *ret_last = k;
    } else if (reading == READ_HEX) {
        *ret_first = origin + 2 * k;
        *ret_last = *ret_first + 1;
    } else {
        *ret_first = origin + k / 3 * 4;
        *ret_last = *ret_first + 3 < r->count ? *ret_first + 3 : r->count - 1;
        *ret_bytes = 3;
    }
}

/* --- what is text --- */

static void keep(struct run *r, enum reading reading, size_t origin, size_t first, size_t last,
                 size_t weight, uint8_t utf16)
{
    size_t low, high, from, to, bytes;
    group_at(r, reading, origin, first, &low, &from, &bytes);
    group_at(r, reading, origin, last - 1, &to, &high, &bytes);
    struct stretch s = {
        .first = (uint32_t)first,
        .last = (uint32_t)last,
        .start = r->at[low],
        .end = r->at[high] + r->wide,
        .origin = (uint32_t)origin,
        .weight = (uint32_t)weight,
        .reading = (uint8_t)reading,
        .utf16 = utf16,
    };
    int rc = buf_append(&r->w->scratch[2], span_from((const char *)&s, sizeof(s)));
    if (rc < 0 && r->w->rc == 0)
        r->w->rc = rc;
}

static bool is_han(struct span bytes, size_t i, size_t *ret_next)
{
    uint32_t cp = 0;
    *ret_next = i + (size_t)utf8_decode(span_slice(bytes, i, bytes.len), false, &cp);
    return fold_entry_class(fold_entry(cp)) == FOLD_HAN;
}

/*
 * Keeps a stretch, parted where Han characters begin and end: what was grown onto a text may go on
 * as text in the wrong phase, and must not carry it off. Chance makes letters, hardly ever Han
 * characters, so that those weigh twice, and what stands among them with them.
 */
static void keep_parts(struct run *r, enum reading reading, size_t origin, struct span bytes,
                       size_t first, size_t last, size_t han)
{
    bytes.len = last;
    for (size_t next, from = first; from < last; from = first) {
        bool is = is_han(bytes, from, &next);
        for (first = next; first < last && is_han(bytes, first, &next) == is;)
            first = next;
        keep(r, reading, origin, from, first, (first - from) * (is ? 2 : 1) + 3 * han, 0);
    }
}

/* Keeps the stretches of UTF-8 text that are long enough. */
static void find_utf8(struct run *r, enum reading reading, size_t origin, struct span bytes,
                      size_t least)
{
    size_t first = 0, points = 0, words = 0, han = 0;
    for (size_t i = 0; i <= bytes.len;) {
        uint32_t cp = i < bytes.len ? (unsigned char)bytes.data[i] : 0;
        int n = i < bytes.len;
        if (cp >= 0x80) /* what can begin no character is seen at once */
            n = cp < 0xC2 || cp > 0xF4 ? -1
                                       : utf8_decode(span_slice(bytes, i, bytes.len), false, &cp);
        if (n > 0 && weave_shown(cp)) {
            points++;
            enum fold_class class = fold_entry_class(fold_entry(cp));
            words += class == FOLD_HAN || class == FOLD_WORD;
            han += class == FOLD_HAN;
            i += (size_t)n;
            continue;
        }
        if (i - first >= least && words * 2 >= points)
            keep_parts(r, reading, origin, bytes, first, i, han);
        first = i += n > 0 ? (size_t)n : 1;
        points = words = han = 0;
    }
}

/* Characters that UTF-16 text is made of here; by chance one unit of three is. */
static bool is_utf16_text(uint32_t unit)
{
    return (unit >= 0x20 && unit < 0x7F) || unit == '\n' || unit == '\r' || unit == '\t' ||
           (unit >= 0x3000 && unit < 0x3040) || (unit >= 0x4E00 && unit < 0xA000) ||
           (unit >= 0xFF01 && unit < 0xFF5F) || (unit >= 0x2010 && unit < 0x2027);
}

static uint32_t utf16_unit(struct span bytes, size_t i, uint8_t order)
{
    unsigned a = (unsigned char)bytes.data[i], b = (unsigned char)bytes.data[i + 1];
    return order == 1 ? b << 8 | a : a << 8 | b;
}

/* All of it, or nothing: a stretch of it is too easily an accident. */
static void find_utf16(struct run *r, enum reading reading, size_t origin, struct span bytes)
{
    if (bytes.len < UTF16_MIN || bytes.len % 2)
        return;
    for (uint8_t order = 1; order <= 2; order++) {
        size_t i = utf16_unit(bytes, 0, order) == 0xFEFF ? 2 : 0, first = i;
        while (i < bytes.len && is_utf16_text(utf16_unit(bytes, i, order)))
            i += 2;
        if (i == bytes.len && i > first)
            keep(r, reading, origin, first, i, i - first, order);
    }
}

static size_t clamp(size_t n, size_t low, size_t high)
{
    return n < low ? low : n > high ? high : n;
}

static void try_reading(struct run *r, enum reading reading, size_t origin, size_t count)
{
    struct buf *bytes = &r->w->scratch[1];
    size_t found = r->w->scratch[2].len;
    buf_clear(bytes);
    if (r->w->rc != 0)
        return;
    r->w->rc = buf_reserve(bytes, count);
    if (r->w->rc != 0)
        return;
    if (reading < READ_HEX)
        base64_decode(r, origin, count, bytes->data);
    else
        for (size_t k = 0; k < count; k++)
            bytes->data[k] = (char)byte_at(r, reading, origin, k);
    bytes->len = count;
    size_t least = clamp(count / 8, DERIVE_TEXT_MIN, STRETCH_ENOUGH);
    if (reading == READ_BYTES) /* that they are bytes is plain */
        least = clamp(count / 8, 4, STRETCH_ENOUGH);
    else if (reading == READ_BASE64 && r->padded && r->count % 4) /* so is this */
        least = clamp(count, 3, least);
    find_utf8(r, reading, origin, buf_span(bytes), least);
    if (r->w->scratch[2].len == found && (reading == READ_BASE64 || reading == READ_HEX))
        find_utf16(r, reading, origin, buf_span(bytes));
}

static void try_hex(struct run *r)
{
    for (size_t i = 0, from; i < r->count; i++) {
        bool letters = false; /* a number without any is a number */
        for (from = i; i < r->count && hex_value(letter(r, i)) >= 0; i++)
            letters = letters || letter(r, i) > '9';
        if (i - from >= DERIVE_RUN_MIN && (letters || i - from >= STRETCH_ENOUGH)) {
            try_reading(r, READ_HEX, from, (i - from) / 2);
            try_reading(r, READ_HEX, from + 1, (i - from - 1) / 2);
        }
    }
}

/* --- weaving --- */

static int stretch_compare(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : (x->end < y->end) - (x->end > y->end);
}

static void weave_utf16(struct run *r, const struct stretch *t)
{
    for (size_t k = t->first; k < t->last && r->w->rc == 0; k += 2) {
        char pair[2] = {(char)byte_at(r, t->reading, t->origin, k),
                        (char)byte_at(r, t->reading, t->origin, k + 1)};
        char bytes[4];
        size_t first, last, unused, bound;
        group_at(r, t->reading, t->origin, k, &first, &unused, &bound);
        group_at(r, t->reading, t->origin, k + 1, &unused, &last, &bound);
        /* Two units may come from one group: each from all of it. */
        size_t start = r->at[first], end = r->at[last] + r->wide;
        if (last + 1 == r->count && t->reading != READ_HEX)
            end = r->end;
        if (k == t->first)
            weave_same(r->w, start);
        weave_add(r->w, start, end,
                  span_from(bytes, utf8_encode(utf16_unit(span_from(pair, 2), 0, t->utf16), bytes)),
                  SEGMENT_UNIT, t->reading == READ_HEX ? LAYER_HEX : LAYER_BASE64);
        r->w->done = end;
    }
}

static void weave_stretch(struct run *r, const struct stretch *t)
{
    bool base64 = t->reading < READ_HEX;
    if (t->utf16) {
        weave_utf16(r, t);
        return;
    }
    for (size_t k = t->first; k < t->last && r->w->rc == 0;) {
        size_t first, last, whole;
        char bytes[3];
        group_at(r, t->reading, t->origin, k, &first, &last, &whole);
        size_t from = k, next = (k / whole + 1) * whole;
        for (; k < next && k < t->last; k++)
            bytes[k - from] = (char)byte_at(r, t->reading, t->origin, k);
        size_t start = r->at[first], end = r->at[last] + r->wide;
        bool plain =
            k - from == whole && t->reading != READ_BYTES && end - start == (base64 ? 4 : 2);
        if (from > t->first && start != r->w->done) { /* what parts them is none of the text */
            start = r->w->done;
            plain = false;
        }
        if (last + 1 == r->count && r->padded && base64) {
            end = r->end;
            plain = false;
        }
        weave_run(r->w, start, end, span_from(bytes, k - from),
                  !plain   ? SEGMENT_UNIT
                  : base64 ? SEGMENT_BASE64
                           : SEGMENT_BY2,
                  base64 ? LAYER_BASE64 : LAYER_HEX);
    }
}

/* Is b what follows a in the same reading? They may share a group of letters. */
static bool continues(const struct stretch *a, const struct stretch *b)
{
    return a->reading == b->reading && a->origin == b->origin && a->utf16 == b->utf16 &&
           b->first == a->last;
}

/* Drops the characters of t that come from before `from`; false when none is left. */
static bool trim(const struct run *r, struct stretch *t, size_t from)
{
    size_t first, last, whole;
    while (t->start < from && t->first < t->last) {
        t->first += t->utf16 ? 2 : 1;
        while (!t->utf16 && t->first < t->last &&
               (byte_at(r, t->reading, t->origin, t->first) & 0xC0) == 0x80)
            t->first++;
        if (t->first == t->last)
            return false;
        group_at(r, t->reading, t->origin, t->first, &first, &last, &whole);
        t->start = r->at[first];
    }
    return t->first < t->last;
}

/* Of stretches that overlap the heaviest stays; those that follow each other become one. */
static void weave_stretches(struct run *r)
{
    struct buf *found = &r->w->scratch[2];
    struct stretch *all = (struct stretch *)(void *)found->data;
    size_t count = found->len / sizeof(*all), kept = 0;
    if (count > 1)
        qsort(all, count, sizeof(*all), stretch_compare);
    for (size_t i = 0; i < count; i++) {
        struct stretch *last = kept ? &all[kept - 1] : NULL;
        if (!last || all[i].start >= last->end || continues(last, &all[i]))
            all[kept++] = all[i];
        else if (all[i].weight > last->weight && (kept == 1 || trim(r, &all[i], all[kept - 2].end)))
            *last = all[i];
    }
    for (size_t i = 0; i < kept; i++) {
        struct stretch t = all[i];
        for (; i + 1 < kept && continues(&t, &all[i + 1]); i++)
            t.last = all[i + 1].last;
        weave_stretch(r, &t);
    }
}

/* --- finding --- */

static void position_add(struct weave *w, size_t at)
{
    uint32_t position = (uint32_t)at;
    int rc = buf_append(&w->scratch[0], span_from((const char *)&position, sizeof(position)));
    if (rc < 0 && w->rc == 0)
        w->rc = rc;
}

static struct run run_of(struct weave *w, size_t end)
{
    buf_clear(&w->scratch[2]);
    return (struct run){.w = w,
                        .at = (const uint32_t *)(const void *)w->scratch[0].data,
                        .count = w->scratch[0].len / sizeof(uint32_t),
                        .end = end,
                        .wide = 1};
}

static bool is_alnum(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
}

/* E6 or 0xE6 standing alone; its length, or 0. */
static size_t read_pair(struct span s, size_t i)
{
    uint32_t value;
    size_t n = i + 1 < s.len && s.data[i] == '0' && (s.data[i + 1] | 0x20) == 'x' ? 2 : 0;
    if (hex_read(s, i + n, 2, &value) != 2 || (i + n + 2 < s.len && is_alnum(s.data[i + n + 2])))
        return 0;
    return n + 2;
}

/* A list of bytes, E6 9C B1 or 0xe6,0x9c: its end; i when it is none. */
static size_t list_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    size_t wide = read_pair(s, i), end = i, at = i;
    if (!wide)
        return i;
    buf_clear(&w->scratch[0]);
    while (at < s.len && w->rc == 0 && read_pair(s, at) == wide) {
        position_add(w, at);
        end = at += wide;
        for (unsigned gap = 0;
             at < s.len && gap < 3 && strchr(" ,;:-|/._\t\r\n", s.data[at]) && s.data[at] != '\0';
             gap++)
            at++;
        if (at == end)
            break;
    }
    struct run r = run_of(w, end);
    if (r.count < 4 || w->rc != 0)
        return i;
    r.wide = (unsigned)wide;
    try_reading(&r, READ_BYTES, 0, r.count);
    weave_stretches(&r);
    return end;
}

/* u6731 at i: its end, or i. */
static size_t read_u(struct span s, size_t i, uint32_t *ret_cp)
{
    bool is = i < s.len && (s.data[i] | 0x20) == 'u' && hex_read(s, i + 1, 4, ret_cp) == 4;
    return is && weave_shown(*ret_cp) ? i + 5 : i;
}

/* u6731u9555, two or more: their end, or i. */
static size_t us_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    uint32_t cp;
    size_t next = read_u(s, i, &cp);
    if (next == i || read_u(s, next, &cp) == next)
        return i;
    for (; (next = read_u(s, i, &cp)) > i; i = next)
        weave_point(w, i, next, cp, LAYER_ESCAPE);
    return i;
}

/* U+6731: its end, with what parts it from the next; or i. */
static size_t point_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    uint32_t cp;
    if ((s.data[i] | 0x20) != 'u')
        return i;
    if (i + 1 == s.len || s.data[i + 1] != '+')
        return us_decode(w, i);
    unsigned n = hex_read(s, i + 2, 6, &cp);
    if (n < 4 || !weave_shown(cp))
        return i;
    size_t end = i + 2 + n, gap = end;
    while (gap < s.len && gap - end < 3 && (s.data[gap] == ' ' || s.data[gap] == ','))
        gap++;
    if (gap + 2 < s.len && (s.data[gap] | 0x20) == 'u' && s.data[gap + 1] == '+' &&
        hex_value(s.data[gap + 2]) >= 0)
        end = gap;
    weave_point(w, i, end, cp, LAYER_ESCAPE);
    return end;
}

/* The end of the letters from i; *ret_odd: no word is written like that. */
static size_t token_end(struct span s, size_t i, bool *ret_odd)
{
    size_t from = i;
    bool odd = false, low = false; /* the letter before is a lower-case one */
    for (; i < s.len; i++) {
        int sextet = blob_sextet(s.data[i]);
        if (sextet < 0)
            break;
        odd |= (sextet >= 52 && sextet < 62) | (low && sextet < 26);
        low = sextet >= 26 && sextet < 52;
    }
    *ret_odd = odd || i - from > WORD_MAX;
    return i;
}

/* Behind a part that ends at i: where the next part of its run begins, or i. */
static size_t gap_end(struct span s, size_t i, bool *ret_line)
{
    size_t at = i;
    *ret_line = false;
    for (; at < s.len && at - i < GAP_MAX; at++) {
        char c = s.data[at];
        bool joins = c == '+' && at > i && at + 1 < s.len && strchr(" \"'`\n", s.data[at + 1]);
        if (c == '\0' || (!strchr(" \t\r\n\"'`,.*#~>|", c) && !joins))
            break;
        *ret_line = *ret_line || c == '\n';
    }
    return at < s.len && blob_sextet(s.data[at]) >= 0 ? at : i;
}

size_t blob_decode(struct weave *w, size_t i)
{
    struct span s = w->source;
    bool odd, line;
    size_t decoded = point_decode(w, i);
    if (decoded > i)
        return decoded; /* before the token's end is looked for: U+6BD2U+6BD2… is one token */
    size_t end = token_end(s, i, &odd);
    if (end - i == 2 || odd) /* E6, 0xE6 or E6-9C-B1 */
        decoded = list_decode(w, i);
    if (decoded > i)
        return decoded;
    if (!odd)
        return end;
    buf_clear(&w->scratch[0]);
    for (size_t from = i;;) {
        for (; from < end && w->rc == 0; from++)
            position_add(w, from);
        from = gap_end(s, end, &line);
        if (from == end || w->rc != 0)
            break;
        size_t next = token_end(s, from, &odd);
        if (!odd && !line)
            break;
        end = next;
    }
    struct run r = run_of(w, end);
    while (r.end < s.len && r.end - end < 2 && s.data[r.end] == '=')
        r.end++;
    r.padded = r.end > end;
    if (w->rc != 0 || r.count + (r.end - end) < DERIVE_RUN_MIN)
        return end;
    for (unsigned p = 0; p < 4; p++)
        try_reading(&r, READ_BASE64 + p, p, base64_bytes(r.count - p));
    try_hex(&r);
    weave_stretches(&r);
    return w->done > end ? w->done : end;
}
