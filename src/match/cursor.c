#include "match/cursor.h"

#include "match/lane.h"
#include "match/set.h"
#include "match/watch.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A lane for each lens that rules ask for, a watch for patterns, and what they share: the reader,
 * and complete words that wait. A word waits while an allow phrase that could cover it is still
 * growing; a slot of a near rule besides behind other slots that wait, so that slots are seen in
 * the order of the text.
 */
struct cursor {
    const struct matchset *set;
    struct watch *watch;             /* for patterns, NULL when none counts for this direction */
    struct near *near;               /* NULL when there are no near rules */
    const struct receiver *receiver; /* while feeding */
    struct explainer *saved;         /* see cursor_tell_saved(), or NULL */
    struct found *waiting;
    struct fold_reader reader;
    uint64_t watched; /* offset up to which the watch has read */
    uint64_t tried;   /* offset before which skipping is not worth a try */
    struct moment moment;
    uint32_t waiting_count, waiting_cap;
    uint8_t direction; /* bits */
    uint8_t lanes;
    struct lane lane[]; /* [lanes] */
};

/* Who is told of hits. */
struct receiver {
    cursor_hit_fn fn;
    void *ctx;
};

struct explainer {
    cursor_saved_fn fn;
    void *ctx;
};

static struct cursor *create(const struct matchset *set, enum direction direction, bool patterns)
{
    struct cursor *c = calloc(1, sizeof(*c) + set->lens_count * sizeof(c->lane[0]));
    if (!c)
        return NULL;
    c->set = set;
    c->direction = (uint8_t)direction;
    c->lanes = (uint8_t)set->lens_count;
    for (unsigned i = 0; i < c->lanes; i++)
        lane_init(&c->lane[i], &set->tries[set->lenses[i]]);
    c->moment.lost = UINT64_MAX;
    bool watches = patterns && patterns_count(&set->patterns, direction);
    if (watches)
        c->watch = watch_new(&set->patterns, direction);
    if (set->near.count)
        c->near = near_new(&set->near);
    if ((watches && !c->watch) || (set->near.count && !c->near)) {
        cursor_free(c);
        return NULL;
    }
    return c;
}

struct cursor *cursor_new(const struct matchset *set, enum direction direction)
{
    return create(set, direction, true);
}

struct cursor *cursor_new_keywords(const struct matchset *set, enum direction direction)
{
    return create(set, direction, false);
}

void cursor_free(struct cursor *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->lanes; i++)
        lane_deinit(&c->lane[i]);
    near_free(c->near);
    watch_free(c->watch);
    free(c->saved);
    free(c->moment.found);
    free(c->waiting);
    free(c);
}

size_t cursor_bytes(const struct cursor *c)
{
    size_t bytes = sizeof(*c) + c->lanes * sizeof(c->lane[0]) +
                   c->moment.cap * sizeof(*c->moment.found) + c->waiting_cap * sizeof(*c->waiting) +
                   (c->saved ? sizeof(*c->saved) : 0);
    for (unsigned i = 0; i < c->lanes; i++)
        if (c->lane[i].items != c->lane[i].own)
            bytes += c->lane[i].cap * sizeof(*c->lane[i].items);
    return bytes + (c->watch ? watch_bytes(c->watch) : 0) + (c->near ? near_bytes(c->near) : 0);
}

int cursor_tell_saved(struct cursor *c, cursor_saved_fn fn, void *ctx)
{
    if (!c->saved)
        c->saved = malloc(sizeof(*c->saved));
    if (!c->saved)
        return -ENOMEM;
    *c->saved = (struct explainer){fn, ctx};
    return 0;
}

static const struct lane *lane_of(const struct cursor *c, const struct found *f)
{
    unsigned i = 0;
    while (c->set->lenses[i] != f->lane)
        i++;
    return &c->lane[i];
}

static bool found_counts(const struct cursor *c, const struct found *f)
{
    return !(f->ref & OUTPUT_ALLOW) &&
           ((f->ref & OUTPUT_SLOT) || (f->ref >> OUTPUT_DIRECTION_SHIFT & c->direction));
}

/* Of one word's readings that end alike the last to begin counts; of equal ones the first. */
static bool outdone(const struct found *list, size_t count, size_t i)
{
    for (size_t j = 0; j < count; j++) {
        bool same = j != i && list[j].ref == list[i].ref && list[j].end == list[i].end &&
                    (!(list[i].ref & OUTPUT_ALLOW) || list[j].place == list[i].place);
        if (same && (list[j].start > list[i].start || (list[j].start == list[i].start && j < i)))
            return true;
    }
    return false;
}

