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
    struct watch *watch; /* for patterns, NULL when none counts for this direction */
    struct fold_reader reader;
    uint64_t pos;     /* end of the last code point read */
    uint64_t watched; /* offset up to which the watch has read */
    uint64_t tried;   /* offset before which skipping is not worth a try */
    struct near near;
    struct moment moment;
    struct found *waiting;
    size_t waiting_count, waiting_cap;
    cursor_hit_fn fn, saved_fn;
    void *ctx, *saved_ctx;
    uint8_t direction; /* bits */
    uint8_t lanes;
    struct lane lane[]; /* [lanes] */
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
    near_init(&c->near, &set->near);
    c->moment.lost = UINT64_MAX;
    if (patterns && patterns_count(&set->patterns, direction)) {
        c->watch = watch_new(&set->patterns, direction);
        if (!c->watch) {
            free(c);
            return NULL;
        }
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
    near_deinit(&c->near);
    watch_free(c->watch);
    free(c->moment.found);
    free(c->waiting);
    free(c);
}

void cursor_tell_saved(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
    c->saved_fn = fn;
    c->saved_ctx = ctx;
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

/* Marks what the complete allow phrase covers. */
static void cover(const struct found *allow, struct found *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct found *f = &list[i];
        if (!(f->ref & OUTPUT_ALLOW) && f->lane == allow->lane && f->start >= allow->start &&
            f->end <= allow->end && f->length < allow->length)
            f->covered = true;
    }
}

