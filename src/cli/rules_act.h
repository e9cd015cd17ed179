/* What the verbs of `juyong rules` share that change what is in force. */
#pragma once

#include "cli/rules.h"
#include "rules/publish.h"
#include "rules/serving.h"
#include "trial/fitness.h"

/* -c FILE, --author, --reason, --wait, --json; a child parser, as rules_common_argp. */
struct rules_act {
    struct rules_common common;
    const char *author, *reason;
    unsigned wait_ms;
    struct fitness fitness; /* what is asked of what comes into force */
    char login[256];
    struct setup setup;
};
extern const struct argp rules_act_argp;

/*
 * Loads the configuration and fills in *ret_publish: the author is the login name unless told. A
 * reason is asked for when `reason_needed`. 0 or an exit code, with messages. Then rules_act_end().
 */
int rules_act_begin(struct rules_act *o, bool reason_needed, struct publish *ret_publish);
void rules_act_end(struct rules_act *o, struct publish *p);
/*
 * Tells what came of it: `result` as publish_…() gave it. Of a version in force it waits, at most
 * --wait, for a running gateway to serve it. Returns the exit code.
 */
int rules_act_tell(const struct rules_act *o, const struct publish *p, int result,
                   const struct publish_done *done, bool proposed);
/* One line of text for people: printable, UTF-8, of 1 to `max` bytes. With a message if not. */
bool rules_is_line(const char *what, struct span text, size_t max);
