/* The inside of a match set, for this room only. */
#pragma once

#include "match/automaton.h"

#include <stdatomic.h>

struct matchset {
    atomic_uint refs;
    struct automaton automaton;
    struct matchset_stats stats;
};
