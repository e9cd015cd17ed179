/* Members of a zip archive in memory, through libarchive. Private to this room. */
#pragma once

#include "base/buf.h"

#define ZIP_MEMBERS_MAX 4096

struct zip {
    struct span bytes;
    size_t budget; /* bytes that may still be unpacked, over all members read */
};

/* Takes the next piece of a member; nonzero stops and is returned. */
typedef int (*zip_piece_fn)(void *ctx, struct span piece);

/*
 * Unpacks the member of that name (ASCII case aside), piece by piece. 0; what `fn` returned; 1 when
 * there is no such member; -EINVAL, with the reason appended to *why, for an archive that is
 * damaged, encrypted, ambiguous or too big; -ENOMEM.
 */
int zip_read(struct zip *z, struct span name, zip_piece_fn fn, void *ctx, struct buf *why);
