/* Keys that are created, rotated or revoked come into force at once: watches keys.json
 * (foldwatch.h). */
#pragma once

#include "access/access.h"
#include "base/loop.h"

struct keywatch;

/*
 * `served`: the keys that are in force already. `changed` is called on the loop's thread whenever
 * the file is another one than was told last. NULL when memory is out.
 */
struct keywatch *keywatch_new(struct loop *loop, struct span state_dir, const struct access *served,
                              void (*changed)(void *ctx), void *ctx);
/* Accepts NULL. Before the loop is freed. */
void keywatch_free(struct keywatch *k);
