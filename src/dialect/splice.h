/*
 * Changes of a body or event as replacements of raw ranges, so that everything else stays byte for
 * byte. Lists belong to the caller; making and applying them needs no memory of their own.
 */
#pragma once

#include "dialect/dialect.h"

/*
 * Appends splices that replace the decoded range from..to (bytes of item.text, at code point
 * boundaries) by one '*' per code point: one splice per 256 code points. item.raw must lie within
 * body. 0, -ENOSPC when the list is full (nothing appended), -EINVAL for a range outside the text
 * or a text that must not be masked. O(raw.len).
 */
int splice_mask(struct span body, const struct text_item *item, size_t from, size_t to,
                struct splice *list, size_t max, size_t *count);
/* Appends the splice that ends a text before its decoded offset `at`. As splice_mask(). */
int splice_cut(struct span body, const struct text_item *item, size_t at, struct splice *list,
               size_t max, size_t *count);
/* Appends the replacement of a raw span within body. 0, -ENOSPC, -EINVAL. */
int splice_add(struct span body, struct span raw, struct span with, struct splice *list, size_t max,
               size_t *count);
/* Of a sorted list, drops splices that lie within an earlier one; returns how many are left. */
size_t splice_outermost(struct splice *list, size_t count);
/* Sorts a list that was gathered out of order, for splice_apply(). */
void splice_sort(struct splice *list, size_t count);
