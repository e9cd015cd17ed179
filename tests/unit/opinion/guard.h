/*
 * A scripted guard in the loop of a test: it answers what it is told, when it is told, or not at
 * all.
 */
#pragma once

#include "../unit.h"

#include "base/buf.h"
#include "base/loop.h"

struct guard;

struct guard_side {
    struct loop_watch watch;
    struct loop_timer due;
    struct guard *guard;
    struct buf in;
    bool open, asked, answered;
};

#define GUARD_SIDES 64

struct guard {
    struct loop *loop;
    int *busy; /* raised while the guard itself is at work; NULL: nobody asks */
    struct loop_watch listener;
    uint16_t port;
    struct guard_side sides[GUARD_SIDES];
    size_t count; /* connections taken */
    size_t asked, answered;
    size_t left; /* closed by the asker before an answer */
    size_t most; /* asked and not answered, at one time */
    /* The script. */
    unsigned delay_ms;
    bool held; /* answers nothing before guard_go() */
    int status;
    const char *answer; /* the body of every answer; NULL: the connection breaks */
    const char *(*judge)(struct span question); /* or by the question's body */
    struct buf last;                            /* the last question: head and body */
};

#define GUARD_SAFE "{\"flagged\":false}"
#define GUARD_BAD  "{\"flagged\":true,\"categories\":{\"bad\":0.9}}"

void guard_open(struct guard *g, struct loop *l);
void guard_close(struct guard *g);
/* Lets everything that is held be answered. */
void guard_go(struct guard *g);
