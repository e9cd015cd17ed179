#include "match/vigil.h"

#include <errno.h>
#include <stdlib.h>

static const struct pattern *candidate_pattern(const struct vigil *v,
                                               const struct watch_candidate *c)
{
    return &v->gates->list[c->lane / 2];
}

static bool candidate_numerals(const struct watch_candidate *c)
{
    return c->lane & 1;
}

/* The latest candidate of that lane, or NULL. */
static struct watch_candidate *lane_latest(struct vigil *v, uint32_t lane, size_t count)
{
    uint32_t slot = v->slots[lane];
    return slot < count && v->candidates[slot].lane == lane ? &v->candidates[slot] : NULL;
}

int candidate_add(struct vigil *v, uint32_t pattern, bool numerals, uint64_t start, uint64_t last)
{
    if (v->candidate_count == v->candidate_cap) {
        bool first = v->candidates == v->first_candidates;
        size_t cap = 4 * v->candidate_cap;
        struct watch_candidate *list = realloc(first ? NULL : v->candidates, cap * sizeof(*list));
        if (!list)
            return -ENOMEM;
        if (first)
            memcpy(list, v->first_candidates, sizeof(v->first_candidates));
        v->candidates = list;
        v->candidate_cap = cap;
    }
    uint32_t lane = 2 * pattern + numerals;
    if (!lane_latest(v, lane, v->candidate_count)) /* none before it that must be decided first */
        v->due = v->ripe = v->ripe_numerals = 0;
    v->slots[lane] = (uint32_t)v->candidate_count;
    v->candidates[v->candidate_count++] =
        (struct watch_candidate){.lane = lane, .start = start, .last = last, .next = v->count};
    v->first = start < v->first ? start : v->first;
    return 0;
}

/* How this candidate reads a glyph. */
static uint32_t glyph_cp(const struct watch_candidate *c, const struct watch_glyph *g)
{
    int digit = candidate_numerals(c) ? numeral_digit(g->cp) : -1;
    return digit < 0 ? g->cp : '0' + (uint32_t)digit;
}

/* Whether it may be read as nothing; a MAYBE only counts while the text is open. */
static bool glyph_both(const struct watch_candidate *c, const struct watch_glyph *g, bool open)
{
    unsigned read = candidate_numerals(c) ? g->read >> READ_SHIFT : g->read;
    return read & (open ? READ_BOTH | READ_MAYBE : READ_BOTH);
}

/* Whether the text from the start is the literal so far; *ret_whole when all of it is there. */
static bool literal_matches(const struct vigil *v, const struct pattern *p, uint64_t start,
                            bool *ret_whole)
{
    struct span literal = buf_span(&p->literal);
    for (uint64_t n = start; literal.len; n++) {
        uint32_t cp;
        if (n == v->count) {
            *ret_whole = false;
            return true;
        }
        int len = utf8_decode(literal, false, &cp);
        if (len <= 0 || pattern_lower(cp) != pattern_lower(vigil_glyph(v, n)->cp))
            return false;
        literal = span_slice(literal, (size_t)len, literal.len);
    }
    *ret_whole = true;
    return true;
}

/* The text that PCRE2 reads for one candidate. */
struct subject {
    char bytes[4 * (PATTERN_CONTEXT_MAX + MATCH_PATTERN_WIDTH_MAX + PATTERN_AHEAD_MAX)];
    size_t len, at; /* bytes in all, before the start */
    bool full;      /* it has all the characters that may matter */
    bool both;      /* something in it may be read as nothing */
};

/* With `skip`, what may be read as nothing is; a MAYBE at the end then waits for the next. */
static void subject_build(const struct vigil *v, const struct watch_candidate *c, bool skip,
                          bool open, struct subject *ret)
{
    unsigned chars = 0, full = candidate_pattern(v, c)->width + PATTERN_AHEAD_MAX;
    uint64_t low = c->start < PATTERN_CONTEXT_MAX ? 0 : c->start - PATTERN_CONTEXT_MAX;
    ret->len = ret->at = 0;
    ret->full = ret->both = false;
    for (uint64_t n = low; n < v->count && !ret->full; n++) {
        const struct watch_glyph *g = vigil_glyph(v, n);
        if (n == c->start)
            ret->at = ret->len;
        if (n >= c->start) {
            bool both = glyph_both(c, g, open);
            ret->both |= both;
            if (skip && both)
                continue;
            chars++;
        }
        ret->len += utf8_encode(glyph_cp(c, g), ret->bytes + ret->len);
        ret->full = chars == full;
    }
}

