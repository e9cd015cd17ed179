#include "match/watch.h"

#include <errno.h>
#include <stdlib.h>

struct watch_candidate {
    uint64_t start; /* number of a glyph */
    uint64_t last;  /* where it may begin at the latest */
    uint64_t next;  /* number of glyphs at which it is tried again */
    uint32_t pattern;
    bool decided, matched;
    struct hit hit; /* when matched */
    uint64_t end;   /* likewise, as the number behind its last glyph */
};

/* Room for context and the part of an address before its '@'; grows with open candidates. */
#define RING_MIN 128

struct watch *watch_new(const struct patterns *patterns, enum direction direction)
{
    struct watch *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->ring = calloc(RING_MIN, sizeof(*w->ring));
    w->taken = calloc(patterns->count, sizeof(*w->taken));
    if (!w->ring || !w->taken) {
        watch_free(w);
        return NULL;
    }
    w->mask = RING_MIN - 1;
    w->patterns = patterns;
    w->direction = (uint8_t)direction;
    w->first = UINT64_MAX;
    for (size_t i = 0; i < patterns->count; i++) {
        const struct pattern *p = &patterns->list[i];
        if (!(p->direction & direction))
            continue;
        w->digits |= p->gate == GATE_DIGITS;
        w->at |= p->gate == GATE_AT;
        if (p->gate == GATE_LITERAL)
            w->firsts[p->first / 8 % 32] |= (uint8_t)(1u << p->first % 8);
    }
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    pattern_scratch_free(w->scratch);
    free(w->candidates);
    free(w->ring);
    free(w->taken);
    free(w);
}

static struct watch_glyph *watch_glyph(const struct watch *w, uint64_t number)
{
    return &w->ring[number & w->mask];
}

static bool is_digit(uint32_t cp)
{
    return cp - '0' <= 9;
}

static bool is_alnum(uint32_t cp)
{
    return is_digit(cp) || (cp | 0x20) - 'a' < 26;
}

static bool is_local(uint32_t cp)
{
    return is_alnum(cp) || cp == '.' || cp == '_' || cp == '%' || cp == '+' || cp == '-';
}

/* The first glyph that a match may still begin with, or count. */
static uint64_t watch_needed(const struct watch *w)
{
    uint64_t first = w->first < w->count ? w->first : w->count;
    if (!w->at || w->local >= first)
        return first;
    uint64_t reach = w->count - w->local > WATCH_LOCAL_MAX ? w->count - WATCH_LOCAL_MAX : w->local;
    return reach < first ? reach : first;
}

