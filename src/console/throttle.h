/*
 * How often one may guess: failures are counted for an account from an address, for an address, and
 * for an account from anywhere; beyond a few each further one doubles the wait. Anybody can fail in
 * another's name, so that the last of these, alone, never makes anybody wait for long. Times are
 * monotonic milliseconds. Any thread.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle *t);
/* Seconds until the next try is looked at; 0: now. O(entries), a few microseconds. */
unsigned throttle_wait(struct throttle *t, struct span name, struct span address, uint64_t now);
/* A try failed. True when from now on one has to wait, who had not before. */
bool throttle_failed(struct throttle *t, struct span name, struct span address, uint64_t now);
/* A try was good: what was counted for this account from this address is forgotten. */
void throttle_good(struct throttle *t, struct span name, struct span address);
