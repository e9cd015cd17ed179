/*
 * What a library would have done: two of them, such as the one in force and the one being edited,
 * over logged traffic and over any texts.
 */
#pragma once

#include "config/config.h"
#include "rules/ruleset.h"

#include <stdatomic.h>

struct query_row;
struct trial;

/* The effect of one library on one text. */
struct trial_effect {
    enum action action;
    const struct rule *rule; /* of the heaviest action the first; NULL: none */
};

/* One text on which the two differ. Spans are lent. */
struct trial_change {
    struct span where; /* "file:line", or the request's id */
    uint64_t time_us;  /* of the request; 0: a text of a file */
    enum direction direction;
    struct span text;
    struct trial_effect before, after;
    const struct query_row *row; /* of the log; NULL: a text of a file */
};

struct trial_counts {
    size_t texts; /* that were judged */
    size_t before[ACTION_COUNT], after[ACTION_COUNT];
    size_t heavier, lighter, moved; /* moved: the same action by another rule */
    size_t failed;                  /* could not be judged */
};

/* Which part of the log. */
struct trial_window {
    uint64_t since_us; /* wall clock */
    enum {
        TRIAL_ALL,     /* oldest first */
        TRIAL_CAUGHT,  /* intercepted and flagged, newest first */
        TRIAL_ALLOWED, /* let through, newest first: only samples of them have text */
    } which;
    uint64_t budget_us;      /* the time after which it ends with what it has; 0: any */
    const atomic_bool *stop; /* ends as soon as it is set; may be NULL */
};

struct trial_log {
    size_t requests; /* in that time */
    size_t without;  /* of which the log keeps no text: they were let through, or it has gone */
    size_t changed;  /* that would meet another action */
    size_t heavier, lighter; /* of these; by the heaviest of each request's texts */
    size_t holding;          /* in which the words of trial_look_for() stand */
    bool complete;           /* all of that time was looked at */
    uint64_t reached_us;     /* newest first: back to then */
};

typedef void (*trial_fn)(void *ctx, const struct trial_change *change);

/*
 * Both sets are borrowed. `app`: whose policy decides where the log doesn't name another. `fn` is
 * told of each change that concerns more than the rule. 0, -ENOMEM.
 */
int trial_new(const struct config *c, const struct config_app *app, const struct ruleset *before,
              const struct ruleset *after, trial_fn fn, void *ctx, struct trial **ret_trial);
void trial_free(struct trial *t);

/* Judges a text. 0, -ENOMEM. */
int trial_text(struct trial *t, const struct trial_change *text);
/* What the requests of the log are searched for besides, as matching reads it. 0, -ENOMEM. */
int trial_look_for(struct trial *t, struct span words);
/*
 * The texts that the log keeps: the surroundings of each match, with personal data masked, and
 * what was sampled. 0, also without a log; -ENOMEM or -errno.
 */
int trial_logged(struct trial *t, const struct trial_window *w, struct trial_log *ret_log);
/* Each line of a file is a text. 0; -errno with *ret_line 0; -EILSEQ with the line. */
int trial_file(struct trial *t, struct span path, enum direction direction, size_t *ret_line);

/* Since the last call. */
struct trial_counts trial_take_counts(struct trial *t);
