/*
 * Watches one text for patterns. It keeps the pattern view of what was read lately: width, digit
 * styles and invisible characters folded, case and repeats kept. A single blank or hyphen between
 * two digits is read both ways, as itself and as nothing.
 *
 * A gate says where a match may begin:
 *   - GATE_DIGITS: at the first digit of a run, also behind a blank or hyphen that is read both
 * ways
 *   - GATE_AT: within the run of ASCII letters, digits and ._%+- that ends at an '@', at most
 *     WATCH_LOCAL_MAX characters before it
 *   - GATE_LITERAL: where the literal begins, ASCII case aside
 * For each start there is a candidate, which is tried when its text has grown enough; when that is
 * depends on the text alone. The earliest start of a pattern wins over those within its match.
 */
#pragma once

#include "match/cursor.h"
#include "match/pattern.h"
#include "text/fold.h"

/* RFC 5321, section 4.5.3.1.1. */
#define WATCH_LOCAL_MAX 64

enum { READ_KEPT = 1, READ_MAYBE, READ_BOTH };

/* A character of the view. */
struct watch_glyph {
    uint64_t start;
    uint32_t cp;
    uint16_t layers; /* of its own and between it and the one before */
    uint8_t len;     /* raw bytes */
    uint8_t read;    /* READ_MAYBE: a blank or hyphen behind a digit, the last character so far */
};

struct watch_candidate;

struct watch {
    const struct patterns *patterns;
    uint8_t direction;
    bool digits, at;          /* gates that this direction has */
    bool digit, maybe;        /* the last glyph is a digit; is READ_MAYBE */
    uint16_t gap;             /* layers since the last glyph */
    uint32_t mask;            /* ring size less one */
    uint64_t count;           /* number of the next glyph */
    uint64_t origin;          /* first glyph behind the last join */
    uint64_t local;           /* first glyph of the run that an '@' may end; count when none */
    struct watch_glyph *ring; /* by number */
    struct watch_candidate *candidates; /* in the order of their making */
    size_t candidate_count, candidate_cap;
    uint64_t first; /* the least start of them */
    /* Before this number of glyphs none is worth a try, unless at an edge: `ripe` holds while a
     * run of digits goes on, `due` otherwise. */
    uint64_t due, ripe;
    /* While trying, by pattern: the end of its last match, UINT64_MAX behind one undecided. */
    uint64_t *taken;
    struct pattern_scratch *scratch;
    uint8_t firsts[256 / 8]; /* low bytes of the literals' first characters */
};

/* NULL when memory is out. The patterns must outlive it. */
struct watch *watch_new(const struct patterns *patterns, enum direction direction);
void watch_free(struct watch *w);
/* The next code point. 0, the positive answer of fn, -ENOMEM, -EOVERFLOW. */
int watch_point_slow(struct watch *w, const struct fold_point *point, cursor_hit_fn fn, void *ctx);
/* A join or the end of the text: decides all candidates. Returns as watch_point(). */
int watch_end(struct watch *w, cursor_hit_fn fn, void *ctx);
/* Where the earliest match that may still grow begins, or UINT64_MAX. */
uint64_t watch_clear(const struct watch *w);

static inline size_t watch_quiet(const struct watch *w, struct span text)
{
    return 0;
}
static inline void watch_passed(struct watch *w, struct span text, uint64_t start)
{
}

/*
 * Most text is Han characters, punctuation and Latin letters while no gate is open: that must cost
 * next to nothing. Quiet ones are neither folded nor invisible, digits nor '@'.
 */
static inline int watch_point(struct watch *w, const struct fold_point *point, cursor_hit_fn fn,
                              void *ctx)
{
    uint32_t cp = point->cp;
    bool letter = (cp | 0x20) - 'a' < 26;
    bool quiet = letter || (cp >= ' ' && cp < '+') || cp == '\n' || cp == ',' ||
                 (cp >= 0x3001 && cp <= 0x3020) || (cp >= 0x3400 && cp <= 0x9FFF);
    if (!quiet || cp == '%' || w->candidate_count || w->digit || w->maybe ||
        (w->firsts[(cp | (letter ? 0x20 : 0)) / 8 % 32] >> cp % 8 & 1))
        return watch_point_slow(w, point, fn, ctx);
    w->ring[w->count++ & w->mask] =
        (struct watch_glyph){.start = point->start,
                             .cp = cp,
                             .layers = w->gap,
                             .len = (uint8_t)(point->end - point->start),
                             .read = READ_KEPT};
    w->local = letter ? w->local : w->count;
    w->gap = 0;
    return 0;
}