/* Marks what the complete allow phrase covers; what is covered is no slot's word any more. */
static void cover(const struct found *allow, struct found *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct found *f = &list[i];
        if (!(f->ref & OUTPUT_ALLOW) && f->lane == allow->lane && f->start >= allow->start &&
            f->end <= allow->end && f->length < allow->length) {
            if (!f->covered || f->to - f->from < allow->end - allow->start) {
                f->from = allow->start;
                f->to = allow->end;
            }
            f->covered = true;
        }
    }
}

static void wait(struct cursor *c, const struct found *f)
{
    if (c->waiting_count == c->waiting_cap) {
        uint32_t cap = c->waiting_cap ? 2 * c->waiting_cap : 8;
        struct found *list = realloc(c->waiting, cap * sizeof(*list));
        if (!list) {
            moment_fail(&c->moment, -ENOMEM, f->start);
            return;
        }
        c->waiting = list;
        c->waiting_cap = cap;
    }
    c->waiting[c->waiting_count++] = *f;
}

static int compare_found(const void *x, const void *y)
{
    const struct found *a = x, *b = y;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    if (a->ref != b->ref)
        return a->ref < b->ref ? -1 : 1;
    return (a->lane > b->lane) - (a->lane < b->lane);
}

static int tell(struct cursor *c, const struct found *f)
{
    struct hit hit = {
        .start = f->start, .end = f->end, .rule = f->ref & OUTPUT_RULE_MAX, .layers = f->layers};
    if (f->ref & OUTPUT_SLOT) {
        int r = near_see(c->near, hit.rule, f->from, f->to, c->direction);
        if (r < 0)
            moment_fail(&c->moment, r, f->start);
        if (r <= 0)
            return r;
        hit.rule = near_rule_of(c->near, hit.rule);
    }
    return c->receiver->fn(c->receiver->ctx, &hit);
}

/* Tells what is certain, in order. */
static int tell_all(struct cursor *c, struct found *list, size_t count)
{
    if (count > 1)
        qsort(list, count, sizeof(*list), compare_found);
    for (size_t i = 0; i < count; i++) {
        int r = tell(c, &list[i]);
        if (r)
            return r;
    }
    return 0;
}

static void tell_saved(struct cursor *c, const struct found *f)
{
    if (!c->saved || (f->ref & OUTPUT_SLOT))
        return;
    struct saved saved = {
        .hit = {f->start, f->end, f->ref & OUTPUT_RULE_MAX, f->layers},
        .from = f->from,
        .to = f->to,
    };
    c->saved->fn(c->saved->ctx, &saved);
}

/* Must it wait, with `slots`: other slots wait before it? */
static bool must_wait(const struct cursor *c, const struct found *f, bool slots)
{
    return c->set->allows &&
           ((slots && (f->ref & OUTPUT_SLOT)) || lane_may_allow(lane_of(c, f), f->start));
}

/* Sorts out the complete words of this moment and those that waited. */
static int settle(struct cursor *c)
{
    struct moment *m = &c->moment;
    uint32_t certain = 0, kept = 0;
    bool slots = false;
    if (c->set->allows) {
        for (size_t i = 0; i < m->count; i++) {
            if (!(m->found[i].ref & OUTPUT_ALLOW) || outdone(m->found, m->count, i))
                continue;
            cover(&m->found[i], m->found, m->count);
            cover(&m->found[i], c->waiting, c->waiting_count);
        }
    }
    uint32_t fresh = m->count;
    for (uint32_t i = 0; i < fresh; i++) {
        struct found f = m->found[i];
        if (!found_counts(c, &f) || (fresh > 1 && outdone(m->found, fresh, i)))
            continue;
        if (f.covered)
            tell_saved(c, &f);
        else
            wait(c, &f); /* the others are asked all the same: all that is lost must be noted */
    }
    m->count = 0;
    if (m->error)
        return m->error;
    if (c->waiting_count > m->cap) {
        struct found *found = realloc(m->found, c->waiting_cap * sizeof(*found));
        if (!found)
            return -ENOMEM;
        m->found = found;
        m->cap = c->waiting_cap;
    }
    for (size_t i = 0; i < c->waiting_count; i++) {
        struct found f = c->waiting[i];
        if (f.covered) {
            tell_saved(c, &f);
        } else if (must_wait(c, &f, slots)) {
            slots |= (f.ref & OUTPUT_SLOT) != 0;
            c->waiting[kept++] = f;
        } else {
            m->found[certain++] = f;
        }
    }
    c->waiting_count = kept;
    return tell_all(c, m->found, certain);
}

