/* Commands whose first argument is a verb, each with options of its own: one table lists them. */
#pragma once

#include <stddef.h>

struct verb {
    const char *name, *summary, *summary_zh;
    int (*run)(int argc, char **argv); /* argv[0] is "juyong COMMAND VERB", for its usage lines */
};

struct verbs {
    const char *command;     /* "juyong rules" */
    const char *about;       /* what the command is for, in lines */
    const struct verb *list; /* as its help lists them */
    size_t count;
};

/*
 * Runs the verb that argv[1] names and gives its exit status. Help goes to stdout when it is asked
 * for (CLI_GOOD); to stderr, with the nearest name for a wrong one, when it isn't (CLI_USAGE).
 */
int verbs_run(const struct verbs *v, int argc, char **argv);
