/*
 * Looks whether something in a folder has changed: at once when the folder tells (inotify(7)), and
 * once a second besides, for a watch may be refused, lost or blind on another machine's disk.
 */
#pragma once

#include "base/loop.h"

#define FOLDWATCH_MS 1000

/* Embedded in its owner, who reads what is there now whenever `look` is called. */
struct foldwatch {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    void (*look)(struct foldwatch *w);
};

/* Looks for the first time in `first_ms`, on the loop's thread. 0, -ENOMEM. */
int foldwatch_begin(struct foldwatch *w, struct loop *loop, const char *folder, unsigned first_ms,
                    void (*look)(struct foldwatch *w));
/* Does no harm where foldwatch_begin() failed. Before the loop is freed. */
void foldwatch_end(struct foldwatch *w);