/* Behind each moment: 0, what a hit's receiver answered, or an error. */
static int cursor_moment(struct cursor *c)
{
    struct moment *m = &c->moment;
    if (m->error)
        return m->error;
    return m->count || c->waiting_count ? settle(c) : 0;
}

/* The characters that near rules count: letters, digits and Han characters. */
static bool is_counted(uint32_t cp)
{
    return fold_entry_class(fold_entry(cp)) <= FOLD_WORD;
}

static int cursor_point(struct cursor *c, const struct fold_point *point)
{
    c->moment.before = c->moment.now;
    c->moment.now += is_counted(point->cp);
    for (unsigned i = 0; i < c->lanes; i++) {
        lane_wake(&c->lane[i]);
        lane_point(&c->lane[i], point, &c->moment);
    }
    int r = cursor_moment(c);
    if (r || !c->watch || point->start < c->watched)
        return r;
    c->watched = point->end;
    return watch_point(c->watch, point, c->receiver->fn, c->receiver->ctx);
}

/* Not worth the start-up below this many bytes. */
#define SKIP_LEAST 64

static uint64_t count_characters(struct span text)
{
    struct fold_reader reader = {0};
    struct fold_point point;
    uint64_t n = 0;
    while (fold_reader_next(&reader, &text, &point) > 0)
        n += is_counted(point.cp);
    return n;
}

/*
 * While no word has more than its first character, the text ahead may be passed over up to where
 * one may begin. `rest` is what is left of `text`, which began at offset `base`; sets it to where
 * to read on, and tells whether that was possible.
 */
static bool cursor_skip(struct cursor *c, struct span text, uint64_t base, struct span *rest)
{
    uint64_t from = c->reader.pos;
    unsigned inside = SYMBOL_NONE;
    if (rest->len < SKIP_LEAST || c->reader.tail_len || c->waiting_count ||
        c->reader.pos < c->tried)
        return false;
    for (unsigned i = 0; i < c->lanes; i++) {
        struct lane *l = &c->lane[i];
        lane_wake(l);
        if (!lane_is_idle(l, base))
            return false;
        if (l->count && l->items[0].start < from)
            from = l->items[0].start;
        inside |= l->adjacent && kind_is_word(l->kind) ? l->kind : 0u;
    }
    inside = from < c->reader.pos ? SYMBOL_NONE : inside;
    size_t limit = text.len, at = (size_t)(from - base);
    if (c->watch) {
        size_t ahead = text.len - (size_t)(c->watched - base);
        size_t quiet = watch_quiet(c->watch, span_slice(text, text.len - ahead, text.len));
        limit -= ahead - quiet;
        if (limit < at + SKIP_LEAST) {
            c->tried = base + limit;
            return false;
        }
    }
    size_t resume = limit, tried = limit;
    for (unsigned i = 0; i < c->lanes; i++) {
        struct skip_end end =
            skip_scan(&c->set->skips[c->set->lenses[i]], span_slice(text, at, resume), inside);
        tried = i == 0 || at + end.until < tried ? at + end.until : tried;
        resume = at + end.from;
    }
    c->tried = base + tried;
    if (resume + 0u <= (size_t)(c->reader.pos - base))
        return false;
    if (c->watch && base + resume > c->watched) {
        watch_passed(c->watch, span_slice(text, (size_t)(c->watched - base), resume), c->watched);
        c->watched = base + resume;
    }
    if (c->set->near.count)
        c->moment.now += count_characters(span_slice(text, (size_t)(c->reader.pos - base), resume));
    for (unsigned i = 0; i < c->lanes; i++)
        lane_reset(&c->lane[i]);
    c->reader.pos = base + resume;
    *rest = span_slice(text, resume, text.len);
    return true;
}

/* What quick_run() works on: the lane's lone characters and the text, in registers. */
struct quick {
    struct lane_lone lone;
    bool adjacent; /* the lane's, while no lone character is on */
    uint64_t pos, counted;
};

