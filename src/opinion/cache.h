/*
 * Answers that were given, found again by a keyed hash of the question: no text is kept. Bounded;
 * the oldest give way, and none is older than its time. Belongs to one worker.
 */
#pragma once

#include "opinion/adapter.h"

#define OPINION_KEY_SIZE 32

struct opinion_cache;

/* NULL when memory is out. The key of the hashes is random, for this life of the process. */
struct opinion_cache *opinion_cache_new(void);
void opinion_cache_free(struct opinion_cache *c);
/* The question's hash, over all that the answer depends on. 0, -EIO, -ENOMEM. O(text). */
int opinion_cache_key(struct opinion_cache *c, const struct config_opinion *source,
                      const struct opinion_question *q, unsigned char ret_key[OPINION_KEY_SIZE]);
/* Is there an answer that is younger than source->cache_ms? O(1) on average. */
bool opinion_cache_get(struct opinion_cache *c, const struct config_opinion *source,
                       const unsigned char key[OPINION_KEY_SIZE], uint64_t now_ms,
                       struct opinion_verdict *ret_verdict);
/* Keeps it; past source->cache answers of all sources the oldest is forgotten. Failure is silent:
 * it is asked again. */
void opinion_cache_put(struct opinion_cache *c, const struct config_opinion *source,
                       const unsigned char key[OPINION_KEY_SIZE], uint64_t now_ms,
                       const struct opinion_verdict *v);
size_t opinion_cache_count(const struct opinion_cache *c);
