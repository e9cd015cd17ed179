/*
 * A row as programs read it: one JSON object that `juyong log list --json`, exports and the console
 * share.
 */
#pragma once

#include "audit/query.h"
#include "base/buf.h"

/*
 * Appends the object, without a line's end. Without `texts` what was said is null: text, context,
 * folded form, path, and texts that were kept whole. 0; -ENOMEM (or the buffer's ceiling): `out`
 * is of no use any more.
 */
int rowjson_write(const struct query_row *row, bool texts, struct buf *out);
/* running, interrupted, or the outcome. */
struct span rowjson_state(const struct query_row *row);
/* Appends to JSON that is being written. What failed once fails to the end (the ceiling becomes 0),
 * so that the last append tells. */
void rowjson_put(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; what is_harmful() names is escaped. */
void rowjson_string(struct buf *out, struct span text);
/* Would the character do anything to a terminal, or to the order of text, but show itself? */
bool rowjson_is_harmful(uint32_t cp);
