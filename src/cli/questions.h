/*
 * The verbs of `juyong filing questions`, and what they share of their options: one argp parser, a
 * child of theirs. argv[0] is "juyong filing questions VERB"; each returns an exit code of
 * cli/setup.h.
 */
#pragma once

#include "cli/banks.h"

#include <argp.h>

int questions_list(int argc, char **argv);
int questions_stats(int argc, char **argv);
int questions_lint(int argc, char **argv);
int questions_import(int argc, char **argv);
int questions_derive(int argc, char **argv);

/* -c FILE, --bank LIST, --risk ID, --json: the input of a child parser. */
struct questions_common {
    const char *file, *risk;
    unsigned kinds; /* bits by enum bank_kind; 0: none was named */
    bool json;
};
/* A parser that has it as its child hands its struct on: state->child_inputs[0] = &common. */
extern const struct argp questions_argp;
/* Of a bank asked for, and of a type, a group or an aspect asked for? */
bool questions_wanted(const struct questions_common *o, const struct question *q);
/* The configuration, the rules as they are being edited, and the banks. As banks_read(). */
int questions_load(const struct questions_common *o, struct setup *ret_setup,
                   struct bank **ret_bank);
