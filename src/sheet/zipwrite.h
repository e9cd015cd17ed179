/*
 * A zip archive, written member by member. It carries no time of its own (every member says
 * 1980-01-01), so that the same content gives the same bytes. The file is its owner's alone (0600)
 * and appears under its name only when it is complete: zipwrite_finish() syncs and renames it,
 * anything else leaves what was there.
 *
 * The first error sticks: every later call returns it, and zipwrite_finish() tells the reason.
 */
#pragma once

#include "base/buf.h"

struct zipwrite;

/*
 * Begins an archive that is to stand at `path`. 0, -ENAMETOOLONG, -ENOMEM, -errno when no file can
 * be made there.
 */
int zipwrite_new(struct span path, struct zipwrite **ret_writer);
/*
 * Adds a member. Its name is UTF-8, relative, with '/' between folders, which need no members of
 * their own; -EINVAL for one that is not, -EEXIST for one that is there already. -E2BIG past as
 * many members as our own reader takes (4096); -errno as the disk has it.
 */
int zipwrite_add(struct zipwrite *w, struct span name, struct span content);
/* The same out of a regular file, from its first byte, wherever the descriptor stands; it stays the
 * caller's. -ESTALE when the file grows shorter meanwhile. */
int zipwrite_add_fd(struct zipwrite *w, struct span name, int fd);
/*
 * Completes the file, or tells in *ret_error (which may be NULL) why there is none. A writer takes
 * nothing more afterwards but its end. 0, or the first error.
 */
int zipwrite_finish(struct zipwrite *w, struct buf *ret_error);
/* Accepts NULL. What was not finished leaves no file behind. */
struct zipwrite *zipwrite_free(struct zipwrite *w);
static inline void cleanup_zipwrite(struct zipwrite **w)
{
    zipwrite_free(*w);
}
