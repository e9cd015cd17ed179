/*
 * A reload beside the running gateway: configuration and rules are read and compiled on a helper
 * thread, so that signals, the console and the metrics are answered meanwhile, and what came of it
 * returns through the loop. One at a time; asked for again meanwhile, exactly one more follows, for
 * what was read may be older than the wish. The service manager is told (cli/notify.h).
 */
#pragma once

#include "base/loop.h"
#include "gate/snapshot.h"

struct reload;

struct reload_options {
    struct loop *loop;
    struct span file; /* the configuration; borrowed */
    /* snapshot_load(), or what stands for it. On the helper thread. */
    int (*load)(struct span file, struct buf *messages, struct snapshot **ret_snapshot);
    /* Likewise snapshot_renew(), for reload_ask_parts(). */
    int (*renew)(const struct snapshot *old, unsigned parts, struct buf *messages,
                 struct snapshot **ret_snapshot);
    /* What renew() begins with: the snapshot in force. On the loop's thread. */
    struct snapshot *(*in_force)(void *ctx);
    /* On the loop's thread. With result 0 the reference to `next` is the callee's. */
    void (*done)(void *ctx, int result, struct snapshot *next, struct buf *messages);
    void *ctx;
};

/* NULL when memory is out. */
struct reload *reload_new(const struct reload_options *o);
/* Begins to load, or notes that it must be done once more. Not after reload_stop(). */
void reload_ask(struct reload *r);
/* The same for parts alone (enum snapshot_part). A wish for all, before or after, includes it. */
void reload_ask_parts(struct reload *r, unsigned parts);
/* From now on what is being loaded is of no interest: nothing is told, nothing begins. */
void reload_stop(struct reload *r);
/* Waits for the helper thread; before the loop is freed. Accepts NULL. */
void reload_free(struct reload *r);
