/* In which other characters a character may be written. Private to this room. */
#pragma once

#include "base/arena.h"
#include "question/bank.h"

/* `from` may be written as `to`. */
struct pair {
    uint32_t from, to;
};

/* A character as its parts. */
struct split_pair {
    uint32_t from;
    struct span parts;
};

struct derive_table {
    struct arena arena;
    struct pair *old; /* traditional, Japanese and variant forms; sorted */
    size_t old_count, old_cap;
    struct pair *shape; /* nearly the same shape; sorted */
    size_t shape_count, shape_cap;
    struct pair *sound; /* common characters, by syllable; sorted */
    size_t sound_count, sound_cap;
    struct split_pair *split; /* sorted */
    size_t split_count, split_cap;
};

/* Reads variants/ (a missing file is an empty table). 0, -ENOMEM, -errno; free it in any case. */
int derive_table_read(struct span rules_dir, const struct ruleset *rules, const struct bank *bank,
                      struct derive_table *ret);
void derive_table_free(struct derive_table *t);

/* The pairs of that character, *ret_count of them. O(log n). */
const struct pair *derive_table_find(const struct pair *pairs, size_t count, uint32_t from,
                                     size_t *ret_count);
/* The character's parts, the empty span where it has none. O(log n). */
struct span derive_table_split(const struct derive_table *t, uint32_t from);
