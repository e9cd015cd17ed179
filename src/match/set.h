/* The inside of a match set, for this room only. */
#pragma once

#include "match/automaton.h"
#include "match/pattern.h"

#include <stdatomic.h>

struct matchset {
    atomic_uint refs;
    struct automaton automaton;
    struct patterns patterns;
    struct matchset_stats stats;
};
