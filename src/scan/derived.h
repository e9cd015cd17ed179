/*
 * Judges what a whole text says when it is decoded or read another way (text/derive.h), each
 * derived text with a cursor of its own. Hits are told where they stand in the raw text, from the
 * first raw byte of their first character to the last of their last: of an acrostic that is all
 * from the first line's initial to the last one's, so that a mask leaves nothing of the match, and
 * hides what stands between. Their layers are those of the cursor and of the encoding or reading.
 *
 * A word hit behind an encoding is followed by one of the set's payload rule, once in a text: who
 * encodes what is forbidden means to get it past. Patterns don't count for that: an address in a
 * link is encoded by every program.
 */
#pragma once

#include "match/cursor.h"
#include "text/derive.h"

/* Where something was found in the text as it reads. Lent for the call. */
struct derived_part {
    struct span text;
    size_t start, end; /* of the hit */
    size_t from, to;   /* of the allow phrase that saved it; 0 else */
};

/* As a cursor's: what it answers other than 0 ends judging. */
typedef int (*derived_hit_fn)(void *ctx, const struct hit *hit, const struct derived_part *part);
/* As cursor_tell_saved() has it, all offsets those of the raw text. */
typedef void (*derived_saved_fn)(void *ctx, const struct saved *saved,
                                 const struct derived_part *part);

struct derived_scan {
    const struct matchset *set;
    enum direction direction;
    bool readings; /* also acrostics and columns, for the rules that ask for them */
    derived_hit_fn fn;
    derived_saved_fn saved; /* NULL: nobody asks */
    void *ctx;
    uint32_t ordinary; /* LAYERS_ENCODED that mean nothing here: no payload */
    bool payload;      /* the payload rule was told */
};

/*
 * 0; the answer of fn; -EOVERFLOW (a pattern's limit), -ENOMEM. Linear in the text. One exception
 * to "ends": the payload rule's hit is told even when fn stopped at the hit behind it, its answer
 * ignored, because both belong on record.
 */
int derived_judge(struct derived_scan *s, struct span text);
