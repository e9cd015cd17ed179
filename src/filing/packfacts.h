/*
 * What a pack states, as flat pairs of a key and a text: who offers what, by which model, under
 * which numbers, policy and libraries. Kept in the manifest, so that what was handed in can be
 * compared with what is so now, and read by the linter, so that all say the same.
 */
#pragma once

#include "base/arena.h"
#include "filing/dossier.h"

struct fact {
    struct span key, value; /* value empty: not known */
};
struct facts {
    struct arena arena;
    struct fact *list;
    size_t count, cap;
};
#define FACTS_INIT ((struct facts){.arena = {.max = 16u << 20}})

/* Copies both. 0 or -ENOMEM. */
int facts_add(struct facts *f, struct span key, struct span value);
/* NULL when there is none of that key. O(facts). */
const struct fact *facts_find(const struct facts *f, struct span key);
void facts_deinit(struct facts *f);

/*
 * Adds all facts of a dossier, always in the same order:
 *   service.*, model.ID.*, modality, library.*, bank.*, policy.*, run.*
 * 0 or -ENOMEM.
 */
int facts_gather(const struct dossier *d, struct facts *ret_facts);

/* A fact's name in Chinese, for people; the key itself where it has none. */
int facts_title(struct span key, struct buf *out);
