/* The same text in other characters: techniques T05 to T12. Private to this room. */
#pragma once

#include "question/derivetable.h"

/* A small seeded generator (splitmix64): the same numbers on every machine. */
static inline uint64_t derive_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

struct writing {
    const struct derive_table *table;
    struct span text;
    uint64_t random; /* state */
    struct buf *out;
};

/* Each appends the text, valid UTF-8, in another form. 0, -EMSGSIZE, -ENOMEM. Linear. */
typedef int (*derive_write_fn)(struct writing *w);
int write_pinyin(struct writing *w);   /* all of it */
int write_mixed(struct writing *w);    /* half of the characters as pinyin */
int write_initials(struct writing *w); /* a third as initials */
int write_sound(struct writing *w);    /* characters that are read alike */
int write_shape(struct writing *w);    /* that look alike */
int write_split(struct writing *w);
int write_reversed(struct writing *w);
int write_columns(struct writing *w); /* one character a line */
int write_old(struct writing *w);     /* traditional */
int write_variant(struct writing *w); /* any older or Japanese form */
int write_wide(struct writing *w);
int write_zero(struct writing *w); /* nothing visible between the characters */
int write_points(struct writing *w);
int write_emoji_between(struct writing *w);
int write_struck(struct writing *w); /* a combining mark on each */
int write_emoji(struct writing *w);  /* for the words that have one */
int write_numbers(struct writing *w);
int write_lookalike(struct writing *w); /* Latin letters of other scripts */
int write_leet(struct writing *w);
int write_base64(struct writing *w);
int write_hex(struct writing *w);
int write_percent(struct writing *w);
int write_escapes(struct writing *w);
int write_rot13(struct writing *w); /* of its pinyin */
int write_morse(struct writing *w);
