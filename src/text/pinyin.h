/*
 * The toneless syllables by which folded Han characters are read, from a table that is made at
 * build time (text/soundgen.c). The letter u with two dots is written v.
 */
#pragma once

#include <stdint.h>

#define PINYIN_PAGE_BITS    7
#define PINYIN_READINGS_MAX 4
#define PINYIN_NONE         0xFFFFu

/* A further reading of a character that has several; sorted by character. */
struct pinyin_more {
    uint32_t cp;
    uint16_t syllable;
};

extern const char pinyin_syllables[][8]; /* sorted */
extern const unsigned pinyin_syllable_count;
extern const uint16_t pinyin_index[];
extern const uint16_t pinyin_pages[][1 << PINYIN_PAGE_BITS];
extern const struct pinyin_more pinyin_further[];
extern const unsigned pinyin_further_count;

/* The syllable by which cp is mostly read, or PINYIN_NONE. cp must be at most 0x10FFFF. */
static inline unsigned pinyin_main(uint32_t cp)
{
    return pinyin_pages[pinyin_index[cp >> PINYIN_PAGE_BITS]][cp & ((1u << PINYIN_PAGE_BITS) - 1)];
}

/* All readings of cp, the main one first; returns their number, 0 for what has none. */
unsigned pinyin_read(uint32_t cp, uint16_t ret_syllables[PINYIN_READINGS_MAX]);
/* The number of that syllable, or PINYIN_NONE for any other word. */
unsigned pinyin_find(const char *word, unsigned len);
