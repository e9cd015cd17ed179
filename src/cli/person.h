/*
 * Whom a command is about: the id that the app gives, the hash by which records know him, or the
 * beginning of that hash, as tables print it (audit/person.h).
 */
#pragma once

#include "audit/person.h"
#include "config/config.h"

/*
 * Finds the hash, 64 hex digits; flags as in struct person_search. False after a message that
 * begins with `program`: nobody, or more than one.
 */
bool person_ask(const char *program, const struct config *c, struct span log_dir, struct span id,
                unsigned flags, char ret_hex[65]);
