/*
 * What opens the patterns of one direction, made once and shared by all watches: the characters
 * that a quiet watch must look at, and the patterns by what opens them.
 */
#pragma once

#include "base/utf8.h"
#include "match/pattern.h"

/* A literal opens its patterns when this many characters of it are there, or all. */
#define GATE_KEY_MAX 3
/* The longest run before a mark that a match may begin in: RFC 5321, section 4.5.3.1.1. */
#define GATE_RUN_MAX 64
/* Chinese numerals are read as digits where this many digits stand in a row. */
#define GATE_NUMERALS_MIN 4

/* The beginning of a literal, lower case. */
struct gate_key {
    uint32_t cp[GATE_KEY_MAX]; /* 0 behind the end */
    uint32_t pattern;
};

struct gates {
    const struct pattern *list; /* of all directions */
    size_t count;
    struct gate_key *keys; /* rising */
    size_t key_count;
    uint32_t *by_kind[GATE_COUNT]; /* patterns, except those with a literal */
    size_t kind_count[GATE_COUNT];
    unsigned digits_width;              /* the largest width of those with GATE_DIGITS */
    uint64_t at_place[GATE_KEY_MAX][4]; /* low bytes of the characters there in keys */
    uint64_t second[128][2];            /* ASCII that makes a loud ASCII character matter */
    uint64_t begins[2];        /* ASCII that is loud only as the beginning of longer literals */
    uint8_t loud[0x10000 / 8]; /* by code point */
};

/* The gates of patterns that count for `direction`. NULL when memory is out. */
struct gates *gates_new(const struct pattern *list, size_t count, enum direction direction);
void gates_free(struct gates *g);
size_t gates_bytes(const struct gates *g);

/* The keys that these, the last characters of a text, complete; each may be 0 for none. */
struct gate_keys {
    const struct gate_key *first;
    size_t count;
};
/* Those of exactly `n` characters, cp[0] the earliest, all lower case. */
struct gate_keys gates_complete(const struct gates *g, const uint32_t *cp, unsigned n);
/* How many of the last characters may begin a key that is not complete: 0, 1 or 2. */
unsigned gates_prefix(const struct gates *g, uint32_t before, uint32_t last);

/*
 * Bytes at the start of the text that open nothing, at a code point boundary, as long as nothing
 * that stands before it matters.
 */
size_t gates_quiet(const struct gates *g, struct span text);

/* A gate that is a mark, and a run before it. */
struct gate_mark {
    enum match_gate gate;
    uint32_t cp; /* 0: any digit */
};
#define GATE_MARKS 3
extern const struct gate_mark gate_marks[GATE_MARKS];
/* The k-th character from the end of a text, the last being 0. */
typedef uint32_t (*gate_back_fn)(const void *text, uint64_t k);
/*
 * The length of the run that the mark would end if it came next; 0 when it would open nothing.
 * `local` of the last characters are gate_local().
 */
unsigned gate_run(const struct gate_mark *m, uint64_t local, gate_back_fn back, const void *text);
/* The longest of those that marks of this direction would end. */
unsigned gates_run(const struct gates *g, uint64_t local, gate_back_fn back, const void *text);

/* The digit that a Chinese numeral stands for, or -1. */
int numeral_digit(uint32_t cp);

/*
 * Whether a code point needs a closer look while nothing is open. All others are themselves in the
 * view, or full-width forms.
 */
static inline bool gates_loud(const struct gates *g, uint32_t cp)
{
    return cp > 0xFFFF || (g->loud[cp / 8] >> cp % 8 & 1);
}

/* Whether an ASCII character is loud only because literals of two characters and more begin so. */
static inline bool gates_begins(const struct gates *g, uint32_t cp)
{
    return cp < 128 && (g->begins[cp / 64] >> cp % 64 & 1);
}

/* Whether `cp` may go on with what such a character has begun. */
static inline bool gates_goes_on(const struct gates *g, unsigned char first, uint32_t cp)
{
    return first >= 128 || cp >= 128 || (g->second[first][cp / 64] >> cp % 64 & 1);
}

/* The code point at the start of the text, and its length; 0 at the end, for what is cut and what
 * is no UTF-8, and for code points beyond the BMP. */
static inline size_t gates_next(struct span text, uint32_t *ret_cp)
{
    const unsigned char *p = (const unsigned char *)text.data;
    if (text.len && p[0] < 0x80) {
        *ret_cp = p[0];
        return 1;
    }
    if (text.len >= 3 && p[0] > 0xE0 && p[0] < 0xF0 && p[0] != 0xED && (p[1] & 0xC0) == 0x80 &&
        (p[2] & 0xC0) == 0x80) {
        *ret_cp = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return 3;
    }
    int n = text.len ? utf8_decode(text, false, ret_cp) : 0;
    return n > 0 && n < 4 ? (size_t)n : 0;
}

static inline bool is_digit(uint32_t cp)
{
    return cp - '0' <= 9;
}

static inline bool gate_is_mark(const struct gate_mark *m, uint32_t cp)
{
    return m->cp ? cp == m->cp : is_digit(cp);
}

static inline bool is_alnum(uint32_t cp)
{
    return is_digit(cp) || (cp | 0x20) - 'a' < 26;
}

/* Of the runs that a mark may end: letters, digits and ._%+- in ASCII. */
static inline bool gate_local(uint32_t cp)
{
    return is_alnum(cp) || cp == '.' || cp == '_' || cp == '%' || cp == '+' || cp == '-';
}
