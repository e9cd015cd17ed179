/*
 * The dictionary of an index file: apps, models, rules and risks as small numbers. Belongs to one
 * connection and thread.
 */
#pragma once

#include "db/db.h"

#define NAMES_CACHE 512

struct names {
    struct db_stmt *find, *add;
    struct {
        char text[72];
        unsigned char len; /* 0: empty */
        int64_t id;
    } cache[NAMES_CACHE];
};

int names_open(struct names *n, struct db *db);
void names_close(struct names *n);
/* Forgets what a transaction that was rolled back may have added. */
void names_reset(struct names *n);
/* The number of a name, given to it if it has none; 0 for the empty one. 0 or negative. */
int names_id(struct names *n, struct span text, int64_t *ret_id);
