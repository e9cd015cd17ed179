/*
 * `juyong log show --original`, `prune`, `hold`, `backup`, `restore`: what keeps the log, or
 * reveals what it keeps. The commands are logkeep.c; what needs the log's own process comes over
 * the desk.
 */
#pragma once

#include "cli/desk.h"

/* The desk's part, for who holds the log; see desk_carry_out(). */
void keep_carry_out(struct audit *a, const struct desk_act *act, struct desk_answer *ret_answer);

/* A command of that name; NULL when it is none of these. argv[0] is the name. */
typedef int (*keep_command)(int argc, char **argv);
keep_command keep_find(const char *name);
/* Prints the original texts of an exchange, once that is on record. An exit code. */
int keep_reveal(const char *config, const char *dir, const char *request, const char *reason,
                bool json);
