/*
 * Asks the questions of a run over its routes and puts what comes back into it: so many a second,
 * so many at one time, until all are answered, somebody interrupts it, or the account is in danger.
 * Has a loop of its own, in the thread that calls.
 */
#pragma once

#include "config/config.h"
#include "evaluation/run.h"

struct evaluation;

struct evaluation_route {
    struct span url; /* of chat completions; empty: the run doesn't ask it */
    struct span key; /* sent as Bearer; empty: none. Borrowed, as all of this */
    const struct config_header *headers;
    size_t header_count;
};

struct evaluation_progress {
    size_t done, total;  /* answers over all routes, those of earlier sessions too */
    size_t failed;       /* of them by machines */
    size_t errors;       /* questions without an answer, in this session */
    uint64_t elapsed_ms; /* of this session */
    uint64_t left_ms;    /* estimated from it; 0: not known yet */
};

struct evaluation_options {
    struct run *run; /* open for writing */
    const struct ruleset *rules;
    const struct config *config;
    const struct config_app *app;
    struct evaluation_route routes[RUN_ROUTES];
    const struct config_opinion *opinion; /* NULL: nobody is asked */
    double rate;                          /* asks a second, at most */
    unsigned concurrency;                 /* 1 to EVALUATION_SLOTS */
    unsigned timeout_ms;                  /* of one question */
    unsigned retry_ms;                    /* before the second try, doubled each time */
    void (*progress)(void *ctx, const struct evaluation_progress *p); /* after each answer */
    void *ctx;
};
#define EVALUATION_SLOTS RUN_CONCURRENCY_MAX

enum evaluation_end {
    EVALUATION_COMPLETE,    /* everything has its answer */
    EVALUATION_GAPS,        /* everything was asked, and some has none */
    EVALUATION_INTERRUPTED, /* evaluation_interrupt() */
    EVALUATION_ACCOUNT,     /* the account may be in danger: see the reason */
    EVALUATION_FAILED,      /* nothing comes back any more, or it can't be kept */
};

/* http_client_setup() was called. 0, -ENOMEM, -errno. */
int evaluation_new(const struct evaluation_options *o, struct evaluation **ret_evaluation);
/* Accepts NULL. */
void evaluation_free(struct evaluation *e);
/* Blocks until it is over. Every answer that was told is on the disk. */
enum evaluation_end evaluation_run(struct evaluation *e);
/* Safe from signal handlers: what is under way is dropped and asked again another time. */
void evaluation_interrupt(struct evaluation *e);
/* Why it ended, one line; empty when complete. */
struct span evaluation_reason(const struct evaluation *e);
/* The version of the rules that the gateway went by, as a record of its names it, where it is
 * another than the run's; else empty. */
struct span evaluation_served(const struct evaluation *e);