/* Fills in the hit of the longest match that the validator takes, if there is one. */
static void candidate_hit(const struct vigil *v, struct watch_candidate *c, const struct subject *s,
                          const struct pattern_ends *ends, bool skip)
{
    const struct pattern *p = candidate_pattern(v, c);
    struct span text;
    for (unsigned i = 0;; i++) {
        if (i == ends->count)
            return;
        text = span_from(s->bytes + s->at, ends->at[i] - s->at);
        if (!p->validator || p->validator(text))
            break;
    }
    struct hit hit = {.start = vigil_glyph(v, c->start)->start, .rule = p->rule};
    size_t chars = utf8_count(text);
    uint64_t n = c->start;
    for (; chars; n++) {
        const struct watch_glyph *g = vigil_glyph(v, n);
        bool nothing = skip && glyph_both(c, g, false);
        uint32_t seen = n > c->start ? g->layers : g->layers & LAYER_WIDTH;
        hit.layers |= nothing ? LAYER_SEPARATOR : seen;
        hit.layers |= glyph_cp(c, g) != g->cp ? LAYER_NUMERAL : 0;
        hit.end = g->start + g->len;
        chars -= !nothing;
    }
    /* One without numerals is found by the candidate that leaves them as they are. */
    if (candidate_numerals(c) && !(hit.layers & LAYER_NUMERAL))
        return;
    if (!c->matched || hit.end > c->hit.end) {
        c->hit = hit;
        c->end = n;
    }
    c->matched = true;
}

/* A match of `length` characters, longer than all before. */
static void ends_add(struct pattern_ends *ends, size_t length)
{
    unsigned kept = ends->count < PATTERN_ENDS_MAX ? ends->count : PATTERN_ENDS_MAX - 1;
    memmove(ends->at + 1, ends->at, kept * sizeof(*ends->at));
    ends->at[0] = length;
    ends->count = kept + 1;
}

/*
 * pattern_try() by the table, over the glyphs themselves. Returns 1 and the lengths of matches in
 * characters, 0, or 2; *ret_both when the part that decides may be read both ways.
 */
static int candidate_walk(const struct vigil *v, const struct watch_candidate *c, bool skip,
                          bool open, struct pattern_ends *ret_ends, bool *ret_both)
{
    const struct pattern *p = candidate_pattern(v, c);
    const struct shape *s = p->shape;
    unsigned full = p->width + PATTERN_AHEAD_MAX, chars = 0;
    uint16_t state = 1;
    ret_ends->count = 0;
    if (c->start && shape_has(s->before, glyph_cp(c, vigil_glyph(v, c->start - 1))))
        return 0;
    for (uint64_t n = c->start; n < v->count && chars < full; n++) {
        const struct watch_glyph *g = vigil_glyph(v, n);
        if (glyph_both(c, g, open)) {
            *ret_both = true;
            if (skip)
                continue;
        }
        uint32_t cp = glyph_cp(c, g);
        if ((s->flags[state] & SHAPE_ACCEPTS) && !shape_has(s->after, cp))
            ends_add(ret_ends, chars);
        state = shape_step(s, state, cp);
        if (!state)
            break;
        chars++;
    }
    bool accepts = s->flags[state] & SHAPE_ACCEPTS;
    if (open && chars < full && ((s->flags[state] & SHAPE_GOES_ON) || (accepts && s->follows)))
        return 2;
    if (accepts)
        ends_add(ret_ends, chars);
    return ret_ends->count > 0;
}

/* candidate_try_start() for a pattern that has a table. */
static int candidate_walk_start(struct vigil *v, struct watch_candidate *c, bool open)
{
    struct subject s UNINITIALIZED;
    bool waits = false, both = false;
    for (int skip = 0; skip < 2; skip++) {
        struct pattern_ends ends;
        int r = candidate_walk(v, c, skip, open, &ends, &both);
        if (r == 1) {
            subject_build(v, c, skip, open, &s);
            for (unsigned i = 0; i < ends.count; i++)
                ends.at[i] += s.at; /* a match is ASCII */
            candidate_hit(v, c, &s, &ends, skip);
        }
        waits |= r == 2;
        if (!both)
            break;
    }
    return !waits;
}

/* Tries the candidate at its start, both ways. Returns 1 when it is decided, 0, -errno. */
static int candidate_try_start(struct vigil *v, struct watch_candidate *c, bool open)
{
    const struct pattern *p = candidate_pattern(v, c);
    struct subject s UNINITIALIZED;
    bool waits = false;
    c->matched = false;
    if (p->gate == GATE_LITERAL) {
        bool whole;
        if (!literal_matches(v, p, c->start, &whole))
            return 1;
        if (!whole)
            return !open;
    }
    if (p->shape)
        return candidate_walk_start(v, c, open);
    if (!v->scratch) {
        v->scratch = pattern_scratch_new();
        if (!v->scratch)
            return -ENOMEM;
    }
    for (int skip = 0; skip < 2; skip++) {
        struct pattern_ends ends;
        subject_build(v, c, skip, open, &s);
        if (skip && !s.both)
            break;
        int r = pattern_try(p, v->scratch, span_from(s.bytes, s.len), s.at, open && !s.full, &ends);
        if (r < 0)
            return r;
        if (r == 1)
            candidate_hit(v, c, &s, &ends, skip);
        waits |= r == 2;
    }
    return !waits;
}

