/*
 * Threads beside the loop that do what may wait for the disk, one job after the other. Jobs come
 * from the loop's thread and return to it. Knows nothing of requests.
 */
#pragma once

#include "base/list.h"
#include "base/loop.h"

struct clerk;

/* Embedded in its owner, who keeps it alive until `done` was called. */
struct clerk_job {
    struct list link;
    void (*work)(struct clerk_job *j, unsigned thread); /* on a clerk's thread, 0, 1, … */
    void (*done)(struct clerk_job *j);                  /* on the loop's thread */
};

/* `threads` of them, at most 8; `queue`: how many jobs may wait. 0, -ENOMEM, -EAGAIN. */
int clerk_new(struct loop *l, unsigned threads, size_t queue, struct clerk **ret_clerk);
/*
 * Waits for what is running; what still waits is dropped with `done` alone. `done` of all is called
 * before it returns. Accepts NULL.
 */
void clerk_free(struct clerk *c);
/* 0, or -EAGAIN when the queue is full: nothing was taken. */
int clerk_submit(struct clerk *c, struct clerk_job *j);
/*
 * From a clerk's thread: runs fn on the loop's and waits until it has. 0; -ECANCELED when
 * clerk_free() was called: fn was not and will not be run.
 */
int clerk_on_loop(struct clerk *c, void (*fn)(void *arg), void *arg);
