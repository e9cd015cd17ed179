/*
 * What is known of exchanges from their records so far: a close does not repeat what the open said.
 * A small memory, and the log itself for what has fallen out of it, so that the answer never
 * depends on what happens to be remembered.
 */
#pragma once

#include "audit/entry.h"
#include "db/db.h"

#define KNOWN_SLOTS   8192
#define KNOWN_REQUEST 80 /* bytes; exchanges of longer ids are looked up each time */
#define KNOWN_NAME    64

struct known {
    char request[KNOWN_REQUEST];
    unsigned char request_len; /* 0: empty slot */
    unsigned char app_len, model_len;
    bool before; /* the month before has records of it */
    bool closed; /* its last record has been seen */
    bool kept;   /* texts were kept of it that are no interception's */
    int action;  /* the heaviest; ACTION_DEFAULT: none was said */
    /* Codes, see index_code(). */
    int64_t app, model, answered, user, session, ip, purpose;
    uint64_t first;              /* its first interception of this month; 0: none */
    char app_name[KNOWN_NAME];   /* clipped */
    char model_name[KNOWN_NAME]; /* of a model that an upstream serves */
};

struct known_set {
    struct db_stmt *here, *there; /* earlier records of a request: this month's, and before it */
    struct known spare;
    struct known slots[KNOWN_SLOTS];
};

/* `before`: the record file of the month before, or NULL. */
int known_open(struct known_set *s, struct db *l0, struct db *before);
void known_close(struct known_set *s);
void known_reset(struct known_set *s);
/* What the records before `seq` say of a request, borrowed until the next call. 0 or negative. */
int known_find(struct known_set *s, struct span request, uint64_t seq, struct known **ret_known);
/* Nothing more is expected of it. */
void known_drop(struct known *k);
/* Nothing is known. */
void known_clear(struct known *k);
/* Adds what a record says. */
void known_add(struct known *k, const struct entry *e);
