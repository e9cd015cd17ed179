/*
 * What is published comes into force at once: watches the store's `current` (foldwatch.h).
 */
#pragma once

#include "base/loop.h"
#include "base/span.h"

struct follow;

/*
 * `served`: the digest that is served already, empty when nothing published is. `changed` is called
 * on the loop's thread whenever another one is to be served. NULL when memory is out.
 */
struct follow *follow_new(struct loop *loop, struct span state_dir, struct span served,
                          void (*changed)(void *ctx), void *ctx);
/* Could not be taken: call again in a minute, it may have been for want of memory. */
void follow_retry(struct follow *f);
/* Accepts NULL. Before the loop is freed. */
void follow_free(struct follow *f);
