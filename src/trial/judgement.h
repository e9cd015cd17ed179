/*
 * One text, judged as the gateway would judge it: every hit, and every one that an allow phrase
 * saved, with what decided about it. Nothing is sent or recorded.
 */
#pragma once

#include "trial/finding.h"

struct judgement {
    const struct ruleset *rules;
    const struct config_app *app; /* whose policy decides */
    const struct policy *policy;  /* of that app over these rules */
    enum direction direction;
    bool saved; /* tell those too that an allow phrase saved: finding.saved is set */
};

/* Negative: could not be told; judging ends with it. */
typedef int (*judgement_fn)(void *ctx, const struct finding *f);

/*
 * Judges the text, UTF-8, as a body with one message: what needs the end of the text is seen too.
 * 0 with the heaviest action; -ENOMEM; what fn gave; as scanner_feed() when it can't be judged.
 */
int judgement_make(const struct judgement *j, struct span text, judgement_fn fn, void *ctx,
                   enum action *ret_action);
