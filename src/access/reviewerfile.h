/* The file of reviewers' accounts: read whole, appended to. Private to this room. */
#pragma once

#include "access/reviewers.h"
#include "base/arena.h"

struct reviewerfile {
    struct arena arena;
    struct reviewer *list; /* in the arena */
    size_t count;
    unsigned lines;
    char head[65];   /* hash of the last line; "" */
    uint64_t length; /* bytes of whole lines */
};

/* 0; -EBADMSG or -errno with messages. Nothing is left to free on failure. */
int reviewerfile_read(struct span state_dir, struct buf *messages, struct reviewerfile *ret_file);
void reviewerfile_deinit(struct reviewerfile *f);
