/*
 * What the stand-in model is to answer. A script is a JSON object; src/demo/README.md lists its
 * fields. It is chosen by the last user message:
 *
 *   … demo:NAME …       the script of that name: built in, or stored beforehand by the test
 *   {"demo": {…}}       a line of its own: the script itself
 *   anything else       a friendly answer in the message's language
 *
 * Stored scripts come in beside the gateway, so that a test can have any text answered without the
 * text, or an encoding of it, being part of the prompt that the gateway judges.
 */
#pragma once

#include "json/value.h"

#define SCRIPT_NAME_MAX 64

struct script_store;

struct script_store *script_store_new(void);
void script_store_free(struct script_store *s);
/* Keeps a script under a name of letters, digits, - and _; a former one is replaced. 0, -EINVAL,
 * -ENOMEM. */
int script_store_put(struct script_store *s, struct span name, struct span text);
/* Forgets what was stored; the built-in ones stay. */
void script_store_clear(struct script_store *s);
/* The script of that name, stored or built in, or NULL. O(scripts). */
const struct json_value *script_store_find(const struct script_store *s, struct span name);

/*
 * The script for a message. An inline script or a friendly answer is made for the occasion: then
 * *ret_made is what the caller frees with value_free(). NULL when memory is out.
 */
const struct json_value *script_choose(const struct script_store *s, struct span message,
                                       struct json_value **ret_made);

/* Built-in scripts in the order of the README; NULL name ends the table. */
struct script_builtin {
    struct span name, purpose, json;
};
extern const struct script_builtin script_builtins[];
