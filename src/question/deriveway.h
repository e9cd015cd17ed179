/* The ways of the techniques, as data. Private to this room. */
#pragma once

#include "question/derive.h"
#include "question/derivewrite.h"

/* A turn of a conversation; the form as below. A list ends with a NULL role. */
struct derive_turn {
    const char *role, *form;
};

/*
 * One way. In a form {} stands for the seed (as `write` gives it), {1} {2} {3} for its thirds,
 * {head} for its first characters, one behind the other, {long} for some thousand characters about
 * nothing of the kind. With turns the question itself stays the seed's text, as a catalogue shows
 * it, and the turns are what is sent.
 */
struct derive_way {
    const char *form;
    derive_write_fn write;
    const struct derive_turn *turns;
};

struct derive_entry {
    struct derive_technique told;
    const char *groups; /* of risk types, such as "A3A4", that it suits; NULL: all */
    const struct derive_way *ways;
};
/* By number; index 0 is empty. */
extern const struct derive_entry derive_entries[BANK_TECHNIQUES + 1];

/* Sentences that {long} is made of. */
extern const char *const derive_fillers[];
extern const size_t derive_filler_count;
