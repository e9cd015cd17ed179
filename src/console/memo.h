/*
 * An answer that is dear to make, kept while what it was made of is the same. For several threads.
 */
#pragma once

#include "base/buf.h"

#include <pthread.h>
#include <stdint.h>

struct memo {
    pthread_mutex_t lock;
    struct buf text; /* empty: nothing is kept */
    char key[128];
    uint64_t until_ms; /* of the monotonic clock */
};

/* `ceiling` of the text, bytes. */
void memo_init(struct memo *m, size_t ceiling);
void memo_deinit(struct memo *m);
/* Appends what is kept under that key: 1; 0: nothing is; negative as buf_append(). */
int memo_get(struct memo *m, const char *key, struct buf *out);
/* Keeps it in place of what was kept, for so long. What doesn't fit is not kept. */
void memo_put(struct memo *m, const char *key, struct span text, uint64_t for_ms);
