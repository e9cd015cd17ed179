/*
 * Alerts: looks at the gateway every few seconds (board.h), and tells whoever the configuration
 * names (robot.h), by the courier, on one loop that is no worker's. Nobody waits for a message.
 */
#pragma once

#include "alert/board.h"
#include "base/loop.h"

struct alerts;

struct alerts_options {
    struct loop *loop;
    struct config *config; /* a reference is taken */
    /* Reads how things are; texts live until the next call. */
    void (*read)(void *ctx, struct board_reading *ret_reading);
    void *ctx;
};

/* The first look is one period away. 0 or -errno. */
int alerts_new(const struct alerts_options *o, struct alerts **ret_alerts);
/* Another configuration is in force; what lasts and who was told of it stays. */
void alerts_reload(struct alerts *a, struct config *c);
/* What is under way is given up, with a line in the log. Accepts NULL. */
void alerts_free(struct alerts *a);

/* {"rules":[…],"targets":[…],"recent":[…]}, see README.md. 0, -EMSGSIZE, -ENOMEM. */
int alerts_print(const struct alerts *a, struct buf *out);
/* Prometheus' text. NULL: nothing. Likewise. */
int alerts_stats(const struct alerts *a, struct buf *out);

/*
 * Sends a test message to each target of the configuration, or to the one of that name, once each,
 * on a loop of its own, and waits. `told` hears of each. The number of targets that were asked, or
 * -errno. For the command line.
 */
int alerts_test(struct config *c, struct span name,
                void (*told)(void *ctx, const struct config_alert_target *t, bool taken),
                void *ctx);
