/*
 * Where second opinions are asked for: questions go out over HTTP, so many at one time to each
 * source and so many waiting for a turn, each with a deadline, answers are remembered. Belongs to
 * one worker and its loop; never blocks.
 */
#pragma once

#include "http/client.h"
#include "opinion/adapter.h"

struct opinion_desk;
struct opinion_ask; /* a question under way */

enum opinion_failure {
    OPINION_SAID,       /* none: it was answered */
    OPINION_TIMEOUT,    /* no answer in time */
    OPINION_CONNECT,    /* nobody there */
    OPINION_STATUS,     /* answered with another status than 200 */
    OPINION_MALFORMED,  /* an answer that is none, or too long */
    OPINION_OVERLOADED, /* too many wait already, or memory is out */
    OPINION_TOO_LONG,   /* more text than anybody is asked about */
    OPINION_WITHDRAWN,  /* nobody wants to know any more */
    OPINION_FAILURES,
};
const char *opinion_failure_name(enum opinion_failure f);

struct opinion_answer {
    enum opinion_failure failure; /* else `verdict` means nothing */
    bool cached;
    uint64_t us; /* how long it took */
    struct opinion_verdict verdict;
};

/* Told from the loop, once, never within opinion_ask(). The question is gone then. */
typedef void (*opinion_fn)(void *ctx, const struct opinion_answer *answer);

/* The client is borrowed. 0 or -ENOMEM. */
int opinion_desk_new(struct loop *l, struct http_client *c, struct opinion_desk **ret_desk);
/* No question may be under way. Accepts NULL. */
void opinion_desk_free(struct opinion_desk *d);

/*
 * Asks. 1 with *ret_answer when it is known at once (from memory, or because it can't be asked), 0
 * with *ret_ask when `fn` will be told. `source` must stay until then; the question's spans only
 * for the call.
 */
int opinion_ask(struct opinion_desk *d, const struct config_opinion *source,
                const struct opinion_question *q, unsigned timeout_ms, opinion_fn fn, void *ctx,
                struct opinion_ask **ret_ask, struct opinion_answer *ret_answer);
/* Cancels it: nobody is told. The connection is closed, so that the source can stop working. */
void opinion_withdraw(struct opinion_ask *a);
