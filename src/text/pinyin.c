#include "text/pinyin.h"

#include <string.h>

unsigned pinyin_read(uint32_t cp, uint16_t ret_syllables[PINYIN_READINGS_MAX])
{
    unsigned first = pinyin_main(cp);
    if (first == PINYIN_NONE)
        return 0;
    unsigned n = 0, low = 0, high = pinyin_further_count;
    ret_syllables[n++] = (uint16_t)first;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (pinyin_further[middle].cp < cp)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < pinyin_further_count && pinyin_further[low].cp == cp; low++)
        ret_syllables[n++] = pinyin_further[low].syllable;
    return n;
}

unsigned pinyin_find(const char *word, unsigned len)
{
    unsigned low = 0, high = pinyin_syllable_count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const char *s = pinyin_syllables[middle];
        int c = strncmp(s, word, len);
        if (c == 0 && s[len])
            c = 1;
        if (c == 0)
            return middle;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return PINYIN_NONE;
}