static int candidate_try(struct vigil *v, struct watch_candidate *c, bool open)
{
    for (;;) {
        int r = candidate_try_start(v, c, open);
        if (r < 0)
            return r;
        c->decided = r > 0;
        if (!c->decided || c->matched || c->start == c->last)
            break;
        c->start++;
    }
    uint64_t len = v->count - c->start;
    /* Trying ever more rarely keeps the whole linear; short texts are tried at each character. */
    c->next = v->count + 1 + len / 8;
    return 0;
}

/* Of those decided now: the hit to report next, by start, longer first, rule. */
static struct watch_candidate *candidates_pick(struct vigil *v)
{
    struct watch_candidate *best = NULL;
    for (size_t i = 0; i < v->candidate_count; i++) {
        struct watch_candidate *c = &v->candidates[i];
        if (!c->decided || !c->matched)
            continue;
        bool before = !best || c->hit.start < best->hit.start ||
                      (c->hit.start == best->hit.start &&
                       (c->hit.end > best->hit.end ||
                        (c->hit.end == best->hit.end && c->hit.rule < best->hit.rule)));
        best = before ? c : best;
    }
    return best;
}

/* Forgets those that are decided. */
static void candidates_sweep(struct vigil *v)
{
    size_t kept = 0;
    v->first = UINT64_MAX;
    for (size_t i = 0; i < v->candidate_count; i++) {
        if (v->candidates[i].decided)
            continue;
        if (kept != i)
            v->candidates[kept] = v->candidates[i];
        struct watch_candidate *c = &v->candidates[kept];
        v->slots[c->lane] = (uint32_t)kept++;
        v->first = c->start < v->first ? c->start : v->first;
    }
    v->candidate_count = kept;
}

/* The number of glyphs before which it is not worth a try while its run of digits goes on. */
static uint64_t candidate_ripe(const struct vigil *v, const struct watch_candidate *c)
{
    const struct pattern *p = candidate_pattern(v, c);
    return p->gate == GATE_DIGITS ? c->start + p->least : 0;
}

static bool candidate_due(const struct vigil *v, const struct watch_candidate *c, bool edge)
{
    bool run = candidate_numerals(c) ? v->numeral || v->numeral_maybe : v->digit || v->maybe;
    return (edge || c->next <= v->count) && (!run || v->count >= candidate_ripe(v, c));
}

/* Notes when the candidate, the earliest undecided of its lane, is tried next. */
static void candidate_delay(struct vigil *v, const struct watch_candidate *c)
{
    uint64_t ripe = candidate_ripe(v, c), next = c->next;
    ripe = ripe > next ? ripe : next;
    uint64_t between = candidate_numerals(c) ? ripe : next;
    v->due = next < v->due ? next : v->due;
    v->ripe = ripe < v->ripe ? ripe : v->ripe;
    v->ripe_numerals = between < v->ripe_numerals ? between : v->ripe_numerals;
}

/*
 * Of one lane's candidates only the earliest is tried until it is decided, so that crowded starts
 * cost no more than few.
 */
int candidates_try(struct vigil *v, bool open, bool edge, cursor_hit_fn fn, void *ctx)
{
    bool matched = false;
    v->due = v->ripe = v->ripe_numerals = UINT64_MAX;
    for (size_t i = 0; i < v->candidate_count; i++) {
        struct watch_candidate *c = &v->candidates[i];
        const struct watch_candidate *before = lane_latest(v, c->lane, i);
        c->taken = before ? before->taken : 0;
        v->slots[c->lane] = (uint32_t)i;
        c->decided = c->start < c->taken && c->taken != UINT64_MAX;
        if (c->decided || c->taken == UINT64_MAX)
            continue;
        if (!open || candidate_due(v, c, edge)) {
            int r = candidate_try(v, c, open);
            if (r < 0)
                return r;
        }
        if (!c->decided) {
            c->taken = UINT64_MAX;
            candidate_delay(v, c);
        } else if (c->matched) {
            c->taken = c->end;
            matched = true;
        }
    }
    int answer = 0;
    for (struct watch_candidate *c; matched && !answer && (c = candidates_pick(v));) {
        c->matched = false;
        answer = fn(ctx, &c->hit);
    }
    candidates_sweep(v);
    return answer;
}