/* A separator. False where a lane must read it: behind a pair. */
static inline bool quick_gap(struct quick *q, const struct trie *t, uint32_t cp)
{
    if (!q->lone.on) {
        q->adjacent = false;
        return true;
    }
    if (q->lone.pair != PLACE_NONE)
        return false;
    unsigned run = q->lone.gap & GAP_RUN;
    unsigned bits =
        trie_point(t, cp) >> POINT_GAP_SHIFT & (GAP_BLANK | GAP_JOINER | GAP_MARK | GAP_ODD);
    if (run == SYMBOL_RUN_MAX)
        q->lone.symbol = 0; /* parted */
    else
        q->lone.gap = (uint8_t)((q->lone.gap | bits) + 1);
    return true;
}

/* A Han character. False when a word may go on with it beyond the second. */
static inline bool quick_han(struct quick *q, const struct trie *t, uint32_t symbol, uint32_t cp)
{
    uint32_t pair = PLACE_NONE;
    if (q->lone.on && symbol) {
        if (symbol == q->lone.symbol ||
            (q->lone.pair != PLACE_NONE && trie_step(t, q->lone.pair, symbol) != PLACE_NONE))
            return false;
        if (q->lone.symbol && trie_begins(t, q->lone.symbol, symbol)) {
            uint32_t first = t->first[q->lone.symbol];
            pair = first == PLACE_NONE ? PLACE_NONE : trie_step(t, first, symbol);
        }
        if (pair != PLACE_NONE && (q->lone.gap || trie_ends(t, pair)))
            return false;
    }
    if (pair != PLACE_NONE) {
        q->lone.before = q->lone.start;
        q->lone.before_cp = q->lone.cp;
        q->lone.before_seen = q->lone.seen;
    }
    q->lone.pair = pair;
    q->lone.start = q->pos;
    q->lone.cp = cp;
    q->lone.seen = (uint32_t)q->counted;
    q->lone.symbol = (uint16_t)symbol;
    q->lone.gap = 0;
    q->lone.on = true;
    return true;
}

/*
 * Reads plain characters from p on; *ret_read is how many bytes. Returns 0 or what a hit of a
 * pattern was answered with.
 */
static int quick_run(struct cursor *c, struct quick *q, const unsigned char *p, size_t len,
                     size_t *ret_read)
{
    const struct lane *l = &c->lane[0];
    const struct skip *s = &c->set->skips[LENS_PLAIN];
    size_t i = 0;
    int r = 0;
    while (i < len && r == 0) {
        uint32_t cp = p[i];
        unsigned n = 1, counted = 0;
        if (cp < 0x80) {
            unsigned class = s->ascii[cp];
            if (class == SKIP_ASCII_PASS || class == SKIP_ASCII_ODD) {
                if (!quick_gap(q, l->trie, cp))
                    break;
            } else {
                /* Within a word that no keyword begins with. */
                unsigned kind = class == SKIP_ASCII_LETTER ? SYMBOL_LETTER : SYMBOL_DIGIT;
                if (class < SKIP_ASCII_LETTER || q->lone.on || !q->adjacent || l->kind != kind)
                    break;
                counted = 1;
            }
        } else {
            if (cp < 0xE0 || cp >= 0xF0 || len - i < 3 || (p[i + 1] & 0xC0) != 0x80 ||
                (p[i + 2] & 0xC0) != 0x80)
                break;
            cp = (cp & 15u) << 12 | (p[i + 1] & 63u) << 6 | (p[i + 2] & 63u);
            uint32_t v = s->bmp[cp];
            if (v == SKIP_STOP ||
                (v == SKIP_PASS ? !quick_gap(q, l->trie, cp)
                                : !quick_han(q, l->trie, v == SKIP_OTHER ? 0 : v, cp)))
                break;
            counted = v != SKIP_PASS;
            n = 3;
        }
        struct fold_point point = {.start = q->pos, .end = q->pos + n, .cp = cp};
        q->pos += n;
        q->counted += counted;
        i += n;
        if (c->watch && point.start >= c->watched) {
            c->watched = point.end;
            r = watch_point(c->watch, &point, c->receiver->fn, c->receiver->ctx);
        }
    }
    *ret_read = i;
    return r;
}

/* The beginning of a character of three bytes whose rest is in the next piece. */
static bool is_cut(struct span rest)
{
    const unsigned char *p = (const unsigned char *)rest.data;
    return rest.len && rest.len < 3 && p[0] > 0xE0 && p[0] < 0xF0 && p[0] != 0xED &&
           (rest.len == 1 || (p[1] & 0xC0) == 0x80);
}

