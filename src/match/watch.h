/*
 * Watches one text for patterns. They read a view of it: width, digit styles and invisible
 * characters folded, case and repeats kept.
 *
 * A gate says where a match may begin:
 *   - GATE_DIGITS: at the first digit of a run, also behind a blank or hyphen that is read both
 *     ways
 *   - GATE_AT: within the run of ASCII letters, digits and ._%+- that ends at an '@', at most
 *     GATE_RUN_MAX characters before it
 *   - GATE_COLON: within the hexadecimal number of up to four digits that ends at a ':'
 *   - GATE_WORD: within the word of up to four ASCII letters that ends at a digit
 *   - GATE_LITERAL: where the literal begins, ASCII case aside
 *
 * While no gate is open a watch is quiet and small: it knows what stands right before the text to
 * come, which is all that a gate may need when it opens. What an open gate needs is in a vigil
 * (match/vigil.h), which is gone when the last one has closed.
 */
#pragma once

#include "match/cursor.h"
#include "match/gates.h"
#include "text/fold.h"

struct vigil;

struct watch {
    const struct gates *gates;
    struct vigil *vigil; /* NULL while quiet */
    uint64_t pos;        /* end of the last glyph; `local`, numerals and prefix lead up to it */
    /*
     * The glyphs before the next: those of the run that a mark may end, as far as they may matter,
     * and before them the last of all others.
     */
    uint32_t context[PATTERN_CONTEXT_MAX]; /* ring */
    uint8_t context_at, context_len;       /* next place; in use */
    uint8_t numerals;                      /* so many of the last glyphs are Chinese numerals */
    uint8_t prefix;                        /* so many of them may begin a literal */
    uint8_t local_len;
    char local[GATE_RUN_MAX + PATTERN_CONTEXT_MAX + 15];
};

/* NULL when memory is out. The patterns must be ready and outlive it. */
struct watch *watch_new(const struct patterns *patterns, enum direction direction);
void watch_free(struct watch *w);
/* Its memory at present. */
size_t watch_bytes(const struct watch *w);
/* The next code point. 0, the positive answer of fn, -ENOMEM, -EOVERFLOW. */
static inline int watch_point(struct watch *w, const struct fold_point *point, cursor_hit_fn fn,
                              void *ctx);
/* A join or the end of the text: decides all candidates. Returns as watch_point(). */
int watch_end(struct watch *w, cursor_hit_fn fn, void *ctx);
/* Where the earliest match that may still grow begins, or UINT64_MAX. */
uint64_t watch_clear(const struct watch *w);

/*
 * Bytes at the start of `text`, at a code point boundary, that open no gate and end none; 0 while
 * the watch is not quiet. The text may be passed over with watch_passed(), or any beginning of it
 * that ends between code points.
 */
size_t watch_quiet(const struct watch *w, struct span text);
/*
 * Takes note of text that watch_quiet() let pass, as watch_point() would; `start` is its offset.
 * Only its last characters are looked at.
 */
void watch_passed(struct watch *w, struct span text, uint64_t start);

int watch_point_slow(struct watch *w, const struct fold_point *point, cursor_hit_fn fn, void *ctx);
/* The local run has ended: its last characters become context. */
void watch_end_local(struct watch *w);
void watch_add_local(struct watch *w, char c);

static inline void watch_add_context(struct watch *w, uint32_t cp)
{
    if (w->local_len)
        watch_end_local(w);
    w->context[w->context_at++ % PATTERN_CONTEXT_MAX] = cp;
    w->context_len += w->context_len < PATTERN_CONTEXT_MAX;
}

/* A character that isn't loud, or full-width. */
static inline void watch_add(struct watch *w, uint32_t cp)
{
    if (gate_local(cp))
        watch_add_local(w, (char)cp);
    else
        watch_add_context(w, cp - 0xFF01 < 94 ? cp - 0xFEE0 : cp);
}

/* Most text is Han characters, punctuation and Latin letters: that must cost next to nothing. */
static inline int watch_point(struct watch *w, const struct fold_point *point, cursor_hit_fn fn,
                              void *ctx)
{
    uint32_t cp = point->cp;
    bool begins = gates_begins(w->gates, cp);
    /* What a letter has begun mostly ends with the next one. */
    bool pending =
        w->prefix && (w->prefix > 1 || !w->local_len ||
                      gates_goes_on(w->gates, (unsigned char)w->local[w->local_len - 1], cp));
    if (w->vigil || w->numerals || pending || (gates_loud(w->gates, cp) && !begins))
        return watch_point_slow(w, point, fn, ctx);
    w->prefix = begins;
    watch_add(w, cp);
    w->pos = point->end;
    return 0;
}
