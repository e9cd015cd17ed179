/* A difference of two libraries as the API gives it. */
#pragma once

#include "rules/ruleset.h"

/*
 * Appends "added":N,"removed":N,"changed":N,"files":N,"phrases":N,"lines":[…],"untold":N, without
 * braces. `old` may be NULL. *ret_differs (may be NULL): is anything another? Live urgent words
 * are left out, for no library has them, when `library_only`. 0, -ENOMEM, -EMSGSIZE.
 */
int difference_write(const struct ruleset *old, const struct ruleset *new, bool library_only,
                     struct buf *out, bool *ret_differs);
