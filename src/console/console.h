/*
 * The operator's listener, apart from the public one: /healthz (alive), /readyz (serving), /metrics
 * (Prometheus) for machines, the page and its API for people. Runs on the loop of the main thread;
 * what may wait goes to clerks (clerk.h).
 */
#pragma once

#include "base/buf.h"
#include "base/loop.h"

#include <stdint.h>

struct audit;
struct casebook;
struct config_console;
struct console;
struct snapshot;
struct verifier;

/* What the console needs from above, handed over by the program. On the loop's thread. */
struct console_ops {
    /* Appends all metrics. */
    int (*stats)(void *ctx, struct buf *out);
    /* Empty when ready, else the reason. */
    struct span (*readiness)(void *ctx);
    /* One line for each thing that makes the gateway weaker than it could be. */
    int (*weakenings)(void *ctx, struct buf *out);
    /* Appends what /api/alerts says; NULL: there are none. */
    int (*alerts)(void *ctx, struct buf *out);
    /* The members "canary" and "library" of GET /api/status. */
    int (*state)(void *ctx, struct buf *out);
    /* The keys on disk are others: they are read anew. */
    void (*renew_keys)(void *ctx);
    /* Does every worker go by the keys that are on disk? */
    bool (*has_keys)(void *ctx);
};

struct console_options {
    struct loop *loop;
    struct span host;          /* numeric address */
    uint16_t port;             /* 0: any free one */
    struct snapshot *snapshot; /* what is in force; may be NULL in tests, as `audit` */
    struct audit *audit;       /* outlives the console */
    struct casebook *casebook; /* likewise; NULL: nothing can be reviewed */
    struct verifier *verifier; /* likewise (verifier.h); NULL: it makes its own */
    const struct console_ops *ops;
    void *ctx;
};

/* Begins to listen. 0 or -errno. */
int console_new(const struct console_options *o, struct console **ret_console);
/* Another snapshot is in force. */
void console_reload(struct console *c, struct snapshot *next);
/* Waits for what clerks are at. Accepts NULL. */
void console_free(struct console *c);
uint16_t console_port(const struct console *c);
