/* An evaluation at work. Private to evaluate.c and evaluateslot.c. */
#pragma once

#include "base/loop.h"
#include "evaluation/evaluate.h"
#include "evaluation/machine.h"
#include "http/client.h"
#include "opinion/desk.h"

#include <stdatomic.h>

/* One question under way. */
struct slot {
    struct evaluation *e;
    size_t question;
    enum run_route route;
    bool busy;
    bool waits; /* for its turn to try again */
    unsigned tries;
    uint64_t began_us;
    struct buf body, got, note; /* what is sent and received; what the second opinion said */
    struct http_fetch *fetch;
    bool over;               /* the fetch */
    struct loop_task task;   /* looks at it */
    struct loop_timer timer; /* of the try, or of the pause before the next one */
    struct opinion_ask *asking;
    struct apianswer said;
    bool has_said;
    struct run_answer answer;
    char id[128], action[32]; /* headers of the answer */
    struct buf acted_by;
};

struct evaluation {
    struct evaluation_options o;
    struct loop *loop;
    struct http_client *client;
    struct opinion_desk *desk;
    struct machine machine;
    bool has_machine;
    struct slot slots[EVALUATION_SLOTS];
    size_t next;                /* question * RUN_ROUTES + route that is looked at next */
    uint64_t next_ms, begun_ms; /* when the next may be asked; of this session */
    struct loop_timer pace;
    struct loop_hook hook;
    atomic_bool interrupted;
    bool ended;
    bool heard[RUN_ROUTES]; /* something came back over it, in this session */
    enum evaluation_end end;
    char reason[512];
    char served[RULE_VERSION_SIZE]; /* other rules than ours, which the gateway goes by */
    size_t done, total, failed, errors, session;
    unsigned row[RUN_ROUTES]; /* failures in a row */
};

/* ---- evaluateslot.c: one question ---- */

void slot_init(struct slot *s, struct evaluation *e);
/* Drops what is under way and frees what it holds. */
void slot_deinit(struct slot *s);
/* What is under way is dropped: nobody is told, and it is asked again another time. */
void slot_drop(struct slot *s);
/* Asks the slot's question over its route; evaluation_keep() hears of it. */
void slot_ask(struct slot *s);

/* ---- evaluate.c ---- */

/* Ends it; the first reason counts. */
void evaluation_end(struct evaluation *e, enum evaluation_end how, const char *reason);
void evaluation_fail(struct evaluation *e, const char *what, int error);
/* Asks as much as may be asked now. */
void evaluation_go_on(struct evaluation *e);
/* s->answer is what came of it: puts it on the disk, and goes on. */
void evaluation_keep(struct slot *s);
