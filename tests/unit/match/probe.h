/* Runs a cursor over a text in given pieces and collects what it says. */
#pragma once

#include "../unit.h"

#include "match/cursor.h"

#include <stdio.h>
#include <stdlib.h>

#define PROBE_HITS 512
#define PROBE_JOIN '\x1F' /* stands for a join mark in texts of these tests */

/*
 * How often a test of chance repeats: more in a soak, with other seeds (JUYONG_SOAK), so that it is
 * no mere repetition of what runs every time.
 */
static inline int soak_rounds(int rounds, uint64_t *seed)
{
    if (!getenv("JUYONG_SOAK"))
        return rounds;
    *seed += 1000003;
    return 20 * rounds;
}

struct probe {
    struct hit hits[PROBE_HITS];
    size_t count;
    uint64_t clear; /* the largest that was answered */
    int stop_at;    /* answers 1 at this hit, counted from 1; 0: never */
};

static inline int probe_hit(void *ctx, const struct hit *hit)
{
    struct probe *p = ctx;
    assert_true(p->count < PROBE_HITS);
    if (hit->start < p->clear)
        fail_msg("hit %u at %d..%d after clear %d", hit->rule, (int)hit->start, (int)hit->end,
                 (int)p->clear);
    p->hits[p->count++] = *hit;
    return p->stop_at && (int)p->count == p->stop_at;
}

/* Feeds one piece, in which PROBE_JOIN stands for a join mark. */
static inline int probe_feed(struct cursor *c, struct span piece, struct probe *p)
{
    while (piece.len) {
        const char *mark = memchr(piece.data, PROBE_JOIN, piece.len);
        size_t n = mark ? (size_t)(mark - piece.data) : piece.len;
        int r = n ? cursor_feed(c, span_from(piece.data, n), probe_hit, p) : 0;
        if (r == 0 && mark)
            r = cursor_join(c, JOINT_PART, probe_hit, p);
        uint64_t clear = cursor_clear(c);
        if (r == 0 && clear < p->clear)
            fail_msg("clear fell from %d to %d after \"%.*s\"", (int)p->clear, (int)clear,
                     SPAN_ARG(piece));
        p->clear = clear;
        if (r)
            return r;
        piece = span_slice(piece, mark ? n + 1 : n, piece.len);
    }
    return 0;
}

static inline void probe_same(const struct probe *got, const struct probe *want, struct span text)
{
    bool same = got->count == want->count;
    for (size_t i = 0; same && i < got->count; i++)
        same = memcmp(&got->hits[i], &want->hits[i], sizeof(got->hits[i])) == 0;
    if (same)
        return;
    for (size_t i = 0; i < got->count; i++)
        fprintf(stderr, "got  %d..%d rule %u layers %x\n", (int)got->hits[i].start,
                (int)got->hits[i].end, got->hits[i].rule, got->hits[i].layers);
    for (size_t i = 0; i < want->count; i++)
        fprintf(stderr, "want %d..%d rule %u layers %x\n", (int)want->hits[i].start,
                (int)want->hits[i].end, want->hits[i].rule, want->hits[i].layers);
    fail_msg("hits differ in \"%.*s\"", SPAN_ARG(text));
}

/*
 * Feeds the text in pieces of up to `most` bytes with a hit callback that stops at p->stop_at, and
 * finishes it unless stopped. Returns what the last call did.
 */
static inline int probe_pieces(const struct matchset *set, struct span text, uint64_t *seed,
                               size_t most, struct probe *p)
{
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    assert_non_null(c);
    int r = 0;
    for (size_t at = 0; at < text.len && r == 0;) {
        size_t n = 1 + random_next(seed) % most;
        n = n < text.len - at ? n : text.len - at;
        r = probe_feed(c, span_slice(text, at, at + n), p);
        at += n;
    }
    if (r == 0)
        r = cursor_finish(c, probe_hit, p);
    p->clear = cursor_clear(c);
    cursor_free(c);
    return r;
}

/* A stop at any hit comes at the same place, with the same text clear, however the text is cut. */
static inline void probe_stops(const struct matchset *set, struct span text, uint64_t *seed,
                               size_t hits)
{
    for (size_t stop = 1; stop <= hits; stop++) {
        struct probe whole = {.stop_at = (int)stop}, pieces = {.stop_at = (int)stop};
        assert_int_equal(probe_pieces(set, text, seed, 1, &whole), 1);
        assert_int_equal(probe_pieces(set, text, seed, 9, &pieces), 1);
        probe_same(&pieces, &whole, text);
        if (whole.clear != pieces.clear)
            fail_msg("stop %d: clear %d and %d in \"%.*s\"", (int)stop, (int)whole.clear,
                     (int)pieces.clear, SPAN_ARG(text));
    }
}

/* The whole text in one piece. */
static inline void probe_run(const struct matchset *set, struct span text, struct probe *p)
{
    struct cursor *c = cursor_new(set, DIRECTION_PROMPT);
    assert_non_null(c);
    assert_int_equal(probe_feed(c, text, p), 0);
    assert_int_equal(cursor_finish(c, probe_hit, p), 0);
    cursor_free(c);
}

static inline struct matchset *probe_set(struct matchset_builder *b)
{
    struct matchset *set = NULL;
    assert_int_equal(matchset_build(b, &set), 0);
    matchset_builder_free(b);
    return set;
}
