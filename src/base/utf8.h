/*
 * UTF-8 as Unicode's table 3-7 has it: shortest forms only, no surrogates, nothing above U+10FFFF.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

/*
 * Decodes the code point at the start of s (s.len > 0). Returns its length of 1 to 4 bytes, 0 when
 * s ends within a sequence that is right so far, -1 when the bytes are not UTF-8.
 * With `surrogates`, the three-byte form of U+D800..U+DFFF is let through (WTF-8): half a pair that
 * an upstream cut over two JSON strings.
 */
int utf8_decode(struct span s, bool surrogates, uint32_t *ret_cp);
/* Writes 1 to 4 bytes; returns their number. cp must be at most 0x10FFFF. */
size_t utf8_encode(uint32_t cp, char ret_bytes[4]);
/* The offset of the first byte that is not UTF-8, or s.len when all is. O(s.len). */
size_t utf8_check(struct span s);
/* The number of code points in valid UTF-8. */
size_t utf8_count(struct span s);
/* The largest n <= at that does not cut a code point of valid UTF-8. */
size_t utf8_floor(struct span s, size_t at);
