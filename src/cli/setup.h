/* What the subcommands share: configuration and rules with their messages, and how lines look. */
#pragma once

#include "config/config.h"
#include "rules/ruleset.h"

#include <stdio.h>

enum {
    CLI_GOOD = 0,
    CLI_BAD = 1,   /* configuration, rules or input are not good */
    CLI_USAGE = 2, /* as argp reports it */
    CLI_HIT = 3,   /* `scan`: something would be masked, answered or blocked */
    CLI_UNMET = 4, /* the library does not meet the standard's minima */
};

struct setup {
    struct config *config;
    struct ruleset *rules;
};

/*
 * Loads the configuration and, with `rules`, the library that it names, and checks the one against
 * the other. Prints every message to stderr. 0, or CLI_BAD with nothing to free.
 */
int setup_load(struct span file, bool rules, struct setup *ret_setup);
/*
 * The same with the published version in place of the library as it is being edited; with nothing
 * published that one, and a line on stderr that says so.
 */
int setup_load_published(struct span file, struct setup *ret_setup);
void setup_deinit(struct setup *s);

/* Messages, one a line; places and warnings in colour on a terminal (not with NO_COLOR set). */
void setup_print_messages(FILE *to, const struct buf *messages);
/* Begins a colour ("31;1" and the like, as in ECMA-48 SGR) on a terminal; "" else. */
const char *setup_colour(FILE *to, const char *code, char ret_text[16]);
/* Writes a buffer; false when the stream failed. */
bool setup_write(FILE *to, const struct buf *text);
/*
 * The same for texts of others: what a terminal would obey, or what shows nothing, is written as
 * \u and four digits, line ends and tabs excepted. JSON stays what it was.
 */
bool setup_show(FILE *to, const struct buf *text);
/* "key":"text", with a comma before it unless it is the first of its object. */
void setup_json(struct buf *out, const char *key, struct span text);
/* Who runs the command: by the terminal's login, so that sudo hides nobody; else by the user id. */
void setup_login(char *ret_name, size_t size);
/*
 * Is it one line of text in UTF-8, not blank, of at most `max` bytes, as journals and records want
 * it? If not, a line on stderr says what is wrong with `what`; `command` is as "user".
 */
bool setup_is_line(const char *command, const char *what, struct span text, size_t max);
