/*
 * A resumable reader of one text over one match set. It is fed the text in any pieces and answers
 * two questions: which hits are certain, and up to which offset nothing can change any more.
 *
 * The law that every test of it asserts: for any split of the text into pieces, the sequence of
 * hits and the final state equal those of the unsplit text; and cursor_clear() never passes the
 * start of a hit that is still to come.
 *
 * Offsets count the bytes fed since cursor_new(), join marks adding none.
 */
#pragma once

#include "match/matchset.h"

struct cursor;

/* The cursor borrows the set, which must outlive it. NULL when memory is out. */
struct cursor *cursor_new(const struct matchset *set, enum direction direction);
/* The same without patterns: smaller, and it never holds a text for a pattern's sake. */
struct cursor *cursor_new_keywords(const struct matchset *set, enum direction direction);
void cursor_free(struct cursor *c);
/* The memory that it takes at present, bytes. */
size_t cursor_bytes(const struct cursor *c);

/*
 * Called for each hit in the moment it is certain, in the order in which they become certain (ties:
 * keywords before patterns; then by start, longer first, rule). A positive answer stops the feed
 * there and then, and what would have followed in the same moment is not reported.
 */
typedef int (*cursor_hit_fn)(void *ctx, const struct hit *hit);

/*
 * A hit that does not count, because a longer allow phrase covers it: the one at from..to. Of a
 * near rule it is a word of one slot that is covered.
 */
struct saved {
    struct hit hit;
    bool slot;
    uint64_t from, to; /* of several the longest that had ended by then */
};
typedef void (*cursor_saved_fn)(void *ctx, const struct saved *saved);

/* Besides, `fn` is told of those when that is decided. For explaining, not for judging. 0, -ENOMEM.
 */
int cursor_tell_saved(struct cursor *c, cursor_saved_fn fn, void *ctx);

/*
 * Reads the next piece: UTF-8, which pieces may cut anywhere, with halves of surrogate pairs in
 * WTF-8 let through (terms of base/utf8.h). Linear in text.len with a constant that does not depend
 * on the number of keywords. Returns 0; the positive answer of `fn`; -EILSEQ on bytes that are no
 * text; -ENOMEM; -EOVERFLOW when a pattern's match limit was reached (unjudged). After anything but
 * 0 the cursor may only be asked for cursor_clear() and freed.
 */
int cursor_feed(struct cursor *c, struct span text, cursor_hit_fn fn, void *ctx);
/* What two spans have in common. */
enum cursor_joint {
    JOINT_PART,    /* parts of one message: a model reads on */
    JOINT_MESSAGE, /* messages of one speaker: as behind the end of a sentence */
    JOINT_SPEAKER, /* somebody else speaks: near windows end */
};
/*
 * A join mark between two spans: a keyword may cross it, while a word boundary stands there, and
 * allow phrases and patterns end there.
 */
int cursor_join(struct cursor *c, enum cursor_joint joint, cursor_hit_fn fn, void *ctx);
/* The text is over: what was waiting is decided. Afterwards cursor_clear() is the whole length. */
int cursor_finish(struct cursor *c, cursor_hit_fn fn, void *ctx);

/*
 * Every byte before this offset is in no match that is still growing and in no hit undecided: it
 * may be forwarded. Never falls. For keywords the exact smallest hold; for patterns, from the start
 * of the open gate's run, at most their width.
 */
uint64_t cursor_clear(const struct cursor *c);