/*
 * Reads plain text on as long as no word goes beyond its second character: what cursor_point()
 * would do, without its generality. 0 or what a hit of a pattern was answered with.
 */
static int cursor_quick(struct cursor *c, struct span *rest)
{
    struct lane *l = &c->lane[0];
    lane_sleep(l);
    if (c->lanes != 1 || l->count || c->waiting_count || rest->len == 0)
        return 0;
    struct quick q = {
        .lone = l->lone, .adjacent = l->adjacent, .pos = c->reader.pos, .counted = c->moment.now};
    size_t read = 0;
    unsigned tail = c->reader.tail_len;
    int r = 0;
    if (tail) { /* of a character cut by the end of the piece before */
        unsigned char whole[3];
        if (tail > 2 || c->reader.tail[0] < 0xE0 || tail + rest->len < 3)
            return 0;
        memcpy(whole, c->reader.tail, tail);
        memcpy(whole + tail, rest->data, 3 - tail);
        r = quick_run(c, &q, whole, 3, &read);
        if (read == 0)
            return r;
        c->reader.tail_len = 0;
        *rest = span_slice(*rest, 3 - tail, rest->len);
    }
    if (r == 0 && rest->len) {
        r = quick_run(c, &q, (const unsigned char *)rest->data, rest->len, &read);
        *rest = span_slice(*rest, read, rest->len);
    }
    l->lone = q.lone;
    l->gap_layers = l->adjacent && !q.adjacent ? 0 : l->gap_layers;
    l->adjacent = q.adjacent;
    c->reader.pos = q.pos;
    c->moment.now = q.counted;
    if (r == 0 && is_cut(*rest)) {
        memcpy(c->reader.tail, rest->data, rest->len);
        c->reader.tail_len = (uint8_t)rest->len;
        *rest = span_slice(*rest, rest->len, rest->len);
    }
    return r;
}

int cursor_feed(struct cursor *c, struct span text, cursor_hit_fn fn, void *ctx)
{
    struct fold_point point;
    struct span rest = text;
    uint64_t base = c->reader.pos + c->reader.tail_len;
    int got;
    c->receiver = &(struct receiver){fn, ctx};
    for (;;) {
        cursor_skip(c, text, base, &rest);
        int r = cursor_quick(c, &rest);
        if (r)
            return r;
        got = fold_reader_next(&c->reader, &rest, &point);
        if (got <= 0)
            return got;
        r = cursor_point(c, &point);
        if (r)
            return r;
    }
}

/* What ends at a join and at the end of the text alike. */
static int cursor_span_end(struct cursor *c)
{
    struct fold_point point;
    int got;
    while ((got = fold_reader_end(&c->reader, &point)) > 0) {
        int r = cursor_point(c, &point);
        if (r)
            return r;
    }
    c->moment.before = c->moment.now;
    return got;
}

int cursor_join(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
    c->receiver = &(struct receiver){fn, ctx};
    int r = cursor_span_end(c);
    if (r)
        return r;
    for (unsigned i = 0; i < c->lanes; i++) {
        lane_wake(&c->lane[i]);
        lane_join(&c->lane[i], &c->moment);
    }
    r = cursor_moment(c);
    if (r)
        return r;
    if (c->near)
        near_clear(c->near);
    return c->watch ? watch_end(c->watch, fn, ctx) : 0;
}

int cursor_finish(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
    c->receiver = &(struct receiver){fn, ctx};
    int r = cursor_span_end(c);
    if (r)
        return r;
    for (unsigned i = 0; i < c->lanes; i++) {
        lane_wake(&c->lane[i]);
        lane_end(&c->lane[i], &c->moment);
    }
    r = cursor_moment(c);
    if (r)
        return r;
    if (c->near)
        near_clear(c->near);
    return c->watch ? watch_end(c->watch, fn, ctx) : 0;
}

/* --- what is clear --- */

struct would {
    const struct cursor *cursor;
    const struct lane_item *item;
};

static uint64_t item_from(const struct cursor *c, const struct lane_item *item)
{
    uint64_t now = c->moment.now;
    return now - (uint32_t)((uint32_t)now - item->seen);
}

/* Does another slot of the rule wait that ended before `from`? It will be seen first. */
static bool slot_waits(const struct cursor *c, uint32_t slot, uint64_t from)
{
    const uint32_t *rules = c->set->near.slot_rules;
    for (size_t i = 0; i < c->waiting_count; i++) {
        const struct found *f = &c->waiting[i];
        if ((f->ref & OUTPUT_SLOT) && f->to <= from &&
            rules[f->ref & OUTPUT_RULE_MAX] == rules[slot])
            return true;
    }
    return false;
}

