/* A small match set, and a scanner that writes down what it is told. */
#pragma once

#include "../unit.h"

#include "scan/hold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEN_MAX 4096

struct seen {
    struct hit hit;
    enum field field;
    uint32_t choice, part;
};

struct watcher {
    struct seen hits[SEEN_MAX];
    size_t count;
    size_t stop_at; /* answers 1 at this hit, counted from 1; 0: never */
    int answer;     /* instead of 1 */
    bool mask;      /* masks what it is told */
    void (*check)(struct watcher *w, struct channel *c, const struct hit *hit);
    struct span source; /* for `check` */
    uint64_t clear;     /* for `check` */
};

static struct matchset *set;

static inline int add_words(struct matchset_builder *b)
{
    static const char *const words[] = {"甲乙丙", "乙丙", "丙a", "ab", "大麻"};
    int r = matchset_add_allow(b, SPAN_LIT("大麻烦"));
    for (unsigned i = 0; i < sizeof(words) / sizeof(*words) && r == 0; i++)
        r = matchset_add_keyword(b, span_str(words[i]), i, DIRECTION_BOTH, 0);
    static const struct match_pattern phone = {
        .regex = {"1[0-9]{10}(?![0-9])", 19}, .gate = GATE_DIGITS, .width = 12};
    const char *reason;
    if (r == 0)
        r = matchset_add_pattern(b, &phone, 5, DIRECTION_BOTH, &reason);
    return r;
}

static inline int set_up(void **state)
{
    struct matchset_builder *b = matchset_builder_new();
    int r = b ? add_words(b) : -ENOMEM;
    if (r == 0)
        r = matchset_build(b, &set);
    matchset_builder_free(b);
    return r;
}

static inline int tear_down(void **state)
{
    set = matchset_unref(set);
    return 0;
}

static inline int see(void *ctx, struct channel *c, const struct hit *hit)
{
    struct watcher *w = ctx;
    assert_true(w->count < SEEN_MAX);
    w->hits[w->count++] = (struct seen){*hit, c->field, c->choice, c->part};
    if (w->check)
        w->check(w, c, hit);
    if (w->mask)
        assert_int_equal(channel_mask(c, hit->start, hit->end), 0);
    return w->count == w->stop_at ? (w->answer ? w->answer : 1) : 0;
}

static inline struct scanner *new_scanner(struct watcher *w, bool whole)
{
    struct scanner *s = scanner_new(set, DIRECTION_COMPLETION, whole, see, w);
    assert_non_null(s);
    return s;
}

static inline int feed(struct scanner *s, enum field field, uint32_t choice, struct span text,
                       struct piece *ret_piece)
{
    struct piece p;
    struct text_item item = {.text = text, .field = field, .choice = choice};
    return scanner_feed(s, &item, ret_piece ? ret_piece : &p);
}
