/*
 * What an exchange is for, and so how far the gateway may interfere with it. Decided once, when the
 * request's head is read; private to the room.
 */
#pragma once

#include "access/access.h"
#include "access/reviewers.h"
#include "base/metrics.h"
#include "policy/policy.h"

struct gate;
struct exchange;
struct http_request;

struct purpose {
    /* For the whole exchange: a stream doesn't change its rules at midnight. */
    enum config_mode mode;
    bool uncounted;               /* nobody's strikes, nobody's limits: a reviewer tests */
    enum reviewer_purpose review; /* REVIEWER_NONE: production */
    char reviewer[REVIEWER_ID_SIZE];
    struct metrics *metrics; /* where it counts: the worker's, or where nobody looks */
};

/* A listener: where apps are served, or where reviewers are. */
struct door {
    struct gate *gate;
    bool reviewers;
};

/*
 * Who asks, and what for. CAUSE_NONE; CAUSE_UNAUTHORIZED; CAUSE_REVIEWER_ELSEWHERE,
 * CAUSE_REVIEWER_SPENT. `counts`: it is a request of a model, which an account has a number of.
 */
enum cause purpose_identify(const struct door *d, struct http_request *r, bool counts,
                            struct access_identity *ret_who, struct purpose *ret_purpose);

/* What a reviewer's exchange keeps whole, from both sides as they said it. */
struct kept {
    struct buf prompt, answer; /* of each its beginning, AUDIT_KEPT_MAX bytes */
};
/*
 * May what can't be judged pass? A reviewer who observes is not refused for it because he asked to
 * be judged strictly; the record says that it was not judged.
 */
bool purpose_allows_media(const struct exchange *x);
/* Keeps that text, when it is a reviewer's; nothing else. */
void purpose_keep(struct exchange *x, enum direction direction, struct span text);
void kept_free(struct kept *k);
