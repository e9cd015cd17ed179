/*
 * A conversation comes back with every request, refused turns included. What was refused before
 * and now stands in an earlier turn is old: the request goes on, with a notice in place of that
 * turn and of the answer to it. Everything else that forbids a request refuses it, and is
 * remembered. Of prompts only: what is kept from the client in an answer never comes back.
 */
#pragma once

#include "audit/audit.h"
#include "base/buf.h"
#include "crypto/sha256.h"
#include "dialect/splice.h"
#include "scan/scanner.h"

struct judge;
struct exchange;

/* Different offences told apart in one request; with more it is refused. */
#define HISTORY_OFFENCES_MAX 256

/* The hits of one rule in one text, or in the texts that one hit crosses. */
struct offence {
    struct channel *channel;
    struct hit hit; /* the first of them */
    enum action action;
    size_t item, last_item; /* of the channel */
    uint64_t from, to;      /* their texts in the channel */
    /* From the second walk on. */
    struct span path;
    enum role role;
    uint32_t first, last; /* turns; 0: outside of the conversation */
    /* From history_settle() on. */
    unsigned char digest[SHA256_SIZE]; /* of the items; when `coded` */
    unsigned char code[AUDIT_OFFENCE_SIZE];
    bool coded;
    bool opinion; /* of somebody who was asked, not of a rule: channel and hit mean nothing */
    enum audit_memory memory; /* AUDIT_UNKNOWN: a new one */
};

struct history {
    struct offence *list;
    size_t count;
    bool full;        /* there were more */
    size_t left;      /* hits that had no room among the findings */
    bool unrecorded;  /* something of it is to be recorded or remembered */
    bool only_old;    /* refused, and for nothing new */
    bool said;        /* something new stands in what the user says now */
    struct buf turns; /* struct dialect_turn */
    bool *off;        /* for each: kept from the model; NULL: none is */
    size_t off_count;
};

void history_init(struct history *h);
void history_deinit(struct history *h);
/*
 * Notes a hit that forbids the request. The offence's number from 1, 0 when there is no room,
 * -ENOMEM. O(offences).
 */
int history_note(struct judge *j, struct channel *c, const struct hit *hit, enum action action);
/* That somebody's opinion forbids, or forbade, the turns first..last. */
struct history_opinion {
    enum role role;
    uint32_t first, last;
    enum action action;
    const unsigned char *code; /* NULL: it can't be remembered */
    enum audit_memory memory;
};
/* Notes it. The offence's number from 1, 0 when there is no room, -ENOMEM. */
int history_note_opinion(struct judge *j, const struct history_opinion *said);
/* Tells where an item stands, on the second walk. */
void history_place(struct judge *j, const struct text_item *item, const struct piece *p);
/*
 * Decides between old and new, and with it the judge's action and whether the request is refused.
 * After the second walk, once the exchange's subject is known. What goes wrong counts as new.
 */
void history_settle(struct exchange *x, struct span body);

/* How many splices the notices need. */
size_t history_splices(const struct history *h);
/* Appends them; each covers a message, so that masks within it are not wanted. 0, -ENOSPC, -EINVAL,
 * -ENOMEM. */
int history_rewrite(struct exchange *x, struct span body, struct splice *list, size_t max,
                    size_t *count);
/* What the act is to have remembered; room for HISTORY_OFFENCES_MAX. */
size_t history_remember(const struct judge *j, struct audit_offence *ret_list);
