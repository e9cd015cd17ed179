#include "match/vigil.h"

#include <errno.h>
#include <stdlib.h>

struct vigil *vigil_new(const struct gates *gates)
{
    size_t slots = 2 * gates->count * sizeof(uint32_t);
    struct vigil *v = malloc(sizeof(*v) + slots);
    if (!v)
        return NULL;
    memset(v, 0, offsetof(struct vigil, first_ring));
    memset(v->slots, 0, slots);
    v->gates = gates;
    v->ring = v->first_ring;
    v->mask = VIGIL_RING - 1;
    v->candidates = v->first_candidates;
    v->candidate_cap = VIGIL_CANDIDATES;
    v->lanes = v->first_lanes;
    v->lane_cap = VIGIL_LANES;
    v->first = v->run = v->run_numeral = UINT64_MAX;
    return v;
}

void vigil_free(struct vigil *v)
{
    if (!v)
        return;
    pattern_scratch_free(v->scratch);
    if (v->candidates != v->first_candidates)
        free(v->candidates);
    if (v->lanes != v->first_lanes)
        free(v->lanes);
    if (v->ring != v->first_ring)
        free(v->ring);
    free(v);
}

size_t vigil_bytes(const struct vigil *v)
{
    size_t n = sizeof(*v) + 2 * v->gates->count * sizeof(*v->slots);
    n += v->ring == v->first_ring ? 0 : (v->mask + 1) * sizeof(*v->ring);
    n += v->lanes == v->first_lanes ? 0 : v->lane_cap * sizeof(*v->lanes);
    return n +
           (v->candidates == v->first_candidates ? 0 : v->candidate_cap * sizeof(*v->candidates));
}

