/* One line of a question bank. Private to this room. */
#pragma once

#include "base/arena.h"
#include "question/bank.h"

/* Where a line is read to, and what it is held against. */
struct bank_reading {
    struct arena *arena; /* keeps the texts */
    const struct ruleset *rules;
    struct buf *messages;
    unsigned errors;
};

#define BANK_ERRORS_TOLD 500

/* Tells an error, unless too many are told already; counts it. */
void bank_fail(struct bank_reading *r, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * Reads one line, valid UTF-8. True with the question, and the value that its turns lie in, which
 * the caller frees, or NULL; false after a message (r->errors), or when memory is out (no error
 * counted).
 */
bool bank_line(struct bank_reading *r, struct span line, struct place at,
               struct question *ret_question, struct json_value **ret_root);
bool bank_is_id(struct span s);
/*
 * Why it is no text of a question: NULL when it is one. Line feeds and tabs are allowed with
 * `lines`. O(n).
 */
const char *bank_text_fault(struct span text, size_t max, bool lines);
