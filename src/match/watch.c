#include "match/watch.h"

#include "match/vigil.h"

#include <errno.h>
#include <stdlib.h>

/* What may matter of a local run: the longest that a gate takes, and context before that. */
#define LOCAL_KEPT (GATE_RUN_MAX + PATTERN_CONTEXT_MAX)

struct watch *watch_new(const struct patterns *patterns, enum direction direction)
{
    struct watch *w = calloc(1, sizeof(*w));
    if (w)
        w->gates = patterns->gates[direction];
    return w;
}

void watch_free(struct watch *w)
{
    if (w)
        vigil_free(w->vigil);
    free(w);
}

size_t watch_bytes(const struct watch *w)
{
    return sizeof(*w) + (w->vigil ? vigil_bytes(w->vigil) : 0);
}

void watch_add_local(struct watch *w, char c)
{
    if (w->local_len == sizeof(w->local)) {
        memmove(w->local, w->local + sizeof(w->local) - LOCAL_KEPT, LOCAL_KEPT);
        w->local_len = LOCAL_KEPT;
    }
    w->local[w->local_len++] = c;
}

void watch_end_local(struct watch *w)
{
    unsigned n = w->local_len;
    w->local_len = 0;
    for (unsigned i = n < PATTERN_CONTEXT_MAX ? 0 : n - PATTERN_CONTEXT_MAX; i < n; i++)
        watch_add_context(w, (unsigned char)w->local[i]);
}

static void watch_forget(struct watch *w)
{
    w->context_len = w->numerals = w->prefix = w->local_len = 0;
}

static unsigned watch_len(const struct watch *w)
{
    return w->local_len + w->context_len;
}

/* While quiet: the k-th glyph from the end; UINT32_MAX when there is none. */
static uint32_t watch_back(const void *watch, uint64_t k)
{
    const struct watch *w = watch;
    if (k < w->local_len)
        return (unsigned char)w->local[w->local_len - 1 - k];
    k -= w->local_len;
    if (k < w->context_len)
        return w->context[(w->context_at - 1 - k) % PATTERN_CONTEXT_MAX];
    return UINT32_MAX;
}

static unsigned prefix_of(const struct gates *g, uint32_t before, uint32_t last)
{
    return g->key_count ? gates_prefix(g, pattern_lower(before), pattern_lower(last)) : 0;
}