static void wait(struct cursor *c, const struct found *f)
{
    if (c->waiting_count == c->waiting_cap) {
        size_t cap = c->waiting_cap ? 2 * c->waiting_cap : 8;
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
        int r = near_see(&c->near, hit.rule, f->from, f->to, c->direction);
        if (r < 0)
            moment_fail(&c->moment, r, f->start);
        if (r <= 0)
            return r;
        hit.rule = near_rule_of(&c->near, hit.rule);
    }
    return c->fn(c->ctx, &hit);
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
    if (!c->saved_fn || (f->ref & OUTPUT_SLOT))
        return;
    struct hit hit = {
        .start = f->start, .end = f->end, .rule = f->ref & OUTPUT_RULE_MAX, .layers = f->layers};
    c->saved_fn(c->saved_ctx, &hit);
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
    size_t certain = 0, kept = 0;
    bool slots = false;
    if (c->set->allows) {
        for (size_t i = 0; i < m->count; i++) {
            if (!(m->found[i].ref & OUTPUT_ALLOW) || outdone(m->found, m->count, i))
                continue;
            cover(&m->found[i], m->found, m->count);
            cover(&m->found[i], c->waiting, c->waiting_count);
        }
    }
    size_t fresh = m->count;
    for (size_t i = 0; i < fresh; i++) {
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

/* Invisible characters and marks are none that people see. */
static bool is_visible(uint32_t cp)
{
    return fold_entry_class(fold_entry(cp)) < FOLD_INVISIBLE;
}

static int cursor_point(struct cursor *c, const struct fold_point *point)
{
    c->moment.before = c->moment.now;
    c->moment.now += is_visible(point->cp);
    c->pos = point->end;
    for (unsigned i = 0; i < c->lanes; i++)
        lane_point(&c->lane[i], point, &c->moment);
    int r = cursor_moment(c);
    if (r || !c->watch || point->start < c->watched)
        return r;
    c->watched = point->end;
    return watch_point(c->watch, point, c->fn, c->ctx);
}

/* Not worth the start-up below this many bytes. */
#define SKIP_LEAST 64

static uint64_t count_visible(struct span text)
{
    struct fold_reader reader = {0};
    struct fold_point point;
    uint64_t n = 0;
    while (fold_reader_next(&reader, &text, &point) > 0)
        n += is_visible(point.cp);
    return n;
}

/*
 * While no word has more than its first character, the text ahead may be passed over up to where
 * one may begin. `rest` is what is left of `text`, which began at offset `base`; sets it to where
 * to read on, and tells whether that was possible.
 */
static bool cursor_skip(struct cursor *c, struct span text, uint64_t base, struct span *rest)
{
    uint64_t from = c->pos;
    uint8_t inside[LENS_COUNT];
    if (rest->len < SKIP_LEAST || c->reader.tail_len || c->waiting_count || c->pos < c->tried)
        return false;
    for (unsigned i = 0; i < c->lanes; i++) {
        const struct lane *l = &c->lane[i];
        if (!lane_is_idle(l, base))
            return false;
        if (l->count && l->items[0].start < from)
            from = l->items[0].start;
        inside[i] = l->adjacent && kind_is_word(l->kind) ? l->kind : SYMBOL_NONE;
    }
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
            skip_scan(&c->set->skips[c->set->lenses[i]], span_slice(text, at, resume),
                      from < c->pos ? SYMBOL_NONE : inside[i]);
        tried = i == 0 || at + end.until < tried ? at + end.until : tried;
        resume = at + end.from;
    }
    c->tried = base + tried;
    if (resume + 0u <= (size_t)(c->pos - base))
        return false;
    if (c->watch && base + resume > c->watched) {
        watch_passed(c->watch, span_slice(text, (size_t)(c->watched - base), resume), c->watched);
        c->watched = base + resume;
    }
    if (c->set->near.count)
        c->moment.now += count_visible(span_slice(text, (size_t)(c->pos - base), resume));
    for (unsigned i = 0; i < c->lanes; i++)
        lane_reset(&c->lane[i]);
    c->pos = c->reader.pos = base + resume;
    *rest = span_slice(text, resume, text.len);
    return true;
}

int cursor_feed(struct cursor *c, struct span text, cursor_hit_fn fn, void *ctx)
{
    struct fold_point point;
    struct span rest = text;
    uint64_t base = c->reader.pos + c->reader.tail_len;
    int got;
    c->fn = fn;
    c->ctx = ctx;
    for (;;) {
        cursor_skip(c, text, base, &rest);
        got = fold_reader_next(&c->reader, &rest, &point);
        if (got <= 0)
            return got;
        int r = cursor_point(c, &point);
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
    c->fn = fn;
    c->ctx = ctx;
    int r = cursor_span_end(c);
    if (r)
        return r;
    for (unsigned i = 0; i < c->lanes; i++)
        lane_join(&c->lane[i], &c->moment);
    r = cursor_moment(c);
    if (r)
        return r;
    near_clear(&c->near);
    return c->watch ? watch_end(c->watch, fn, ctx) : 0;
}

int cursor_finish(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
    c->fn = fn;
    c->ctx = ctx;
    int r = cursor_span_end(c);
    if (r)
        return r;
    for (unsigned i = 0; i < c->lanes; i++)
        lane_end(&c->lane[i], &c->moment);
    r = cursor_moment(c);
    if (r)
        return r;
    near_clear(&c->near);
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

/* Slots that wait will be seen as well; while one does, all others are held. */
static bool slots_wait(const struct cursor *c)
{
    for (size_t i = 0; i < c->waiting_count; i++)
        if (c->waiting[i].ref & OUTPUT_SLOT)
            return true;
    return false;
}

static bool would_complete(void *ctx, uint32_t slot, unsigned least)
{
    const struct would *w = ctx;
    const struct cursor *c = w->cursor;
    return slots_wait(c) ||
           near_would(&c->near, slot, item_from(c, w->item), c->moment.now + least, c->direction);
}

/* May the item become a slot that completes a near rule? */
static bool may_complete(const struct cursor *c, const struct lane *l, const struct lane_item *item)
{
    struct would w = {c, item};
    enum growth how = lane_growth(item);
    if (c->near.count == 0 && !slots_wait(c))
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

uint64_t cursor_clear(const struct cursor *c)
{
    uint64_t clear = c->pos < c->moment.lost ? c->pos : c->moment.lost;
    for (size_t i = 0; i < c->waiting_count; i++)
        clear = c->waiting[i].start < clear ? c->waiting[i].start : clear;
    for (unsigned i = 0; i < c->lanes; i++) {
        const struct lane *l = &c->lane[i];
        for (unsigned j = 0; j < l->count; j++)
            if (l->items[j].start < clear && item_holds(c, l, &l->items[j]))
                clear = l->items[j].start;
    }
    uint64_t watched = c->watch ? watch_clear(c->watch) : clear;
    return watched < clear ? watched : clear;
}
