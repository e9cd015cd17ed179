/*
 * The verbs of `juyong rules`, one file each: rules_<verb>.c. What they share of their options is
 * one argp parser, a child of theirs.
 */
#pragma once

#include "cli/setup.h"

#include <argp.h>

/* argv[0] is "juyong rules VERB"; each returns an exit code of cli/setup.h. */
int rules_list(int argc, char **argv);
int rules_stats(int argc, char **argv);
int rules_lint(int argc, char **argv);
int rules_import(int argc, char **argv);
int rules_force(int argc, char **argv);
int rules_try(int argc, char **argv);
int rules_export(int argc, char **argv);
int rules_publish(int argc, char **argv);
int rules_approve(int argc, char **argv);
int rules_rollback(int argc, char **argv);
int rules_urgent(int argc, char **argv);
int rules_log(int argc, char **argv);
int rules_diff(int argc, char **argv);
int rules_filed(int argc, char **argv);

/* -c FILE, --risk ID, --published, --json: the input of a child parser. */
struct rules_common {
    const char *file, *risk;
    bool json, published;
};
/*
 * -c FILE (demanded at the end of the arguments) and --json; the one with --published besides, for
 * those who look at rules; and the one with --risk as well. A parser that has one as its child
 * hands its struct rules_common on at ARGP_KEY_INIT: state->child_inputs[0] = &common.
 */
extern const struct argp rules_common_argp, rules_look_argp, rules_risk_argp;
/* The library as it is being edited, or, with --published, the version in force. As setup_load().
 */
int rules_load(const struct rules_common *o, struct setup *ret_setup);
/* Is the risk asked for: by id, by group, or because none was named? */
bool rules_wanted(const struct rules_common *o, const struct risk *risk);
/* For verbs with no options or arguments of their own. 0 or CLI_USAGE. */
int rules_parse(int argc, char **argv, const struct argp *common, const char *doc,
                struct rules_common *ret_common);
