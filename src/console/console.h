/*
 * The operator's listener, apart from the public one: /healthz (alive), /readyz (serving), /metrics
 * (Prometheus). Runs on the loop of the main thread.
 */
#pragma once

#include "base/buf.h"
#include "base/loop.h"

#include <stdint.h>

struct console;

/* What the console needs from above, handed over by the program. */
struct console_ops {
    /* Appends all metrics. */
    int (*stats)(void *ctx, struct buf *out);
    /* Empty when ready, else the reason. */
    struct span (*readiness)(void *ctx);
    /* One line for each thing that makes the gateway weaker than it could be. */
    int (*weakenings)(void *ctx, struct buf *out);
};

/* Begins to listen. 0 or -errno. */
int console_new(struct loop *l, struct span host, uint16_t port, const struct console_ops *ops,
                void *ctx, struct console **ret_console);
void console_free(struct console *c);
uint16_t console_port(const struct console *c);
