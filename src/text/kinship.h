/*
 * Tables of characters that are told to belong together: groups of which one member stands for all
 * (sound, shape), and characters written as several (split). Changed only while they are filled,
 * then read by all threads. What a struct variants is made of; for this room alone.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct kin {
    uint32_t member, chief;
};

/* Disjoint groups of numbers. Who is in no group is alone, and its own chief. */
struct kinship {
    struct kin *kin; /* sorted by member; chiefs are not listed */
    size_t count, cap;
};

void kinship_deinit(struct kinship *k);
/* The smallest number of the group. O(log n). */
uint32_t kinship_chief(const struct kinship *k, uint32_t member);
/* Makes one group of the groups of a and b. 0, -ENOMEM and nothing changed. */
int kinship_join(struct kinship *k, uint32_t a, uint32_t b);

#define SPLIT_PARTS_MAX 4

struct split {
    uint32_t cp;
    uint32_t parts[SPLIT_PARTS_MAX];
    unsigned count;
};

struct splits {
    struct split *splits; /* sorted by cp, those of one cp in the order they came */
    size_t count, cap;
};

void splits_deinit(struct splits *s);
/* The splits of cp stand together; returns their number. */
size_t splits_find(const struct splits *s, uint32_t cp, const struct split **ret_first);
/* 0, -ENOMEM. One that is there already is not added again. */
int splits_add(struct splits *s, const struct split *split);

struct variants {
    struct kinship sound, shape;
    struct splits splits;
};
