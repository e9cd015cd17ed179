/*
 * What a watch keeps while a gate is open: the view of the text around it, and a candidate for each
 * place where a match may begin. A candidate is tried when its text has grown enough; when that is
 * depends on the text alone. The earliest start of a pattern wins over those within its match.
 *
 * Two things can be read in two ways, and each pattern is tried both ways:
 *   - a single blank or hyphen between two digits: as itself and as nothing;
 *   - Chinese numerals in a run of GATE_NUMERALS_MIN and more digits: as themselves and, in
 *     candidates of their own, as digits.
 */
#pragma once

#include "match/cursor.h"
#include "match/gates.h"

/* A blank or hyphen behind a digit: the last character so far; or before one too, read both ways.
 * The same once more with numerals as digits. */
enum { READ_MAYBE = 1, READ_BOTH = 2, READ_SHIFT = 2 };

/* A character of the view. */
struct watch_glyph {
    uint64_t start;
    uint32_t cp;
    uint16_t layers; /* of its own and between it and the one before */
    uint8_t len;     /* raw bytes */
    uint8_t read;    /* READ_* bits */
};

/* How far a table has read a candidate for good, without any match so far. */
struct watch_progress {
    uint64_t next; /* number of the next glyph; 0 when nothing has been read */
    uint16_t state, chars;
    bool both; /* something may be read as nothing */
};

struct watch_candidate {
    uint64_t start; /* number of a glyph */
    uint64_t last;  /* where it may begin at the latest */
    uint64_t due;   /* number of glyphs at which it is tried again */
    uint64_t end;   /* when matched: the number behind its last glyph */
    uint32_t lane;  /* see below */
    uint32_t next;  /* place of the next in a list, plus one; 0 at its end */
    bool matched;
    struct hit hit;                    /* when matched */
    struct watch_progress progress[2]; /* separators as themselves and as nothing */
};

/* The candidates of one pattern, read in one way. */
struct watch_lane {
    uint32_t number;     /* twice the pattern, plus one when numerals are digits */
    uint32_t head, tail; /* places plus one, by start */
    uint64_t taken;      /* number behind its last match */
};

/* All three grow; most gates close again with these. */
#define VIGIL_RING       32
#define VIGIL_CANDIDATES 4
#define VIGIL_LANES      4

struct vigil {
    const struct gates *gates;
    struct watch_glyph *ring;    /* by number */
    uint64_t mask;               /* ring size less one */
    uint64_t count;              /* number of the next glyph */
    uint64_t local;              /* first glyph of the run that a mark may end; count when none */
    uint16_t gap;                /* layers since the last glyph */
    bool digit, maybe;           /* the last glyph is a digit; is READ_MAYBE */
    bool numeral, numeral_maybe; /* the same with numerals as digits */

    /*
     * A run of digits and numerals, separators within it. A match may begin behind each separator,
     * from `run` on: the first such place that the present is not too far from, UINT64_MAX for
     * none.
     */
    uint64_t run;
    uint64_t run_digits;  /* from there */
    uint64_t run_numeral; /* the last numeral, UINT64_MAX for none */
    uint64_t run_made;    /* places before it have their candidates */

    struct watch_candidate *candidates;                      /* a pool */
    uint32_t candidate_used, candidate_cap, candidate_count; /* places ever used; in use now */
    uint32_t spare;                                          /* list of places free again */
    struct watch_lane *lanes;                                /* those that had a candidate */
    uint32_t lane_count, lane_cap;
    uint64_t first; /* the least start of all candidates */
    /* Before this number of glyphs none is worth a try, unless at an edge: `ripe` holds while a run
     * of digits goes on, `ripe_numerals` while one with numerals does, `due` otherwise. */
    uint64_t due, ripe, ripe_numerals;
    struct pattern_scratch *scratch; /* made when first needed */
    struct watch_glyph first_ring[VIGIL_RING];
    struct watch_candidate first_candidates[VIGIL_CANDIDATES];
    struct watch_lane first_lanes[VIGIL_LANES];
    uint32_t slots[]; /* by number of a lane: its place, if that one has this number */
};

/* NULL when memory is out. */
struct vigil *vigil_new(const struct gates *gates);
void vigil_free(struct vigil *v);
size_t vigil_bytes(const struct vigil *v);
/* Takes a glyph that came before the gate opened. 0, -ENOMEM. */
int vigil_seed(struct vigil *v, const struct watch_glyph *glyph);
/* The next glyph: opens gates and tries. 0, the positive answer of fn, -ENOMEM, -EOVERFLOW. */
int vigil_push(struct vigil *v, const struct watch_glyph *glyph, cursor_hit_fn fn, void *ctx);
/* Nothing follows: decides all candidates. Returns as vigil_push(). */
int vigil_end(struct vigil *v, cursor_hit_fn fn, void *ctx);
/* The number of the first glyph that a match may still begin with, or count. */
uint64_t vigil_needed(const struct vigil *v);
/* Whether nothing is open any more and the last glyph can begin nothing. */
bool vigil_over(const struct vigil *v);

/* Within vigil.c and candidate.c. */
int candidate_add(struct vigil *v, uint32_t pattern, bool numerals, uint64_t start, uint64_t last);
/* `edge`: a word or number has just ended, so that much can be decided. */
int candidates_try(struct vigil *v, bool open, bool edge, cursor_hit_fn fn, void *ctx);

static inline struct watch_glyph *vigil_glyph(const struct vigil *v, uint64_t number)
{
    return &v->ring[number & v->mask];
}
