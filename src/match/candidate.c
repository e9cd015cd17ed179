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

/* A list that has outgrown its place within the vigil or its last one, or NULL. */
static void *list_grow(void *list, const void *first, uint32_t *cap, size_t size)
{
    void *grown = realloc(list == first ? NULL : list, 4 * *cap * size);
    if (grown && list == first)
        memcpy(grown, first, *cap * size);
    *cap *= grown ? 4 : 1;
    return grown;
}

/* The lane of that number, NULL when memory is out. */
static struct watch_lane *lane_of(struct vigil *v, uint32_t number)
{
    uint32_t slot = v->slots[number];
    if (slot < v->lane_count && v->lanes[slot].number == number)
        return &v->lanes[slot];
    if (v->lane_count == v->lane_cap) {
        struct watch_lane *list = list_grow(v->lanes, v->first_lanes, &v->lane_cap, sizeof(*list));
        if (!list)
            return NULL;
        v->lanes = list;
    }
    v->slots[number] = v->lane_count;
    v->lanes[v->lane_count] = (struct watch_lane){.number = number};
    return &v->lanes[v->lane_count++];
}

/* Takes a place of the pool; returns it plus one, 0 when memory is out. */
static uint32_t pool_take(struct vigil *v)
{
    uint32_t place = v->spare;
    if (place) {
        v->spare = v->candidates[place - 1].next;
    } else {
        if (v->candidate_used == v->candidate_cap) {
            struct watch_candidate *list =
                list_grow(v->candidates, v->first_candidates, &v->candidate_cap, sizeof(*list));
            if (!list)
                return 0;
            v->candidates = list;
        }
        place = ++v->candidate_used;
    }
    v->candidate_count++;
    return place;
}

static void pool_give(struct vigil *v, uint32_t place)
{
    v->candidates[place - 1].next = v->spare;
    v->spare = place;
    v->candidate_count--;
}