static size_t cp_len(uint32_t cp)
{
    return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

/* Opens a vigil with what the watch knows of the text before. */
static int watch_open(struct watch *w)
{
    struct vigil *v = vigil_new(w->gates);
    if (!v)
        return -ENOMEM;
    /* The last ones stand without gaps up to pos; where those before them begin never matters. */
    unsigned len = watch_len(w), kept = w->local_len < LOCAL_KEPT ? len : LOCAL_KEPT;
    uint64_t start = w->pos;
    for (unsigned i = 0; i < kept; i++)
        start -= cp_len(watch_back(w, i));
    for (unsigned i = kept; i-- > 0;) {
        uint32_t cp = watch_back(w, i);
        struct watch_glyph glyph = {.start = start, .cp = cp, .len = (uint8_t)cp_len(cp)};
        int r = vigil_seed(v, &glyph);
        if (r < 0) {
            vigil_free(v);
            return r;
        }
        start += glyph.len;
    }
    w->vigil = v;
    return 0;
}

/* The last gate is closed, and the last glyph can open none. */
static void watch_close(struct watch *w)
{
    struct vigil *v = w->vigil;
    watch_forget(w);
    uint64_t from = v->count < PATTERN_CONTEXT_MAX ? 0 : v->count - PATTERN_CONTEXT_MAX;
    for (uint64_t n = from; n < v->count; n++)
        watch_add_context(w, vigil_glyph(v, n)->cp);
    const struct watch_glyph *last = vigil_glyph(v, v->count - 1);
    w->pos = last->start + last->len;
    w->vigil = NULL;
    vigil_free(v);
}

/* Whether the glyph opens a gate, were it the next. */
static bool watch_opens(const struct watch *w, uint32_t cp)
{
    const struct gates *g = w->gates;
    if (g->kind_count[GATE_DIGITS] && is_digit(cp))
        return true;
    for (size_t i = 0; i < GATE_MARKS; i++)
        if (gate_is_mark(&gate_marks[i], cp) && g->kind_count[gate_marks[i].gate] &&
            gate_run(&gate_marks[i], w->local_len, watch_back, w))
            return true;
    uint32_t cps[] = {pattern_lower(watch_back(w, 1)), pattern_lower(watch_back(w, 0)),
                      pattern_lower(cp)};
    for (unsigned n = 1; n <= GATE_KEY_MAX && g->key_count; n++)
        if (gates_complete(g, cps + GATE_KEY_MAX - n, n).count)
            return true;
    return false;
}

/* Takes the glyph if the watch stays quiet with it. */
static bool watch_stays_quiet(struct watch *w, const struct watch_glyph *glyph)
{
    uint32_t cp = glyph->cp;
    bool numeral = w->gates->kind_count[GATE_DIGITS] && numeral_digit(cp) >= 0;
    unsigned numerals = numeral ? w->numerals + 1u : 0;
    if (watch_opens(w, cp) || numerals == GATE_NUMERALS_MIN ||
        (w->numerals && (cp == ' ' || cp == '-')))
        return false;
    unsigned prefix = prefix_of(w->gates, watch_back(w, 0), cp);
    /* What may become part of a match is remembered without where it stood. */
    bool plain = !glyph->layers && glyph->len == cp_len(cp);
    if (!plain && (numeral || prefix || gate_local(cp)))
        return false;
    if (gate_local(cp))
        watch_add_local(w, (char)cp);
    else
        watch_add_context(w, cp);
    w->numerals = (uint8_t)numerals;
    w->prefix = (uint8_t)prefix;
    w->pos = glyph->start + glyph->len;
    return true;
}

static int watch_push(struct watch *w, const struct fold_point *point, uint32_t cp, uint32_t layers,
                      cursor_hit_fn fn, void *ctx)
{
    struct watch_glyph glyph = {.start = point->start,
                                .cp = cp,
                                .layers = (uint16_t)layers,
                                .len = (uint8_t)(point->end - point->start)};
    if (!w->vigil) {
        if (watch_stays_quiet(w, &glyph))
            return 0;
        int r = watch_open(w);
        if (r < 0)
            return r;
    }
    int r = vigil_push(w->vigil, &glyph, fn, ctx);
    if (r == 0 && vigil_over(w->vigil))
        watch_close(w);
    return r;
}

int watch_point_slow(struct watch *w, const struct fold_point *point, cursor_hit_fn fn, void *ctx)
{
    uint32_t cp = point->cp, entry = fold_entry(cp);
    enum fold_class class = fold_entry_class(entry);
    if (class == FOLD_INVISIBLE || class == FOLD_MARK) {
        /* Before a glyph that begins a match it doesn't matter. */
        if (!w->vigil && (w->local_len || w->numerals || w->prefix)) {
            int r = watch_open(w);
            if (r < 0)
                return r;
        }
        if (w->vigil)
            w->vigil->gap |= class == FOLD_MARK ? LAYER_MARK : LAYER_INVISIBLE;
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
    int r = w->vigil ? vigil_end(w->vigil, fn, ctx) : 0;
    if (r < 0)
        return r;
    vigil_free(w->vigil);
    w->vigil = NULL;
    watch_forget(w);
    return r;
}

uint64_t watch_clear(const struct watch *w)
{
    const struct vigil *v = w->vigil;
    if (v) {
        uint64_t first = vigil_needed(v);
        return first == v->count ? UINT64_MAX : vigil_glyph(v, first)->start;
    }
    unsigned held = gates_run(w->gates, w->local_len, watch_back, w);
    held = w->numerals > held ? w->numerals : held;
    held = w->prefix > held ? w->prefix : held;
    uint64_t start = w->pos;
    for (unsigned i = 0; i < held; i++)
        start -= cp_len(watch_back(w, i));
    return held ? start : UINT64_MAX;
}

size_t watch_quiet(const struct watch *w, struct span text)
{
    return w->vigil || w->numerals || w->prefix ? 0 : gates_quiet(w->gates, text);
}

void watch_passed(struct watch *w, struct span text, uint64_t start)
{
    size_t run = 0, n = 0;
    while (run < text.len && run < LOCAL_KEPT &&
           gate_local((unsigned char)text.data[text.len - 1 - run]))
        run++;
    size_t end = text.len - run, from = end;
    for (; from && n < PATTERN_CONTEXT_MAX; n++)
        for (from--; from && (text.data[from] & 0xC0) == 0x80; from--)
            ;
    if (from)
        watch_forget(w);
    for (struct span rest = span_slice(text, from, end); rest.len;) {
        uint32_t cp;
        rest = span_slice(rest, gates_next(rest, &cp), rest.len);
        watch_add(w, cp);
    }
    for (size_t i = end; i < text.len; i++)
        watch_add_local(w, text.data[i]);
    w->pos = text.len ? start + text.len : w->pos;
    w->numerals = 0;
    while (w->gates->kind_count[GATE_DIGITS] && numeral_digit(watch_back(w, w->numerals)) >= 0)
        w->numerals++;
    w->prefix = (uint8_t)prefix_of(w->gates, watch_back(w, 1), watch_back(w, 0));
}
