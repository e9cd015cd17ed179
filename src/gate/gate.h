/*
 * The gateway of one worker: its public listener, its upstream connections and the exchanges
 * between them. Share-nothing: everything here belongs to one thread and its loop.
 */
#pragma once

#include "access/limiter.h"
#include "access/reviewers.h"
#include "audit/audit.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "gate/snapshot.h"

struct complaint_taker;
struct gate;

/*
 * What stands in for every upstream of the configuration: then nothing that a gate is asked leaves
 * this machine, and no provider's key is used. It serves probes only: requests that bear the token
 * and name their app. For the canary, which so takes the whole way of an app's traffic.
 */
struct gate_stand_in {
    struct span url;   /* http://127.0.0.1:PORT/v1 */
    struct span token; /* also shown to the stand-in */
};
/* "TOKEN:N": the app's place in the configuration. */
#define GATE_PROBE_HEADER "X-Juyong-Canary"

struct gate_options {
    struct loop *loop;
    struct audit *audit;     /* NULL: nothing is recorded (benchmarks of the bare path only) */
    struct limiter *limiter; /* of all workers; NULL: nothing is limited */
    struct metrics *metrics;
    struct snapshot *snapshot; /* a reference is taken */
    bool shared_port;          /* other workers listen on the same address */
    unsigned worker;           /* its number, 0 to 255: stands in request ids, see exchange.h */
    /* Listens on a free port of 127.0.0.1 and not where the configuration says; borrowed. */
    const struct gate_stand_in *stand_in;
    /* Whose accounts are not served where apps are; NULL: nobody's. */
    struct reviewers *reviewers;
    /* Serves them, where the configuration says; of one gate of a process. */
    bool serves_reviewers;
    /* Who takes complaints (gate/complaint.h); NULL: nobody, whatever the configuration says. */
    const struct complaint_taker *complaints;
};

/* Begins to listen and serve. 0 or -errno (-EADDRINUSE …). */
int gate_new(const struct gate_options *o, struct gate **ret_gate);
/* New exchanges use this snapshot from now on; running ones keep theirs. Takes a reference. */
void gate_reload(struct gate *g, struct snapshot *s);
/*
 * Stops accepting, lets running exchanges finish for at most drain_ms, then cuts them with a proper
 * end. `done` is called from the loop when none is left.
 */
void gate_drain(struct gate *g, void (*done)(void *ctx), void *ctx);
/* No exchange may be left (gate_drain()). Accepts NULL. */
void gate_free(struct gate *g);
uint16_t gate_port(const struct gate *g);
