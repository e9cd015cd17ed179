/*
 * Verifies the log when somebody at the console asks for it, or the program by itself: on a thread
 * of its own, one at a time, at the lowest priority. Its result stays until the next.
 */
#pragma once

#include "base/buf.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct audit;
struct verifier;

enum verifier_state {
    VERIFIER_NEVER, /* since the start */
    VERIFIER_RUNNING,
    VERIFIER_OK,
    VERIFIER_BAD,    /* see the finding */
    VERIFIER_FAILED, /* it could not be read */
};
/* never, running, ok, bad, failed. */
const char *verifier_state_name(enum verifier_state s);

struct verifier_report {
    enum verifier_state state;
    uint64_t records;  /* looked at so far, or in all */
    uint64_t at_us;    /* wall clock of its end; while it runs of its beginning */
    char finding[320]; /* VERIFIER_BAD and VERIFIER_FAILED: file, record, what */
};

/* What it finds is put on record there; NULL: nowhere. NULL when memory is out. */
struct verifier *verifier_new(struct audit *audit);
/* Begins, unless it runs. 0; 1: it runs already; -EAGAIN, -ENOMEM. Any thread. */
int verifier_begin(struct verifier *v, struct span log_dir);
/* Any thread. */
void verifier_get(struct verifier *v, struct verifier_report *ret_report);
/* Breaks off what runs and waits for its end. Accepts NULL. */
void verifier_free(struct verifier *v);
