/*
 * Watches one text for patterns. It keeps the pattern view of what was read lately: width, digit
 * styles and invisible characters folded, case and repeats kept. A single blank or hyphen between
 * two digits is read both ways, as itself and as nothing.
 *
 * A gate says where a match may begin:
 *   - GATE_DIGITS: at the first digit of a run, also behind a blank or hyphen that is read both
 * ways
 *   - GATE_AT: within the run of ASCII letters, digits and ._%+- that ends at an '@', at most
 *     WATCH_LOCAL_MAX characters before it
 *   - GATE_LITERAL: where the literal begins, ASCII case aside
 * For each start there is a candidate, which is tried when its text has grown enough; when that is
 * depends on the text alone. The earliest start of a pattern wins over those within its match.
 */
#pragma once

#include "match/cursor.h"
#include "match/pattern.h"
#include "text/fold.h"

/* RFC 5321, section 4.5.3.1.1. */
#define WATCH_LOCAL_MAX 64

struct watch;

/* NULL when memory is out. The patterns must outlive it. */
struct watch *watch_new(const struct patterns *patterns, enum direction direction);
void watch_free(struct watch *w);
/* The next code point. 0, the positive answer of fn, -ENOMEM, -EOVERFLOW. */
int watch_point(struct watch *w, const struct fold_point *point, cursor_hit_fn fn, void *ctx);
/* A join or the end of the text: decides all candidates. Returns as watch_point(). */
int watch_end(struct watch *w, cursor_hit_fn fn, void *ctx);
/* Where the earliest match that may still grow begins, or UINT64_MAX. */
uint64_t watch_clear(const struct watch *w);
