/* The question banks as the commands read them: beside the rules, checked against their types. */
#pragma once

#include "cli/setup.h"
#include "question/bank.h"

#include <sys/stat.h>

/* Reads rules_dir/questions. CLI_GOOD, or CLI_BAD with its messages on stderr. */
int banks_read(const struct setup *s, struct bank **ret_bank);
/* Is all of it well-formed? As banks_read(). */
int banks_check(const struct setup *s);
/* Prints its numbers against the minima to stdout. CLI_GOOD, CLI_UNMET, CLI_BAD. */
int banks_print_coverage(const struct setup *s, bool json);
/* Is it that file, by whatever name? */
bool banks_is_file(struct span path, const struct stat *file);
/*
 * May a file of questions be written there? In the folder of the banks none may be that is not read
 * as one of them: the whole library would not load any more. False with a line on stderr.
 */
bool banks_is_target(const struct setup *s, const char *command, const char *path);
/*
 * Writes a file of questions, whole and durably; what can't be written leaves what was there. 0 or
 * -errno.
 */
int banks_write(const char *path, struct span text);