static int ring_grow(struct vigil *v)
{
    uint64_t cap = v->mask + 1;
    struct watch_glyph *ring = malloc(2 * cap * sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    for (uint64_t i = 0; i < cap && i < v->count; i++) {
        uint64_t number = v->count - 1 - i;
        ring[number & (2 * cap - 1)] = *vigil_glyph(v, number);
    }
    if (v->ring != v->first_ring)
        free(v->ring);
    v->ring = ring;
    v->mask = 2 * cap - 1;
    return 0;
}

/* A text that ends before glyph `end`. */
struct back {
    const struct vigil *v;
    uint64_t end;
};

static uint32_t back_cp(const void *text, uint64_t k)
{
    const struct back *b = text;
    return vigil_glyph(b->v, b->end - 1 - k)->cp;
}

/* So many of the last glyphs may begin a literal whose gate is not open yet. */
static unsigned vigil_prefix(const struct vigil *v)
{
    if (!v->count || !v->gates->key_count)
        return 0;
    uint32_t before = v->count > 1 ? vigil_glyph(v, v->count - 2)->cp : UINT32_MAX;
    return gates_prefix(v->gates, pattern_lower(before),
                        pattern_lower(vigil_glyph(v, v->count - 1)->cp));
}

uint64_t vigil_needed(const struct vigil *v)
{
    uint64_t first = v->count - vigil_prefix(v);
    first = v->first < first ? v->first : first;
    struct back text = {v, v->count};
    uint64_t run = v->count - gates_run(v->gates, v->count - v->local, back_cp, &text);
    first = run < first ? run : first;
    uint64_t numerals = v->run > v->run_made ? v->run : v->run_made;
    return v->run != UINT64_MAX && numerals < first ? numerals : first;
}

/* Whether the glyph begins a part of a run: behind a separator or behind what is no digit. */
static bool begins_part(const struct vigil *v, uint64_t number)
{
    if (number == 0)
        return true;
    uint32_t before = vigil_glyph(v, number - 1)->cp;
    return !is_digit(before) && numeral_digit(before) < 0;
}

/* Drops the beginning of the run that no match can begin in any more. */
static void run_shorten(struct vigil *v)
{
    while (v->run != UINT64_MAX && v->run_digits > v->gates->digits_width) {
        do {
            uint32_t cp = vigil_glyph(v, v->run)->cp;
            v->run_digits -= is_digit(cp) || numeral_digit(cp) >= 0;
            v->run++;
        } while (v->run < v->count && !begins_part(v, v->run));
        if (v->run == v->count)
            v->run = UINT64_MAX;
    }
}

/* The glyph before v->count is a digit or numeral. `goes_on`: behind a digit and a separator. */
static void run_note(struct vigil *v, uint32_t cp, bool goes_on)
{
    uint64_t number = v->count - 1;
    bool begins = begins_part(v, number);
    if (begins && !goes_on) {
        v->run_numeral = UINT64_MAX;
        v->run_made = 0;
    }
    if (begins && (!goes_on || v->run == UINT64_MAX)) {
        v->run = number;
        v->run_digits = 0;
    }
    if (!is_digit(cp))
        v->run_numeral = number;
    if (v->run == UINT64_MAX)
        return;
    v->run_digits++;
    run_shorten(v);
}

/* Puts the glyph into the view. Returns whether a word or number ends before it. */
static bool vigil_place(struct vigil *v, const struct watch_glyph *glyph)
{
    struct watch_glyph *before = v->count ? vigil_glyph(v, v->count - 1) : NULL;
    uint32_t cp = glyph->cp;
    bool digit = is_digit(cp);
    bool numeral = v->gates->kind_count[GATE_DIGITS] && (digit || numeral_digit(cp) >= 0);
    bool separator = cp == ' ' || cp == '-', goes_on = v->numeral_maybe && numeral;
    bool edge = (v->maybe && !digit) || (v->numeral_maybe && !numeral);
    if (before && (v->maybe || v->numeral_maybe))
        before->read = (uint8_t)((v->maybe && digit ? READ_BOTH : 0) |
                                 (goes_on ? READ_BOTH << READ_SHIFT : 0));
    v->maybe = v->digit && separator;
    edge |= before && is_alnum(before->cp) && !is_alnum(cp) && !v->maybe;
    edge |= v->numeral && !numeral && !separator && v->run_numeral != UINT64_MAX;
    v->numeral_maybe = v->numeral && separator;
    v->digit = digit;
    v->numeral = numeral;
    struct watch_glyph *place = vigil_glyph(v, v->count);
    *place = *glyph;
    place->layers |= v->gap;
    place->read =
        (uint8_t)((v->maybe ? READ_MAYBE : 0) | (v->numeral_maybe ? READ_MAYBE << READ_SHIFT : 0));
    v->gap = 0;
    v->count++;
    if (numeral)
        run_note(v, cp, goes_on);
    else if (!v->numeral_maybe)
        v->run = UINT64_MAX;
    return edge;
}

static int add_kind(struct vigil *v, enum match_gate kind, bool numerals, uint64_t start,
                    uint64_t last)
{
    const struct gates *g = v->gates;
    int r = 0;
    for (size_t i = 0; i < g->kind_count[kind] && r == 0; i++)
        r = candidate_add(v, g->by_kind[kind][i], numerals, start, last);
    return r;
}

/* The last glyph is a digit or numeral: begins to read the run with numerals as digits. */
static int open_numerals(struct vigil *v)
{
    if (v->run == UINT64_MAX || v->run_numeral == UINT64_MAX || v->run_numeral < v->run ||
        v->run_digits < GATE_NUMERALS_MIN)
        return 0;
    int r = 0;
    for (uint64_t n = v->run > v->run_made ? v->run : v->run_made; n < v->count && r == 0; n++) {
        uint32_t cp = vigil_glyph(v, n)->cp;
        if ((is_digit(cp) || numeral_digit(cp) >= 0) && begins_part(v, n))
            r = add_kind(v, GATE_DIGITS, true, n, n);
    }
    v->run_made = v->count;
    return r;
}

static int open_literals(struct vigil *v)
{
    const struct gates *g = v->gates;
    uint32_t cps[GATE_KEY_MAX];
    unsigned n = GATE_KEY_MAX;
    for (unsigned i = 0; i < n; i++)
        cps[n - 1 - i] =
            i < v->count ? pattern_lower(vigil_glyph(v, v->count - 1 - i)->cp) : UINT32_MAX;
    int r = 0;
    for (; n && r == 0; n--) {
        struct gate_keys keys = gates_complete(g, cps + GATE_KEY_MAX - n, n);
        for (size_t i = 0; i < keys.count && r == 0; i++)
            r = candidate_add(v, keys.first[i].pattern, false, v->count - n, v->count - n);
    }
    return r;
}

/* Opens the gates that the last glyph means. */
static int vigil_gates(struct vigil *v)
{
    const struct gates *g = v->gates;
    uint64_t number = v->count - 1;
    uint32_t cp = vigil_glyph(v, number)->cp;
    int r = 0;
    if (v->digit && (number == 0 || !is_digit(vigil_glyph(v, number - 1)->cp)))
        r = add_kind(v, GATE_DIGITS, false, number, number);
    if (r == 0 && v->numeral)
        r = open_numerals(v);
    if (r == 0 && g->key_count)
        r = open_literals(v);
    struct back text = {v, number};
    for (size_t i = 0; i < GATE_MARKS && r == 0; i++) {
        if (!gate_is_mark(&gate_marks[i], cp) || !g->kind_count[gate_marks[i].gate] ||
            v->local >= number)
            continue;
        unsigned run = gate_run(&gate_marks[i], number - v->local, back_cp, &text);
        if (run)
            r = add_kind(v, gate_marks[i].gate, false, number - run, number);
    }
    return r;
}

static int vigil_room(struct vigil *v)
{
    uint64_t first = vigil_needed(v);
    first = v->run < first ? v->run : first;
    return v->count - first + PATTERN_CONTEXT_MAX >= v->mask ? ring_grow(v) : 0;
}

int vigil_seed(struct vigil *v, const struct watch_glyph *glyph)
{
    int r = vigil_room(v);
    if (r < 0)
        return r;
    vigil_place(v, glyph);
    if (!gate_local(glyph->cp))
        v->local = v->count;
    return 0;
}

int vigil_push(struct vigil *v, const struct watch_glyph *glyph, cursor_hit_fn fn, void *ctx)
{
    int r = vigil_room(v);
    if (r < 0)
        return r;
    bool edge = vigil_place(v, glyph);
    r = vigil_gates(v);
    if (r < 0)
        return r;
    if (!gate_local(glyph->cp))
        v->local = v->count;
    if (!v->candidate_count)
        return 0;
    uint64_t due = v->digit || v->maybe             ? v->ripe
                   : v->numeral || v->numeral_maybe ? v->ripe_numerals
                                                    : v->due;
    return edge || v->count >= due ? candidates_try(v, true, edge, fn, ctx) : 0;
}

int vigil_end(struct vigil *v, cursor_hit_fn fn, void *ctx)
{
    return v->candidate_count ? candidates_try(v, false, true, fn, ctx) : 0;
}

bool vigil_over(const struct vigil *v)
{
    return v->count && !v->candidate_count && v->local == v->count && !v->numeral &&
           !v->numeral_maybe && !vigil_prefix(v);
}
