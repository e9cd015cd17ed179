/*
 * One probe: what is sent, what the stand-in answers, and whether what came of it is what the
 * policy says. Pure text, so that it can be judged without a gateway.
 */
#pragma once

#include "base/buf.h"
#include "terms/terms.h"

struct probe {
    enum direction direction; /* who says the word: the user, or the model */
    bool stream;
    struct span word; /* what is to be intercepted; empty: nothing is, all goes through */
    enum action need; /* at least that is done about it; not ACTION_ALLOW with a word */
};

/* What came of it. */
struct probe_seen {
    bool asked;             /* the stand-in was */
    struct span asked_body; /* what it was asked */
    int status;             /* of the answer; 0: none came */
    enum action action;     /* x-juyong-action */
    struct span body;       /* the answer's, JSON or event stream */
};

/* Appends the body of the request, or of the stand-in's answer. 0, -ENOMEM, -EMSGSIZE. */
int probe_write_request(const struct probe *p, struct span model, struct buf *out);
int probe_write_answer(const struct probe *p, struct span model, struct buf *out);
/* NULL when all is as it must be, else what is wrong with it (static). */
const char *probe_check(const struct probe *p, const struct probe_seen *seen);