static int ring_grow(struct watch *w)
{
    uint32_t cap = w->mask + 1;
    struct watch_glyph *ring = calloc(2u * cap, sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    for (uint32_t i = 0; i < cap && i < w->count; i++) {
        uint64_t number = w->count - 1 - i;
        ring[number & (2u * cap - 1)] = *watch_glyph(w, number);
    }
    free(w->ring);
    w->ring = ring;
    w->mask = 2 * cap - 1;
    return 0;
}

static int candidate_add(struct watch *w, uint32_t pattern, uint64_t start, uint64_t last)
{
    if (w->candidate_count == w->candidate_cap) {
        size_t cap = w->candidate_cap ? 2 * w->candidate_cap : 8;
        struct watch_candidate *list = realloc(w->candidates, cap * sizeof(*list));
        if (!list)
            return -ENOMEM;
        w->candidates = list;
        w->candidate_cap = cap;
    }
    w->candidates[w->candidate_count++] = (struct watch_candidate){
        .pattern = pattern, .start = start, .last = last, .next = w->count};
    w->first = start < w->first ? start : w->first;
    if (w->taken[pattern] != UINT64_MAX) /* none before it that must be decided first */
        w->due = w->ripe = 0;
    return 0;
}

/* Opens the gates that the glyph before w->count means. */
static int watch_gates(struct watch *w)
{
    uint64_t number = w->count - 1;
    uint32_t cp = watch_glyph(w, number)->cp;
    bool digit = w->digits && is_digit(cp) &&
                 (number == w->origin || !is_digit(watch_glyph(w, number - 1)->cp));
    uint32_t lower = pattern_lower(cp);
    bool literal = w->firsts[lower / 8 % 32] >> lower % 8 & 1;
    bool at = w->at && cp == '@' && w->local < number;
    if (!digit && !literal && !at)
        return 0;
    uint64_t local = w->local;
    if (at && number - local > WATCH_LOCAL_MAX)
        local = number - WATCH_LOCAL_MAX;
    for (size_t i = 0; i < w->patterns->count; i++) {
        const struct pattern *p = &w->patterns->list[i];
        int r = 0;
        if (!(p->direction & w->direction))
            continue;
        if (p->gate == GATE_AT && at)
            r = candidate_add(w, (uint32_t)i, local, number);
        else if ((p->gate == GATE_DIGITS && digit) ||
                 (p->gate == GATE_LITERAL && literal && p->first == lower))
            r = candidate_add(w, (uint32_t)i, number, number);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Whether the text from the start is the literal so far; *ret_whole when all of it is there. */
static bool literal_matches(const struct watch *w, const struct pattern *p, uint64_t start,
                            bool *ret_whole)
{
    struct span literal = buf_span(&p->literal);
    for (uint64_t n = start; literal.len; n++) {
        uint32_t cp;
        if (n == w->count) {
            *ret_whole = false;
            return true;
        }
        int len = utf8_decode(literal, false, &cp);
        if (len <= 0 || pattern_lower(cp) != pattern_lower(watch_glyph(w, n)->cp))
            return false;
        literal = span_slice(literal, (size_t)len, literal.len);
    }
    *ret_whole = true;
    return true;
}

/* The text that PCRE2 reads for one candidate. */
struct subject {
    char bytes[4 * (PATTERN_CONTEXT_MAX + MATCH_PATTERN_WIDTH_MAX + PATTERN_AHEAD_MAX)];
    size_t len, at, limit; /* bytes in all, before the start, to the end of its width */
    bool full;             /* it has all the characters that may matter */
    bool both;             /* something in it may be read as nothing */
};

/* With `skip`, what may be read as nothing is; a MAYBE at the end then waits for the next. */
static void subject_build(const struct watch *w, const struct watch_candidate *c, bool skip,
                          bool open, struct subject *ret)
{
    const struct pattern *p = &w->patterns->list[c->pattern];
    uint64_t low = w->origin;
    if (c->start - low > PATTERN_CONTEXT_MAX)
        low = c->start - PATTERN_CONTEXT_MAX;
    unsigned chars = 0;
    ret->len = ret->at = 0;
    ret->full = ret->both = false;
    ret->limit = SIZE_MAX;
    for (uint64_t n = low; n < w->count && !ret->full; n++) {
        const struct watch_glyph *g = watch_glyph(w, n);
        if (n == c->start)
            ret->at = ret->len;
        if (n >= c->start) {
            bool both = g->read == READ_BOTH || (open && g->read == READ_MAYBE);
            ret->both |= both;
            if (skip && both)
                continue;
            chars++;
        }
        ret->len += utf8_encode(g->cp, ret->bytes + ret->len);
        if (chars == p->width)
            ret->limit = ret->len;
        ret->full = chars == p->width + PATTERN_AHEAD_MAX;
    }
}

/* Fills in the hit whose end is the byte `end` of the subject. False when the validator refuses. */
static bool candidate_hit(const struct watch *w, struct watch_candidate *c, const struct subject *s,
                          size_t end, bool skip)
{
    const struct pattern *p = &w->patterns->list[c->pattern];
    struct span text = span_from(s->bytes + s->at, end - s->at);
    if (p->validator && !p->validator(text))
        return false;
    struct hit hit = {.start = watch_glyph(w, c->start)->start, .rule = p->rule};
    size_t chars = utf8_count(text);
    uint64_t n = c->start;
    for (; chars; n++) {
        const struct watch_glyph *g = watch_glyph(w, n);
        bool nothing = skip && g->read == READ_BOTH;
        uint32_t seen = n > c->start ? g->layers : g->layers & LAYER_WIDTH;
        hit.layers |= nothing ? LAYER_SEPARATOR : seen;
        hit.end = g->start + g->len;
        chars -= !nothing;
    }
    if (!c->matched || hit.end > c->hit.end) {
        c->hit = hit;
        c->end = n;
    }
    c->matched = true;
    return true;
}

/*
 * pattern_try() by the table, over the glyphs themselves. Returns 1 and the match's length in
 * characters, 0, or 2; *ret_both when the part that decides may be read both ways.
 */
static int candidate_walk(const struct watch *w, const struct watch_candidate *c, bool skip,
                          bool open, unsigned *ret_length, bool *ret_both)
{
    const struct pattern *p = &w->patterns->list[c->pattern];
    const struct shape *s = p->shape;
    unsigned full = p->width + PATTERN_AHEAD_MAX, chars = 0, length = 0;
    uint16_t state = 1;
    if (c->start > w->origin && shape_has(s->before, watch_glyph(w, c->start - 1)->cp))
        return 0;
    for (uint64_t n = c->start; n < w->count && chars < full; n++) {
        const struct watch_glyph *g = watch_glyph(w, n);
        if (g->read == READ_BOTH || (open && g->read == READ_MAYBE)) {
            *ret_both = true;
            if (skip)
                continue;
        }
        if ((s->flags[state] & SHAPE_ACCEPTS) && chars <= p->width && !shape_has(s->after, g->cp))
            length = chars;
        state = shape_step(s, state, g->cp);
        if (!state)
            break;
        chars++;
    }
    bool accepts = s->flags[state] & SHAPE_ACCEPTS;
    if (open && chars < full && ((s->flags[state] & SHAPE_GOES_ON) || (accepts && s->follows)))
        return 2;
    if (accepts && chars <= p->width)
        length = chars;
    *ret_length = length;
    return length > 0;
}

/* candidate_try_start() for a pattern that has a table. */
static int candidate_walk_start(struct watch *w, struct watch_candidate *c, bool open)
{
    struct subject s UNINITIALIZED;
    bool waits = false, both = false;
    for (int skip = 0; skip < 2; skip++) {
        unsigned length;
        int r = candidate_walk(w, c, skip, open, &length, &both);
        if (r == 1) {
            subject_build(w, c, skip, open, &s);
            candidate_hit(w, c, &s, s.at + length, skip); /* a match is ASCII */
        }
        waits |= r == 2;
        if (!both)
            break;
    }
    return !waits;
}

/* Tries the candidate at its start, both ways. Returns 1 when it is decided, 0, -errno. */
static int candidate_try_start(struct watch *w, struct watch_candidate *c, bool open)
{
    const struct pattern *p = &w->patterns->list[c->pattern];
    struct subject s UNINITIALIZED;
    bool waits = false;
    c->matched = false;
    if (p->gate == GATE_LITERAL) {
        bool whole;
        if (!literal_matches(w, p, c->start, &whole))
            return 1;
        if (!whole)
            return !open;
    }
    if (p->shape)
        return candidate_walk_start(w, c, open);
    for (int skip = 0; skip < 2; skip++) {
        size_t end;
        subject_build(w, c, skip, open, &s);
        if (skip && !s.both)
            break;
        size_t limit = s.limit < s.len ? s.limit : s.len;
        int r = pattern_try(p, w->scratch, span_from(s.bytes, s.len), s.at, limit, open && !s.full,
                            &end);
        if (r < 0)
            return r;
        if (r == 1)
            candidate_hit(w, c, &s, end, skip);
        waits |= r == 2;
    }
    return !waits;
}

static int candidate_try(struct watch *w, struct watch_candidate *c, bool open)
{
    if (!w->scratch) {
        w->scratch = pattern_scratch_new();
        if (!w->scratch)
            return -ENOMEM;
    }
    for (;;) {
        int r = candidate_try_start(w, c, open);
        if (r < 0)
            return r;
        c->decided = r > 0;
        if (!c->decided || c->matched || c->start == c->last)
            break;
        c->start++;
    }
    uint64_t len = w->count - c->start;
    /* Trying ever more rarely keeps the whole linear; short texts are tried at each character. */
    c->next = w->count + 1 + len / 8;
    return 0;
}

/* Of those decided now: the hit to report next, by start, longer first, rule. */
static struct watch_candidate *watch_pick(struct watch *w)
{
    struct watch_candidate *best = NULL;
    for (size_t i = 0; i < w->candidate_count; i++) {
        struct watch_candidate *c = &w->candidates[i];
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
static void watch_sweep(struct watch *w)
{
    size_t kept = 0;
    w->first = UINT64_MAX;
    for (size_t i = 0; i < w->candidate_count; i++) {
        if (w->candidates[i].decided)
            continue;
        if (kept != i)
            w->candidates[kept] = w->candidates[i];
        w->first = w->candidates[kept].start < w->first ? w->candidates[kept].start : w->first;
        kept++;
    }
    w->candidate_count = kept;
}

/* A run of digits that goes on is not worth a try before it is long enough. */
static bool candidate_ripe(const struct watch *w, const struct watch_candidate *c)
{
    const struct pattern *p = &w->patterns->list[c->pattern];
    return p->gate != GATE_DIGITS || !(w->digit || w->maybe) || w->count - c->start >= p->least;
}

/* Notes when the candidate, the earliest undecided of its pattern, is tried next. */
static void watch_delay(struct watch *w, const struct watch_candidate *c)
{
    const struct pattern *p = &w->patterns->list[c->pattern];
    uint64_t ripe = p->gate == GATE_DIGITS ? c->start + p->least : 0;
    ripe = ripe > c->next ? ripe : c->next;
    w->due = c->next < w->due ? c->next : w->due;
    w->ripe = ripe < w->ripe ? ripe : w->ripe;
}

/*
 * Of one pattern's candidates only the earliest is tried until it is decided, so that crowded
 * starts cost no more than few. `edge`: a word or number has just ended, so that much can be
 * decided.
 */
static int watch_try(struct watch *w, bool open, bool edge, cursor_hit_fn fn, void *ctx)
{
    bool matched = false;
    memset(w->taken, 0, w->patterns->count * sizeof(*w->taken));
    w->due = w->ripe = UINT64_MAX;
    for (size_t i = 0; i < w->candidate_count; i++) {
        struct watch_candidate *c = &w->candidates[i];
        uint64_t *taken = &w->taken[c->pattern];
        c->decided = c->start < *taken && *taken != UINT64_MAX;
        if (c->decided || *taken == UINT64_MAX)
            continue;
        if (!open || ((edge || c->next <= w->count) && candidate_ripe(w, c))) {
            int r = candidate_try(w, c, open);
            if (r < 0)
                return r;
        }
        if (!c->decided) {
            *taken = UINT64_MAX;
            watch_delay(w, c);
        } else if (c->matched) {
            *taken = c->end;
            matched = true;
        }
    }
    int answer = 0;
    for (struct watch_candidate *c; matched && !answer && (c = watch_pick(w));) {
        c->matched = false;
        answer = fn(ctx, &c->hit);
    }
    watch_sweep(w);
    return answer;
}

static int watch_push(struct watch *w, const struct fold_point *point, uint32_t cp, uint32_t layers,
                      cursor_hit_fn fn, void *ctx)
{
    if (w->count - watch_needed(w) + PATTERN_CONTEXT_MAX >= w->mask) {
        int r = ring_grow(w);
        if (r < 0)
            return r;
    }
    struct watch_glyph *before = w->count > w->origin ? watch_glyph(w, w->count - 1) : NULL;
    bool edge = w->maybe && !is_digit(cp);
    if (w->maybe)
        before->read = is_digit(cp) ? READ_BOTH : READ_KEPT;
    w->maybe = w->digit && (cp == ' ' || cp == '-');
    w->digit = is_digit(cp);
    edge |= before && is_alnum(before->cp) && !is_alnum(cp) && !w->maybe;
    *watch_glyph(w, w->count) = (struct watch_glyph){.start = point->start,
                                                     .cp = cp,
                                                     .layers = (uint16_t)(layers | w->gap),
                                                     .len = (uint8_t)(point->end - point->start),
                                                     .read = w->maybe ? READ_MAYBE : READ_KEPT};
    w->gap = 0;
    w->count++;
    int r = watch_gates(w);
    if (r < 0)
        return r;
    if (!is_local(cp))
        w->local = w->count;
    bool idle = !edge && w->count < (w->digit || w->maybe ? w->ripe : w->due);
    return w->candidate_count && !idle ? watch_try(w, true, edge, fn, ctx) : 0;
}

int watch_point_slow(struct watch *w, const struct fold_point *point, cursor_hit_fn fn, void *ctx)
{
    uint32_t cp = point->cp, entry = fold_entry(cp);
    enum fold_class class = fold_entry_class(entry);
    if (class == FOLD_INVISIBLE || class == FOLD_MARK) {
        w->gap |= class == FOLD_MARK ? LAYER_MARK : LAYER_INVISIBLE;
        return 0;
    }
    uint32_t layers = fold_entry_layers(entry) & LAYER_WIDTH;
    if (!layers)
        return watch_push(w, point, cp >= 0xD800 && cp <= 0xDFFF ? 0xFFFD : cp, 0, fn, ctx);
    if (cp >= 0xFF01 && cp <= 0xFF5E) /* full-width ASCII keeps its case */
        return watch_push(w, point, cp - 0xFEE0, layers, fn, ctx);
    uint32_t cps[FOLD_EXPANSION_MAX];
    unsigned n = fold_code_point(cp, cps);
    for (unsigned i = 0; i < n; i++) {
        int r = watch_push(w, point, cps[i], layers, fn, ctx);
        if (r)
            return r;
    }
    return 0;
}

int watch_end(struct watch *w, cursor_hit_fn fn, void *ctx)
{
    int r = w->candidate_count ? watch_try(w, false, true, fn, ctx) : 0;
    w->origin = w->local = w->count;
    w->digit = w->maybe = false;
    w->gap = 0;
    return r;
}

uint64_t watch_clear(const struct watch *w)
{
    uint64_t first = watch_needed(w);
    return first == w->count ? UINT64_MAX : watch_glyph(w, first)->start;
}
