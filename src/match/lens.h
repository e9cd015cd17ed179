/*
 * A lens is a way of reading text in which some characters are taken for one another. Rules ask for
 * those beyond the plain one; each has a trie of its own, of the rules that asked.
 */
#pragma once

#include "terms/terms.h"
#include "text/fold.h"
#include "text/variants.h"

enum lens {
    LENS_PLAIN,
    LENS_SOUND,    /* Han characters of one toneless syllable are the same */
    LENS_SHAPE,    /* Han characters that look alike are the same */
    LENS_LEET,     /* digits and symbols are the letters they look like */
    LENS_INSERTED, /* letters and digits between Han characters are separators */
    LENS_COUNT
};

/* The LAYER_* bit that asks for it; 0 for LENS_PLAIN. */
static inline uint32_t lens_layer(enum lens l)
{
    static const uint32_t layers[LENS_COUNT] = {0, LAYER_HOMOPHONE, LAYER_SHAPE, LAYER_LEET,
                                                LAYER_INSERTED};
    return layers[l];
}

/* The key of a folded code point. */
static inline uint32_t lens_key(enum lens l, const struct variants *v, uint32_t cp)
{
    switch (l) {
    case LENS_SOUND:
        return variants_sound(v, cp);
    case LENS_SHAPE:
        return variants_shape(v, cp);
    case LENS_LEET:
        return variants_leet(cp);
    default:
        return cp;
    }
}
