/*
 * Near rules over one text: which slots were seen lately, and what completes a rule. Positions are
 * numbers of characters: letters, digits and Han characters alone.
 */
#pragma once

#include "base/buf.h"
#include "match/matchset.h"

/* Compiled; immutable once the set is built. */
struct near_rule {
    uint32_t rule, first_slot;
    uint8_t slots, direction;
    uint16_t within;
    bool ordered;
};

struct near_rules {
    struct near_rule *rules;
    uint32_t *slot_rules; /* by slot: index into rules */
    uint32_t count, cap, slot_count, slot_cap;
};

/* 0 and the index; -ENOMEM. */
int near_rules_add(struct near_rules *n, const struct match_near *near, uint32_t rule,
                   enum direction direction, uint32_t *ret_near);
void near_rules_deinit(struct near_rules *n);

/* A word of a slot. */
struct near_word {
    uint64_t from, to; /* characters */
    uint64_t chain;    /* of ordered rules: where the slots up to this one began */
};

/* A slot's two latest words, the last first: the next slot's may overlap with one of them. */
struct near_seen {
    uint32_t slot, count;
    struct near_word words[2];
};

/* Of one text; sparse. */
struct near {
    const struct near_rules *rules;
    struct near_seen *seen;
    uint32_t count, cap;
};

/* NULL when memory is out. The rules must outlive it. */
struct near *near_new(const struct near_rules *rules);
void near_free(struct near *n);
size_t near_bytes(const struct near *n);
/* Forgets everything: a join, or the end of the text. */
void near_clear(struct near *n);
/*
 * A word of the slot stands at from..to. Returns 1 when that completes its rule for the direction,
 * 0, -ENOMEM.
 */
int near_see(struct near *n, uint32_t slot, uint64_t from, uint64_t to, enum direction direction);
/* Would a word of the slot at from..to complete its rule? O(slots seen lately). */
bool near_would(const struct near *n, uint32_t slot, uint64_t from, uint64_t to,
                enum direction direction);
static inline uint32_t near_rule_of(const struct near *n, uint32_t slot)
{
    return n->rules->rules[n->rules->slot_rules[slot]].rule;
}
