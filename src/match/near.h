/*
 * Near rules over one text: which slots were seen lately, and what completes a rule. Positions are
 * numbers of characters: letters, digits and Han characters alone.
 *
 * An everyday word such as 如何 stands in a slot of many rules. It is one word of the automaton,
 * which knows the slots that it stands in.
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

/* That a word stands in a slot. */
struct near_place {
    uint32_t word, slot;
};

struct near_rules {
    struct near_rule *rules;
    uint32_t *slot_rules; /* by slot: index into rules */
    uint32_t count, cap, slot_count, slot_cap;
    struct near_place *places; /* by word, then by slot, once ready */
    uint32_t *first;           /* [word_count + 1]: the first place of each word */
    uint32_t word_count, place_count, place_cap;
    /* While words are added: all keys one behind another, and a hash table over them. */
    struct buf keys;
    struct near_key *table;
    uint32_t table_cap;
};

/* 0 and the index; -ENOMEM. */
int near_rules_add(struct near_rules *n, const struct match_near *near, uint32_t rule,
                   enum direction direction, uint32_t *ret_near);
/*
 * A word stands in a slot; `key` tells words apart. 0 and the word's number, 1 besides when it is
 * new; -ENOMEM.
 */
int near_rules_word(struct near_rules *n, struct span key, uint32_t slot, uint32_t *ret_word);
/* All words are known. 0, -ENOMEM. */
int near_rules_ready(struct near_rules *n);
size_t near_rules_bytes(const struct near_rules *n);
/* Does the word stand in the slot? O(log places). */
bool near_stands(const struct near_rules *n, uint32_t word, uint32_t slot);
/* Do two words stand in slots of one rule? O(their places). */
bool near_rules_share(const struct near_rules *n, uint32_t a, uint32_t b);

/* The slots of a word: for (p = near_places(n, word, &end); p < end; p++) */
static inline const struct near_place *near_places(const struct near_rules *n, uint32_t word,
                                                   const struct near_place **ret_end)
{
    *ret_end = n->places + n->first[word + 1];
    return n->places + n->first[word];
}
static inline uint32_t near_rule_of(const struct near_rules *n, uint32_t slot)
{
    return n->rules[n->slot_rules[slot]].rule;
}
void near_rules_deinit(struct near_rules *n);

/* A word of a slot. */
struct near_word {
    uint64_t from, to; /* characters */
    uint64_t chain;    /* of ordered rules: where the slots up to this one began */
};

/* A slot's two latest words, the last first: the next slot's may overlap with one of them. */
struct near_seen {
    uint32_t slot, count; /* count 0: free */
    struct near_word words[2];
};

/* Of one text: a hash table of the slots seen lately, and some whose time is over. */
struct near {
    const struct near_rules *rules;
    struct near_seen *seen; /* [cap], a power of two */
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
/* Would a word of the slot at from..to complete its rule? O(slots of the rule). */
bool near_would(const struct near *n, uint32_t slot, uint64_t from, uint64_t to,
                enum direction direction);