int candidate_add(struct vigil *v, uint32_t pattern, bool numerals, uint64_t start, uint64_t last)
{
    struct watch_lane *lane = lane_of(v, 2 * pattern + numerals);
    if (!lane)
        return -ENOMEM;
    if (start < lane->taken)
        return 0;
    uint32_t place = pool_take(v);
    if (!place)
        return -ENOMEM;
    v->candidates[place - 1] = (struct watch_candidate){
        .lane = lane->number, .start = start, .last = last, .due = v->count};
    if (lane->head) {
        v->candidates[lane->tail - 1].next = place;
    } else { /* none before it that must be decided first */
        lane->head = place;
        v->due = v->ripe = v->ripe_numerals = 0;
    }
    lane->tail = place;
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
static int candidate_walk(const struct vigil *v, struct watch_candidate *c, bool skip, bool open,
                          struct pattern_ends *ret_ends, bool *ret_both)
{
    const struct pattern *p = candidate_pattern(v, c);
    const struct shape *s = p->shape;
    struct watch_progress *progress = &c->progress[skip];
    unsigned full = p->width + PATTERN_AHEAD_MAX;
    ret_ends->count = 0;
    if (!progress->next) {
        if (c->start && shape_has(s->before, glyph_cp(c, vigil_glyph(v, c->start - 1))))
            return 0;
        *progress = (struct watch_progress){.next = c->start, .state = 1};
    }
    unsigned chars = progress->chars;
    uint16_t state = progress->state;
    *ret_both |= progress->both;
    for (uint64_t n = progress->next; n < v->count && chars < full; n++) {
        const struct watch_glyph *g = vigil_glyph(v, n);
        bool both = glyph_both(c, g, open), sure = both == glyph_both(c, g, false);
        *ret_both |= both;
        if (!skip || !both) {
            uint32_t cp = glyph_cp(c, g);
            if ((s->flags[state] & SHAPE_ACCEPTS) && !shape_has(s->after, cp))
                ends_add(ret_ends, chars);
            state = shape_step(s, state, cp);
            if (!state)
                break;
            chars++;
        }
        if (sure && !ret_ends->count)
            *progress = (struct watch_progress){.next = n + 1,
                                                .state = state,
                                                .chars = (uint16_t)chars,
                                                .both = progress->both || both};
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

/* Tries the candidate from where it stands. Returns as candidate_try_start(). */
static int candidate_try(struct vigil *v, struct watch_candidate *c, bool open)
{
    int r;
    while ((r = candidate_try_start(v, c, open)) > 0 && !c->matched && c->start < c->last) {
        c->start++;
        c->progress[0].next = c->progress[1].next = 0;
    }
    /* Trying ever more rarely keeps the whole linear; short texts are tried at each character. */
    c->due = v->count + 1 + (v->count - c->start) / 8;
    return r;
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
    return (edge || c->due <= v->count) && (!run || v->count >= candidate_ripe(v, c));
}

/* Notes when the candidate, the earliest of its lane, is tried next. */
static void candidate_delay(struct vigil *v, const struct watch_candidate *c)
{
    uint64_t due = c->due, ripe = candidate_ripe(v, c);
    ripe = ripe > due ? ripe : due;
    uint64_t between = candidate_numerals(c) ? ripe : due;
    v->due = due < v->due ? due : v->due;
    v->ripe = ripe < v->ripe ? ripe : v->ripe;
    v->ripe_numerals = between < v->ripe_numerals ? between : v->ripe_numerals;
    v->first = c->start < v->first ? c->start : v->first;
}

/* Decides the lane's candidates in their order, as far as can be; those that match go to *matches.
 */
static int lane_try(struct vigil *v, struct watch_lane *lane, bool open, bool edge,
                    uint32_t *matches)
{
    while (lane->head) {
        uint32_t place = lane->head;
        struct watch_candidate *c = &v->candidates[place - 1];
        c->matched = false;
        if (c->start >= lane->taken) {
            int r = !open || candidate_due(v, c, edge) ? candidate_try(v, c, open) : 0;
            if (r < 0)
                return r;
            if (r == 0) {
                candidate_delay(v, c);
                return 0;
            }
        }
        lane->head = c->next;
        if (c->matched) {
            lane->taken = c->end;
            c->next = *matches;
            *matches = place;
        } else {
            pool_give(v, place);
        }
    }
    return 0;
}

static bool hit_before(const struct hit *a, const struct hit *b)
{
    if (a->start != b->start)
        return a->start < b->start;
    return a->end != b->end ? a->end > b->end : a->rule < b->rule;
}

/* Takes the hit to report next off the list: by start, longer first, rule. */
static struct hit matches_take(struct vigil *v, uint32_t *matches)
{
    uint32_t *best = matches;
    for (uint32_t *at = matches; *at; at = &v->candidates[*at - 1].next)
        if (hit_before(&v->candidates[*at - 1].hit, &v->candidates[*best - 1].hit))
            best = at;
    uint32_t place = *best;
    struct hit hit = v->candidates[place - 1].hit;
    *best = v->candidates[place - 1].next;
    pool_give(v, place);
    return hit;
}

/*
 * Of one lane's candidates only the earliest is tried until it is decided, so that crowded starts
 * cost no more than few.
 */
int candidates_try(struct vigil *v, bool open, bool edge, cursor_hit_fn fn, void *ctx)
{
    uint32_t matches = 0;
    uint64_t first = v->first;
    v->due = v->ripe = v->ripe_numerals = v->first = UINT64_MAX;
    for (uint32_t i = 0; i < v->lane_count; i++) {
        int r = lane_try(v, &v->lanes[i], open, edge, &matches);
        if (r < 0) {
            v->first = first; /* what is undecided stays held */
            return r;
        }
    }
    int answer = 0;
    while (matches && !answer) {
        struct hit hit = matches_take(v, &matches);
        answer = fn(ctx, &hit);
    }
    return answer;
}
