/* The question banks as the commands read them: beside the rules, checked against their types. */
#pragma once

#include "cli/setup.h"
#include "filing/bank.h"

/* Reads rules_dir/questions. CLI_GOOD, or CLI_BAD with its messages on stderr. */
int banks_read(const struct setup *s, struct bank **ret_bank);
/* Is all of it well-formed? As banks_read(). */
int banks_check(const struct setup *s);
/* Prints its numbers against the minima to stdout. CLI_GOOD, CLI_UNMET, CLI_BAD. */
int banks_print_coverage(const struct setup *s, bool json);
/*
 * Writes a file of questions, whole and durably; what can't be written leaves what was there. 0 or
 * -errno.
 */
int banks_write(const char *path, struct span text);
