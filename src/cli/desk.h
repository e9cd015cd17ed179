/*
 * The operator's desk: acts about one end user, an account of the console, or of the casebook, each
 * of which goes on record. Only one process may write the log, so that it carries them out: the
 * running gateway, which is handed them as files in state_dir/desk and answers likewise; without
 * one, the command itself, which then owns the log.
 *
 *   ID.ask    written by the command; taken by renaming it
 *   ID.doing  being carried out; after a crash once more, which does no harm
 *   ID.done   the answer, removed by the command
 */
#pragma once

#include "audit/audit.h"
#include "base/arena.h"
#include "casebook/casebook.h"
#include "config/config.h"

#include <limits.h>

enum desk_verb {
    DESK_LOOKUP, /* somebody looks at what is known of the user; `what` tells how */
    DESK_LIFT,
    DESK_SUSPEND,
    DESK_APPEAL,
    DESK_DENY, /* the appeal */
    DESK_DELETE,
    DESK_ACCOUNT,  /* somebody's account of the console was changed; `what` tells how */
    DESK_CASEBOOK, /* `what` is an act of the casebook (casebook/casebook.h); end_user is empty */
    DESK_REVEAL,   /* the original texts of the exchange `what`; this and the following: keep.c */
    DESK_PRUNE,
    DESK_HOLD,    /* the exchange `what`, or what else is told */
    DESK_RELEASE, /* the hold of number `what` */
    DESK_BACKUP,  /* into the directory `what` */
    DESK_KEY,     /* an app's key, `account`, is about to be made, to take the place of
                     `reason`, or to be revoked: `what` is create, rotate or revoke */
    DESK_FILING,  /* something of the filing was done to `account` (a run, a pack, a step), `reason`
                     says more: `what` names it, in small letters and _ */
    DESK_VERBS,
};

struct desk_act {
    enum desk_verb verb;
    struct span app;      /* empty: all, but for DESK_SUSPEND */
    struct span end_user; /* the HMAC, 64 hex digits */
    struct span what;     /* DESK_LOOKUP: show, export, list; DESK_ACCOUNT: add, role, … */
    struct span account;  /* DESK_ACCOUNT: whose; there is no end user then */
    struct span reason, author, login;
    int64_t seconds; /* DESK_SUSPEND; 0: for good. DESK_BACKUP: 1: with the secret keys */
    int64_t since_us, until_us; /* DESK_HOLD; 0: open */
};

/* What came of it. */
struct desk_answer {
    char error[160];         /* empty: it is done */
    int64_t entries;         /* users (one an app) that it changed; of DESK_PRUNE and DESK_BACKUP
                                files; the hold's number */
    int64_t records, texts;  /* DESK_DELETE; DESK_PRUNE: original and other texts; DESK_BACKUP: the
                                last record */
    int64_t originals, held; /* DESK_DELETE: records whose original, or all, texts */
    bool left_in_wal;        /* likewise, see audit/forget.h */
    /* DESK_CASEBOOK: entries are done, records skipped, and this is the ticket's or incident's. */
    int64_t number;
};

#define DESK_ACT_MAX (256u << 10) /* bytes of an act as it lies on the desk */

/* What it takes to carry acts out; all outlive whoever has it. */
struct desk_hands {
    struct audit *audit;
    struct span log_dir;
    struct casebook *casebook; /* NULL: it could not be opened */
};

/* --- both sides: desk.c --- */

/* 0, -ENOMEM. */
int desk_write_act(const struct desk_act *act, struct buf *out);
/* 0; -EBADMSG when it is none. Texts are in the arena. */
int desk_read_act(struct span text, struct arena *arena, struct desk_act *ret_act);
int desk_write_answer(const struct desk_answer *answer, struct buf *out);
int desk_read_answer(struct span text, struct desk_answer *ret_answer);
/* Carries it out and waits until it is on record. For who holds the log. */
void desk_carry_out(const struct desk_hands *hands, const struct desk_act *act,
                    struct desk_answer *ret_answer);
bool desk_folder(struct span state_dir, const char *name, char ret_path[PATH_MAX]);

/* --- the gateway: deskwork.c --- */

struct desk;
/*
 * A thread that takes what comes; the log and the casebook outlive it. Messages are logged. 0 or
 * -errno.
 */
int desk_open(struct audit *a, struct casebook *casebook, const struct config *c,
              struct desk **ret_desk);
/* Finishes what it is at. Accepts NULL. */
void desk_close(struct desk *d);

/* --- the command: deskask.c --- */

#define DESK_WAIT_MS 10000
/* The casebook of that configuration, with what it says of reviews. As casebook_open(). */
int desk_casebook(const struct config *c, struct audit *a, struct casebook **ret_casebook);
/*
 * Has it carried out, by whoever holds the log; a running gateway has `wait_ms` to take it. 0 with
 * an answer; -ETIMEDOUT: the gateway took too
 * long and nothing was done; -EINPROGRESS: it is still at it; -EACCES: the state belongs to
 * somebody else; -errno.
 */
int desk_ask(const struct config *c, const struct desk_act *act, unsigned wait_ms,
             struct desk_answer *ret_answer);
