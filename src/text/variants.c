#include "text/variants.h"

#include "text/fold.h"
#include "text/kinship.h"
#include "text/pinyin.h"

#include <errno.h>
#include <stdlib.h>

/* Syllables are numbered behind Unicode. */
#define SOUND_BASE 0x110000u

struct variants *variants_new(void)
{
    return calloc(1, sizeof(struct variants));
}

void variants_free(struct variants *v)
{
    if (!v)
        return;
    kinship_deinit(&v->sound);
    kinship_deinit(&v->shape);
    splits_deinit(&v->splits);
    free(v);
}

/* Takes one character off *rest, folded; it must fold to one. 1, 0 at the end, -EINVAL. */
static int folded_next(struct span *rest, uint32_t *ret_cp)
{
    uint32_t cp, cps[FOLD_EXPANSION_MAX];
    if (rest->len == 0)
        return 0;
    int n = utf8_decode(*rest, false, &cp);
    if (n <= 0 || fold_code_point(cp, cps) != 1)
        return -EINVAL;
    *rest = span_slice(*rest, (size_t)n, rest->len);
    *ret_cp = cps[0];
    return 1;
}

static bool is_han(uint32_t cp)
{
    return fold_entry_class(fold_entry(cp)) == FOLD_HAN;
}

static uint32_t sound_of(uint32_t cp)
{
    unsigned syllable = cp > 0x10FFFF ? PINYIN_NONE : pinyin_main(cp);
    if (syllable == PINYIN_NONE)
        return cp;
    /* On most keyboards the u with two dots is typed as u. */
    const char *name = pinyin_syllables[syllable];
    if (name[1] == 'v') {
        char typed[8];
        memcpy(typed, name, sizeof(typed));
        typed[1] = 'u';
        unsigned plain = pinyin_find(typed, (unsigned)strlen(typed));
        syllable = plain == PINYIN_NONE ? syllable : plain;
    }
    return SOUND_BASE + syllable;
}

static uint32_t shape_of(uint32_t cp)
{
    return cp;
}

/* The whole group is read before anything is joined, so that a bad one changes nothing. */
static int group_join(struct kinship *k, struct span characters, uint32_t (*of)(uint32_t cp))
{
    struct span rest = characters;
    uint32_t cp, first = 0;
    unsigned count = 0;
    int got;
    while ((got = folded_next(&rest, &cp)) > 0) {
        if (!is_han(cp))
            return -EINVAL;
        if (count++ == 0)
            first = cp;
    }
    if (got < 0 || count < 2)
        return -EINVAL;
    rest = characters;
    while (folded_next(&rest, &cp) > 0) {
        int r = kinship_join(k, of(first), of(cp));
        if (r < 0)
            return r;
    }
    return 0;
}

int variants_add_shape(struct variants *v, struct span characters)
{
    return group_join(&v->shape, characters, shape_of);
}

int variants_add_sound(struct variants *v, struct span characters)
{
    return group_join(&v->sound, characters, sound_of);
}

int variants_add_split(struct variants *v, uint32_t cp, struct span parts)
{
    struct split split = {.count = 0};
    uint32_t cps[FOLD_EXPANSION_MAX];
    int got;
    if (cp > 0x10FFFF || fold_code_point(cp, cps) != 1 || !is_han(cps[0]))
        return -EINVAL;
    split.cp = cps[0];
    while ((got = folded_next(&parts, &cp)) > 0) {
        enum fold_class class = fold_entry_class(fold_entry(cp));
        if (split.count == SPLIT_PARTS_MAX || (class != FOLD_HAN && class != FOLD_WORD))
            return -EINVAL;
        split.parts[split.count++] = cp;
    }
    if (got < 0 || split.count < 2)
        return -EINVAL;
    return splits_add(&v->splits, &split);
}

uint32_t variants_sound(const struct variants *v, uint32_t cp)
{
    uint32_t sound = sound_of(cp);
    return v ? kinship_chief(&v->sound, sound) : sound;
}

uint32_t variants_shape(const struct variants *v, uint32_t cp)
{
    return v ? kinship_chief(&v->shape, cp) : cp;
}

uint32_t variants_leet(uint32_t cp)
{
    switch (cp) {
    case '0':
        return 'o';
    /* All drawn as one stroke: none tells which of the letters is meant. */
    case '1':
    case '!':
    case '|':
    case 'l':
        return 'i';
    case '2':
        return 'z';
    case '3':
        return 'e';
    case '4':
    case '@':
        return 'a';
    case '5':
    case '$':
        return 's';
    case '6':
    case '9':
        return 'g';
    case '7':
    case '+':
        return 't';
    case '8':
        return 'b';
    default:
        /* Regional indicators: in pairs they are flags, which is what they mostly are. */
        if (cp - 0x1F1E6 < 26)
            return variants_leet('a' + (cp - 0x1F1E6));
        return cp;
    }
}
