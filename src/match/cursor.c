#include "match/reading.h"

#include <errno.h>
#include <stdlib.h>
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

/* Near rules count letters, digits and Han characters, and the ends of sentences. */
static unsigned distance(uint32_t cp, bool *paused)
{
    return moment_distance(cp, fold_entry_class(fold_entry(cp)) <= FOLD_WORD, paused);
}

static int cursor_point(struct cursor *c, const struct fold_point *point)
{
    c->moment.before = c->moment.now;
    c->moment.now += distance(point->cp, &c->moment.paused);
    for (unsigned i = 0; i < c->lanes; i++) {
        lane_wake(&c->lane[i]);
        lane_point(&c->lane[i], point, &c->moment);
    }
    int r = cursor_settle(c);
    if (r || !c->watch || point->start < c->watched)
        return r;
    c->watched = point->end;
    return watch_point(c->watch, point, c->receiver->fn, c->receiver->ctx);
}

/* Not worth the start-up below this many bytes. */
#define SKIP_LEAST 64
/* How far one looks ahead at first, and how long one waits at most. */
#define SKIP_WINDOW 512

/* How skipping went so far in a piece. */
struct ahead {
    size_t window;  /* to look at */
    size_t wait;    /* before the next try */
    unsigned first; /* lane to ask */
};

static uint64_t count_characters(struct span text, bool *paused)
{
    struct fold_reader reader = {0};
    struct fold_point point;
    uint64_t n = 0;
    while (fold_reader_next(&reader, &text, &point) > 0)
        n += distance(point.cp, paused);
    return n;
}

/*
 * While no word has more than its first character, the text ahead may be passed over up to where
 * one may begin. `rest` is what is left of `text`, which began at offset `base`; sets it to where
 * to read on, and tells whether that was possible. Several lenses, or one and the watch, must not
 * look far ahead each in vain: so how far they look follows how far they got, the one that stopped
 * last is asked first, and where there is no getting on one waits a while.
 */
static bool cursor_skip(struct cursor *c, struct span text, uint64_t base, struct span *rest,
                        struct ahead *ahead)
{
    uint64_t from = c->reader.pos;
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
    }
    size_t limit = text.len, at = (size_t)(from - base);
    if ((c->watch || c->lanes > 1) && ahead->window < limit - at)
        limit = at + ahead->window;
    size_t most = limit;
    if (c->watch) {
        size_t watched = (size_t)(c->watched - base);
        if (watched < limit)
            limit = watched + watch_quiet(c->watch, span_slice(text, watched, limit));
        if (limit < at + SKIP_LEAST) {
            c->tried = base + limit;
            return false;
        }
    }
    /* Until all agree: where one lens stops another may be in the middle of a word. */
    size_t resume = limit, tried = limit, read = (size_t)(c->reader.pos - base);
    for (unsigned i = ahead->first, agreed = 0; agreed < c->lanes && resume > read;
         i = (i + 1) % c->lanes) {
        const struct lane *l = &c->lane[i];
        bool word = from == c->reader.pos && l->adjacent && kind_is_word(l->kind);
        struct skip_end end = skip_scan(&c->set->skips[c->set->lenses[i]],
                                        span_slice(text, at, resume), word ? l->kind : SYMBOL_NONE);
        bool stops = at + end.from < resume;
        ahead->first = stops ? i : ahead->first;
        agreed = stops ? 1 : agreed + 1;
        tried = at + end.until < tried ? at + end.until : tried;
        resume = at + end.from;
    }
    size_t got = resume > at ? resume - at : 0;
    ahead->window = resume == most ? 2 * ahead->window : 2 * got;
    ahead->window = ahead->window < SKIP_WINDOW ? SKIP_WINDOW : ahead->window;
    ahead->wait = got >= SKIP_LEAST           ? 0
                  : ahead->wait < SKIP_WINDOW ? 2 * ahead->wait + 4
                                              : ahead->wait;
    c->tried = base + (tried > read + ahead->wait ? tried : read + ahead->wait);
    if (resume <= read)
        return false;
    if (c->watch && base + resume > c->watched) {
        watch_passed(c->watch, span_slice(text, (size_t)(c->watched - base), resume), c->watched);
        c->watched = base + resume;
    }
    if (c->set->near.count)
        c->moment.now += count_characters(span_slice(text, (size_t)(c->reader.pos - base), resume),
                                          &c->moment.paused);
    for (unsigned i = 0; i < c->lanes; i++)
        lane_reset(&c->lane[i]);
    c->reader.pos = base + resume;
    *rest = span_slice(text, resume, text.len);
    return true;
}

/* Reads the piece to its end. */
static int cursor_read(struct cursor *c, struct span text)
{
    struct fold_point point;
    struct span rest = text;
    uint64_t base = c->reader.pos + c->reader.tail_len;
    struct ahead ahead = {.window = SKIP_WINDOW};
    for (;;) {
        cursor_skip(c, text, base, &rest, &ahead);
        int r = cursor_quick(c, &rest);
        if (r)
            return r;
        int got = fold_reader_next(&c->reader, &rest, &point);
        if (got <= 0)
            return got;
        r = cursor_point(c, &point);
        if (r)
            return r;
    }
}

int cursor_feed(struct cursor *c, struct span text, cursor_hit_fn fn, void *ctx)
{
    struct receiver receiver = {fn, ctx};
    c->receiver = &receiver;
    int r = cursor_read(c, text);
    c->receiver = NULL;
    return r;
}

/* What a join and the end of the text have in common; `over` is what either means to a lane. */
static int span_over(struct cursor *c, void (*over)(struct lane *l, struct moment *m))
{
    struct fold_point point;
    int got, r = 0;
    while (r == 0 && (got = fold_reader_end(&c->reader, &point)) != 0)
        r = got < 0 ? got : cursor_point(c, &point);
    if (r)
        return r;
    c->moment.before = c->moment.now;
    for (unsigned i = 0; i < c->lanes; i++) {
        lane_wake(&c->lane[i]);
        over(&c->lane[i], &c->moment);
    }
    r = cursor_settle(c);
    if (r)
        return r;
    return c->watch ? watch_end(c->watch, c->receiver->fn, c->receiver->ctx) : 0;
}

int cursor_join(struct cursor *c, enum cursor_joint joint, cursor_hit_fn fn, void *ctx)
{
    struct receiver receiver = {fn, ctx};
    c->receiver = &receiver;
    int r = span_over(c, lane_join);
    if (joint == JOINT_SPEAKER && c->near)
        near_clear(c->near);
    else if (joint == JOINT_MESSAGE)
        c->moment.now += moment_distance('\n', false, &c->moment.paused);
    c->receiver = NULL;
    return r;
}

int cursor_finish(struct cursor *c, cursor_hit_fn fn, void *ctx)
{
    struct receiver receiver = {fn, ctx};
    c->receiver = &receiver;
    int r = span_over(c, lane_end);
    if (c->near)
        near_clear(c->near);
    c->receiver = NULL;
    return r;
}
