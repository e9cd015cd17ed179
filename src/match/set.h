/* The inside of a match set, for this room only. */
#pragma once

#include "match/near.h"
#include "match/pattern.h"
#include "match/trie.h"

#include <stdatomic.h>

struct matchset {
    atomic_uint refs;
    struct trie tries[LENS_COUNT]; /* the plain one always, the others where rules ask */
    uint8_t lenses[LENS_COUNT];    /* those that there are, LENS_PLAIN first */
    unsigned lens_count;
    bool allows;
    struct patterns patterns;
    struct near_rules near;
    uint32_t *asked; /* by rule: LAYERS_ASKED */
    size_t asked_count;
    uint32_t asked_any;
    uint32_t payload_rule; /* UINT32_MAX: none */
    struct matchset_stats stats;
};
