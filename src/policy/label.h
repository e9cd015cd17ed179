/*
 * What an answer's text says about how it may be labelled: is there prose in it, or code alone? Did
 * the model label it already? Fed with the text in any pieces; what is kept is a few hundred bytes.
 */
#pragma once

#include "config/config.h"

#define LABEL_EDGE 400 /* bytes kept of each end; a label, with marks around it, fits in */

struct label_text {
    uint64_t bytes;                          /* fed */
    uint64_t first_at;                       /* offset of the first character that is no blank */
    bool begun;                              /* there is one */
    char head[LABEL_EDGE], tail[LABEL_EDGE]; /* head: from first_at on */
    size_t head_len, tail_len;
    /* fenced code, line by line */
    enum { LABEL_LINE, LABEL_TICKS, LABEL_TEXT, LABEL_REST } state;
    unsigned ticks, fence;
    char tick, fence_tick;
    bool in_fence, fences, prose;
    char before; /* the byte before */
    bool hides;  /* there is markup in which text may not be seen */
};

/* Begins anew; zeros do as well. */
void label_text_init(struct label_text *t);
/* O(piece.len). What it says afterwards does not depend on the pieces. */
void label_text_feed(struct label_text *t, struct span piece);
/* Nothing but fenced code, or one JSON value: a label would break what reads it. */
bool label_text_is_code(const struct label_text *t);
/*
 * Does it begin or end with a label: the configuration's, or a line or bracket of its own that
 * names AI and generation, perhaps a known model as its maker, and says nothing else? Where it may
 * be denied, quoted, struck out or unseen (markup) it is none: one label too many does no harm.
 */
bool label_text_is_labelled(const struct label_text *t, const struct config *c);
/*
 * Whether a label may be put before the text can't be told from its first character: it may become
 * code, or a label. (Then the label is put behind it.)
 */
bool label_text_is_doubtful(const struct label_text *t, struct span label);

/* The label's text in that language, of at most 2 * LABEL_TEXT_MAX + 1 bytes. */
struct span label_words(const struct config *c, enum language language, char *room);
#define LABEL_WORDS_MAX (2 * LABEL_TEXT_MAX + 1)
/*
 * Our label at the beginning or end of a text, where it comes back in a conversation: from..to is
 * what stands besides. False when there is none. Blanks beyond the label are left out as well.
 */
bool label_find(const struct config *c, struct span text, size_t *ret_from, size_t *ret_to);
