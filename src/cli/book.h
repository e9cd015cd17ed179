/*
 * What the commands of reviews, complaints and incidents share: acts by way of the desk, and the
 * casebook for reading.
 */
#pragma once

#include "casebook/casebook.h"
#include "cli/desk.h"
#include "json/value.h"

#include <argp.h>
#include <stdio.h>

struct book_command {
    const char *name; /* for messages: "juyong log review" */
    const char *file, *author;
    char login[256];
    unsigned wait_ms;
    bool json;
    struct config *config;
};

/* Options -c, --author, --wait and --json, for the child of an argp; its input is the struct. */
extern const struct argp book_argp;

/* Loads the configuration; 0, or an exit code after messages. */
int book_load(struct book_command *b);
void book_unload(struct book_command *b);
/* Fills in who acts, has it done; an exit code, with a message when it is not 0. */
int book_act(struct book_command *b, struct casebook_act *act, struct desk_answer *ret);
/* For reading, with what the log has of late. 0, or an exit code after a message. */
int book_open(struct book_command *b, struct casebook **ret_casebook);
/* A failure of reading; the exit code. */
int book_failed(const struct book_command *b, int r);

/* "2026-11-26 08:00" of China's clock. */
void book_time(int64_t us, char ret_text[24]);
/* Members for showing: the text made harmless for a terminal, 0 for what is none. */
struct span member_text(const struct json_value *object, const char *key);
int64_t member_number(const struct json_value *object, const char *key);
void book_print(struct span text);
/* Prints each element of the list in `text` as a line of JSON, or by fn. Exit code. */
int book_each(const struct book_command *b, struct span text,
              void (*fn)(const struct json_value *element));