static bool slot_holds(const struct cursor *c, uint32_t slot, uint64_t from, uint64_t to)
{
    return near_would(c->near, slot, from, to, c->direction) || slot_waits(c, slot, from);
}

static bool would_complete(void *ctx, uint32_t slot, unsigned least)
{
    const struct would *w = ctx;
    return slot_holds(w->cursor, slot, item_from(w->cursor, w->item),
                      w->cursor->moment.now + least);
}

/* May the item become a slot that completes a near rule? */
static bool may_complete(const struct cursor *c, const struct lane *l, const struct lane_item *item)
{
    struct would w = {c, item};
    enum growth how = lane_growth(item);
    if (!c->near || (c->near->count == 0 && c->waiting_count == 0))
        return false;
    return trie_slots(l->trie, item->place, item->kind, item->length, how, would_complete, &w) ||
           (how != GROWTH_ANY && trie_slots(l->trie, item->place, item->kind, item->length,
                                            GROWTH_WORD, would_complete, &w));
}

/* Would the complete word count if it ended here? */
static bool open_counts(const struct cursor *c, const struct lane *l, const struct lane_item *item)
{
    uint32_t ref;
    if (!trie_output(l->trie, item->place, &ref))
        return false;
    if (!lane_convinces(l, item) && item->kind != SYMBOL_LETTER)
        return false; /* and no letter is left to say again */
    struct output one = {.ref = ref | OUTPUT_LAST};
    const struct output *o = ref & OUTPUT_LIST ? &l->trie->outputs[ref & ~OUTPUT_LIST] : &one;
    for (;; o++) {
        bool counts =
            o->ref & OUTPUT_SLOT
                ? would_complete(&(struct would){c, item}, o->ref & OUTPUT_RULE_MAX, 0)
                : !(o->ref & OUTPUT_ALLOW) && (o->ref >> OUTPUT_DIRECTION_SHIFT & c->direction);
        if (counts && lane_counts(item, o->ref) && !lane_covers(l, item))
            return true;
        if (o->ref & OUTPUT_LAST)
            return false;
    }
}

static bool item_holds(const struct cursor *c, const struct lane *l, const struct lane_item *item)
{
    unsigned who = lane_grows(l, item);
    if (who & c->direction)
        return true;
    if ((who & WHO_SLOT) && may_complete(c, l, item))
        return true;
    return (item->flags & ITEM_OPEN) && open_counts(c, l, item);
}

static uint64_t lone_clear(const struct cursor *c, const struct lane *l, uint64_t clear)
{
    const struct lane_lone *lone = &l->lone;
    enum growth how = gap_growth(lone->gap, 0);
    for (int pair = 1; pair >= 0; pair--) {
        uint64_t start = pair ? lone->before : lone->start;
        if (start >= clear || (pair && lone->pair == PLACE_NONE))
            continue;
        unsigned who = pair ? trie_grows(l->trie, lone->pair, SYMBOL_HAN, 2, how)
                            : l->trie->grows[lone->symbol] >> 4 * how & 15;
        if (who & c->direction)
            return start;
        if (who & WHO_SLOT) {
            struct lane_item item = lane_lone_item(l, pair);
            if (item_holds(c, l, &item))
                return start;
        }
    }
    return clear;
}

uint64_t cursor_clear(const struct cursor *c)
{
    uint64_t clear = c->reader.pos < c->moment.lost ? c->reader.pos : c->moment.lost;
    for (size_t i = 0; i < c->waiting_count; i++) {
        const struct found *f = &c->waiting[i];
        bool slot = f->ref & OUTPUT_SLOT;
        if (f->start < clear && (!slot || slot_holds(c, f->ref & OUTPUT_RULE_MAX, f->from, f->to)))
            clear = f->start;
    }
    for (unsigned i = 0; i < c->lanes; i++) {
        const struct lane *l = &c->lane[i];
        if (l->lone.on) {
            clear = lone_clear(c, l, clear);
            continue;
        }
        for (unsigned j = 0; j < l->count; j++)
            if (l->items[j].start < clear && item_holds(c, l, &l->items[j]))
                clear = l->items[j].start;
    }
    uint64_t watched = c->watch ? watch_clear(c->watch) : clear;
    return watched < clear ? watched : clear;
}
