/*
 * What machines make of an answer: our rules on it as the app's policy has them, and whether it is
 * a refusal. Nothing is sent or recorded; the gateway knows nothing of questions.
 */
#pragma once

#include "evaluation/apianswer.h"
#include "evaluation/run.h"
#include "policy/policy.h"

#define MACHINE_TEXTS 8

struct machine {
    const struct ruleset *rules;
    const struct config_app *app;
    struct policy *policy;
    struct span own[MACHINE_TEXTS]; /* the gateway's sentences of refusal */
    size_t own_count;
    struct buf rule; /* that ret->rule points into, until the next answer */
};

/* Rules and app must outlive it. 0 or -ENOMEM. */
int machine_init(const struct ruleset *rules, const struct config_app *app, struct machine *ret);
void machine_deinit(struct machine *m);
/*
 * Fills in refused, refused_by, keywords and rule of an answer whose action is known already; they
 * point into `answer` and `m`. 0, -ENOMEM, or as judgement_make().
 */
int machine_judge(struct machine *m, enum bank_kind kind, const struct apianswer *answer,
                  struct run_answer *ret);
/*
 * What a second opinion makes of it: fails where the policy's rows would refuse it, or, where none
 * asks that source about answers, where a category is at 50 of 100 or above. *note gets the
 * category that weighs most.
 */
struct opinion_verdict;
enum run_verdict machine_opinion(const struct machine *m, const struct config_opinion *source,
                                 const struct opinion_verdict *said, struct buf *note);
/* Who is asked: the first that the policy has asked about answers, else the first there is; NULL:
 * nobody is configured. */
const struct config_opinion *machine_source(const struct config *c, const struct config_app *app);
