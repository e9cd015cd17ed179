/*
 * All members of a zip archive in their order, piece by piece: for archives of our own, whoever
 * brings them back. Untrusted: nothing is unpacked to a disk, names are told and never used as
 * paths.
 */
#pragma once

#include "base/buf.h"

/* Each returns 0, or what stops the reading and is returned by zipread_each(). */
struct zipread_ops {
    int (*begin)(void *ctx, struct span name); /* UTF-8; empty when it is not */
    int (*piece)(void *ctx, struct span piece);
    int (*end)(void *ctx);
};

/*
 * Reads the archive of a regular file from its first byte, unpacking no more than `budget` bytes
 * in all. Folders are no members. 0; what one of the ops returned; -EINVAL, with the reason
 * appended to *why, for what is damaged, encrypted, too big or no archive; -ENOMEM. Moves the
 * descriptor's place.
 */
int zipread_each(int fd, size_t budget, const struct zipread_ops *ops, void *ctx, struct buf *why);
