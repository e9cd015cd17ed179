/*
 * Whom a command is about: the id that the app gives, the hash by which records know him, or the
 * beginning of that hash, as tables print it.
 */
#pragma once

#include "config/config.h"

/* Shorter ones than tables print name nobody. */
#define PERSON_SHORT 8

enum {
    PERSON_AS_ID = 1 << 0,  /* an id, whatever it looks like */
    PERSON_IN_LOG = 1 << 1, /* known may be who is in the log: it is read as a whole, if need be */
    PERSON_OR_ID = 1 << 2,  /* what nobody is known by is an id */
};
/*
 * Finds the hash, 64 hex digits. What looks like the beginning of one (8 hex digits or more,
 * perhaps followed by …) is looked for among those whose strikes are counted and, if so asked, in
 * the log below log_dir: it must be known as the beginning of one hash or as an id, not as both.
 * False after a message that begins with `program`: nobody, or more than one.
 */
bool person_find(const char *program, const struct config *c, struct span log_dir, struct span id,
                 unsigned flags, char ret_hex[65]);
